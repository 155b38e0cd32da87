//! Decisions beside the bare transaction that they cannot do without, turn and turn about in one process: read the ratio.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use axiru_in_process::{LEDGER_TABLE, STATE_TABLE};

use crate::ground::{Ground, ask, limit, n, s};

/// Decisions in one round.
const ROUND: usize = 200;

/// Rounds of each.
const ROUNDS: usize = 5;

/// The transaction of one decision and nothing else: its entry and rows of the usual sizes, on conditions of the usual kind.
async fn bare(client: &aws_sdk_dynamodb::Client, i: usize) {
    let put = |pk: String, sk: &str, bytes: usize| {
        let put = Put::builder().table_name(STATE_TABLE).item("pk", s(pk)).item("sk", s(sk)).item("version", n(1));
        put.item("text", s("x".repeat(bytes))).condition_expression("attribute_not_exists(pk)")
    };
    let entry = Put::builder().table_name(LEDGER_TABLE).item("pk", s("bare#0")).item("seq", n(i));
    let entry = entry.item("entry", AttributeValue::B(Blob::new(vec![b'x'; 1_300])));
    let entry = entry.condition_expression("attribute_not_exists(pk)");
    let request = put(format!("bare#request#{i}"), "request", 600);
    let request = request.item("listed", s("bare#open")).item("listed_at", s(format!("bare#{i}")));
    let rows =
        [request, put(format!("bare#similar#{i}"), "similar", 150), put(format!("bare#counter#{i}"), "counters", 150)];
    let write = |put: Put| TransactWriteItem::builder().put(put).build();
    let items = rows.into_iter().chain([entry]).map(|put| write(put.build().unwrap())).collect();
    client.transact_write_items().set_transact_items(Some(items)).send().await.unwrap();
}

async fn decide(ground: &Ground, from: usize) -> Duration {
    let asks: Vec<_> = (from..from + ROUND).map(|number| ask(0, number)).collect();
    let started = Instant::now();
    for ask in &asks {
        ground.decider.decide(ask).await.unwrap();
    }
    started.elapsed()
}

pub(crate) fn print() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let plain = Ground::new(1, 1, &[]).await;
    let limited = Ground::new(1, 1, &[limit("actor", "day"), limit("account", "day")]).await;
    for ground in [&plain, &limited] {
        ground.decider.decide(&ask(0, 10_000_000)).await.unwrap();
    }
    let (mut none, mut two, mut transactions) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for round in 0..ROUNDS {
        let first = round * ROUND;
        none += decide(&plain, first).await;
        two += decide(&limited, first).await;
        let started = Instant::now();
        for i in first..first + ROUND {
            bare(&plain.client, i).await;
        }
        transactions += started.elapsed();
    }
    let rate = |took: Duration| (ROUNDS * ROUND) as f64 / took.as_secs_f64();
    println!("{:34} {:>12} {:>8}", "in one process", "decisions/s", "ratio");
    for (what, took) in [
        ("bare transaction of four rows", transactions),
        ("decide, no limits", none),
        ("decide, two limits, two subjects", two),
    ] {
        println!("{what:34} {:>12.0} {:>8.2}", rate(took), rate(took) / rate(transactions));
    }
}
