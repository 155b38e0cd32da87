//! Foreign bytes: whatever comes, the answer is an error in the right shape and nothing changes.

use axiru_stripe_sandbox::ApiRequest;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bench::{Bench, MERCHANT};

#[test]
fn bad_parameters_are_refused_by_name() {
    let bench = Bench::new();
    let charge = bench.charge(1_000);
    let cases = [
        ("/v1/refunds", String::new(), 400, Some("parameter_missing")),
        ("/v1/refunds", "charge=ch_none".into(), 404, Some("resource_missing")),
        ("/v1/refunds", format!("charge={charge}&amount=-1"), 400, Some("parameter_invalid_integer")),
        ("/v1/refunds", format!("charge={charge}&amount=1.5"), 400, Some("parameter_invalid_integer")),
        ("/v1/refunds", format!("charge={charge}&amount[x]=1"), 400, None),
        ("/v1/refunds", format!("charge={charge}&reason=because"), 400, None),
        ("/v1/refunds", format!("charge={charge}&payment_intent=pi_other"), 400, None),
        ("/v1/refunds", format!("charge={charge}&reverse_transfer=maybe"), 400, None),
        ("/v1/refunds", format!("charge={charge}&livemode=true"), 400, Some("parameter_unknown")),
        ("/v1/refunds", format!("charge={charge}&expand[]=secrets"), 400, None),
        ("/v1/refunds", format!("charge={charge}&metadata[a][b]=c"), 400, None),
        ("/v1/refunds", format!("charge={charge}&metadata=text"), 400, None),
        ("/v1/refunds", format!("charge={charge}&metadata[{}]=x", "k".repeat(41)), 400, None),
        ("/v1/refunds", format!("[charge]={charge}"), 400, None),
        ("/v1/payouts", "amount=99999999999999999999&currency=usd".into(), 400, Some("parameter_invalid_integer")),
        ("/v1/payouts", "amount=5&currency=dollars".into(), 400, None),
        ("/v1/payouts", "amount=5&currency=usd&destination=ba_none".into(), 400, Some("payouts_not_allowed")),
        ("/v1/webhook_endpoints", "url=ftp://x/&enabled_events[]=*".into(), 400, Some("url_invalid")),
        ("/v1/webhook_endpoints", "url=http://127.0.0.1/&enabled_events[]=transfer.paid".into(), 400, None),
        ("/v1/webhook_endpoints", "url=http://127.0.0.1/".into(), 400, Some("parameter_missing")),
        ("/v1/refund", String::new(), 404, None),
        ("/v2/refunds", String::new(), 404, None),
        ("/v1/", String::new(), 404, None),
    ];
    for (path, form, status, code) in cases {
        let (got, error) = bench.refused(path, &form);
        assert_eq!((got, error["code"].as_str()), (status, code), "{path} {form}: {error}");
        assert!(error["message"].is_string() && error["type"] == "invalid_request_error");
    }
    assert_eq!(bench.event_types(), ["charge.succeeded"], "nothing happened");
}

#[test]
fn bad_versions_and_keys_are_refused() {
    let bench = Bench::new();
    for version in ["yesterday", "2026-6-24", "2026-06-24.", "2026-06-24.Dahlia", "2026-06-24-1"] {
        assert_eq!(
            bench.raw(&bench.test_key, "GET", "/v1/balance", "", &[("stripe-version", version)]).0,
            400,
            "{version}"
        );
    }
    for authorization in ["", "Bearer", "Bearer ", "Basic !!!", "Basic Og==", "Digest x", "Bearer sk_test_nobody"] {
        let (status, _, body) = bench.raw("ignored", "GET", "/v1/balance", "", &[("authorization", authorization)]);
        assert_eq!((status, body["error"]["type"].as_str()), (401, Some("invalid_request_error")), "{authorization}");
    }
}

#[test]
fn bad_control_calls_are_refused() {
    let bench = Bench::new();
    let cases = [
        ("POST", "nonsense".to_owned(), json!({})),
        ("POST", "accounts".into(), json!({"id": "me"})),
        ("POST", "accounts".into(), json!({"id": MERCHANT})),
        ("POST", "accounts".into(), json!({"platform": "acct_none"})),
        ("POST", "accounts".into(), json!({"unknown": 1})),
        ("POST", "prod/acct_Merchant1/charges".into(), json!({"amount": 1})),
        ("POST", "test/acct_none/charges".into(), json!({"amount": 1})),
        ("POST", format!("test/{MERCHANT}/charges"), json!({"amount": 0})),
        ("POST", format!("test/{MERCHANT}/charges"), json!({"amount": "1"})),
        ("POST", format!("test/{MERCHANT}/charges"), json!([])),
        ("GET", format!("test/{MERCHANT}/charges"), json!({})),
        ("POST", format!("test/{MERCHANT}/refunds/re_none/status"), json!({"status": "failed"})),
        ("POST", format!("test/{MERCHANT}/refunds/re_none/status"), json!({"status": "lost"})),
        ("POST", format!("test/{MERCHANT}/disputes"), json!({"charge": "ch_none"})),
        ("POST", format!("test/{MERCHANT}/uninstall"), json!({})),
        ("POST", "deliveries/whd_none/forge".into(), json!({})),
        ("POST", "endpoints/we_none/roll".into(), json!({})),
        ("POST", "clock".into(), json!({"advance_secs": 1, "set": 2})),
        ("POST", "apps/prod".into(), json!({})),
    ];
    for (method, path, body) in cases {
        let error = bench.sandbox.control(method, &path, body.clone()).unwrap_err();
        assert!((400..500).contains(&error.status()), "{path} {body}");
        assert!(error.body()["error"]["message"].is_string());
    }
}

proptest! {
    #[test]
    fn arbitrary_calls_get_an_answer(
        method in "GET|POST|DELETE",
        path in "/v1/(charges|refunds|payouts|transfers|disputes|events|balance|oauth/token|webhook_endpoints)?(/[a-z_]{0,6}){0,3}",
        query in any::<String>(),
        body in any::<Vec<u8>>(),
        version in any::<Vec<u8>>(),
    ) {
        let bench = Bench::new();
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {}", bench.test_key)).unwrap());
        if let Ok(version) = HeaderValue::from_bytes(&version) {
            headers.insert("stripe-version", version);
        }
        let answer = bench.sandbox.api(&ApiRequest { method, path, query, headers, body });
        let parsed: Value = serde_json::from_str(&answer.body).unwrap();
        prop_assert!(answer.status == 200 || parsed.get("error").is_some());
    }
}
