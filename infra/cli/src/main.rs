//! The `axiru` command: what operators and auditors run.

fn main() {}
