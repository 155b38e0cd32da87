//! Deliveries: signatures, routing between modes, disorder, retries.

use std::sync::Mutex;

use axiru_stripe_sandbox::{DeliverySender, SendError, SignedDelivery, sign};
use serde_json::{Value, json};

use crate::bench::{Bench, LIVE_DEVELOPER, MERCHANT, NOW, TEST_DEVELOPER, text};

fn signature(delivery: &SignedDelivery) -> &str {
    delivery.headers.iter().find(|(name, _)| name == "stripe-signature").map_or("", |(_, value)| value)
}

fn install(bench: &Bench, mode: &str) {
    bench.control(&format!("{mode}/{MERCHANT}/install"), json!({}));
}

/// A test-mode install with its endpoint, and nothing waiting.
fn connected() -> (Bench, String, String) {
    let bench = Bench::new();
    let (endpoint, secret) = bench.listen(TEST_DEVELOPER);
    install(&bench, "test");
    assert_eq!(bench.sandbox.drain_outbox().len(), 1);
    (bench, endpoint, secret)
}

fn waiting(bench: &Bench) -> Vec<String> {
    let all = bench.sandbox.control("GET", "deliveries", json!({})).unwrap();
    let held = |delivery: &&Value| delivery["status"] == "held" || delivery["status"] == "queued";
    all["deliveries"].as_array().unwrap().iter().filter(held).map(|delivery| text(delivery, "id")).collect()
}

#[test]
fn the_exact_bytes_are_signed() {
    let (bench, _, secret) = connected();
    bench.charge(100);
    let delivery = &bench.sandbox.drain_outbox()[0];
    assert_eq!(signature(delivery), sign(&[&secret], NOW, &delivery.body));
    let body: Value = serde_json::from_slice(&delivery.body).unwrap();
    assert_eq!((text(&body, "account"), &body["livemode"]), (MERCHANT.into(), &json!(false)));
    assert_eq!(body["data"]["object"]["object"], "charge");
}

#[test]
fn while_a_secret_is_rolled_both_sign() {
    let (bench, endpoint, old) = connected();
    let new = text(&bench.control(&format!("endpoints/{endpoint}/roll"), json!({"overlap_secs": 60})), "secret");
    bench.charge(100);
    let delivery = &bench.sandbox.drain_outbox()[0];
    assert_eq!(signature(delivery), sign(&[&new, &old], NOW, &delivery.body));
    bench.control("clock", json!({"advance_secs": 60}));
    bench.charge(100);
    let delivery = &bench.sandbox.drain_outbox()[0];
    assert_eq!(signature(delivery), sign(&[&new], NOW + 60, &delivery.body));
}

#[test]
fn each_mode_hears_what_it_should() {
    // (installed in, event in) -> modes of the endpoints that hear.
    let cases: [(&[&str], &str, &[&str]); 6] = [
        (&["test"], "test", &["test"]),
        (&["test"], "live", &[]),
        (&["live"], "live", &["live"]),
        (&["live"], "test", &["live"]),
        (&["test", "live"], "test", &["test", "live"]),
        (&["test", "live"], "live", &["live"]),
    ];
    for (installed, event, heard) in cases {
        let bench = Bench::new();
        bench.listen(TEST_DEVELOPER);
        bench.listen(LIVE_DEVELOPER);
        for mode in installed {
            install(&bench, mode);
        }
        let _ = bench.sandbox.drain_outbox();
        bench.control(&format!("{event}/{MERCHANT}/payouts"), json!({"amount": 5}));
        let modes: Vec<&str> =
            bench.sandbox.drain_outbox().iter().map(|delivery| delivery.endpoint_mode.as_str()).collect();
        assert_eq!(modes, heard, "installed in {installed:?}, event in {event}");
    }
}

#[test]
fn events_need_their_permissions() {
    let (bench, ..) = connected();
    bench.control("apps/test", json!({"permissions": ["event_read", "payout_read"]}));
    bench.charge(100);
    assert!(bench.sandbox.drain_outbox().is_empty());
    bench.dashboard("payouts", json!({"amount": 5}));
    assert_eq!(bench.sandbox.drain_outbox().len(), 1);
}

