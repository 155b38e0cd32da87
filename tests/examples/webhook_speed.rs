//! How fast an event of Stripe's is verified and projected, beside Stripe's own packages for Python and Node.
//!
//! `cargo run --example webhook_speed -- PYTHON NODE PACKAGES`, as `cargo xtask bench` does. All run on the same machine, one after the other, twice: read
//! the ratios. Each verifies the same bytes; "event" adds what each makes of them (here the projection, there an object of the whole body).

// A measurement talks to its user, and ends where something is not as it should be.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_precision_loss)]

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use axiru_domain::Mode;
use axiru_stripe::event::project;
use axiru_stripe::signature::verify;
use axiru_stripe_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

/// Verifications of one measurement.
const ROUNDS: u32 = 20_000;

/// Measurements of each; the quicker counts.
const TIMES: usize = 2;

/// A delivery as the sandbox signs it: body, header, secret.
fn delivery() -> (Vec<u8>, String, String) {
    let sandbox = Sandbox::new(SandboxConfig::default());
    sandbox.control("POST", "accounts", json!({"id": "acct_1", "business_name": "Bench"})).unwrap();
    sandbox.control("POST", "test/acct_1/install", json!({})).unwrap();
    let request = axiru_stripe_sandbox::ApiRequest {
        method: "POST".into(),
        path: "/v1/webhook_endpoints".into(),
        headers: [(http::header::AUTHORIZATION, "Bearer sk_test_SandboxDeveloperKeyTest".parse().unwrap())]
            .into_iter()
            .collect(),
        body: b"url=https://axiru.example/x&connect=true&enabled_events[]=refund.created".to_vec(),
        ..axiru_stripe_sandbox::ApiRequest::default()
    };
    let endpoint: Value = serde_json::from_str(&sandbox.api(&request).body).unwrap();
    let charge = sandbox.control("POST", "test/acct_1/charges", json!({"amount": 5_000, "currency": "usd"})).unwrap();
    sandbox.control("POST", "test/acct_1/refunds", json!({"charge": charge["id"], "amount": 100})).unwrap();
    let sent = sandbox.drain_outbox().into_iter().find(|sent| sent.event_type == "refund.created").unwrap();
    let header = sent.headers.iter().find(|(name, _)| name == "stripe-signature").unwrap().1.clone();
    (sent.body.to_vec(), header, endpoint["secret"].as_str().unwrap().to_owned())
}

fn timed(work: impl Fn()) -> f64 {
    work();
    let started = Instant::now();
    for _ in 0..ROUNDS {
        work();
    }
    started.elapsed().as_nanos() as f64 / f64::from(ROUNDS)
}

/// What a peer measures; none where it is not there.
fn peer(program: &str, arguments: &[&str]) -> Option<Value> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let said = serde_json::from_slice(&output.stdout).ok();
    if said.is_none() {
        println!("{program}: {}", String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("says nothing"));
    }
    said
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |i: usize| arguments.get(i).map_or("", String::as_str);
    let (body, header, secret) = delivery();
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("body", body.as_slice()), ("header", header.as_bytes()), ("secret", secret.as_bytes())] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let (python, node) = (scripts.join("webhook.py"), scripts.join("webhook.mjs"));
    let (place, rounds) = (folder.path().to_str().unwrap(), ROUNDS.to_string());
    let now = header.split_once("t=").unwrap().1.split(',').next().unwrap().parse().unwrap();
    let secrets = [secret.as_bytes()];
    assert!(verify(&header, &[body.as_slice(), b" "].concat(), &secrets, now).is_err());

    let ours = || {
        let checked = timed(|| verify(black_box(&header), black_box(&body), &secrets, now).unwrap());
        let event = timed(|| {
            verify(black_box(&header), black_box(&body), &secrets, now).unwrap();
            black_box(project(black_box(&body), Mode::Test).unwrap());
        });
        Some(json!({"version": env!("CARGO_PKG_VERSION"), "verify_ns": checked, "event_ns": event}))
    };
    let peers: [(&str, &dyn Fn() -> Option<Value>); 3] = [
        ("axiru", &ours),
        ("stripe for Python", &|| peer(argument(0), &[python.to_str().unwrap(), place, &rounds])),
        ("stripe for Node", &|| peer(argument(1), &[node.to_str().unwrap(), place, &rounds, argument(2)])),
    ];
    println!("webhook of {} bytes, {ROUNDS} rounds, the quicker of {TIMES}", body.len());
    println!("{:20} {:>9} {:>12} {:>12} {:>16}", "", "version", "verify", "event", "against axiru");
    let mut first: Option<(f64, f64)> = None;
    for (name, measure) in peers {
        let runs: Vec<Value> = (0..TIMES).filter_map(|_| measure()).collect();
        let least = |field: &str| runs.iter().filter_map(|run| run[field].as_f64()).reduce(f64::min);
        let (Some(checked), Some(event)) = (least("verify_ns"), least("event_ns")) else {
            println!("{name:20} not here");
            continue;
        };
        let (a, b) = *first.get_or_insert((checked, event));
        let version = runs[0]["version"].as_str().unwrap_or("?");
        let ratio = format!("{:.1}x, {:.1}x", checked / a, event / b);
        println!("{name:20} {version:>9} {:>9.2} µs {:>9.2} µs {ratio:>16}", checked / 1e3, event / 1e3);
    }
}
