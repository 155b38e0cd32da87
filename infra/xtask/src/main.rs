//! `cargo xtask`: demo, up, test.

fn main() {}
