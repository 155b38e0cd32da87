//! The files that stand in every log's folder for people without Axiru's software: how to read it, and a small program that checks it.
//!
//! A checker recognises them by their hash, those of earlier versions too: a program that somebody changed must not be run by an auditor.

use crate::hash::Hash;

/// `README.txt`.
pub const README: &str = include_str!("../readers/README.txt");

/// `verify.py`.
pub const SCRIPT: &str = include_str!("../readers/verify.py");

/// SHA-256 of every `README.txt` that was ever written and differs from [`README`]: add the hash here when the text changes after a release.
const README_BEFORE: [&str; 0] = [];

/// The same of `verify.py`.
const SCRIPT_BEFORE: [&str; 0] = [];

/// True for a `README.txt` of this or an earlier version.
#[must_use]
pub fn is_readme(bytes: &[u8]) -> bool {
    is_known(bytes, README, &README_BEFORE)
}

/// True for a `verify.py` of this or an earlier version.
#[must_use]
pub fn is_script(bytes: &[u8]) -> bool {
    is_known(bytes, SCRIPT, &SCRIPT_BEFORE)
}

fn is_known(bytes: &[u8], now: &str, before: &[&str]) -> bool {
    bytes == now.as_bytes() || before.contains(&Hash::of(bytes).to_string().as_str())
}
