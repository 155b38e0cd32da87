use axiru_domain::{Actor, FactValue, Kind};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::report::{FactKind, Sighting};

fn event(event_type: &str, object: Value) -> Value {
    json!({
        "id": "evt_1", "object": "event", "type": event_type, "account": "acct_1", "livemode": false,
        "created": 1_793_404_800, "api_version": "2026-06-24.dahlia", "pending_webhooks": 1,
        "request": {"id": "req_1", "idempotency_key": "k"}, "data": {"object": object},
    })
}

fn refund() -> Value {
    json!({
        "id": "re_1", "object": "refund", "amount": 1250, "currency": "usd", "charge": "ch_1", "created": 1_793_404_790,
        "payment_intent": null, "reason": null, "status": "succeeded", "failure_reason": null,
        "destination_details": {"type": "card", "card": {"reference": "CANARY-1", "type": "refund"}},
        "metadata": {"note": "CANARY-2"}, "description": "CANARY-3", "receipt_number": "CANARY-4",
        "instructions_email": "canary@example.com",
    })
}

fn payout() -> Value {
    json!({
        "id": "po_1", "object": "payout", "amount": 500_000, "currency": "eur", "livemode": false, "automatic": false, "created": 1,
        "method": "standard", "type": "bank_account", "source_type": "card", "status": "pending", "failure_code": null,
        "destination": {"id": "ba_1", "object": "bank_account", "last4": "6789", "account_holder_name": "Canary Jo",
            "routing_number": "110000000", "fingerprint": "CANARY"},
        "statement_descriptor": "CANARY", "trace_id": {"status": "supported", "value": "CANARY"},
    })
}

fn dispute(status: &str, count: u32) -> Value {
    json!({
        "id": "dp_1", "object": "dispute", "amount": 9_900, "currency": "usd", "charge": "ch_1", "status": status, "livemode": false,
        "reason": "fraudulent", "created": 1, "evidence": {"customer_name": "CANARY", "customer_email_address": "canary@example.com"},
        "evidence_details": {"due_by": 0, "has_evidence": count > 0, "past_due": false, "submission_count": count},
        "payment_method_details": {"card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4"}, "type": "card"},
    })
}

fn projected(event: &Value) -> Result<Projected, EventError> {
    project(event.to_string().as_bytes(), Mode::Test)
}

fn report(event: &Value) -> Report {
    match projected(event) {
        Ok(Projected::Report(report)) => *report,
        other => panic!("{other:?}"),
    }
}

fn sightings(event: &Value) -> Vec<Sighting> {
    let news = report(event).news.into_iter();
    news.filter_map(|news| if let News::Movement(s) = news { Some(s) } else { None }).collect()
}

fn text(value: &str) -> Option<FactValue> {
    Some(FactValue::Text(value.to_owned()))
}

#[test]
fn a_refund_becomes_a_movement() {
    let report = report(&event("refund.created", refund()));
    assert_eq!((report.scope.to_string().as_str(), report.event.as_str()), ("test/acct_1", "evt_1"));
    let [News::Movement(s)] = &report.news[..] else { panic!() };
    assert_eq!((s.kind, s.object.as_str(), s.amount_minor, s.currency.as_str()), (Kind::Refund, "re_1", 1250, "usd"));
    assert_eq!((s.first_status.as_deref(), s.later_status.as_deref()), (Some("succeeded"), None));
    assert_eq!(s.actor, Actor::External);
    assert_eq!(s.facts["reason"], None);
    assert_eq!(s.facts["charge"], text("ch_1"));
    assert_eq!(s.facts["destination_type"], text("card"));
}

#[test]
fn what_an_object_does_not_mention_stays_unknown() {
    let mut object = refund();
    object.as_object_mut().unwrap().remove("reason");
    assert!(!sightings(&event("refund.created", object))[0].facts.contains_key("reason"));
}

