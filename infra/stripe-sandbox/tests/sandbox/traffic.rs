//! Failures that were ordered, the limit on calls per second, and keys in flight.

use std::time::Duration;

use axiru_stripe_sandbox::{Sandbox, router};
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::bench::{Bench, id};

type Headers = Vec<(&'static str, String)>;

fn refund(bench: &Bench, charge: &str, key: &str) -> (u16, Headers, Value) {
    let form = format!("charge={charge}&amount=100");
    bench.raw(&bench.test_key, "POST", "/v1/refunds", &form, &[("idempotency-key", key)])
}

fn refunds(bench: &Bench) -> usize {
    let state = bench.sandbox.control("GET", "state", json!({})).unwrap();
    let scopes = state["scopes"].as_array().unwrap();
    scopes.iter().map(|scope| scope["refunds"].as_u64().unwrap()).sum::<u64>().try_into().unwrap()
}

fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|(have, _)| *have == name).map(|(_, value)| value.as_str())
}

/// One call over HTTP; `None` if the connection broke.
async fn send(sandbox: &Sandbox, key: &str, path: &str, form: &str, idempotency_key: &str) -> Option<(u16, Value)> {
    let request = Request::post(path)
        .header("authorization", format!("Bearer {key}"))
        .header("idempotency-key", idempotency_key)
        .body(Body::from(form.to_owned()))
        .unwrap();
    let answer = router(sandbox.clone()).oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    Some((status, serde_json::from_slice(&body).unwrap()))
}

#[test]
fn an_ordered_500_sticks_to_its_key_executed_or_not() {
    for (fault, done) in [("error_500", 0), ("error_500_after_effect", 1)] {
        let bench = Bench::new();
        let charge = bench.charge(1_000);
        bench.control("faults", json!({"method": "POST", "path": "/v1/refunds", "fault": fault}));
        let (status, first_headers, first) = refund(&bench, &charge, "k");
        assert_eq!((status, first["error"]["type"].as_str()), (500, Some("api_error")), "{fault}");
        assert_eq!(header(&first_headers, "idempotent-replayed"), None);
        let (status, headers, again) = refund(&bench, &charge, "k");
        assert_eq!((status, &again), (500, &first), "{fault}");
        assert_eq!(header(&headers, "idempotent-replayed"), Some("true"));
        assert_eq!(header(&headers, "original-request"), header(&first_headers, "request-id"));
        assert_eq!(refunds(&bench), done, "{fault}");
        assert_eq!(refund(&bench, &charge, "other").0, 200, "one order is one call");
        assert_eq!(refunds(&bench), done + 1);
    }
}

#[test]
fn a_500_without_a_key_is_forgotten_and_validation_comes_before_the_effect() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    bench.control("faults", json!({"path": "/v1/*", "fault": "error_500"}));
    assert_eq!(bench.refused("/v1/refunds", &format!("charge={charge}")).0, 500);
    assert_eq!(bench.post("/v1/refunds", &format!("charge={charge}&amount=1"))["amount"], 1);
    bench.control("faults", json!({"path": "/v1/refunds", "fault": "error_500_after_effect"}));
    assert_eq!(bench.refused("/v1/refunds", "amount=x").0, 400, "what never began has no effect to fail after");
    bench.control("faults", json!({"path": "/v1/refunds", "fault": "error_500_after_effect"}));
    assert_eq!(bench.refused("/v1/refunds", "charge=ch_none").0, 500);
    bench.control("faults", json!({"path": "/v1/refunds", "fault": "error_500"}));
    let (status, _, _) = bench.raw("sk_test_nobody", "POST", "/v1/refunds", "charge=x", &[]);
    assert_eq!(status, 401, "strangers are strangers first");
}

