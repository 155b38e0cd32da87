//! How fast a copy of the ledger is checked, beside what cannot be avoided: hashing every byte of it and parsing every line.
//!
//! `cargo run --example verify_speed [ENTRIES]`, as `cargo xtask bench` does. All of it runs on one processor, in memory, one after the other: read
//! the ratio.

// A measurement talks to its user, and ends where something is not as it should be.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::panic
)]
#![allow(dead_code)]

use std::hint::black_box;
use std::time::Instant;

use axiru_in_process::{InProcess, Retries};
use serde_json::Value;
use sha2::{Digest, Sha256};

#[path = "../tests/acting.rs"]
mod acting;
#[path = "../tests/archive/ground.rs"]
mod ground;

use ground::{Copy, Ground, LOG, first_day, leap_day, third_day};

/// Measurements of each; the quickest counts.
const TIMES: usize = 5;

/// An export of two sealed days and one that is under way.
async fn export(entries: usize) -> Copy {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    for (day, clock) in [(0, first_day as fn() -> _), (1, leap_day), (2, third_day)] {
        ground.beat(clock).await.unwrap();
        ground.append(LOG, day * entries / 3..(day + 1) * entries / 3, clock).await;
        ground.export(clock).await.unwrap();
    }
    ground.copy()
}

/// Milliseconds of the quickest run.
fn quickest(work: impl Fn()) -> f64 {
    let run = |_| {
        let started = Instant::now();
        work();
        started.elapsed().as_secs_f64() * 1_000.0
    };
    (0..TIMES).map(run).fold(f64::INFINITY, f64::min)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let entries = std::env::args().nth(1).map_or(20_000, |count| count.parse().unwrap());
    let copy = export(entries).await;
    let trusted = copy.trusted();
    let bytes: usize = copy.0.values().map(Vec::len).sum();
    let segments = || copy.0.iter().filter(|(name, _)| name.ends_with(".ndjson"));
    let segment_bytes: usize = segments().map(|(_, bytes)| bytes.len()).sum();
    println!(
        "{entries} entries, {:.1} MB of segments in {:.1} MB of files: {:.0} bytes exported for an entry",
        segment_bytes as f64 / 1e6,
        bytes as f64 / 1e6,
        bytes as f64 / entries as f64
    );
    let hash = quickest(|| {
        for bytes in copy.0.values() {
            black_box(Sha256::digest(bytes));
        }
    });
    let parse = quickest(|| {
        for (_, bytes) in segments() {
            for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                black_box(serde_json::from_slice::<Value>(line).unwrap());
            }
        }
    });
    let verify = quickest(|| assert!(copy.check(&trusted).passed()));
    println!("SHA-256 of every byte            {hash:8.1} ms");
    println!("parsing every line of JSON       {parse:8.1} ms");
    println!("axiru verify                     {verify:8.1} ms, {:.2} times both", verify / (hash + parse));
    println!("                                 {:8.1} us for an entry", verify * 1_000.0 / entries as f64);
}
