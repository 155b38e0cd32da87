#![doc = include_str!("../README.md")]

pub mod batch;
pub mod body;
pub mod caller;
pub mod env;
pub mod fields;
pub mod invocation;
pub mod key;
pub mod load;
pub mod metrics;
pub mod problem;
pub mod start;
pub mod telemetry;
mod written;
