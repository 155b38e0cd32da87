//! How many times a decision waits for AWS, and what it writes.

use std::time::Duration;

use axiru_in_process::{Fault, InProcess, Retries};
use serde_json::json;

use super::ground::{Ground, Setting, plan, refund};
use crate::played::{MODE, mode};

fn two_limits() -> Setting {
    Setting::with_limits(json!([
        {"id": "actor-day", "per": "actor", "kinds": ["refund"], "currency": "usd", "window": {"calendar": "day", "zone": "UTC"}, "max_amount": 1_000_000, "on_exceed": "block"},
        {"id": "account-day", "per": "account", "kinds": ["refund"], "currency": "usd", "window": {"calendar": "day", "zone": "UTC"}, "max_amount": 1_000_000, "on_exceed": "block"},
    ]))
}

#[tokio::test(start_paused = true)]
async fn two_waits_when_warm_and_no_other_service() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::On, &two_limits()).await;
    assert_eq!(ground.ask(&refund("cold", 100, "ch_1")).await.status, 200);
    for (i, expected) in [("warm-1", 2), ("warm-2", 2)] {
        ground.account.clear_calls();
        ground.account.measure_capacity();
        assert_eq!(ground.ask(&refund(i, 101, i.replace("warm-", "ch_").as_str())).await.status, 200);
        let calls = ground.account.calls();
        assert_eq!(calls.waits(), expected, "{:?}", calls.operations());
        let mut operations = calls.operations();
        operations.sort_unstable();
        assert_eq!(operations, ["BatchGetItem", "Query", "TransactWriteItems"]);
        // Entry, request, similar, actor, account: two units each, and one for the index.
        // Five items of two units each, the entry of up to 2 KiB two more, and one for the index.
        println!("two limits of two subjects: {} write units, {} read units", calls.write_units(), calls.read_units());
        assert!(calls.write_units() <= 13.0, "{}", calls.write_units());
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_changed_costs_one_wait_and_is_the_one_that_decides() {
    let ground = Ground::simple().await;
    assert_eq!(ground.ask(&refund("k1", 100, "ch_1")).await.word(), "allowed");
    let of = "action in [Axiru::Action::\"refund\", Axiru::Action::\"payout\"]";
    let strict =
        format!("@id(\"none\") forbid(principal, {of}, resource); @id(\"allow\") permit(principal, {of}, resource);");
    let strict = axiru_policy::Plan::parse(&plan(json!([])).to_string(), &strict).unwrap();
    ground.put_plans(mode(), "acct_1", vec![(strict, "enforce")], 2).await;
    ground.account.clear_calls();
    let answer = ground.ask(&refund("k2", 100, "ch_2")).await;
    assert_eq!(answer.text_of("reason"), "policy:none");
    assert_eq!(ground.account.calls().waits(), 3, "heads with everything, then the document, then the transaction");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_decided_in_two_seconds_is_503_and_no_decision() {
    for operation in ["BatchGetItem", "Query", "TransactWriteItems"] {
        let ground = Ground::simple().await;
        ground.account.faults().always(operation, Fault::Delay(Duration::from_millis(2_500)));
        let started = tokio::time::Instant::now();
        let answer = ground.ask(&refund("k1", 100, "ch_1")).await;
        assert_eq!(
            (answer.status, answer.word().as_str(), answer.retry_after.as_deref()),
            (503, "undecided", Some("1"))
        );
        assert!(started.elapsed() <= Duration::from_millis(2_050), "{operation}: {:?}", started.elapsed());
        ground.account.faults().clear();
        // The same key finds out, and there is one decision in the end.
        let answer = ground.ask(&refund("k1", 100, "ch_1")).await;
        assert_eq!(answer.word(), "allowed");
        assert_eq!(ground.entries(&format!("{MODE}#acct_1#0")).await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_down_or_throttles_decides_nothing() {
    for fault in [Fault::Fail, Fault::Throttle, Fault::Reset] {
        for operation in ["BatchGetItem", "Query", "TransactWriteItems"] {
            let ground = Ground::simple().await;
            ground.account.faults().always(operation, fault);
            let answer = ground.ask(&refund("k1", 100, "ch_1")).await;
            assert_eq!(answer.status, 503, "{operation} {fault}");
            assert!(!answer.text.contains("dynamo") && !answer.text.contains("Throttl"), "{}", answer.text);
            ground.account.faults().clear();
            assert!(ground.entries(&format!("{MODE}#acct_1#0")).await.is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_cannot_be_loaded_blocks_where_it_is_enforced() {
    for (policy_mode, outcome, would_be) in [("enforce", "denied", "denied"), ("shadow", "allowed", "denied")] {
        let setting =
            Setting { plans: vec![(plan(json!([])), super::ground::POLICIES, policy_mode)], ..Setting::simple() };
        let ground = Ground::new(InProcess::new().unwrap(), Retries::On, &setting).await;
        let sha256 = axiru_policy::Plan::parse(&plan(json!([])).to_string(), super::ground::POLICIES)
            .unwrap()
            .sha256()
            .to_owned();
        let altered = aws_sdk_dynamodb::types::AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new(*b"{}"));
        ground.set(&format!("{MODE}#acct_1#plan"), &sha256, "document", altered).await;
        let answer = ground.ask(&refund("k1", 100, "ch_1")).await;
        assert_eq!(
            (answer.word().as_str(), answer.text_of("would_be").as_str()),
            (outcome, would_be),
            "{}",
            answer.text
        );
        assert_eq!(answer.body["verdicts"][0]["reasons"], json!(["plan_unusable"]));
    }
    // Without the row that says which plans there are, nobody can say.
    let ground = Ground::simple().await;
    let delete = ground.clients.dynamodb.delete_item().table_name(axiru_in_process::STATE_TABLE);
    let s = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    delete.key("pk", s(&format!("{MODE}#acct_1#plans"))).key("sk", s("heads")).send().await.unwrap();
    assert_eq!(ground.ask(&refund("k1", 100, "ch_1")).await.status, 503);
}
