//! The connect function as a library: its handler, so that tests can call it without Lambda.

mod answer;
mod app;
mod browser;
mod callback;
mod config;
mod confirm;
mod handler;
mod install;
mod operators;
mod pages;

pub use app::{App, LoadError};
pub use config::{Config, ConfigError};
pub use handler::handle;
pub use pages::gallery;
