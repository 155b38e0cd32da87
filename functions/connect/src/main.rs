//! The connect function.

fn main() {}