#[test]
fn refusals_of_traffic_are_forgotten_and_speak_stripe_s_words() {
    for (order, status, kind, code, reason, retry) in [
        (json!({"fault": "lock_timeout"}), 429, "invalid_request_error", "lock_timeout", None, None),
        (json!({"fault": "rate_limit"}), 429, "invalid_request_error", "rate_limit", Some("global-rate"), None),
        (
            json!({"fault": "rate_limit", "reason": "endpoint-concurrency"}),
            429,
            "invalid_request_error",
            "rate_limit",
            Some("endpoint-concurrency"),
            None,
        ),
        (json!({"fault": "key_in_use"}), 409, "idempotency_error", "idempotency_key_in_use", None, Some("true")),
    ] {
        let bench = Bench::new();
        let charge = bench.charge(1_000);
        let mut order = order;
        order["path"] = json!("/v1/refunds");
        bench.control("faults", order);
        let (got, headers, body) = refund(&bench, &charge, "k");
        let error = &body["error"];
        assert_eq!((got, error["type"].as_str(), error["code"].as_str()), (status, Some(kind), Some(code)));
        assert_eq!(header(&headers, "stripe-rate-limited-reason"), reason);
        assert_eq!(header(&headers, "stripe-should-retry"), retry);
        assert_eq!(refunds(&bench), 0);
        assert_eq!(refund(&bench, &charge, "k").0, 200, "{code}");
    }
}

#[test]
fn orders_are_for_their_calls_alone() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    bench.control(
        "faults",
        json!({"method": "POST", "path": "/v1/charges/:id/refunds", "fault": "lock_timeout", "times": 2}),
    );
    assert_eq!(refund(&bench, &charge, "a").0, 200, "another path");
    let path = format!("/v1/charges/{charge}/refunds");
    bench.get(&path);
    bench.get(&format!("/v1/charges/{charge}"));
    assert_eq!([bench.refused(&path, "amount=1").0, bench.refused(&path, "amount=1").0], [429, 429]);
    bench.post(&path, "amount=1");
    bench.control("faults", json!({"path": "/v1/refunds", "fault": "lock_timeout", "times": 9}));
    let left = bench.control("faults/clear", json!({}));
    assert_eq!(left["faults"], json!([]));
    assert_eq!(refund(&bench, &charge, "b").0, 200);
}

#[test]
fn orders_that_make_no_sense_are_refused() {
    let bench = Bench::new();
    for order in [
        json!({}),
        json!({"path": "/v1/refunds"}),
        json!({"fault": "error_500"}),
        json!({"path": "/_sandbox/clock", "fault": "error_500"}),
        json!({"path": "/v1/refunds", "fault": "explode"}),
        json!({"path": "/v1/refunds", "fault": "rate_limit", "reason": "mood"}),
        json!({"path": "/v1/refunds", "fault": "error_500", "times": 0}),
        json!({"path": "/v1/refunds", "fault": "error_500", "times": -1}),
        json!({"path": "/v1/refunds", "delay_ms": 120_001}),
        json!({"path": "/v1/refunds", "delay_ms": 1, "x": 1}),
    ] {
        let error = bench.sandbox.control("POST", "faults", order.clone()).unwrap_err();
        assert_eq!(error.status(), 400, "{order}");
    }
    for limit in [json!({"per_second": -1}), json!({"per_second": "x"}), json!({"every": 1})] {
        assert_eq!(bench.sandbox.control("POST", "rate_limit", limit).unwrap_err().status(), 400);
    }
    assert_eq!(bench.sandbox.control("GET", "faults", json!({})).unwrap(), json!({"faults": [], "per_second": null}));
}

#[tokio::test]
async fn a_dropped_connection_hides_an_answer_that_is_replayed() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    bench.control("faults", json!({"path": "/v1/refunds", "fault": "drop_after_effect"}));
    let form = format!("charge={charge}");
    assert_eq!(send(&bench.sandbox, &bench.test_key, "/v1/refunds", &form, "k").await, None);
    assert_eq!(refunds(&bench), 1);
    let (status, _) = send(&bench.sandbox, &bench.test_key, "/v1/refunds", &form, "k").await.unwrap();
    assert_eq!((status, refunds(&bench)), (200, 1));
}

#[tokio::test]
async fn a_dropped_connection_is_broken_on_a_real_socket_too() {
    let bench = Bench::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(axum::serve(listener, router(bench.sandbox.clone())).into_future());
    bench.control("faults", json!({"path": "/v1/balance", "fault": "drop_after_effect"}));
    let url = format!("http://{address}/v1/balance");
    let get = async || reqwest::Client::new().get(&url).bearer_auth(&bench.test_key).send().await?.bytes().await;
    assert!(get().await.is_err());
    assert!(get().await.is_ok());
    serving.abort();
}

