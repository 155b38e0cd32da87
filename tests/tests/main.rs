//! Tests of the whole: what no single crate can check about itself.

mod arrows;
mod connect;
mod path_b;
mod template;
