//! How long one decision takes, its request built each time, beside two other policy engines that answer the same question:
//! which of the rules that speak of this kind of movement fire.
//!
//! Every engine gets the rules cut by kind beforehand, compiled once. Run: `cargo run --release` in this folder.
// A measurement made by hand: whatever fails ends it.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used)]

mod axiru;
mod peers;
mod rules;

use std::time::Instant;

use rules::{Rule, spread};

/// Decisions measured, and those before them that are not.
const MEASURED: usize = 20_000;
const WARM_UP: usize = 2_000;

/// Half and 99 % of the runs took no longer than this, in microseconds.
fn measure(mut decide: impl FnMut() -> usize, fired: usize) -> (f64, f64) {
    for _ in 0..WARM_UP {
        assert_eq!(decide(), fired, "another number of rules fires");
    }
    let mut times: Vec<_> = (0..MEASURED)
        .map(|_| {
            let begin = Instant::now();
            let found = std::hint::black_box(decide());
            let took = begin.elapsed();
            assert_eq!(found, fired);
            took
        })
        .collect();
    times.sort_unstable();
    let micros = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1e6;
    (micros(50), micros(99))
}

fn table(what: &str, rules: &[Rule]) {
    println!("\n{what}\n\n| engine | p50 µs | p99 µs |\n|---|---|---|");
    let row = |name: &str, (p50, p99): (f64, f64)| println!("| {name} | {p50:.1} | {p99:.1} |");
    for (name, fires) in [("no rule fires but the permit", false), ("one holds", true)] {
        println!("| *{name}* | | |");
        let movement = axiru::movement(fires);
        let fired = usize::from(fires);
        for (name, plain) in [("axiru", true), ("axiru, rules that nothing excludes beforehand", false)] {
            let plan = axiru::Plans::of(rules, plain);
            row(name, measure(|| plan.decide(&movement), fired));
        }
        let rego = peers::Rego::of(rules);
        row("regorus", measure(|| rego.decide(&movement), fired));
        let cel = peers::Cel::of(rules);
        row("cel", measure(|| cel.decide(&movement), fired));
    }
}

fn main() {
    table("100 rules over 6 kinds, 17 of them about refunds", &spread(6));
    table("100 rules about refunds", &spread(1));
    axiru::limits_and_unknowns(measure);
}
