//! The entries of undoing, and of coming too late.

use axiru_domain::{Actor, LogId, MovementKey};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use serde_json::{Map, Value};

/// Stripe returned the cancelled object.
pub(crate) fn cancelled(log: &LogId, movement: &MovementKey) -> Draft {
    let mut fields = named(movement);
    fields.insert("status".into(), super::CANCELED.into());
    Draft { log: log.clone(), actor: Actor::Axiru, ty: EntryType::MovementCancelled, fields }
}

/// It could not be undone.
pub(crate) fn too_late(log: &LogId, movement: &MovementKey, reason: &str, stripe_code: Option<&str>) -> Draft {
    let mut fields = named(movement);
    fields.insert("reason".into(), reason.into());
    fields.insert("stripe_code".into(), stripe_code.into());
    Draft { log: log.clone(), actor: Actor::Axiru, ty: EntryType::MovementTooLate, fields }
}

fn named(movement: &MovementKey) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("kind".into(), movement.kind.as_str().into());
    fields.insert("object".into(), movement.object.as_str().into());
    fields.insert("ordinal".into(), movement.ordinal.into());
    fields
}
