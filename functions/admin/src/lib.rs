//! The admin function as a library: its handler, so that tests can call it without Lambda.

mod app;
mod caller;
mod handler;
mod setup_links;

pub use app::{App, LoadError};
pub use handler::handle;
