//! The decide function as a library: its handler, so that tests can call it without Lambda.

mod answer;
mod app;
mod ask;
mod caller;
mod described;
mod execute;
mod handler;
mod list;
mod openapi;
mod parameters;
mod refusal;
mod wire;

pub use app::App;
pub use execute::Executions;
pub use handler::handle;
pub use openapi::document as openapi;

/// Name of the function in metrics.
const NAME: &str = "decide";
