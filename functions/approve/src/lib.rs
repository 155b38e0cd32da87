//! The approve function as a library: its handler, so that tests can call it without Lambda.

mod app;
mod handler;
mod pages;
mod standing;

pub use app::App;
pub use handler::handle;
pub use pages::gallery;

/// Name of the function in metrics.
const NAME: &str = "approve";
