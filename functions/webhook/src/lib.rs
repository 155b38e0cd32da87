//! The webhook function as a library: its handler, so that tests can call it without Lambda.

mod handler;
mod secrets;

pub use handler::{App, handle};
