//! Counters: what every limit of the scope reads, one row for each subject.
//!
//! Row: pk `<mode>#<account>#counter#<per>#<id>`, sk `counters`; `counters` (the subject's series as one text), `rates` (requests of the
//! current minute by key; an actor's row only), `version`. Written whole on the condition of the version, so that what an
//! entry says of a window is what it held. `expires_at` lies behind the longest window.

use aws_sdk_dynamodb::types::TransactWriteItem;
use axiru_domain::{Counters, Rates, Scope, Subject, Timestamp};

use crate::error::AwsError;
use crate::item::{Item, RowError, n, s, text};
use crate::reads::{RowKey, Version};
use crate::store::Store;

/// How long a row is kept after it was last written, in seconds: the longest window is 31 days, and what is told late needs one more.
const KEPT_SECS: i64 = 70 * 86_400;

/// A subject's row, as read.
#[derive(Clone, Debug, Default)]
pub(crate) struct CounterRow {
    pub(crate) counters: Counters,
    pub(crate) rates: Rates,
    version: Version,
}

/// Where a subject's row is.
pub(crate) fn key_of(scope: &Scope, subject: &Subject) -> RowKey {
    (format!("{}#counter#{subject}", scope.key()), "counters".to_owned())
}

impl CounterRow {
    /// The row as read; empty where there is none.
    pub(crate) fn of(row: Option<&Item>) -> Result<Self, RowError> {
        let Some(item) = row else { return Ok(Self::default()) };
        let counters = Counters::from_text(text(item, "counters")?).map_err(|_| RowError("counters"))?;
        let rates = match item.get("rates") {
            None => Rates::default(),
            Some(_) => serde_json::from_str(text(item, "rates")?).map_err(|_| RowError("rates"))?,
        };
        Ok(Self { counters, rates, version: Version::of(row)? })
    }

    /// The write of the row as it is now.
    pub(crate) fn put(&self, store: &Store, key: &RowKey, now: Timestamp) -> Result<TransactWriteItem, AwsError> {
        let mut attributes =
            vec![("counters", s(self.counters.text())), ("expires_at", n(now.plus_secs(KEPT_SECS).secs()))];
        if self.rates != Rates::default() {
            attributes.push(("rates", s(serde_json::to_string(&self.rates).unwrap_or_default())));
        }
        self.version.put(store, key, attributes)
    }
}
