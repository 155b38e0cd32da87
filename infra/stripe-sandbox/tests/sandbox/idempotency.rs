//! `Idempotency-Key` as Stripe does it.

use serde_json::{Value, json};

use crate::bench::{Bench, id};

fn pay(bench: &Bench, key: &str, form: &str) -> (u16, Vec<(&'static str, String)>, Value) {
    bench.raw(&bench.test_key, "POST", "/v1/payouts", form, &[("idempotency-key", key)])
}

fn replayed(headers: &[(&'static str, String)]) -> bool {
    headers.iter().any(|(name, value)| *name == "idempotent-replayed" && value == "true")
}

#[test]
fn the_first_answer_is_given_again() {
    let bench = Bench::new();
    let (_, first_headers, first) = pay(&bench, "k", "amount=5&currency=usd");
    let (status, headers, second) = pay(&bench, "k", "currency=usd&amount=5");
    assert_eq!((status, id(&first)), (200, id(&second)));
    assert!(replayed(&headers) && !replayed(&first_headers));
    assert_eq!(bench.get("/v1/payouts")["data"].as_array().unwrap().len(), 1);
}

#[test]
fn failures_are_given_again_too() {
    let bench = Bench::new();
    let (status, _, first) = pay(&bench, "k", "amount=100000001&currency=usd");
    assert_eq!(status, 400);
    bench.charge(50_000_000);
    let (status, headers, second) = pay(&bench, "k", "amount=100000001&currency=usd");
    assert_eq!((status, &second), (400, &first), "although the balance would cover it now");
    assert!(replayed(&headers));
}

#[test]
fn another_request_under_the_same_key_is_an_error() {
    let bench = Bench::new();
    pay(&bench, "k", "amount=5&currency=usd");
    let (status, headers, body) = pay(&bench, "k", "amount=6&currency=usd");
    assert_eq!((status, body["error"]["type"].as_str()), (400, Some("idempotency_error")));
    assert!(!replayed(&headers));
    let charge = bench.charge(10);
    let (_, _, other_path) =
        bench.raw(&bench.test_key, "POST", "/v1/refunds", &format!("charge={charge}"), &[("idempotency-key", "k")]);
    assert_eq!(other_path["error"]["type"], "idempotency_error");
    let long = "k".repeat(256);
    assert_eq!(pay(&bench, &long, "amount=5&currency=usd").0, 400);
}

#[test]
fn failed_validation_is_forgotten() {
    let bench = Bench::new();
    for bad in ["amount=0&currency=usd", "amount=x&currency=usd", "currency=usd", "amount=5&currency=usd&x=1"] {
        assert_eq!(pay(&bench, "k", bad).0, 400, "{bad}");
    }
    assert_eq!(pay(&bench, "k", "amount=5&currency=usd").0, 200);
}

#[test]
fn keys_belong_to_one_account_and_mode() {
    let bench = Bench::new();
    let (_, _, test) = pay(&bench, "k", "amount=5&currency=usd");
    let (status, headers, live) =
        bench.raw(&bench.live_key, "POST", "/v1/payouts", "amount=9&currency=usd", &[("idempotency-key", "k")]);
    assert_eq!((status, replayed(&headers)), (200, false));
    assert_ne!(id(&test), id(&live));
}

#[test]
fn after_a_day_the_key_executes_again() {
    let bench = Bench::new();
    let (_, _, first) = pay(&bench, "k", "amount=5&currency=usd");
    bench.control("clock", json!({"advance_secs": 86_399}));
    assert_eq!(id(&pay(&bench, "k", "amount=5&currency=usd").2), id(&first));
    bench.control("clock", json!({"advance_secs": 1}));
    assert_ne!(id(&pay(&bench, "k", "amount=5&currency=usd").2), id(&first));
}

#[test]
fn the_key_is_in_the_event_and_gets_do_not_use_it() {
    let bench = Bench::new();
    pay(&bench, "k", "amount=5&currency=usd");
    let event = bench.get("/v1/events?type=payout.created")["data"][0].clone();
    assert_eq!(event["request"]["idempotency_key"], "k");
    let (status, headers, _) = bench.raw(&bench.test_key, "GET", "/v1/payouts", "", &[("idempotency-key", "k")]);
    assert_eq!((status, replayed(&headers)), (200, false));
}

#[test]
fn a_replay_repeats_the_answer_and_tells_of_the_first_call() {
    let bench = Bench::new();
    let header = |headers: &[(&'static str, String)], name: &str| {
        headers.iter().find(|(have, _)| *have == name).map(|(_, value)| value.clone())
    };
    let (_, first, _) = pay(&bench, "k", "amount=5&currency=usd");
    let (_, again, _) = pay(&bench, "k", "amount=5&currency=usd");
    assert_eq!(header(&again, "original-request"), header(&first, "request-id"));
    assert_ne!(header(&again, "request-id"), header(&first, "request-id"));
    for headers in [&first, &again] {
        assert_eq!(header(headers, "idempotency-key").as_deref(), Some("k"));
        assert_eq!(header(headers, "content-type").as_deref(), Some("application/json"));
        assert!(header(headers, "stripe-version").is_some());
        assert_eq!(header(headers, "stripe-should-retry"), None);
    }
    let events = bench.get("/v1/events?type=payout.created");
    assert_eq!(events["data"].as_array().unwrap().len(), 1, "a replay is no event");
    assert_eq!(events["data"][0]["request"]["id"].as_str(), header(&first, "request-id").as_deref());
}
