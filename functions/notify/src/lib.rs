//! The notify function as a library: its handler, so that tests can call it without Lambda.
