//! What a caller is told, and what the ledger says of it.

use serde_json::{Value, json};

use super::ground::{AGENT_AGAIN, Ground, STAFF, Setting, at_secs, key, plan, refund};
use crate::played::{MODE, mode};
use axiru_in_process::{InProcess, Retries};

#[tokio::test(start_paused = true)]
async fn allowed_held_and_denied_each_with_its_rule_and_entry() {
    let ground = Ground::simple().await;
    // Behind the entry of what is held stands the one that says whom it asks.
    for (i, amount, outcome, reason, rule, role) in [
        (0, 10_000, "allowed", "policy:allow", Some("allow"), None),
        (1, 10_001, "pending_approval", "policy:hold-large", Some("hold-large"), Some("finance")),
        (3, 100_001, "denied", "policy:block-huge", Some("block-huge"), None),
    ] {
        let answer = ground.ask(&refund(&format!("k{i}"), amount, "ch_1")).await;
        assert_eq!((answer.status, answer.word().as_str()), (200, outcome), "{}", answer.text);
        assert_eq!(answer.text_of("reason"), reason);
        assert_eq!(answer.body["matched_rule"], json!(rule));
        assert_eq!(answer.body["approver_role"], json!(role));
        assert_eq!(answer.body["policy_version"].as_str().map(str::len), Some(64));
        assert_eq!(answer.body["audit"]["log"], format!("{MODE}/acct_1/0"));
        assert_eq!(answer.body["audit"]["seq"], json!(i));
        let entries = ground.entries(&format!("{MODE}#acct_1#0")).await;
        let entry = &entries[i];
        assert_eq!(entry.ty(), "decision.made");
        assert_eq!(answer.body["audit"]["ledger_id"], entry.id());
        assert_eq!(entry.fields()["actor"], "agent:ag_1");
        assert_eq!(entry.fields()["operator"], "per_0123456789abcdef");
        assert_eq!(entry.fields()["decision"]["outcome"].as_str().map(|_| ()), Some(()));
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_key_gives_the_same_answer_for_ever() {
    let ground = Ground::simple().await;
    let first = ground.ask(&refund("order-1", 500, "ch_1")).await;
    assert!(!first.replayed && first.body["cached"] == false);
    for (secs, again) in [(1, Ground::process(ground.account.another_process(), Retries::On)), (400 * 86_400, ground)] {
        at_secs(secs);
        let mut second = again.ask(&refund("order-1", 500, "ch_1")).await;
        assert!(second.replayed && second.body["cached"] == true, "{}", second.text);
        second.body["cached"] = json!(false);
        assert_eq!(second.body, first.body);
        // Anything else under the same key is another request.
        for other in [
            refund("order-1", 501, "ch_1"),
            refund("order-1", 500, "ch_2"),
            json!({"intent": {"kind": "refund", "amount_cents": 500, "currency": "eur", "stripe_connection_id": "acct_1", "charge": "ch_1"}, "idempotency_key": "order-1"}),
            json!({"intent": {"kind": "refund", "amount_cents": 500, "currency": "usd", "stripe_connection_id": "acct_1", "charge": "ch_1"}, "idempotency_key": "order-1", "context": {"vip": true}}),
        ] {
            let answer = again.ask(&other).await;
            assert_eq!((answer.status, answer.word().as_str()), (409, "idempotency_key_reused"));
        }
        assert_eq!(again.entries(&format!("{MODE}#acct_1#0")).await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_equal_open_request_answers_under_any_key() {
    let ground = Ground::simple().await;
    let first = ground.ask(&refund("mint-1", 500, "ch_1")).await;
    // The client library's retry, with a key of its own; the same agent's other key.
    let second = ground.ask(&refund("mint-2", 500, "ch_1")).await;
    let third = ground.ask_with(&key(mode(), AGENT_AGAIN), &refund("mint-3", 500, "ch_1")).await;
    for answer in [&second, &third] {
        assert_eq!(answer.body["decision_id"], first.body["decision_id"]);
        assert_eq!(answer.body["cached"], true);
    }
    // Another actor's equal request is another one, and so is another amount.
    let staff = ground.ask_with(&key(mode(), STAFF), &refund("mint-4", 500, "ch_1")).await;
    let other = ground.ask(&refund("mint-5", 501, "ch_1")).await;
    assert_ne!(staff.body["decision_id"], first.body["decision_id"]);
    assert_ne!(other.body["decision_id"], first.body["decision_id"]);
    assert_eq!(ground.entries(&format!("{MODE}#acct_1#0")).await.len(), 3);
    // After the hour the request is over: an equal one is asked anew, and is told that it is the second within a day.
    at_secs(3_601);
    let later = ground.ask(&refund("mint-6", 500, "ch_1")).await;
    assert_ne!(later.body["decision_id"], first.body["decision_id"]);
    let entries = ground.entries(&format!("{MODE}#acct_1#0")).await;
    assert_eq!(entries.last().unwrap().fields()["facts"]["similar_24h"], 1);
    // The alias still answers.
    let alias = ground.ask(&refund("mint-2", 500, "ch_1")).await;
    assert_eq!(alias.body["decision_id"], first.body["decision_id"]);
    let changed = ground.ask(&refund("mint-2", 502, "ch_1")).await;
    assert_eq!(changed.status, 409);
}

#[tokio::test(start_paused = true)]
async fn in_shadow_everything_is_allowed_and_the_record_says_what_it_would_have_been() {
    let setting = Setting { plans: vec![(plan(json!([])), super::ground::POLICIES, "shadow")], ..Setting::simple() };
    let ground = Ground::new(InProcess::new().unwrap(), Retries::On, &setting).await;
    let answer = ground.ask(&refund("k", 100_001, "ch_1")).await;
    assert_eq!((answer.word().as_str(), answer.text_of("would_be").as_str()), ("allowed", "denied"));
    assert_eq!((answer.text_of("reason").as_str(), &answer.body["matched_rule"]), ("no_plan_enforced", &Value::Null));
    assert_eq!(answer.body["verdicts"][0]["reasons"], json!(["policy:block-huge"]));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_in_a_limit_is_told_and_a_passed_one_blocks() {
    let limits = json!([
        {"id": "day", "per": "actor", "kinds": ["refund"], "currency": "usd", "window": {"calendar": "day", "zone": "UTC"}, "max_amount": 1_000, "on_exceed": "block"},
        {"id": "count", "per": "account", "kinds": ["refund"], "currency": "usd", "window": {"rolling": "24h"}, "max_count": 3, "on_exceed": "block"},
    ]);
    let ground = Ground::new(InProcess::new().unwrap(), Retries::On, &Setting::with_limits(limits)).await;
    let first = ground.ask(&refund("k1", 600, "ch_1")).await;
    let limit = |answer: &super::ground::Answered, id: &str| {
        let limits = answer.body["verdicts"][0]["limits"].as_array().unwrap().clone();
        limits.into_iter().find(|limit| limit["limit"] == id).unwrap()
    };
    assert_eq!(limit(&first, "day")["left_amount"], 400);
    assert_eq!(limit(&first, "count")["left_count"], 2);
    let over = ground.ask(&refund("k2", 401, "ch_2")).await;
    assert_eq!((over.word().as_str(), over.text_of("reason").as_str()), ("denied", "limit:day"));
    assert_eq!(limit(&over, "day")["left_amount"], 400, "what is denied takes nothing");
    let exact = ground.ask(&refund("k3", 400, "ch_3")).await;
    assert_eq!(exact.word(), "allowed");
    assert_eq!(limit(&exact, "day")["left_amount"], 0);
    // Tomorrow the day is new; the rolling window still counts two.
    at_secs(13 * 3_600);
    let next = ground.ask(&refund("k4", 400, "ch_4")).await;
    assert_eq!((next.word().as_str(), &limit(&next, "count")["left_count"]), ("allowed", &json!(0)));
    let last = ground.ask(&refund("k5", 1, "ch_5")).await;
    assert_eq!(last.text_of("reason"), "limit:count");
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_recorded_and_is_no_fact() {
    let policies = r#"
@id("allow") permit(principal, action in [Axiru::Action::"refund", Axiru::Action::"payout"], resource)
when { context has similar_24h && context.similar_24h == 0 };
"#;
    let setting = Setting { plans: vec![(plan(json!([])), policies, "enforce")], ..Setting::simple() };
    let ground = Ground::new(InProcess::new().unwrap(), Retries::On, &setting).await;
    let mut body = refund("k1", 5, "ch_1");
    body["context"] = json!({"similar_24h": 0, "ticket": "T-7", "rationale": "customer jo@shop.example asked twice"});
    let answer = ground.ask(&body).await;
    assert_eq!(answer.word(), "allowed", "{}", answer.text);
    let entry = &ground.entries(&format!("{MODE}#acct_1#0")).await[0];
    assert_eq!(entry.fields()["claimed"], json!({"similar_24h": 0, "ticket": "T-7"}));
    assert!(!String::from_utf8_lossy(entry.bytes()).contains("jo@shop"), "free text is in no entry");
    // The second within a day is not permitted, whatever is claimed.
    at_secs(3_601);
    let mut body = refund("k2", 5, "ch_1");
    body["context"] = json!({"similar_24h": 0});
    assert_eq!(ground.ask(&body).await.text_of("reason"), "nothing_permits");
}
