//! The notify function as a library: its handler, so that tests can call it without Lambda.
#![doc = include_str!("../README.md")]

mod app;
mod asked;
mod called_in;
mod deadline;
mod ended;
mod follow;
mod handler;
mod lines;
mod operators;
mod post;
mod reminders;
mod resend;
mod returns;

pub use app::App;
pub use handler::{NotifyFailed, handle};

/// Name of the function in metrics.
const NAME: &str = "notify";
