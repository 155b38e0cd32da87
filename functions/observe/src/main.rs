//! The observe function.

fn main() {}
