//! How fast `observe` is beside the bare transaction it cannot do without, and what a movement costs in DynamoDB.
//!
//! `cargo run --example observe_speed`. Both are measured in this one process, turn and turn about: read the ratio, not the times.

// A measurement talks to its user, and ends where something is not as it should be.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_precision_loss)]

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use axiru_aws::Store;
use axiru_aws::observe::Observer;
use axiru_aws::plans::{PlanHead, PlanHeads};
use axiru_domain::PolicyMode;
use axiru_in_process::{InProcess, LEDGER_TABLE, Retries, STATE_TABLE};
use axiru_stripe::event::{Projected, project};
use axiru_stripe::report::Report;
use serde_json::json;

/// Movements in one round.
const ROUND: usize = 200;

/// Rounds of each.
const ROUNDS: usize = 5;

fn refund(i: usize) -> Report {
    let event = json!({
        "id": format!("evt_{i}"), "object": "event", "type": "refund.created", "account": "acct_1", "livemode": false, "created": 1_793_491_080,
        "request": {"id": "req_1"}, "data": {"object": {"id": format!("re_{i}"), "amount": 4_500, "currency": "usd", "charge": "ch_1",
            "created": 1_793_491_080, "reason": null, "status": "succeeded", "destination_details": {"type": "card"}}},
    });
    match project(event.to_string().as_bytes(), axiru_domain::Mode::Test).unwrap() {
        Projected::Report(report) => *report,
        Projected::Ignored(_) => unreachable!("a refund is of interest"),
    }
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

async fn put(client: &aws_sdk_dynamodb::Client, item: &[(&str, AttributeValue)]) {
    let item = item.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    client.put_item().table_name(STATE_TABLE).set_item(Some(item)).send().await.unwrap();
}

/// A connected account with the starter plans.
async fn ground() -> (InProcess, Observer) {
    let account = InProcess::new().unwrap();
    let client = account.dynamodb(Retries::On);
    let connection = [
        ("pk", s("test#connections")),
        ("sk", s("acct_1")),
        ("state", s("active")),
        ("lanes", AttributeValue::N("1".into())),
        ("attempt", s("att_1")),
        ("connected_at", s("2026-10-01T00:00:00.000Z")),
    ];
    put(&client, &connection).await;
    let plans = axiru_policy::starter().unwrap();
    let head = |plan: &axiru_policy::Plan| PlanHead {
        plan: plan.name().to_owned(),
        sha256: plan.sha256().to_owned(),
        policy_mode: PolicyMode::Shadow,
    };
    let heads = plans.iter().map(head).collect::<PlanHeads>().row(&"test/acct_1".parse().unwrap());
    client.put_item().table_name(STATE_TABLE).set_item(Some(heads)).send().await.unwrap();
    for plan in plans {
        let document = AttributeValue::B(Blob::new(plan.document()));
        put(&client, &[("pk", s("test#acct_1#plan")), ("sk", s(plan.sha256())), ("document", document)]).await;
    }
    let observer = Observer::new(Store::new(client, STATE_TABLE, LEDGER_TABLE));
    (account, observer)
}

/// The transaction of one movement and nothing else: a row, and an entry of the usual size.
async fn bare(client: &aws_sdk_dynamodb::Client, i: usize) {
    let row = Put::builder().table_name(STATE_TABLE).item("pk", s(&format!("bare#{i}"))).item("sk", s("movement"));
    let row = row.item("version", AttributeValue::N("1".into())).condition_expression("attribute_not_exists(pk)");
    let entry = Put::builder().table_name(LEDGER_TABLE).item("pk", s("bare#0"));
    let entry = entry.item("seq", AttributeValue::N(i.to_string())).condition_expression("attribute_not_exists(pk)");
    let entry = entry.item("entry", AttributeValue::B(Blob::new(vec![b'x'; 1_000])));
    let write = |put: Put| TransactWriteItem::builder().put(put).build();
    let items = vec![write(row.build().unwrap()), write(entry.build().unwrap())];
    client.transact_write_items().set_transact_items(Some(items)).send().await.unwrap();
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (account, observer) = ground().await;
    let client = account.dynamodb(Retries::On);
    observer.observe(vec![refund(1_000_000)]).await;
    let (mut alone, mut tens, mut transactions) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for round in 0..ROUNDS {
        let first = round * 2 * ROUND;
        let started = Instant::now();
        for i in first..first + ROUND {
            observer.observe(vec![refund(i)]).await.pop().unwrap().unwrap();
        }
        alone += started.elapsed();
        let reports: Vec<_> = (first + ROUND..first + 2 * ROUND).map(refund).collect();
        let started = Instant::now();
        for batch in reports.chunks(10) {
            observer.observe(batch.to_vec()).await.into_iter().for_each(|result| drop(result.unwrap()));
        }
        tens += started.elapsed();
        let started = Instant::now();
        for i in first..first + ROUND {
            bare(&client, i).await;
        }
        transactions += started.elapsed();
    }
    let count = (ROUNDS * ROUND) as f64;
    let rate = |took: Duration| count / took.as_secs_f64();
    println!("{:34} {:>12} {:>8}", "in one process", "movements/s", "ratio");
    for (what, took) in [
        ("bare transaction, one each", transactions),
        ("observe, one report each", alone),
        ("observe, ten reports each", tens),
    ] {
        println!("{what:34} {:>12.0} {:>8.2}", rate(took), rate(took) / rate(transactions));
    }

    println!();
    for (what, reports) in [("one report", 1_usize), ("ten reports", 10)] {
        account.clear_calls();
        account.measure_capacity();
        let batch = (0..reports).map(|i| refund(2_000_000 + reports * 100 + i)).collect();
        observer.observe(batch).await.into_iter().for_each(|result| drop(result.unwrap()));
        let calls = account.calls();
        println!(
            "{what}: {} calls ({}), {} waits, {} write units, {} read units",
            calls.len(),
            calls.operations().join(", "),
            calls.waits(),
            calls.write_units(),
            calls.read_units()
        );
    }
}