#[test]
fn account_endpoints_hear_without_account() {
    let bench = Bench::new();
    bench.post("/v1/webhook_endpoints", "url=http://127.0.0.1:9/&enabled_events[]=refund.created");
    let charge = bench.charge(100);
    bench.post("/v1/refunds", &format!("charge={charge}"));
    let deliveries = bench.sandbox.drain_outbox();
    assert_eq!(deliveries.len(), 1, "only what was asked for");
    let body: Value = serde_json::from_slice(&deliveries[0].body).unwrap();
    assert!(body.get("account").is_none());
}

#[test]
fn held_deliveries_can_be_put_in_disorder() {
    let (bench, ..) = connected();
    bench.control("deliveries/hold", json!({}));
    for _ in 0..5 {
        bench.charge(100);
    }
    let ids = waiting(&bench);
    assert!(bench.sandbox.take_due(10).is_empty(), "held");
    bench.control(&format!("deliveries/{}/drop", ids[0]), json!({}));
    bench.control(&format!("deliveries/{}/forge", ids[1]), json!({}));
    bench.control(&format!("deliveries/{}/stale", ids[2]), json!({"seconds": 900}));
    bench.control(&format!("deliveries/{}/delay", ids[3]), json!({"seconds": 30}));
    let copy = text(&bench.control(&format!("deliveries/{}/duplicate", ids[4]), json!({})), "id");
    bench.control("deliveries/reorder", json!({"ids": [copy, ids[4]]}));
    bench.control("deliveries/release", json!({}));
    let due = bench.sandbox.drain_outbox();
    let order: Vec<&String> = due.iter().map(|delivery| &delivery.id).collect();
    assert_eq!(order, [&copy, &ids[4], &ids[1], &ids[2]]);
    assert_eq!(due[0].body, due[1].body);
    assert_eq!(due[0].event, due[1].event);
    assert!(signature(&due[3]).starts_with(&format!("t={}", NOW - 900)));
    bench.control("clock", json!({"advance_secs": 30}));
    assert_eq!(bench.sandbox.drain_outbox().len(), 1, "the delayed one");
}

#[test]
fn tampered_deliveries_do_not_verify() {
    let (bench, _, secret) = connected();
    bench.charge(100);
    let good = bench.sandbox.drain_outbox().remove(0);
    for what in ["forge_copy", "alter_copy", "stale_copy", "unsign_copy"] {
        bench.control(&format!("deliveries/{}/{what}", good.id), json!({}));
        let bad = bench.sandbox.drain_outbox().remove(0);
        assert_ne!(signature(&bad), sign(&[&secret], NOW, &bad.body), "{what}");
        let parsed: Result<Value, _> = serde_json::from_slice(&bad.body);
        assert!(parsed.is_ok(), "{what} is still JSON");
    }
    assert!(
        bench.sandbox.control("POST", &format!("deliveries/{}/forge", good.id), json!({})).is_err(),
        "already gone"
    );
}

#[test]
fn a_twin_is_another_event_about_the_same_change() {
    let (bench, ..) = connected();
    bench.charge(100);
    let first = bench.sandbox.drain_outbox().remove(0);
    bench.control(&format!("deliveries/{}/twin", first.id), json!({}));
    let second = bench.sandbox.drain_outbox().remove(0);
    assert_ne!(first.event, second.event);
    let data = |delivery: &SignedDelivery| serde_json::from_slice::<Value>(&delivery.body).unwrap()["data"].clone();
    assert_eq!(data(&first), data(&second));
}

/// Answers what it is told, one after the other.
struct Scripted(Mutex<Vec<u16>>);

impl DeliverySender for Scripted {
    async fn send(&self, _: &SignedDelivery) -> Result<u16, SendError> {
        self.0.lock().unwrap().pop().ok_or_else(|| SendError("nobody listens".into()))
    }
}

