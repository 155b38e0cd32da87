//! What is personal stays at Stripe: planted in events, searched for in every table, queue and bucket.

use std::collections::HashMap;

use axiru_domain::Timestamp;
use axiru_in_process::{InProcess, Retries};
use axiru_stripe_sandbox::sign;
use http::{Request, StatusCode};
use lambda_http::RequestExt;
use serde_json::{Value, json};

use super::events::{dispute, event, payout, refund, transfer};
use super::ground::{Ground, SECRET};
use crate::played::{MODE, mode};

/// Card numbers, bank details, names, addresses: everything that must never be stored.
const CANARIES: [&str; 12] = [
    "Canary Jo",
    "canary.jo@example.com",
    "4242424242424242",
    "last4-4242",
    "fp_canary",
    "GB33BUKB20201555555555",
    "110000000",
    "Canary Street 1",
    "203.0.113.77",
    "canary note",
    "canary-ref-1",
    "555-CANARY",
];

fn plant(object: &mut Value) {
    let canary = |i: usize| CANARIES[i];
    let map = object.as_object_mut().unwrap();
    map.insert("description".into(), canary(9).into());
    map.insert("metadata".into(), json!({"customer": canary(0), "note": canary(9)}));
    map.insert("receipt_email".into(), canary(1).into());
    map.insert("instructions_email".into(), canary(1).into());
    map.insert("statement_descriptor".into(), canary(0).into());
    map.insert("transfer_group".into(), canary(9).into());
    map.insert(
        "billing_details".into(),
        json!({"name": canary(0), "email": canary(1), "phone": canary(11), "address": {"line1": canary(7)}}),
    );
    map.insert("evidence".into(), json!({"customer_name": canary(0), "customer_email_address": canary(1), "customer_purchase_ip": canary(8), "billing_address": canary(7)}));
    map.insert("trace_id".into(), json!({"status": "supported", "value": canary(10)}));
    map.insert("next_action".into(), json!({"display_details": {"email_sent": {"email_sent_to": canary(1)}}}));
    map.insert(
        "destination_details".into(),
        json!({"type": "card", "card": {"reference": canary(10), "number": canary(2)}}),
    );
    map.insert(
        "payment_method_details".into(),
        json!({"type": "card", "card": {"last4": canary(3), "fingerprint": canary(4), "case_type": canary(0)}}),
    );
    if map.get("destination").is_some_and(|destination| destination == "ba_1") {
        map.insert("destination".into(), json!({"id": "ba_1", "object": "bank_account", "account_holder_name": canary(0), "iban": canary(5), "routing_number": canary(6)}));
    }
    // Free text where a word is expected.
    map.insert("reason".into(), canary(9).into());
    map.insert("failure_reason".into(), canary(9).into());
}

#[tokio::test]
async fn nothing_personal_is_found_anywhere() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::On).await;
    let app = ground.webhook();
    let before = Some(
        json!({"evidence": {"customer_name": CANARIES[0]}, "evidence_details": {"submission_count": 0}, "status": CANARIES[0]}),
    );
    let kinds = [
        ("refund.created", refund("re_1", 60_000, "succeeded"), None),
        ("refund.failed", refund("re_1", 60_000, "failed"), before.clone()),
        ("payout.created", payout("po_1", 250_000, "pending"), None),
        ("transfer.created", transfer("tr_1", &[]), None),
        ("transfer.reversed", transfer("tr_1", &["trr_1"]), None),
        ("charge.dispute.updated", dispute("dp_1", "under_review", 1), before),
        ("charge.dispute.closed", dispute("dp_1", "lost", 1), None),
    ];
    let mut planted = String::new();
    for (i, (event_type, mut object, before)) in kinds.into_iter().enumerate() {
        plant(&mut object);
        let mut event = event(&format!("evt_{i}"), event_type, &object, before);
        event["request"]["idempotency_key"] = CANARIES[0].into();
        let body = event.to_string();
        planted.push_str(&body);
        let signature = sign(&[SECRET], Timestamp::now().secs(), body.as_bytes());
        let request = Request::post(format!("/stripe/webhooks/{MODE}"))
            .header("stripe-signature", signature)
            .body(body.into())
            .unwrap();
        let parameters = HashMap::from([("mode".to_owned(), vec![mode().to_string()])]);
        let answer = axiru_fn_webhook::handle(&app, request.with_path_parameters(parameters)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{event_type}");
    }
    for canary in CANARIES {
        assert!(planted.contains(canary), "{canary} was not planted");
    }
    let observe = axiru_fn_observe::App::new(ground.observer(axiru_domain::Timestamp::now));
    let answer = axiru_fn_observe::handle(&observe, ground.messages()).await;
    assert!(answer.batch_item_failures.is_empty(), "{:?}", answer.batch_item_failures);
    let export = axiru_fn_export::App::new(ground.exporter_at(axiru_domain::Timestamp::now));
    axiru_fn_export::handle(&export, &json!({})).await.unwrap();
    let verified = ground.verified();
    assert!(verified.passed(), "{:?}", verified.faults);
    assert_eq!(verified.entries(), 9);
    let dump = ground.account.dump().unwrap();
    // The search works: what must be there is found.
    assert!(!dump.find("re_1").is_empty() && !dump.find("trr_1").is_empty());
    for canary in CANARIES {
        assert_eq!(dump.find(canary), Vec::<&str>::new(), "{canary}");
    }
}
