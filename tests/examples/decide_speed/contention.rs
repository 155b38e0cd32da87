//! Contention in virtual time: Poisson arrivals on a paused clock.
//!
//! Kinder than DynamoDB: a transaction takes effect at one moment, after half of its 14 ms, and nothing raises `TransactionConflict`;
//! there, whatever reads or writes between its two phases loses too. It records no stream. Tokio's timers count whole
//! milliseconds, so that a read of 3.5 ms takes 4. The arrivals are the same in every run; back-offs are random, and a p99
//! of some hundred requests differs by a third from run to run.

use std::sync::Arc;
use std::time::Duration;

use axiru_aws::decide::DecideError;
use axiru_in_process::Latencies;
use tokio::time::Instant;

use crate::ground::{Ground, ask, limit};

/// Arrivals per second, and for how many seconds. The whole is some 3,500 requests for each number of lanes.
const ARRIVALS: [(u32, u32); 5] = [(5, 60), (20, 20), (50, 20), (100, 10), (200, 5)];

const LANES: [u16; 3] = [1, 4, 16];

/// Arrivals of the first second are not counted: the queue is not yet what it will be.
const LEAD_IN: Duration = Duration::from_secs(1);

/// An agent asks again only after more than the deadline of 2 s, so that its own row never contends.
const REST_SECS: u32 = 4;

const SEED: u64 = 0x0005_DEEC_E66D_1CE5;

/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
struct Random(u64);

impl Random {
    /// Evenly in (0, 1].
    fn even(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((z ^ (z >> 31)) >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Time to the next of so many arrivals per second.
    fn gap(&mut self, per_second: u32) -> Duration {
        Duration::from_secs_f64(-self.even().ln() / f64::from(per_second))
    }
}

struct Cell {
    took: Vec<Duration>,
    undecided: usize,
    transactions: usize,
    decided: usize,
}

async fn measure(per_second: u32, secs: u32, lanes: u16, counted: bool) -> Cell {
    let agents = (per_second * REST_SECS) as usize;
    let limits = if counted { vec![limit("account", "day")] } else { Vec::new() };
    let ground = Arc::new(Ground::new(lanes, agents, &limits).await);
    // Every key and the plans are known before the clock runs.
    for agent in 0..agents {
        ground.decider.decide(&ask(agent, 10_000_000 + agent)).await.unwrap();
    }
    ground.account.clear_calls();
    ground.account.set_latencies(Latencies::simulated());
    let mut random = Random(SEED);
    let mut tasks = tokio::task::JoinSet::new();
    let mut at = Duration::ZERO;
    let started = Instant::now();
    for number in 0.. {
        at += random.gap(per_second);
        if at >= Duration::from_secs(secs.into()) {
            break;
        }
        let ground = Arc::clone(&ground);
        tasks.spawn(async move {
            tokio::time::sleep_until(started + at).await;
            let asked = Instant::now();
            let answer = ground.decider.decide(&ask(number % agents, number)).await;
            (at >= LEAD_IN, asked.elapsed(), answer)
        });
    }
    let mut cell = Cell { took: Vec::new(), undecided: 0, transactions: 0, decided: 0 };
    while let Some(done) = tasks.join_next().await {
        let (counts, took, answer) = done.unwrap();
        cell.decided += usize::from(answer.is_ok());
        if counts {
            cell.took.push(took);
            match answer {
                Ok(_) => {}
                Err(DecideError::Undecided(_)) => cell.undecided += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    cell.took.sort();
    let calls = ground.account.calls();
    cell.transactions = calls.operations().iter().filter(|operation| **operation == "TransactWriteItems").count();
    cell
}

pub(crate) fn print() {
    println!(
        "contention, in virtual time (a read 3.5 ms, on this clock 4; a transaction 14 ms; percentiles over all requests,"
    );
    println!("those that were given up after 2 s or 20 tries among them; nobody asks again)");
    println!(
        "{:>10} {:>5}  {:14} {:>8} {:>8} {:>8} {:>14} {:>15}",
        "arrivals/s", "lanes", "contended", "requests", "p50 ms", "p99 ms", "tries/decision", "undecided"
    );
    for (counted, contended) in [(false, "lanes"), (true, "lanes, one row")] {
        for lanes in LANES {
            for (per_second, secs) in ARRIVALS {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = runtime.enable_time().start_paused(true).build().unwrap();
                let cell = runtime.block_on(measure(per_second, secs, lanes, counted));
                let count = cell.took.len();
                let ms = |of_hundred: usize| cell.took[(count - 1) * of_hundred / 100].as_secs_f64() * 1_000.0;
                println!(
                    "{per_second:>10} {lanes:>5}  {contended:14} {count:>8} {:>8.0} {:>8.0} {:>14.2} {:>6} ({:>4.1} %)",
                    ms(50),
                    ms(99),
                    cell.transactions as f64 / cell.decided as f64,
                    cell.undecided,
                    cell.undecided as f64 * 100.0 / count as f64,
                );
            }
        }
    }
}
