//! The webhook endpoint of a mode: one `connect=true` endpoint on the developer account.
//!
//! Row: pk `<mode>#endpoint`, sk `connect`; `endpoint` (the `we_…`), `secrets` (list of sealed signing secrets, newest first).
//! The row exists without `secrets` while the endpoint is being created.

use axiru_domain::Mode;
use zeroize::Zeroizing;

use crate::item::{Item, RowError};
use crate::seal::{Purpose, Seal, SealContext};
use crate::store::{Store, StoreError};

/// Sort key of the row.
pub(crate) const SK: &str = "connect";

/// Partition key of the row.
pub(crate) fn pk(mode: Mode) -> String {
    format!("{mode}#endpoint")
}

/// The encryption context of a mode's signing secrets.
pub(crate) const fn seal_context(mode: Mode) -> SealContext {
    SealContext { purpose: Purpose::WebhookSecret, mode, account: None }
}

impl Store {
    /// The signing secrets of a mode's endpoint, newest first; none where no account of that mode was ever connected.
    ///
    /// # Errors
    /// [`StoreError`] when the row cannot be read or opened.
    pub async fn signing_secrets(&self, seal: &Seal, mode: Mode) -> Result<Vec<Zeroizing<Vec<u8>>>, StoreError> {
        let Some(row) = self.row(&pk(mode), SK).await? else {
            return Ok(Vec::new());
        };
        let mut secrets = Vec::new();
        for sealed in sealed_secrets(&row)? {
            secrets.push(seal.open(&seal_context(mode), sealed).await?);
        }
        Ok(secrets)
    }
}

/// The sealed secrets of a row.
pub(crate) fn sealed_secrets(row: &Item) -> Result<Vec<&[u8]>, RowError> {
    let Some(list) = row.get("secrets") else {
        return Ok(Vec::new());
    };
    let list = list.as_l().map_err(|_| RowError("secrets"))?;
    list.iter().map(|value| value.as_b().map(AsRef::as_ref).map_err(|_| RowError("secrets"))).collect()
}
