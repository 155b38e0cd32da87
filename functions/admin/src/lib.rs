//! The admin function as a library: its handler, so that tests can call it without Lambda.

mod answer;
mod app;
mod approvals;
mod asked;
mod groups;
mod handler;
mod keys;
mod persons;
mod plans;
mod reconcile;
mod scopes;
mod setup_links;
mod switches;

pub use app::{App, LoadError};
pub use handler::handle;
