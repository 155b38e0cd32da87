//! How fast decisions are: under contention in virtual time, in DynamoDB's units, and beside the bare transaction.
//!
//! `cargo run --example decide_speed`; `cargo run --example decide_speed contention|cost|beside` for one part.

// A measurement talks to its user, and ends where something is not as it should be.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

mod beside;
mod contention;
mod cost;
mod ground;

fn main() {
    let part = std::env::args().nth(1);
    let wants = |name: &str| part.as_deref().is_none_or(|part| part == name);
    if wants("contention") {
        contention::print();
        println!();
    }
    if wants("cost") {
        cost::print();
        println!();
    }
    if wants("beside") {
        beside::print();
    }
}
