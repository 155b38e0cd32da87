//! Recording what became of a send: the request, its movement, its holds and the entry, in one transaction, once.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use axiru_domain::{Actor, Execution, Heard, MovementKey, Next, RequestStatus, Starter, StripeId, Timestamp};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use axiru_stripe::gateway::Effect;
use serde_json::{Map, Value, json};

use super::heard::Reading;
use crate::holds::{self, Holds};
use crate::item::RowError;
use crate::ledger::{CommitError, Writes};
use crate::movement::{self, MovementRow};
use crate::reads::Reads;
use crate::requests::{Failure, RequestRow};
use crate::sealed;
use crate::similar::{self, SimilarRow};
use crate::store::{Store, StoreError};

/// News of a request that is under way.
#[derive(Debug)]
pub(crate) enum News<'a> {
    /// The send of that attempt was heard of.
    Heard { attempt: &'a str, reading: &'a Reading },
    /// It was found in Stripe.
    Found(&'a Effect),
    /// It was looked for in Stripe, while the row had that version, and not found.
    NotFound { version: u64 },
    /// An operator has stopped it.
    Stopped,
}

/// Records news. Gives the request's row as it stands then. `row` is what was last read or written of it: the first try goes by it,
/// and every later one reads anew.
///
/// # Errors
/// [`CommitError`]; with [`crate::Retry::Later`] it may have been recorded all the same.
pub(crate) async fn record(
    store: &Store,
    clock: fn() -> Timestamp,
    row: RequestRow,
    news: &News<'_>,
) -> Result<RequestRow, CommitError> {
    // The lane of a request never changes.
    let (log, scope, id) = (row.log(), row.scope.clone(), row.id.clone());
    let seen = Mutex::new(row.clone());
    let hint = Mutex::new(Some(row));
    let plan = || async {
        let hinted = hint.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut row) = hinted {
            let planned = writes(store, &mut row, news, clock()).await?;
            if !planned.is_empty() {
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = row;
                return Ok(planned);
            }
        }
        let row = store.request_row(&scope, &id).await?;
        let mut row = row.ok_or(RowError("status")).map_err(StoreError::from)?;
        let planned = writes(store, &mut row, news, clock()).await?;
        *seen.lock().unwrap_or_else(PoisonError::into_inner) = row;
        Ok::<_, CommitError>(planned)
    };
    store.commit(&log, clock, plan).await?;
    Ok(seen.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What follows from the news, by the state machine alone.
fn next(execution: &mut Execution, row: &RequestRow, news: &News<'_>, now: Timestamp) -> Next {
    match news {
        News::Heard { attempt, reading } => execution.heard(row.status, attempt, reading.heard),
        News::Found(_) => execution.heard(row.status, "", Heard::Made),
        News::Stopped => execution.stopped(row.status),
        News::NotFound { version } if row.version.0 == *version => execution.not_found(row.status, now),
        // Something happened since it was looked for.
        News::NotFound { .. } => Next::Nothing,
    }
}

async fn writes(store: &Store, row: &mut RequestRow, news: &News<'_>, now: Timestamp) -> Result<Writes, CommitError> {
    let Some(mut execution) = row.execution.clone() else { return Ok(Writes::default()) };
    let next = next(&mut execution, row, news, now);
    let before = row.status;
    let starter = execution.starter;
    let check_at = execution.check_at(now);
    if next != Next::Nothing {
        row.execution = Some(execution);
    }
    match next {
        Next::Nothing => Ok(Writes::default()),
        Next::Free => {
            row.open_until = Some(check_at);
            Ok(Writes { drafts: Vec::new(), rows: vec![row.put(store)?] })
        }
        Next::Unknown => {
            row.status = RequestStatus::Unknown;
            row.open_until = Some(check_at);
            let reason = match news {
                News::Heard { reading, .. } => reading.why,
                News::Found(_) | News::NotFound { .. } | News::Stopped => "not_found_yet",
            };
            let told = json!({"request": row.id.as_str(), "reason": reason});
            let drafts = if before == RequestStatus::Executing {
                vec![draft(row, EntryType::ExecutionUnknown, told)]
            } else {
                Vec::new()
            };
            Ok(Writes { drafts, rows: vec![row.put(store)?] })
        }
        Next::Failed => {
            let reading = if let News::Heard { reading, .. } = news { Some(*reading) } else { None };
            let unsent = if matches!(news, News::Stopped) { "stopped" } else { "not_executed" };
            let failure = Failure {
                reason: reading.map_or(unsent, |reading| reading.why).to_owned(),
                status: reading.and_then(|reading| reading.status),
                code: reading.and_then(|reading| reading.code.clone()),
            };
            let told = json!({
                "request": row.id.as_str(),
                "reason": failure.reason,
                "stripe_status": failure.status,
                "stripe_code": failure.code,
                "stripe_request": reading.and_then(|reading| reading.stripe_request.as_ref()).map(StripeId::as_str),
            });
            row.failure = Some(failure);
            failed(store, row, starter, told, now).await
        }
        Next::Succeeded => {
            let (effect, found_by, stripe_request) = match news {
                News::Heard { reading: Reading { effect: Some(effect), stripe_request, .. }, .. } => {
                    (effect, "answer", stripe_request.as_ref())
                }
                News::Found(effect) => (*effect, "look", None),
                News::Heard { .. } | News::NotFound { .. } | News::Stopped => return Ok(Writes::default()),
            };
            succeeded(store, row, starter, effect, (found_by, stripe_request), now).await
        }
    }
}

/// The writes that end a request which did not happen: what it held is free.
async fn failed(
    store: &Store,
    row: &mut RequestRow,
    starter: Starter,
    told: Value,
    now: Timestamp,
) -> Result<Writes, CommitError> {
    let scope = row.scope.clone();
    let similar_key = similar::key_of(&scope, &row.similar);
    let mut keys = holds::keys_of(&scope, &row.counted);
    keys.insert(similar_key.clone());
    let reads = Reads::fetch(store, &keys).await?;
    let mut held = Holds::of(&scope, &row.counted, &reads).map_err(StoreError::from)?;
    held.release(&std::mem::take(&mut row.counted));
    row.status = RequestStatus::Failed;
    row.open_until = None;
    let mut rows = held.puts(store, &scope, now)?;
    rows.extend(closed(store, row, &reads, &similar_key)?);
    rows.extend(unsealed(store, row, starter)?);
    rows.push(row.put(store)?);
    Ok(Writes { drafts: vec![draft(row, EntryType::ExecutionFailed, told)], rows })
}

/// The writes that end a request which happened: the movement is claimed, what was held is committed. A movement that was counted as
/// nobody's before is counted once.
async fn succeeded(
    store: &Store,
    row: &mut RequestRow,
    starter: Starter,
    effect: &Effect,
    (found_by, stripe_request): (&str, Option<&StripeId>),
    now: Timestamp,
) -> Result<Writes, CommitError> {
    let scope = row.scope.clone();
    let key = MovementKey { kind: row.kind, object: effect.object.clone(), ordinal: effect.ordinal };
    let movement_key = movement::key_of(&scope, &key);
    let similar_key = similar::key_of(&scope, &row.similar);
    let mut keys = holds::keys_of(&scope, &row.counted);
    keys.extend([movement_key.clone(), similar_key.clone()]);
    let mut reads = Reads::fetch(store, &keys).await?;
    let known = reads.get(&movement_key).map(MovementRow::of).transpose().map_err(StoreError::from)?;
    let nobodys = known.as_ref().filter(|known| known.request.is_none()).map(|known| known.counted.clone());
    let nobodys = nobodys.unwrap_or_default();
    let more: BTreeSet<_> = holds::keys_of(&scope, &nobodys).into_iter().filter(|key| !reads.knows(key)).collect();
    if !more.is_empty() {
        reads.extend(Reads::fetch(store, &more).await?);
    }
    let mut held = Holds::of(&scope, row.counted.iter().chain(&nobodys), &reads).map_err(StoreError::from)?;
    let own = std::mem::take(&mut row.counted);
    let mut rows = Vec::new();
    match known {
        // It settled another decision, or is another request's: that one counts it.
        Some(known) if known.request.as_ref().is_some_and(|other| *other != row.id) => held.release(&own),
        known => {
            let mut movement = known.unwrap_or_else(|| MovementRow {
                statuses: effect.status.iter().cloned().collect(),
                current: effect.status.clone(),
                unseen: true,
                ..MovementRow::default()
            });
            let committed = held.commit(&own, effect.amount_minor);
            let counted = if movement.has_not_moved() {
                // The money stayed, or has come back already.
                held.release(&committed);
                Vec::new()
            } else {
                committed
            };
            // What was counted as nobody's is given back.
            held.release(&movement.link(&row.id, counted));
            rows.push(movement.put(store, &movement_key)?);
        }
    }
    row.status = RequestStatus::Succeeded;
    row.open_until = None;
    row.object = Some(effect.object.clone());
    rows.extend(held.puts(store, &scope, now)?);
    rows.extend(closed(store, row, &reads, &similar_key)?);
    rows.extend(unsealed(store, row, starter)?);
    rows.push(row.put(store)?);
    let told = json!({
        "request": row.id.as_str(),
        "kind": row.kind.as_str(),
        "object": effect.object.as_str(),
        "ordinal": effect.ordinal,
        "amount_minor": effect.amount_minor,
        "currency": effect.currency.as_str(),
        "status": effect.status,
        "found_by": found_by,
        "stripe_request": stripe_request.map(StripeId::as_str),
    });
    Ok(Writes { drafts: vec![draft(row, EntryType::ExecutionSucceeded, told)], rows })
}

/// The write that takes the request out of what is open, where it is there.
fn closed(
    store: &Store,
    row: &RequestRow,
    reads: &Reads,
    key: &crate::reads::RowKey,
) -> Result<Option<aws_sdk_dynamodb::types::TransactWriteItem>, CommitError> {
    let mut similar = SimilarRow::of(reads.get(key)).map_err(StoreError::from)?;
    if !similar.similar.is_open(&row.id) {
        return Ok(None);
    }
    similar.similar.close(&row.id);
    Ok(Some(similar.put(store, key)?))
}

/// The write that deletes its parameters, where there are some.
fn unsealed(
    store: &Store,
    row: &RequestRow,
    starter: Starter,
) -> Result<Option<aws_sdk_dynamodb::types::TransactWriteItem>, CommitError> {
    Ok(match starter {
        Starter::Worker => Some(sealed::delete(store, &row.scope, &row.id)?),
        Starter::Caller => None,
    })
}

fn draft(row: &RequestRow, ty: EntryType, fields: Value) -> Draft {
    let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
    Draft { log: row.log(), actor: Actor::Axiru, ty, fields }
}
