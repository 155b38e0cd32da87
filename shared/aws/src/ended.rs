//! How a request ends that nothing was made of: what it held is free, what was sealed for it is gone, and it is found as open no more. One
//! place for expiry, denial, cancellation and what a caller in shadow got refused.

use axiru_domain::{RequestStatus, Timestamp};
use axiru_ledger::entry::Draft;

use crate::holds::{self, Holds};
use crate::ledger::{CommitError, Writes};
use crate::reads::Reads;
use crate::requests::RequestRow;
use crate::sealed;
use crate::similar::{self, SimilarRow};
use crate::store::{Store, StoreError};

/// The writes that end a request in that status, with the entries that say so. The row is written on the condition that it is as it was
/// read; so of two endings one happens.
pub(crate) async fn end(
    store: &Store,
    mut row: RequestRow,
    status: RequestStatus,
    drafts: Vec<Draft>,
    now: Timestamp,
) -> Result<Writes, CommitError> {
    let scope = row.scope.clone();
    let similar_key = similar::key_of(&scope, &row.similar);
    let mut keys = holds::keys_of(&scope, &row.counted);
    keys.insert(similar_key.clone());
    let reads = Reads::fetch(store, &keys).await?;
    let mut held = Holds::of(&scope, &row.counted, &reads).map_err(StoreError::from)?;
    held.release(&row.counted);
    let mut rows = held.puts(store, &scope, now)?;
    let mut similar = SimilarRow::of(reads.get(&similar_key)).map_err(StoreError::from)?;
    if similar.similar.is_open(&row.id) {
        similar.similar.close(&row.id);
        rows.push(similar.put(store, &similar_key)?);
    }
    // What waits for people, or is about to begin, has its parameters sealed beside it.
    if matches!(row.status, RequestStatus::Pending | RequestStatus::Approved) {
        rows.push(sealed::delete(store, &scope, &row.id)?);
    }
    row.status = status;
    row.counted = Vec::new();
    row.open_until = None;
    rows.push(row.put(store)?);
    Ok(Writes { drafts, rows })
}
