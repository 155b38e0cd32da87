//! The gateway function as a library: its handler, so that tests can call it without Lambda.

mod answer;
mod app;
mod error;
mod handler;
mod money;
mod moves;
mod pass;
mod permission;
mod relay;

pub use app::App;
pub use handler::handle;

/// Name of the function in metrics.
const NAME: &str = "gateway";
