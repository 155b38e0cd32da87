//! Every fault at every I/O call of a decision, the caller retrying with the same key, SDK retries on and off.

use axiru_in_process::{Enumerator, InProcess, Retries};
use axiru_ledger::entry::Tip;
use serde_json::{Value, json};

use super::ground::{Ground, Setting, refund};
use crate::played::MODE;

fn setting() -> Setting {
    Setting::with_limits(json!([
        {"id": "actor-day", "per": "actor", "kinds": ["refund"], "currency": "usd", "window": {"calendar": "day", "zone": "UTC"}, "max_amount": 1_000, "on_exceed": "block"},
        {"id": "charge", "per": "charge", "kinds": ["refund"], "currency": "usd", "window": {"rolling": "24h"}, "max_count": 2, "on_exceed": "block"},
    ]))
}

async fn ground(account: InProcess, retries: Retries) -> Ground {
    Ground::new(account, retries, &setting()).await
}

/// Asks one question until it is answered, as an honest caller does.
async fn until_answered(ground: &Ground, body: &Value) -> Result<(), String> {
    for _ in 0..5 {
        let answer = ground.ask(body).await;
        match answer.status {
            200 => return Ok(()),
            503 => tokio::time::sleep(std::time::Duration::from_secs(1)).await,
            status => return Err(format!("{status}: {}", answer.text)),
        }
    }
    Err("never answered".to_owned())
}

/// One decision, one chain, and counters that hold exactly what is allowed.
async fn exactly_once(ground: &Ground, entries: usize, counted: &str) -> Result<(), String> {
    let log = ground.entries(&format!("{MODE}#acct_1#0")).await;
    let mut tip = Tip::EMPTY;
    for entry in &log {
        if (entry.seq(), entry.prev()) != (tip.seq, tip.prev) {
            return Err(format!("entry {} does not follow", entry.seq()));
        }
        tip = entry.next_tip();
    }
    if log.len() != entries {
        return Err(format!("{} entries, expected {entries}", log.len()));
    }
    let actor = ground.counters(&format!("{MODE}#acct_1#counter#actor#agent:ag_1")).await.unwrap_or_default();
    if actor.contains(counted) { Ok(()) } else { Err(format!("the actor's windows: {actor}")) }
}

#[test]
fn whatever_fails_there_is_one_decision_and_it_counts_once() {
    let body = refund("order-1", 400, "ch_1");
    let ask = async |ground: &Ground| until_answered(ground, &body).await;
    let check = async |ground: &Ground| exactly_once(ground, 1, ",400,1,400,1]").await;
    let report = Enumerator::new("decide: one request, cold").second_faults(7);
    report.run(ground, ask, ask, check).unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn whatever_fails_an_equal_request_under_another_key_is_the_same_one() {
    let set_up = async |account: InProcess, retries: Retries| {
        let ground = ground(account, retries).await;
        assert_eq!(ground.ask(&refund("order-1", 400, "ch_1")).await.status, 200);
        ground
    };
    let again = refund("order-2", 400, "ch_1");
    let ask = async |ground: &Ground| until_answered(ground, &again).await;
    let check = async |ground: &Ground| exactly_once(ground, 1, ",400,1,400,1]").await;
    let report = Enumerator::new("decide: an equal request, another key").second_faults(5);
    report.run(set_up, ask, ask, check).unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn whatever_fails_what_is_denied_counts_nowhere() {
    let set_up = async |account: InProcess, retries: Retries| {
        let ground = ground(account, retries).await;
        assert_eq!(ground.ask(&refund("order-1", 700, "ch_1")).await.status, 200);
        ground
    };
    let over = refund("order-2", 400, "ch_2");
    let ask = async |ground: &Ground| until_answered(ground, &over).await;
    let check = async |ground: &Ground| exactly_once(ground, 2, ",700,1,700,1]").await;
    let report = Enumerator::new("decide: over the cap").second_faults(7);
    report.run(set_up, ask, ask, check).unwrap_or_else(|violation| panic!("{violation}"));
}