#[test]
fn a_later_event_shows_what_the_status_became() {
    let mut e = event(
        "refund.updated",
        json!({"id": "re_1", "amount": 5, "currency": "jpy", "status": "failed", "failure_reason": "declined", "created": 1}),
    );
    e["data"]["previous_attributes"] = json!({"status": "pending"});
    let s = &sightings(&e)[0];
    assert_eq!((s.first_status.as_deref(), s.later_status.as_deref()), (None, Some("failed")));
    assert_eq!(s.failure_code.as_deref(), Some("declined"));
    let s = &sightings(&event("payout.paid", payout()))[0];
    assert_eq!((s.first_status.as_deref(), s.later_status.as_deref()), (None, Some("pending")));
    // Something else changed: nothing is said of the status.
    e["data"]["previous_attributes"] = json!({"metadata": {"a": "b"}});
    let s = &sightings(&e)[0];
    assert_eq!((s.announced, s.first_status.as_deref(), s.later_status.as_deref()), (false, None, None));
}

#[test]
fn who_moved_it() {
    let mut automatic = payout();
    automatic["automatic"] = json!(true);
    assert_eq!(sightings(&event("payout.created", automatic))[0].actor, Actor::Stripe);
    assert_eq!(sightings(&event("payout.created", payout()))[0].actor, Actor::External);
    let mut expired = refund();
    expired["reason"] = json!("expired_uncaptured_charge");
    assert_eq!(sightings(&event("refund.created", expired))[0].actor, Actor::Stripe);
}

#[test]
fn an_expanded_destination_leaves_only_its_id() {
    let s = &sightings(&event("payout.created", payout()))[0];
    assert_eq!(s.facts["destination"], text("ba_1"));
}

#[test]
fn one_movement_per_reversal() {
    let reversal = |id: &str, amount: i64| json!({"id": id, "object": "transfer_reversal", "amount": amount, "currency": "usd", "created": 2, "source_refund": null, "transfer": "tr_1"});
    let transfer = json!({
        "id": "tr_1", "object": "transfer", "amount": 1_000, "currency": "usd", "livemode": false, "created": 1, "destination": "acct_2",
        "source_type": "card", "source_transaction": null, "reversals": {"data": [reversal("trr_2", 300), reversal("trr_1", 200)], "has_more": false},
    });
    let all = sightings(&event("transfer.reversed", transfer.clone()));
    assert_eq!(
        all.iter().map(|s| (s.object.as_str(), s.amount_minor)).collect::<Vec<_>>(),
        [("trr_2", 300), ("trr_1", 200)]
    );
    assert_eq!(all[0].facts["transfer"], text("tr_1"));
    let made = &sightings(&event("transfer.created", transfer))[0];
    assert_eq!((made.kind, made.facts["source_transaction"].clone()), (Kind::Transfer, None));
    let none = json!({"id": "tr_1", "amount": 1, "currency": "usd", "reversals": {"data": []}});
    assert_eq!(projected(&event("transfer.reversed", none)), Ok(Projected::Ignored(Ignored::NoNews)));
}

#[test]
fn only_a_rise_of_the_count_is_a_submission() {
    let mut e = event("charge.dispute.updated", dispute("under_review", 1));
    assert_eq!(sightings(&e), []);
    e["data"]["previous_attributes"] =
        json!({"evidence": {"customer_name": null}, "evidence_details": {"submission_count": 0}});
    let s = &sightings(&e)[0];
    assert_eq!(
        (s.kind, s.ordinal, s.facts["submission_count"].clone()),
        (Kind::DisputeSubmit, 1, Some(FactValue::Long(1)))
    );
    assert_eq!(s.facts["case_type"], text("chargeback"));
    e["data"]["previous_attributes"] = json!({"metadata": {"a": "b"}});
    assert_eq!(sightings(&e), []);
    e["data"]["previous_attributes"] = json!({"evidence_details": {"submission_count": 1}});
    assert_eq!(sightings(&e), []);
}

#[test]
fn a_lost_dispute_was_given_up_only_if_a_request_did_it() {
    let mut e = event("charge.dispute.closed", dispute("lost", 0));
    assert_eq!(sightings(&e)[0].kind, Kind::DisputeAccept);
    e["request"] = json!({"id": null, "idempotency_key": null});
    assert_eq!(sightings(&e), []);
    let [News::Fact(fact)] = &report(&e).news[..] else { panic!() };
    assert_eq!((fact.fact, fact.status.as_deref()), (FactKind::DisputeClosed, Some("lost")));
    let won = event("charge.dispute.closed", dispute("won", 1));
    assert_eq!(sightings(&won), []);
}

