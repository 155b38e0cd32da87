//! Tests of the whole: what no single crate can check about itself.

// The whole program is a test: here a panic is how a check says no, and what some of them count is printed for whoever wants the figures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod acting;
mod admin;
mod approvals;
mod archive;
mod arrows;
mod connect;
mod cost;
mod documents;
mod facts;
mod gateway;
mod logs;
mod notify;
mod path_a;
mod path_b;
mod played;
mod reconcile;
mod refresh;
mod replay;
mod restore;
mod template;
mod warm;
