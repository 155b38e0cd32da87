//! The parameters of a request that Axiru is to make later: sealed, in an item of their own, deleted at the end.
//!
//! Row: pk `<mode>#<account>#request#<id>`, sk `sealed`; `parameters` (sealed under a key of its own, bound to the request's id),
//! `expires_at`. They may name people; the ledger keeps their digest only.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use axiru_domain::{RequestId, Scope, Timestamp};
use zeroize::Zeroizing;

use crate::error::AwsError;
use crate::item::{RowError, b, bytes, key, n};
use crate::reads::RowKey;
use crate::requests;
use crate::seal::{Purpose, Seal, SealContext};
use crate::store::{Store, StoreError};

/// How long the item is kept at most, in seconds: longer than any approval may take.
const KEPT_SECS: i64 = 40 * 86_400;

/// Where the parameters of a request are.
pub(crate) fn key_of(scope: &Scope, id: &RequestId) -> RowKey {
    (requests::key_of(scope, id).0, "sealed".to_owned())
}

fn context(scope: &Scope) -> SealContext {
    SealContext { purpose: Purpose::Parameters, mode: scope.mode(), account: Some(scope.account().clone()) }
}

/// The write of a request's parameters.
pub(crate) async fn put(
    store: &Store,
    seal: &Seal,
    scope: &Scope,
    id: &RequestId,
    parameters: &[u8],
    now: Timestamp,
) -> Result<TransactWriteItem, AwsError> {
    let sealed = seal.seal_long(&context(scope), id.as_str().as_bytes(), parameters).await?;
    let (pk, sk) = key_of(scope, id);
    let put = Put::builder()
        .table_name(&store.state)
        .set_item(Some(key(pk, sk)))
        .item("parameters", b(sealed))
        .item("expires_at", n(now.plus_secs(KEPT_SECS).secs()))
        .build();
    let put = put.map_err(|_| AwsError::unexpected("committing", "request not built"))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// The write that deletes them, whether or not they are there.
pub(crate) fn delete(store: &Store, scope: &Scope, id: &RequestId) -> Result<TransactWriteItem, AwsError> {
    let (pk, sk) = key_of(scope, id);
    let delete = Delete::builder().table_name(&store.state).set_key(Some(key(pk, sk))).build();
    let delete = delete.map_err(|_| AwsError::unexpected("committing", "request not built"))?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// The parameters of a request, opened; none where they are gone.
pub(crate) async fn open(
    store: &Store,
    seal: &Seal,
    scope: &Scope,
    id: &RequestId,
) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let (pk, sk) = key_of(scope, id);
    let Some(row) = store.row(&pk, &sk).await? else { return Ok(None) };
    let sealed = bytes(&row, "parameters").map_err(|_| RowError("parameters"))?;
    Ok(Some(seal.open_long(&context(scope), id.as_str().as_bytes(), sealed).await?))
}