#[tokio::test(start_paused = true)]
async fn a_key_is_in_use_while_its_call_is_under_way() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    let form = format!("charge={charge}&amount=100");
    bench.control("faults", json!({"path": "/v1/refunds", "delay_ms": 5_000, "times": 2}));
    let slow = send(&bench.sandbox, &bench.test_key, "/v1/refunds", &form, "k");
    let quick = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let delayed_too = send(&bench.sandbox, &bench.test_key, "/v1/refunds", &form, "k").await.unwrap();
        let same = send(&bench.sandbox, &bench.test_key, "/v1/refunds", &form, "k").await.unwrap();
        let other = send(&bench.sandbox, &bench.test_key, "/v1/refunds", &form, "other").await.unwrap();
        let elsewhere =
            send(&bench.sandbox, &bench.live_key, "/v1/payouts", "amount=1&currency=usd", "k").await.unwrap();
        (delayed_too, same, other.0, elsewhere.0, refunds(&bench))
    };
    let (slow, (delayed_too, same, other, elsewhere, meanwhile)) = tokio::join!(slow, quick);
    assert_eq!((delayed_too.0, delayed_too.1["error"]["code"].as_str()), (409, Some("idempotency_key_in_use")));
    assert_eq!((same.0, same.1["error"]["code"].as_str()), (409, Some("idempotency_key_in_use")));
    assert_eq!((other, elsewhere, meanwhile), (200, 200, 1), "the slow one is not executed before its time");
    let slow = slow.unwrap();
    assert_eq!(slow.0, 200);
    let (status, again) = send(&bench.sandbox, &bench.test_key, "/v1/refunds", &form, "k").await.unwrap();
    assert_eq!((status, id(&again), refunds(&bench)), (200, id(&slow.1), 2));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_does_not_stop_a_slow_call() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    bench.control("faults", json!({"path": "/v1/refunds", "delay_ms": 5_000}));
    let form = format!("charge={charge}");
    let call = send(&bench.sandbox, &bench.test_key, "/v1/refunds", &form, "k");
    assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
    assert_eq!(refunds(&bench), 0);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(refunds(&bench), 1);
    assert_eq!(send(&bench.sandbox, &bench.test_key, "/v1/refunds", &form, "k").await.unwrap().0, 200);
    assert_eq!(refunds(&bench), 1);
}

#[test]
fn the_limit_is_of_one_account_and_second_and_off_by_default() {
    let bench = Bench::new();
    for _ in 0..200 {
        bench.get("/v1/balance");
    }
    bench.control("rate_limit", json!({"per_second": 2}));
    let ask = |key: &str| bench.raw(key, "GET", "/v1/balance", "", &[]);
    assert_eq!([ask(&bench.test_key).0, ask(&bench.test_key).0], [200, 200]);
    let (status, headers, body) = ask(&bench.test_key);
    assert_eq!((status, body["error"]["code"].as_str()), (429, Some("rate_limit")));
    assert_eq!(header(&headers, "stripe-rate-limited-reason"), Some("global-rate"));
    assert_eq!(ask(&bench.restricted_key).0, 429, "another key of the same account");
    assert_eq!(ask(&bench.live_key).0, 200, "another mode");
    assert_eq!(ask("sk_test_nobody").0, 401);
    bench.control("clock", json!({"advance_secs": 1}));
    let charge = "charge=ch_none";
    let (status, _, _) = bench.raw(&bench.test_key, "POST", "/v1/refunds", charge, &[("idempotency-key", "k")]);
    assert_eq!((status, ask(&bench.test_key).0), (404, 200));
    let (status, _, _) = bench.raw(&bench.test_key, "POST", "/v1/refunds", charge, &[("idempotency-key", "new")]);
    assert_eq!(status, 429);
    bench.control("rate_limit", json!({}));
    let (status, headers, _) = bench.raw(&bench.test_key, "POST", "/v1/refunds", charge, &[("idempotency-key", "new")]);
    assert_eq!((status, header(&headers, "idempotent-replayed")), (404, None), "a 429 is not remembered");
}
