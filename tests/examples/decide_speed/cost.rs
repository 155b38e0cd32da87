//! What a decision costs in DynamoDB, counted from what it writes and reads. Streams, storage and Lambda are not in it.

use axiru_in_process::Calls;
use axiru_in_process::LEDGER_TABLE;
use base64::Engine as _;
use serde_json::Value;

use crate::ground::{Ground, ask, limit};

/// US$ per million units, on demand, us-east-1 (AWS, "Pricing for on-demand throughput type").
const PER_MILLION: (f64, f64) = (0.625, 0.125);

/// The most write units that a decision with two limits is meant to cost.
const GOAL: f64 = 8.0;

/// Bytes that one write unit covers; a transaction costs two units for each begun KiB.
const UNIT_BYTES: usize = 1_024;

/// The size of an item as DynamoDB counts it: names and values, UTF-8; a number takes about half a byte a digit and one more
/// (Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats").
fn size(item: &Value) -> usize {
    let attributes = item.as_object().unwrap();
    let value = |value: &Value| {
        let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
        let text = value.as_str().unwrap();
        match kind.as_str() {
            "S" => text.len(),
            "N" => text.len().div_ceil(2) + 1,
            "B" => base64::engine::general_purpose::STANDARD.decode(text).unwrap().len(),
            other => unreachable!("no row of a decision has `{other}`"),
        }
    };
    attributes.iter().map(|(name, of)| name.len() + value(of)).sum()
}

/// The items of the one transaction: what each is, and its size.
fn items(calls: &Calls) -> Vec<(String, usize)> {
    let call = calls.0.iter().find(|call| call.operation == "TransactWriteItems").unwrap();
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    let items = body["TransactItems"].as_array().unwrap().iter().map(|item| {
        let put = &item["Put"];
        let pk = put["Item"]["pk"]["S"].as_str().unwrap();
        let what = if put["TableName"] == LEDGER_TABLE {
            "entry".to_owned()
        } else {
            let mut parts = pk.split('#').skip(2);
            match (parts.next().unwrap(), parts.next()) {
                ("counter", Some(per)) => format!("{per} counters"),
                (what, _) => what.to_owned(),
            }
        };
        (what, size(&put["Item"]))
    });
    items.collect()
}

async fn measure(what: &str, limits: &[Value], goal: bool) {
    let ground = Ground::new(1, 1, limits).await;
    for number in 0..3 {
        ground.decider.decide(&ask(0, number)).await.unwrap();
    }
    ground.account.clear_calls();
    ground.account.measure_capacity();
    ground.decider.decide(&ask(0, 3)).await.unwrap();
    let calls = ground.account.calls();
    let (write, read) = (calls.write_units(), calls.read_units());
    let met = match (goal, write <= GOAL) {
        (false, _) => "",
        (true, true) => "  goal of 8 met",
        (true, false) => "  goal of 8 NOT met",
    };
    let usd = write * PER_MILLION.0 + read * PER_MILLION.1;
    println!("{what:30} {write:>5.1} {read:>5.1} {usd:>22.2}{met}");
    let items = items(&calls);
    let in_table: usize = items.iter().map(|(_, size)| 2 * size.div_ceil(UNIT_BYTES)).sum();
    let each = items.iter().map(|(what, size)| format!("{what} {size}")).collect::<Vec<_>>();
    println!("    bytes: {}; index: {} unit", each.join(", "), write - in_table as f64);
    for (what, size) in items.iter().filter(|(_, size)| *size > UNIT_BYTES) {
        let (units, over) = (2 * size.div_ceil(UNIT_BYTES), size - (size - 1) / UNIT_BYTES * UNIT_BYTES);
        println!("    {what}: {units} units, the last two for {over} bytes");
    }
}

pub(crate) fn print() {
    println!("{:30} {:>5} {:>5} {:>22}", "units of a warm decision", "write", "read", "US$/million decisions");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        measure("no limits", &[], false).await;
        measure("two limits of one subject", &[limit("actor", "day"), limit("actor", "month")], true).await;
        measure("two limits of two subjects", &[limit("actor", "day"), limit("account", "day")], true).await;
    });
}
