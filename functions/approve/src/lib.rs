//! The approve function as a library: its handler, so that tests can call it without Lambda.

mod pages;

pub use pages::gallery;
