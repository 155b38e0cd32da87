//! Many callers at one cap: the sum is the cap, however they race.

use std::sync::Arc;
use std::time::Duration;

use axiru_in_process::{InProcess, Latencies, Retries};
use serde_json::json;

use super::ground::{Ground, Setting, refund};
use crate::played::MODE;

#[tokio::test(start_paused = true)]
async fn five_hundred_at_a_cap_are_allowed_exactly_to_the_cap() {
    let mut setting = Setting::with_limits(json!([
        {"id": "day", "per": "account", "kinds": ["refund"], "currency": "usd", "window": {"calendar": "day", "zone": "UTC"}, "max_amount": 10_000, "on_exceed": "block"},
    ]));
    setting.lanes = 4;
    let account = InProcess::new().unwrap();
    let ground = Arc::new(Ground::new(account.clone(), Retries::On, &setting).await);
    account.set_latencies(Latencies::simulated());
    account.clear_calls();
    let started = tokio::time::Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..500_i64 {
        let ground = Arc::clone(&ground);
        tasks.spawn(async move {
            // 500 amounts of 40: the cap is met by 250 of them exactly.
            let body = refund(&format!("k{i}"), 40, &format!("ch_{i}"));
            let mut asked = 0;
            loop {
                asked += 1;
                let answer = ground.ask(&body).await;
                match answer.status {
                    200 => return (answer.word(), asked),
                    503 => tokio::time::sleep(Duration::from_millis(500 + 7 * i.unsigned_abs() % 900)).await,
                    _ => panic!("{}", answer.text),
                }
            }
        });
    }
    let (mut allowed, mut denied, mut asked) = (0, 0, 0);
    while let Some(done) = tasks.join_next().await {
        let (word, times) = done.unwrap();
        asked += times;
        match word.as_str() {
            "allowed" => allowed += 1,
            "denied" => denied += 1,
            other => panic!("{other}"),
        }
    }
    let calls = account.calls();
    let tries = calls.operations().iter().filter(|operation| **operation == "TransactWriteItems").count();
    println!(
        "500 requests at a cap: {allowed} allowed, {denied} denied; asked {asked} times, {tries} transactions, {:?} of virtual time",
        started.elapsed()
    );
    assert_eq!((allowed, denied), (250, 250));
    let row = ground.counters(&format!("{MODE}#acct_1#counter#account#-")).await.unwrap();
    assert!(row.contains(",10000,250,10000,250]"), "{row}");
}
