//! What is the same for all that counts: `axiru_domain::Similar`, one row for each.
//!
//! Row: pk `<mode>#<account>#similar#<hash>`, sk `similar`; `similar` (JSON), `version`, `expires_at`.

use aws_sdk_dynamodb::types::TransactWriteItem;
use axiru_domain::{Scope, Similar};

use crate::error::AwsError;
use crate::item::{Item, RowError, n, s, text};
use crate::reads::{RowKey, Version};
use crate::store::Store;

/// How long a row outlives what it says, in seconds.
const KEPT_SECS: i64 = 86_400;

/// The row, as read.
#[derive(Clone, Debug, Default)]
pub(crate) struct SimilarRow {
    pub(crate) similar: Similar,
    version: Version,
}

/// Where the row of a sameness is.
pub(crate) fn key_of(scope: &Scope, sameness: &str) -> RowKey {
    (format!("{}#similar#{sameness}", scope.key()), "similar".to_owned())
}

impl SimilarRow {
    /// The row as read; empty where there is none.
    pub(crate) fn of(row: Option<&Item>) -> Result<Self, RowError> {
        let Some(item) = row else { return Ok(Self::default()) };
        let similar = serde_json::from_str(text(item, "similar")?).map_err(|_| RowError("similar"))?;
        Ok(Self { similar, version: Version::of(row)? })
    }

    /// The write of the row as it is now.
    pub(crate) fn put(&self, store: &Store, key: &RowKey) -> Result<TransactWriteItem, AwsError> {
        let attributes = [
            ("similar", s(serde_json::to_string(&self.similar).unwrap_or_default())),
            ("expires_at", n(self.similar.ends().plus_secs(KEPT_SECS).secs())),
        ];
        self.version.put(store, key, attributes)
    }
}
