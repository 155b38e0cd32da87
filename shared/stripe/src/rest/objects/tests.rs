use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::base::ApiBase;
use crate::secret::Secret;
use crate::transport::TransportError;
use crate::transport::tests::Script;

fn id(text: &str) -> StripeId {
    text.parse().unwrap()
}

fn charge() -> Value {
    json!({"id": "ch_1", "object": "charge", "livemode": false, "amount": 5_000, "amount_captured": 5_000, "amount_refunded": 700,
           "currency": "usd", "created": 1_780_000_000, "customer": "cus_1", "payment_intent": "pi_1", "disputed": false,
           "status": "succeeded", "receipt_email": "canary@example.com", "description": "canary", "metadata": {"k": "canary"},
           "billing_details": {"name": "canary"}, "payment_method_details": {"card": {"last4": "canary"}}})
}

fn dispute() -> Value {
    json!({"id": "du_1", "livemode": false, "charge": "ch_1", "created": 1_780_000_000, "status": "needs_response", "reason": "fraudulent",
           "payment_method_details": {"type": "card", "card": {"brand": "visa", "case_type": "chargeback"}},
           "evidence": {"customer_name": "canary"}, "evidence_details": {"submission_count": 1, "past_due": false, "due_by": null}})
}

/// Reads with one of the functions above, from a script.
async fn reading<T>(script: &Script, read: impl AsyncFn(&Rest<'_>) -> Result<T, ReadError>) -> Result<T, ReadError> {
    let base: ApiBase = "https://api.stripe.com".parse().unwrap();
    let key = Secret::new("rk_test_accesscanary").unwrap();
    read(&Rest::new(script, &base, &key)).await
}

async fn read_charge(script: &Script) -> Result<Charge, ReadError> {
    reading(script, async |rest| rest.charge(Mode::Test, &id("ch_1")).await).await
}

async fn read_dispute(script: &Script) -> Result<Dispute, ReadError> {
    reading(script, async |rest| rest.dispute(Mode::Test, &id("du_1")).await).await
}

#[tokio::test]
async fn only_the_projection_is_kept_and_the_version_is_pinned() {
    let script = Script::answering(200, charge().to_string());
    let charge = read_charge(&script).await.unwrap();
    assert_eq!((charge.amount_captured_minor, charge.amount_refunded_minor), (5_000, 700));
    assert_eq!(
        (charge.customer.clone(), charge.payment_intent.clone()),
        (Some(Some(id("cus_1"))), Some(Some(id("pi_1"))))
    );
    assert!(!format!("{charge:?}").contains("canary"));
    {
        let asked = script.asked.lock().unwrap();
        assert_eq!(asked[0].uri(), "https://api.stripe.com/v1/charges/ch_1");
        assert_eq!(asked[0].headers()["stripe-version"], crate::API_VERSION);
    }
    let dispute = read_dispute(&Script::answering(200, dispute().to_string())).await.unwrap();
    assert_eq!((dispute.submission_count, dispute.case_type.clone()), (Some(Some(1)), Some(Some("chargeback".into()))));
    assert!(dispute.is_open() && !format!("{dispute:?}").contains("canary"));
}

#[tokio::test]
async fn every_wrong_field_is_named_and_no_value_is_told() {
    for (field, value) in [
        ("id", json!(null)),
        ("id", json!("canary")),
        ("id", json!("ch_2")),
        ("livemode", json!(null)),
        ("livemode", json!(true)),
        ("amount_captured", json!(-1)),
        ("amount_captured", json!(null)),
        ("amount_refunded", json!(9_007_199_254_740_992_i64)),
        ("currency", json!("canary")),
        ("created", json!(-1)),
        ("customer", json!("canary 1")),
        ("payment_intent", json!("../canary")),
        ("disputed", json!(null)),
    ] {
        let mut body = charge();
        body[field] = value.clone();
        let error = read_charge(&Script::answering(200, body.to_string())).await.unwrap_err();
        assert!(matches!(error, ReadError::Answer { at, .. } if at == field), "{field} {value}: {error}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    for body in ["", "[]", "canary", r#"{"id":7}"#] {
        let error = read_charge(&Script::answering(200, body)).await.unwrap_err();
        assert!(matches!(error, ReadError::Answer { .. }), "{body}: {error}");
    }
}

#[tokio::test]
async fn null_is_absent_and_missing_or_free_text_is_nothing_said() {
    let mut body = charge();
    body["customer"] = json!(null);
    body.as_object_mut().unwrap().remove("payment_intent");
    let read = read_charge(&Script::answering(200, body.to_string())).await.unwrap();
    assert_eq!((read.customer, read.payment_intent), (Some(None), None));
    let mut body = dispute();
    body["reason"] = json!("Free text canary");
    body["payment_method_details"] = json!(null);
    body["evidence_details"]["past_due"] = json!(null);
    let read = read_dispute(&Script::answering(200, body.to_string())).await.unwrap();
    assert_eq!((read.reason, read.case_type, read.evidence_past_due), (None, None, Some(None)));
}

#[tokio::test]
async fn every_refusal_has_its_class() {
    let refusal =
        |code: &str| json!({"error": {"type": "invalid_request_error", "code": code, "message": "canary"}}).to_string();
    for (status, body, expected) in [
        (404, refusal("resource_missing"), ReadError::NoSuch),
        (404, String::new(), ReadError::NoSuch),
        (400, refusal("resource_missing"), ReadError::NoSuch),
        (403, refusal("more_permissions_required"), ReadError::Permission("charge_read")),
        (401, refusal("api_key_expired"), ReadError::Unauthorized),
        (429, refusal("rate_limit"), ReadError::RateLimited),
        (500, refusal("x"), ReadError::Unavailable),
        (503, "<html>canary".into(), ReadError::Unavailable),
    ] {
        let error = read_charge(&Script::answering(status, body)).await.unwrap_err();
        assert_eq!(error, expected, "{status}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    let error = read_charge(&Script::answering(400, refusal("other"))).await.unwrap_err();
    assert!(matches!(error, ReadError::Refused(_)) && !format!("{error:?}").contains("canary"));
    assert_eq!(read_charge(&Script::failing(TransportError::TimedOut)).await, Err(ReadError::Unavailable));
    let denied = read_dispute(&Script::answering(403, "")).await;
    assert_eq!(denied, Err(ReadError::Permission("dispute_read")));
}

#[tokio::test]
async fn a_payment_intent_is_its_paid_charge() {
    let mut failed = charge();
    (failed["id"], failed["status"]) = (json!("ch_0"), json!("failed"));
    let of = async |data: Vec<Value>| {
        let script = Script::answering(200, json!({"data": data, "has_more": false}).to_string());
        let read = reading(&script, async |rest| rest.charge_of(Mode::Test, &id("pi_1")).await).await;
        assert!(script.asked.lock().unwrap()[0].uri().query().unwrap().contains("payment_intent=pi_1"));
        read
    };
    assert_eq!(of(vec![failed.clone(), charge()]).await.unwrap().id, id("ch_1"));
    assert_eq!(of(vec![failed]).await, Err(ReadError::NoSuch));
    assert_eq!(of(vec![]).await, Err(ReadError::NoSuch));
    let mut foreign = charge();
    foreign["payment_intent"] = json!("pi_2");
    assert!(matches!(of(vec![foreign]).await, Err(ReadError::Answer { at: "id", .. })));
}

#[tokio::test]
async fn lists_are_whole_or_refused() {
    let refunds = async |body: Value| {
        let script = Script::answering(200, body.to_string());
        reading(&script, async |rest| rest.refunds_of(&id("ch_1")).await).await
    };
    let refund = |name: &str, status: &str| json!({"id": name, "amount": 100, "status": status});
    let data = json!([refund("re_2", "failed"), refund("re_1", "succeeded")]);
    let read = refunds(json!({"data": data, "has_more": false})).await.unwrap();
    assert_eq!(read.iter().map(|refund| refund.counts).collect::<Vec<_>>(), [false, true]);
    assert!(refunds(json!({"data": data, "has_more": true})).await.is_err());
    let mut foreign = dispute();
    foreign["charge"] = json!("ch_2");
    let script = Script::answering(200, json!({"data": [foreign], "has_more": false}).to_string());
    assert!(reading(&script, async |rest| rest.disputes_of(Mode::Test, &id("ch_1")).await).await.is_err());
}

proptest! {
    #[test]
    fn arbitrary_answers_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300), status in 200_u16..600) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        prop_assert!(runtime.block_on(read_charge(&Script::answering(status, body))).is_err());
    }
}
