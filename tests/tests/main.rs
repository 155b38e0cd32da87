//! Tests of the whole: what no single crate can check about itself.

mod arrows;
mod path_b;
mod template;
