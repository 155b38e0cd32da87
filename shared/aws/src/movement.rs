//! Movement rows: one for each movement, claimed by whichever comes first, Axiru's own outcome or Stripe's report; the other adopts it.
//!
//! Row: pk `<mode>#<account>#<kind>#<object>#<ordinal>`, sk `movement`; `statuses` (those that an entry tells, in order), `current`,
//! `counted` (what windows count of it), `request` (the request that made it), `unseen` (Stripe has not reported it yet), `cancel_tries` (it is
//! to be cancelled; how often Stripe failed at it), `version`. While it is to be cancelled the index `requests` has it: `listed`
//! (`<mode>#<account>#cancel`) and `listed_at` (since when, kind and object).

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use axiru_domain::{MovementKey, RequestId, Scope, Taken, Timestamp};

use crate::error::AwsError;
use crate::item::{Item, RowError, n, number, parse, s, text, texts};
use crate::reads::{RowKey, Version};
use crate::store::Store;

/// What is recorded of a movement.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct MovementRow {
    /// Statuses that an entry tells, in the order they were recorded.
    pub(crate) statuses: Vec<String>,
    /// The latest of them in the life of the object.
    pub(crate) current: Option<String>,
    /// What windows count of it; empty once that was given back.
    pub(crate) counted: Vec<Taken>,
    /// The request that made it, or that it settled.
    pub(crate) request: Option<RequestId>,
    /// Whether only Axiru's own outcome has claimed it: Stripe has not reported it yet.
    pub(crate) unseen: bool,
    /// That it is to be cancelled at Stripe.
    pub(crate) cancel: Option<CancelNote>,
    /// The version of the row; 0 for one that is not there yet.
    pub(crate) version: Version,
}

/// That a movement is to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CancelNote {
    /// Since when.
    pub(crate) since: Timestamp,
    /// How often Stripe answered with a failure, which it repeats under the same idempotency key.
    pub(crate) tries: u32,
}

/// Partition of the index with the movements of a scope that are to be cancelled.
pub(crate) fn listed(scope: &Scope) -> String {
    format!("{}#{CANCEL}", scope.key())
}

const CANCEL: &str = "cancel";

/// Where the row of a movement is.
pub(crate) fn key_of(scope: &Scope, key: &MovementKey) -> RowKey {
    (format!("{}#{}", scope.key(), key.text()), "movement".to_owned())
}

/// Statuses of Stripe's in which no money has moved, or has come back.
pub(crate) fn has_not_moved(status: &str) -> bool {
    matches!(status, "failed" | "canceled")
}

impl MovementRow {
    /// Whether the money stayed, or came back.
    pub(crate) fn has_not_moved(&self) -> bool {
        self.statuses.iter().any(|status| has_not_moved(status))
    }

    /// What a row says.
    pub(crate) fn of(item: &Item) -> Result<Self, RowError> {
        let optional =
            |name: &'static str| item.contains_key(name).then(|| text(item, name).map(str::to_owned)).transpose();
        let counted = match optional("counted")? {
            None => Vec::new(),
            Some(counted) => serde_json::from_str(&counted).map_err(|_| RowError("counted"))?,
        };
        Ok(Self {
            statuses: texts(item, "statuses")?,
            current: optional("current")?,
            counted,
            request: item.contains_key("request").then(|| parse(item, "request")).transpose()?,
            unseen: item.contains_key("unseen"),
            cancel: item.contains_key("cancel_tries").then(|| CancelNote::of(item)).transpose()?,
            version: Version::of(Some(item))?,
        })
    }

    /// Takes the movement for a request that made it, and `counted` for what windows count of it from now on. Gives what they counted
    /// before, which is to be released: nothing, or what it took while it was nobody's.
    pub(crate) fn link(&mut self, request: &RequestId, counted: Vec<Taken>) -> Vec<Taken> {
        self.request = Some(request.clone());
        // What was asked for is not cancelled.
        self.cancel = None;
        std::mem::replace(&mut self.counted, counted)
    }

    /// The write of the row as it is now.
    pub(crate) fn put(&self, store: &Store, key: &RowKey) -> Result<TransactWriteItem, AwsError> {
        let statuses = self.statuses.iter().map(s).collect();
        let mut attributes = vec![("statuses", AttributeValue::L(statuses))];
        attributes.extend(self.current.as_ref().map(|current| ("current", s(current))));
        attributes.extend(self.request.as_ref().map(|request| ("request", s(request.as_str()))));
        attributes.extend(self.unseen.then(|| ("unseen", AttributeValue::Bool(true))));
        if !self.counted.is_empty() {
            attributes.push(("counted", s(serde_json::to_string(&self.counted).unwrap_or_default())));
        }
        if let Some(note) = &self.cancel {
            // The key is `<mode>#<account>#<kind>#<object>#<ordinal>`.
            let mut parts = key.0.splitn(5, '#');
            let mut part = || parts.next().unwrap_or_default();
            let (mode, account, kind, object) = (part(), part(), part(), part());
            attributes.push(("cancel_tries", n(note.tries)));
            attributes.push(("listed", s(format!("{mode}#{account}#{CANCEL}"))));
            attributes.push(("listed_at", s(format!("{}#{kind}#{object}", note.since))));
        }
        self.version.put(store, key, attributes)
    }
}

impl CancelNote {
    fn of(item: &Item) -> Result<Self, RowError> {
        let listed_at = text(item, "listed_at")?;
        let since = listed_at.split('#').next().and_then(|since| since.parse().ok());
        Ok(Self { since: since.ok_or(RowError("listed_at"))?, tries: number(item, "cancel_tries")? })
    }
}
