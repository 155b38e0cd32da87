//! Approvals: held, asked about, answered by links, begun again on what is so then, made once.

mod begin;
mod callers;
mod concurrency;
mod crashes;
pub(crate) mod ground;
mod mutations;
mod pages;
mod story;
