//! Whether a movement that Stripe reports is the effect of a request of ours.
//!
//! Anybody who may write to the account can write metadata, and anybody who calls Stripe chooses an idempotency key. So both are hints,
//! and a movement is linked only where everything holds: the request is under way (its row, in this scope), nothing else has become of
//! it, kind, objects, amount and currency are those that were decided, **and** there is a proof: the key is the one derived from this
//! request, or the receipt names the place and the leaf hash of its decision. A link takes a request once: its row goes on to
//! `succeeded` in the same transaction, and a second object that shows the same proof is nobody's.

use axiru_domain::{FactValue, ObjectRole, RequestId, stripe_key};
use axiru_ledger::entry::Entry;
use axiru_ledger::types::EntryType;
use axiru_stripe::report::Sighting;
use serde_json::Value;

use super::told::Told;
use crate::requests::RequestRow;

/// The requests that a movement may be the effect of: the one that the key names first, then the one of the metadata.
pub(super) fn candidates<'a>(told: &'a Told, sighting: &'a Sighting) -> impl Iterator<Item = &'a RequestId> {
    let by_key = told.caused.as_ref().map(|caused| &caused.request);
    let by_receipt = sighting.link.as_ref().map(|link| &link.request);
    by_key.into_iter().chain(by_receipt.filter(move |request| by_key != Some(request)))
}

/// Whether the movement is the effect of this request, whose decision is `entry`.
pub(super) fn links(told: &Told, sighting: &Sighting, request: &RequestRow, entry: &Entry) -> bool {
    request.status.is_under_way()
        && request.object.as_ref().is_none_or(|object| *object == sighting.object)
        && is_same(sighting, request, entry)
        && (has_key(told, request) || has_receipt(sighting, request, entry))
}

/// Whether Stripe was called under the key that is derived from this request.
fn has_key(told: &Told, request: &RequestRow) -> bool {
    told.caused.as_ref().is_some_and(|caused| {
        caused.request == request.id && caused.key == stripe_key(&request.scope, &request.id, &request.digest)
    })
}

/// Whether the object carries the receipt of this request's decision.
fn has_receipt(sighting: &Sighting, request: &RequestRow, entry: &Entry) -> bool {
    sighting.link.as_ref().is_some_and(|link| {
        link.request == request.id
            && link.receipt.log() == entry.log()
            && link.receipt.seq() == entry.seq()
            && link.receipt.leaf() == entry.leaf_hash().to_string()
    })
}

/// Whether the movement is what was decided. What the decision names and the report does not show is not the same.
fn is_same(sighting: &Sighting, request: &RequestRow, entry: &Entry) -> bool {
    let field = |name: &str| entry.fields().get(name);
    let text = |name: &str| field(name).and_then(Value::as_str);
    let objects = field("objects").and_then(Value::as_object);
    entry.ty() == EntryType::DecisionMade.as_str()
        && *entry.log() == request.log()
        && text("request") == Some(request.id.as_str())
        && request.kind == sighting.kind
        && text("kind") == Some(sighting.kind.as_str())
        && text("currency") == Some(sighting.currency.as_str())
        && field("amount_minor").and_then(Value::as_i64) == Some(sighting.amount_minor)
        && objects.is_some_and(|objects| objects.iter().all(|(role, id)| shows(sighting, role, id)))
}

/// Whether a movement shows that object in that role.
fn shows(sighting: &Sighting, role: &str, id: &Value) -> bool {
    let shown = match sighting.facts.get(role) {
        // A dispute is the movement's own object.
        _ if role == ObjectRole::Dispute.as_str() => Some(sighting.object.as_str()),
        Some(Some(FactValue::Text(shown))) => Some(shown.as_str()),
        _ => None,
    };
    shown.is_some() && shown == id.as_str()
}