#[test]
fn modes_never_mix() {
    let mut live = event("refund.created", refund());
    live["livemode"] = json!(true);
    assert_eq!(projected(&live), Err(EventError::LiveOnTest));
    assert!(
        matches!(project(live.to_string().as_bytes(), Mode::Live), Ok(Projected::Report(r)) if r.scope.mode() == Mode::Live)
    );
    // Test events reach the live endpoint where an app is installed in both modes.
    let test = event("refund.created", refund());
    assert!(
        matches!(project(test.to_string().as_bytes(), Mode::Live), Ok(Projected::Report(r)) if r.scope.mode() == Mode::Test)
    );
    let mut mixed = event("payout.created", payout());
    mixed["data"]["object"]["livemode"] = json!(true);
    assert_eq!(projected(&mixed), Err(EventError::Mode));
}

#[test]
fn what_is_none_of_our_business_is_ignored() {
    assert_eq!(projected(&event("customer.created", json!({"id": "cus_1"}))), Ok(Projected::Ignored(Ignored::Type)));
    let mut own = event("refund.created", refund());
    own.as_object_mut().unwrap().remove("account");
    assert_eq!(projected(&own), Ok(Projected::Ignored(Ignored::NoAccount)));
    assert_eq!(
        projected(&json!({"object": "v2.core.event", "id": "evt_1", "type": "x"})),
        Ok(Projected::Ignored(Ignored::Thin))
    );
}

#[test]
fn missing_and_wrong_fields_are_named() {
    for (pointer, value, field) in [
        ("/id", json!(1), "id"),
        ("/id", json!("evt 1"), "id"),
        ("/account", json!("cus_1"), "account"),
        ("/livemode", json!("false"), "livemode"),
        ("/created", json!(-5), "created"),
        ("/created", json!("now"), "created"),
        ("/data", json!([]), "data"),
        ("/data/object", json!(null), "data.object"),
        ("/data/object/id", json!(null), "data.object.id"),
        ("/data/object/amount", json!(12.5), "data.object.amount"),
        ("/data/object/amount", json!("1250"), "data.object.amount"),
        ("/data/object/amount", json!(9_007_199_254_740_992_i64), "data.object.amount"),
        ("/data/object/currency", json!("USD"), "data.object.currency"),
        ("/data/object/charge", json!("../x"), "data.object.charge"),
        ("/data/object/charge", json!({"amount": 1}), "data.object.charge"),
        ("/request", json!("req_1"), "request"),
    ] {
        let mut e = event("refund.created", refund());
        *e.pointer_mut(pointer).unwrap() = value.clone();
        assert_eq!(projected(&e), Err(EventError::Field(field.to_owned())), "{pointer} = {value}");
    }
    for bad in [&b""[..], b"null", b"[]", b"{", b"\xff", b"{}x", b"\"event\""] {
        assert!(project(bad, Mode::Test).is_err());
    }
    assert_eq!(project(&vec![b' '; MAX_BODY + 1], Mode::Test), Err(EventError::TooLarge(MAX_BODY + 1)));
}

#[test]
fn nothing_personal_survives() {
    let mut changed = event("charge.dispute.updated", dispute("under_review", 1));
    changed["data"]["previous_attributes"] =
        json!({"evidence": {"customer_name": "CANARY"}, "evidence_details": {"submission_count": 0}});
    for e in [event("refund.created", refund()), event("payout.created", payout()), changed] {
        let kept = serde_json::to_string(&report(&e)).unwrap();
        for canary in ["CANARY", "anary", "6789", "110000000", "visa", "10.4"] {
            assert!(!kept.contains(canary), "{canary} in {kept}");
        }
    }
    // Free text where a word is expected is not kept.
    let mut free = refund();
    free["reason"] = json!("Jo Doe called, card 4242");
    let s = &sightings(&event("refund.created", free))[0];
    assert!(!s.facts.contains_key("reason"));
}