#[tokio::test]
async fn failures_are_tried_again_and_given_up() {
    let (bench, ..) = connected();
    bench.charge(100);
    let sender = Scripted(Mutex::new(vec![200, 302, 500]));
    for wait in [1, 5, 25] {
        assert_eq!(bench.sandbox.deliver_due(&sender).await, 1);
        assert_eq!(bench.sandbox.deliver_due(&sender).await, 0, "not before its time");
        assert!(bench.sandbox.settled(std::time::Duration::ZERO).await);
        assert_eq!(bench.sandbox.finished(std::time::Duration::ZERO).await, wait == 25);
        bench.control("clock", json!({"advance_secs": wait}));
    }
    let statuses =
        |bench: &Bench| bench.sandbox.control("GET", "deliveries", json!({})).unwrap()["deliveries"][1].clone();
    assert_eq!(statuses(&bench)["status"], "delivered");
    bench.charge(100);
    for _ in 0..6 {
        bench.sandbox.deliver_due(&sender).await;
        bench.control("clock", json!({"advance_secs": 30}));
    }
    let last = bench.sandbox.control("GET", "deliveries", json!({})).unwrap()["deliveries"][2].clone();
    assert_eq!((last["status"].as_str(), last["attempts"].as_array().unwrap().len()), (Some("failed"), 4));
    assert!(bench.sandbox.settled(std::time::Duration::ZERO).await);
}

#[test]
fn a_jump_of_the_clock_neither_loses_nor_doubles_a_retry() {
    let (bench, _, _) = connected();
    bench.charge(100);
    let fail = || {
        let due = bench.sandbox.take_due(10);
        for delivery in &due {
            bench.sandbox.report(&delivery.id, Ok(500));
        }
        due.into_iter().map(|delivery| delivery.event).collect::<Vec<_>>()
    };
    let first = fail();
    assert_eq!(first.len(), 1);
    assert!(fail().is_empty(), "not before its second is over");
    bench.control("clock", json!({"advance_secs": 86_400}));
    assert_eq!(fail(), first, "one retry, however late");
    bench.control("clock", json!({"advance_secs": 4}));
    assert!(fail().is_empty(), "the next wait counts from the last attempt");
    bench.control("clock", json!({"advance_secs": 1}));
    assert_eq!(fail(), first);
    bench.control("clock", json!({"advance_secs": -3_600}));
    assert!(fail().is_empty(), "back in time nothing is due");
    bench.control("clock", json!({"advance_secs": 3_625}));
    assert_eq!(bench.sandbox.drain_outbox().len(), 1);
    bench.control("clock", json!({"advance_secs": 86_400}));
    assert!(bench.sandbox.drain_outbox().is_empty(), "accepted is the end of it");
}

#[test]
fn during_an_outage_nothing_is_sent_and_events_stay_listed_for_thirty_days() {
    let (bench, ..) = connected();
    bench.control("deliveries/outage", json!({}));
    bench.charge(100);
    assert!(bench.sandbox.drain_outbox().is_empty() && waiting(&bench).is_empty());
    bench.control("deliveries/recover", json!({}));
    bench.charge(200);
    let sent = bench.sandbox.drain_outbox();
    assert_eq!(sent.len(), 1, "what was missed stays missed");
    // A day of it can be sent again by hand, as in the Dashboard.
    let all = bench.sandbox.control("GET", "deliveries", json!({})).unwrap();
    let dropped =
        all["deliveries"].as_array().unwrap().iter().find(|d| d["status"] == "dropped").map(|d| text(d, "id"));
    bench.control(&format!("deliveries/{}/resend", dropped.unwrap()), json!({}));
    assert_eq!(bench.sandbox.drain_outbox().len(), 1);
    let listed = bench.event_types().len();
    bench.control("clock", json!({"advance_secs": 30 * 86_400}));
    assert_eq!(bench.event_types().len(), listed);
    bench.control("clock", json!({"advance_secs": 1}));
    assert!(bench.event_types().is_empty());
}
