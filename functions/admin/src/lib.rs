//! The admin function as a library: its handler, so that tests can call it without Lambda.

mod answer;
mod app;
mod asked;
mod caller;
mod handler;
mod keys;
mod persons;
mod plans;
mod scopes;
mod setup_links;

pub use app::{App, LoadError};
pub use handler::handle;
