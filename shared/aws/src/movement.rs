//! Movement rows: one for each movement, claimed by whichever comes first, Axiru's own outcome or Stripe's report; the other adopts it.
//!
//! Row: pk `<mode>#<account>#<kind>#<object>#<ordinal>`, sk `movement`; `statuses` (those that an entry tells, in order), `current`,
//! `counted` (what windows count of it), `request` (the request that made it), `unseen` (Stripe has not reported it yet), `version`.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use axiru_domain::{MovementKey, RequestId, Scope, Taken};

use crate::error::AwsError;
use crate::item::{Item, RowError, parse, s, text, texts};
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
    /// The version of the row; 0 for one that is not there yet.
    pub(crate) version: Version,
}

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
            version: Version::of(Some(item))?,
        })
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
        self.version.put(store, key, attributes)
    }
}
