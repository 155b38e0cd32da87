//! Tokens that live for one hour: renewing them, reading them, and what happens when anything in between fails.

mod asks;
mod concurrency;
mod crashes;
mod day;
pub(crate) mod ground;
mod reader;
mod refusals;
pub(crate) mod stripe;
mod stripe_faults;
