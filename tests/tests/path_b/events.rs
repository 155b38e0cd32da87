//! Events as Stripe sends them.

use axiru_stripe::event::{Projected, project};
use axiru_stripe::report::Report;
use serde_json::{Value, json};

use super::ground::ACCOUNT;
use crate::played::mode;

/// When everything here happens: 2026-10-31, two minutes before midnight UTC.
pub(super) const AT: i64 = 1_793_491_080;

/// An event about `object`.
pub(super) fn event(id: &str, event_type: &str, object: &Value, before: Option<Value>) -> Value {
    let mut event = json!({
        "id": id, "object": "event", "type": event_type, "account": ACCOUNT, "livemode": mode().livemode(), "created": AT,
        "request": {"id": "req_1", "idempotency_key": null}, "data": {"object": object},
    });
    if let Some(before) = before {
        event["data"]["previous_attributes"] = before;
    }
    event
}

/// The report that an event becomes.
pub(super) fn report(event: &Value) -> Report {
    match project(event.to_string().as_bytes(), mode()).unwrap() {
        Projected::Report(report) => *report,
        Projected::Ignored(why) => panic!("{why:?}"),
    }
}

pub(super) fn refund(id: &str, amount: i64, status: &str) -> Value {
    json!({"id": id, "object": "refund", "amount": amount, "currency": "usd", "charge": "ch_1", "created": AT, "reason": null,
        "status": status, "destination_details": {"type": "card"}})
}

pub(super) fn payout(id: &str, amount: i64, status: &str) -> Value {
    json!({"id": id, "object": "payout", "amount": amount, "currency": "usd", "created": AT, "livemode": mode().livemode(), "automatic": false,
        "method": "standard", "type": "bank_account", "source_type": "card", "destination": "ba_1", "status": status})
}

pub(super) fn transfer(id: &str, reversals: &[&str]) -> Value {
    let reversal = |id: &&str| json!({"id": id, "amount": 10, "currency": "usd", "created": AT, "source_refund": null, "transfer": "tr_1"});
    let data: Vec<_> = reversals.iter().map(reversal).collect();
    json!({"id": id, "object": "transfer", "amount": 500, "currency": "usd", "created": AT, "livemode": mode().livemode(), "destination": "acct_2",
        "source_type": "card", "source_transaction": "ch_1", "reversals": {"object": "list", "data": data, "has_more": false}})
}

pub(super) fn dispute(id: &str, status: &str, count: u32) -> Value {
    json!({"id": id, "object": "dispute", "amount": 900, "currency": "usd", "charge": "ch_1", "created": AT, "livemode": mode().livemode(),
        "reason": "fraudulent", "status": status, "evidence_details": {"submission_count": count, "past_due": false},
        "payment_method_details": {"type": "card", "card": {"case_type": "chargeback"}}})
}

/// A day with all four families, each event once, in the order Stripe made them.
pub(super) fn day() -> Vec<Value> {
    let was = |status: &str| Some(json!({"status": status}));
    vec![
        event("evt_01", "refund.created", &refund("re_1", 4_500, "pending"), None),
        event("evt_02", "refund.created", &refund("re_2", 60_000, "succeeded"), None),
        event("evt_03", "refund.updated", &refund("re_1", 4_500, "failed"), was("pending")),
        event("evt_04", "refund.failed", &refund("re_1", 4_500, "failed"), None),
        event("evt_05", "payout.created", &payout("po_1", 250_000, "pending"), None),
        event("evt_06", "payout.updated", &payout("po_1", 250_000, "in_transit"), was("pending")),
        event("evt_07", "payout.paid", &payout("po_1", 250_000, "paid"), was("in_transit")),
        event("evt_08", "payout.updated", &payout("po_1", 250_000, "paid"), Some(json!({"metadata": {}}))),
        event("evt_09", "transfer.created", &transfer("tr_1", &[]), None),
        event("evt_10", "transfer.reversed", &transfer("tr_1", &["trr_1"]), None),
        event("evt_11", "transfer.reversed", &transfer("tr_1", &["trr_2", "trr_1"]), None),
        event("evt_12", "charge.dispute.created", &dispute("dp_1", "needs_response", 0), None),
        event(
            "evt_13",
            "charge.dispute.updated",
            &dispute("dp_1", "under_review", 1),
            Some(json!({"evidence_details": {"submission_count": 0}})),
        ),
        event("evt_14", "charge.dispute.closed", &dispute("dp_2", "lost", 0), None),
    ]
}

/// What the ledger tells of [`day`], whatever the order.
pub(super) fn told_of_the_day() -> Vec<String> {
    let mut told: Vec<String> = [
        "movement.observed refund re_1 ",
        "movement.observed refund re_2 ",
        "movement.changed refund re_1 failed",
        "movement.observed payout po_1 ",
        "movement.changed payout po_1 in_transit",
        "movement.changed payout po_1 paid",
        "movement.observed transfer tr_1 ",
        "movement.observed transfer_reversal trr_1 ",
        "movement.observed transfer_reversal trr_2 ",
        "movement.observed dispute_submit dp_1 ",
        "movement.observed dispute_accept dp_2 ",
    ]
    .map(str::to_owned)
    .into();
    told.sort();
    told
}
