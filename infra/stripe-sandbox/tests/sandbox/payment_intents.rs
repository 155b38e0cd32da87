//! Payment intents are read, never made.

use serde_json::json;

use crate::bench::{Bench, id, text};

#[test]
fn an_intent_says_what_its_charge_says() {
    let bench = Bench::new();
    let charge = bench.dashboard("charges", json!({"amount": 700, "customer": "cus_1", "metadata": {"a": "b"}}));
    let path = format!("/v1/payment_intents/{}", text(&charge, "payment_intent"));
    let intent = bench.get(&path);
    assert_eq!((text(&intent, "object"), text(&intent, "status")), ("payment_intent".into(), "succeeded".into()));
    assert_eq!((&intent["amount_received"], &intent["latest_charge"]), (&json!(700), &charge["id"]));
    assert_eq!(intent["metadata"], json!({"a": "b"}));
    assert_eq!(id(&bench.get(&format!("{path}?expand[]=latest_charge"))["latest_charge"]), id(&charge));
    let refund = bench.post("/v1/refunds", &format!("payment_intent={}&expand[]=payment_intent", id(&intent)));
    assert_eq!(id(&refund["payment_intent"]), id(&intent));
    let held = bench.dashboard("charges", json!({"amount": 700, "captured": false}));
    let held = bench.get(&format!("/v1/payment_intents/{}", text(&held, "payment_intent")));
    assert_eq!(
        (text(&held, "status"), &held["amount_received"], &held["amount_capturable"]),
        ("requires_capture".into(), &json!(0), &json!(700))
    );
}

#[test]
fn intents_are_listed_by_customer_and_page() {
    let bench = Bench::new();
    for customer in ["cus_1", "cus_2", "cus_1"] {
        bench.dashboard("charges", json!({"amount": 1, "customer": customer}));
    }
    bench.dashboard("charges", json!({"amount": 1, "customer": "cus_1", "with_payment_intent": false}));
    let list = bench.get("/v1/payment_intents?customer=cus_1&limit=1");
    assert_eq!((list["data"].as_array().unwrap().len(), &list["has_more"]), (1, &json!(true)));
    let next = bench.get(&format!("/v1/payment_intents?customer=cus_1&starting_after={}", id(&list["data"][0])));
    assert_eq!((next["data"].as_array().unwrap().len(), &next["has_more"]), (1, &json!(false)));
}

#[test]
fn foreign_intents_and_writes_are_refused() {
    let bench = Bench::new();
    let charge = bench.dashboard("charges", json!({"amount": 700}));
    let path = format!("/v1/payment_intents/{}", text(&charge, "payment_intent"));
    let (status, _, body) = bench.raw(&bench.live_key, "GET", &path, "", &[]);
    assert_eq!((status, body["error"]["code"].as_str()), (404, Some("resource_missing")));
    assert!(text(&body["error"], "message").contains("a similar object exists in test mode"));
    for write in [format!("{path}/cancel"), path.clone(), "/v1/payment_intents".into()] {
        assert_eq!(bench.refused(&write, "").0, 404, "{write}");
    }
    assert_eq!(bench.raw(&bench.test_key, "GET", &format!("{path}?x=1"), "", &[]).0, 400);
    assert_eq!(bench.raw(&bench.test_key, "GET", "/v1/payment_intents/pi_none", "", &[]).0, 404);
}
