//! Query and body are one form, as at Stripe.

use serde_json::json;

use crate::bench::{Bench, id, text};

#[test]
fn the_query_of_a_post_counts_and_the_body_wins() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    let by_query = bench.post(&format!("/v1/refunds?charge={charge}&amount=1"), "");
    assert_eq!(by_query["amount"], 1);
    let both = bench.post(
        "/v1/refunds?amount=2&metadata[a]=query&metadata[b]=query",
        &format!("charge={charge}&amount=3&metadata[a]=body"),
    );
    assert_eq!((&both["amount"], &both["metadata"]), (&json!(3), &json!({"a": "body", "b": "query"})));
    let (_, error) = bench.refused("/v1/refunds?livemode=true", &format!("charge={charge}"));
    assert_eq!(error["param"], "livemode", "unknown names are refused wherever they stand");
    let expanded =
        bench.post("/v1/refunds?expand[]=charge", &format!("charge={charge}&amount=1&expand[]=balance_transaction"));
    assert!(expanded["charge"].is_object() && expanded["balance_transaction"].is_object(), "lists are joined");
}

#[test]
fn of_a_name_given_twice_the_last_counts() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    let twice = bench.post(
        "/v1/refunds",
        &format!("charge=ch_none&charge={charge}&amount=900&amount=2&metadata[a]=1&metadata[a]=2"),
    );
    assert_eq!((&twice["amount"], &twice["metadata"]["a"]), (&json!(2), &json!("2")));
    let (_, error) = bench.refused("/v1/refunds", &format!("charge={charge}&amount=2&amount=x"));
    assert_eq!(error["code"], "parameter_invalid_integer");
    let all = bench.refused("/v1/refunds", &format!("charge={charge}&amount=2&amount=1001"));
    assert_eq!(all.0, 400, "the first does not hide the second");
}

#[test]
fn a_name_is_a_text_or_a_group_but_not_both() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    for form in ["metadata=x&metadata[a]=b", "metadata[a]=b&metadata=x", "amount[]=1", "amount[0]=1", "charge[id]=x"] {
        assert_eq!(bench.refused("/v1/refunds", &format!("charge={charge}&{form}")).0, 400, "{form}");
    }
    let (_, error) = bench.refused("/v1/refunds?amount[a]=1", &format!("charge={charge}&amount=1"));
    assert!(text(&error, "message").contains("amount"), "also across query and body");
}

#[test]
fn encoded_brackets_are_brackets() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    let made = bench.post("/v1/refunds", &format!("charge={charge}&amount=1&metadata%5Ba%2Bb%5D=%C3%BC+1"));
    assert_eq!(made["metadata"], json!({"a+b": "ü 1"}));
    let indexed = bench.post("/v1/refunds", &format!("charge={charge}&amount=1&expand[0]=charge"));
    assert_eq!(id(&indexed["charge"]), charge);
}

#[test]
fn a_key_covers_query_and_body_as_one() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    let send = |path: &str, form: &str| bench.raw(&bench.test_key, "POST", path, form, &[("idempotency-key", "k")]);
    let (_, _, first) = send("/v1/refunds", &format!("charge={charge}&amount=1"));
    let (_, _, again) = send("/v1/refunds?amount=1", &format!("charge={charge}"));
    assert_eq!(id(&first), id(&again));
    let (status, _, other) = send("/v1/refunds?amount=2", &format!("charge={charge}"));
    assert_eq!((status, other["error"]["type"].as_str()), (400, Some("idempotency_error")));
}
