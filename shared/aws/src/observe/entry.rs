//! The entries that observing writes.

use axiru_domain::{Actor, Decision, LogId, Movement, StripeId};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use axiru_policy::record;
use axiru_stripe::report::{ReportedFact, Sighting};
use serde_json::{Map, Value, json};

use super::told::Told;
use crate::requests::RequestRow;

fn moved(told: &Told, sighting: &Sighting) -> Map<String, Value> {
    let mut fields = told.fields();
    fields.insert("kind".into(), sighting.kind.as_str().into());
    fields.insert("object".into(), sighting.object.as_str().into());
    fields.insert("ordinal".into(), sighting.ordinal.into());
    fields.insert("amount_minor".into(), sighting.amount_minor.into());
    fields.insert("currency".into(), sighting.currency.as_str().into());
    fields
}

pub(super) fn observed(
    log: &LogId,
    told: &Told,
    sighting: &Sighting,
    movement: &Movement,
    decision: &Decision,
) -> Draft {
    let mut fields = moved(told, sighting);
    fields.insert("status".into(), sighting.first_status.clone().into());
    fields.insert("moved_at".into(), sighting.moved_at.to_string().into());
    fields.insert("stripe_request".into(), told.stripe_request.as_ref().map(StripeId::as_str).into());
    fields.insert("facts".into(), record::facts(&movement.facts));
    fields.insert("decision".into(), record::decision(decision));
    Draft { log: log.clone(), actor: sighting.actor.clone(), ty: EntryType::MovementObserved, fields }
}

pub(super) fn settled(log: &LogId, sighting: &Sighting, request: &RequestRow) -> Draft {
    let fields = json!({
        "request": request.id.as_str(),
        "kind": sighting.kind.as_str(),
        "object": sighting.object.as_str(),
        "ordinal": sighting.ordinal,
        "amount_minor": sighting.amount_minor,
        "currency": sighting.currency.as_str(),
    });
    let fields = fields.as_object().cloned().unwrap_or_default();
    Draft { log: log.clone(), actor: Actor::Axiru, ty: EntryType::DecisionSettled, fields }
}

/// The outcome of Axiru's own call, found by Stripe's report of it.
pub(super) fn succeeded(log: &LogId, told: &Told, sighting: &Sighting, request: &RequestRow) -> Draft {
    let fields = json!({
        "request": request.id.as_str(),
        "kind": sighting.kind.as_str(),
        "object": sighting.object.as_str(),
        "ordinal": sighting.ordinal,
        "amount_minor": sighting.amount_minor,
        "currency": sighting.currency.as_str(),
        "status": sighting.shown_status,
        "found_by": if told.recovered { "look" } else { "webhook" },
        "stripe_request": told.stripe_request.as_ref().map(StripeId::as_str),
    });
    let fields = fields.as_object().cloned().unwrap_or_default();
    Draft { log: log.clone(), actor: Actor::Axiru, ty: EntryType::ExecutionSucceeded, fields }
}

pub(super) fn changed(log: &LogId, told: &Told, sighting: &Sighting, status: &str, late: bool) -> Draft {
    let mut fields = moved(told, sighting);
    fields.insert("status".into(), status.into());
    fields.insert("late".into(), late.into());
    fields.insert("failure_code".into(), sighting.failure_code.clone().into());
    Draft { log: log.clone(), actor: Actor::Stripe, ty: EntryType::MovementChanged, fields }
}

pub(super) fn reported(log: &LogId, told: &Told, fact: &ReportedFact) -> Draft {
    let mut fields = told.fields();
    fields.insert("object".into(), fact.object.as_str().into());
    fields.insert("fact".into(), fact.fact.as_str().into());
    fields.insert("status".into(), fact.status.clone().into());
    fields.insert("amount_minor".into(), fact.amount_minor.into());
    fields.insert("currency".into(), fact.currency.as_str().into());
    fields.insert("reason".into(), fact.reason.clone().into());
    fields.insert("charge".into(), fact.charge.as_ref().map(StripeId::as_str).into());
    fields.insert("submission_count".into(), fact.submission_count.into());
    Draft { log: log.clone(), actor: Actor::Stripe, ty: EntryType::FactRecorded, fields }
}

pub(super) fn revoked(log: &LogId, told: &Told) -> Draft {
    let fields = json!({"event": told.event.as_str(), "reason": "uninstalled"});
    let fields = fields.as_object().cloned().unwrap_or_default();
    Draft { log: log.clone(), actor: Actor::External, ty: EntryType::ConnectionRevoked, fields }
}