#[test]
fn a_report_survives_the_queue() {
    let report = report(&event("payout.created", payout()));
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    assert!(serde_json::from_str::<Report>(&text.replacen("{", "{\"more\":1,", 1)).is_err());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = project(&bytes, Mode::Live);
    }

    #[test]
    fn a_real_event_with_any_byte_changed_never_panics(at in any::<prop::sample::Index>(), byte: u8, kind in 0..3usize) {
        let e = [event("refund.created", refund()), event("payout.failed", payout()), event("charge.dispute.closed", dispute("lost", 2))][kind].to_string();
        let mut bytes = e.into_bytes();
        let i = at.index(bytes.len());
        bytes[i] = byte;
        let _ = project(&bytes, Mode::Live);
    }
}

const LEAF: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn dec(digit: char) -> String {
    format!("dec_{}", digit.to_string().repeat(32))
}

#[test]
fn of_the_metadata_only_what_axiru_wrote_is_read() {
    let receipt = format!("test#acct_1#0:7:{LEAF}");
    let mut object = refund();
    object["metadata"] = json!({"axiru_request": dec('a'), "axiru_receipt": receipt, "note": "CANARY-2"});
    let report = report(&event("refund.created", object));
    let [News::Movement(s)] = &report.news[..] else { panic!() };
    let link = s.link.as_ref().unwrap();
    assert_eq!((link.request.as_str(), link.receipt.to_string()), (dec('a').as_str(), receipt.clone()));
    assert_eq!((report.caused.as_ref(), s.shown_status.as_deref()), (None, Some("succeeded")));
    let text = serde_json::to_string(&report).unwrap();
    assert!(!text.contains("CANARY"), "{text}");
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    for metadata in [
        json!(null),
        json!("CANARY"),
        json!([]),
        json!({}),
        json!({"axiru_request": dec('a')}),
        json!({"axiru_receipt": receipt}),
        json!({"axiru_request": "CANARY", "axiru_receipt": receipt}),
        json!({"axiru_request": dec('a'), "axiru_receipt": "CANARY"}),
        json!({"axiru_request": dec('A'), "axiru_receipt": receipt}),
        json!({"axiru_request": {"id": dec('a')}, "axiru_receipt": receipt}),
        json!({"axiru_request": dec('a'), "axiru_receipt": format!("{receipt}0")}),
    ] {
        let mut object = refund();
        object["metadata"] = metadata.clone();
        assert_eq!(sightings(&event("refund.created", object))[0].link, None, "{metadata}");
    }
}

#[test]
fn only_a_key_of_our_form_says_who_caused_it() {
    let caused = |key: Value| {
        let mut event = event("refund.created", refund());
        event["request"]["idempotency_key"] = key;
        report(&event).caused
    };
    let key = format!("axr_{}_{}", "a".repeat(32), "b".repeat(32));
    let ours = caused(json!(key)).unwrap();
    assert_eq!((ours.request.as_str(), ours.key), (dec('a').as_str(), key.clone()));
    for other in
        [json!(null), json!(7), json!("CANARY"), json!(key[1..]), json!(format!("{key}0")), json!(key.to_uppercase())]
    {
        assert_eq!(caused(other.clone()), None, "{other}");
    }
    // A queue may still hold reports of before there was one.
    let mut old = serde_json::to_value(report(&event("refund.created", refund()))).unwrap();
    old["news"][0].as_object_mut().unwrap().remove("shown_status");
    assert!(serde_json::from_value::<Report>(old).is_ok());
}

#[test]
fn a_reversal_names_its_own_request_and_not_that_of_its_transfer() {
    let receipt = format!("test#acct_1#0:7:{LEAF}");
    let named = |digit: char| json!({"axiru_request": dec(digit), "axiru_receipt": receipt});
    let reversal = |id: &str, metadata: Value| json!({"id": id, "amount": 5, "currency": "usd", "created": 2, "source_refund": null, "metadata": metadata});
    let transfer = json!({
        "id": "tr_1", "object": "transfer", "amount": 1_000, "currency": "usd", "livemode": false, "created": 1, "destination": "acct_2",
        "metadata": named('c'),
        "reversals": {"data": [reversal("trr_2", named('b')), reversal("trr_1", json!({}))], "has_more": false},
    });
    let all = sightings(&event("transfer.reversed", transfer));
    let of = |i: usize| all[i].link.as_ref().map(|link| link.request.as_str().to_owned());
    assert_eq!((of(0), of(1)), (Some(dec('b')), None));
}
