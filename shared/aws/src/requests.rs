//! Requests: what was asked, what was decided, and where it stands. Never deleted: an idempotency key never expires.
//!
//! Row: pk `<mode>#<account>#request#<id>`, sk `request`; `status`, `actor`, `key`, `digest`, `kind`, `outcome`, `lane` and `seq` (its
//! entry), `execution` (making it: JSON), `approval` (what people are asked and have answered: JSON), `object` (what it became at Stripe), `failure` (why it was not made: JSON), `similar` (hash of what it is the same as), `counted` (what windows hold of it), `open_until`, `decided_at`,
//! `attempt` (which try wrote it), `rationale` (the caller's own words, erasable), `version`. The index `requests` has `listed`
//! (`<mode>#<account>#open` or `#done`) and `listed_at` (moment and id).
//! An equal request under another idempotency key leaves a row with `alias`: the id of the request that answers it.

mod due;
mod list;
mod waiting;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use axiru_domain::{
    Actor, Approval, Execution, KeyId, Kind, Lane, LogId, Money, Outcome, RequestId, RequestStatus, Scope, StripeId,
    Taken, Timestamp,
};

use serde::{Deserialize, Serialize};

use crate::error::AwsError;
use crate::item::{Item, RowError, n, number, parse, s, text};
use crate::reads::{RowKey, Version};
use crate::store::{Store, StoreError};

pub(crate) use list::id_of_index;
pub use list::{Filter, Page};
pub use waiting::Waiting;

/// Name of the index that lists requests.
pub(crate) const INDEX: &str = "requests";

/// A request's row.
#[derive(Clone, Debug)]
pub struct RequestRow {
    /// Its id.
    pub id: RequestId,
    /// Its scope.
    pub scope: Scope,
    /// Where it stands.
    pub status: RequestStatus,
    /// Who asked.
    pub actor: Actor,
    /// With which key.
    pub key: KeyId,
    /// SHA-256 of what was asked, in hex.
    pub digest: String,
    /// The kind of movement.
    pub kind: Kind,
    /// What was answered.
    pub outcome: Outcome,
    /// The log of its entry.
    pub lane: Lane,
    /// The number of its entry.
    pub seq: u64,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// When it ends by itself, while it is open; when the sweeper looks after it, while it is under way.
    pub open_until: Option<Timestamp>,
    /// Making it, where Axiru is to make it.
    pub execution: Option<Execution>,
    /// What people are asked about it, and what they have answered; where it was held.
    pub approval: Option<Approval>,
    /// The Stripe object that it became.
    pub object: Option<StripeId>,
    /// Why it was not made.
    pub failure: Option<Failure>,
    pub(crate) similar: String,
    pub(crate) counted: Vec<Taken>,
    pub(crate) attempt: String,
    pub(crate) rationale: Option<String>,
    pub(crate) version: Version,
}

/// Why a request was not made: the words of its entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// `stripe_refused`, `permission_missing` or `not_executed`.
    pub reason: String,
    /// Stripe's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Stripe's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What stands under the id of a request.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// The request.
    Request(Box<RequestRow>),
    /// It was the same as this one, which answers it.
    Alias { of: RequestId, digest: String },
}

/// Where a request's row is.
pub(crate) fn key_of(scope: &Scope, id: &RequestId) -> RowKey {
    (format!("{}#request#{id}", scope.key()), "request".to_owned())
}

/// Where the sealed parameters of a request are, while it may still be made.
pub(crate) fn sealed_key(scope: &Scope, id: &RequestId) -> RowKey {
    (format!("{}#request#{id}", scope.key()), "sealed".to_owned())
}

/// Partition of the index with the requests that are open, or no longer.
pub(crate) fn listed(scope: &Scope, open: bool) -> String {
    format!("{}#{}", scope.key(), if open { "open" } else { "done" })
}

impl Found {
    /// What a row says.
    pub(crate) fn of(scope: &Scope, id: &RequestId, row: &Item) -> Result<Self, RowError> {
        if row.contains_key("alias") {
            return Ok(Self::Alias { of: parse(row, "alias")?, digest: text(row, "digest")?.to_owned() });
        }
        let status = parse(row, "status")?;
        let optional = |name: &'static str| row.contains_key(name).then(|| text(row, name)).transpose();
        let lane: Lane = parse(row, "lane")?;
        let counted = serde_json::from_str(text(row, "counted")?).map_err(|_| RowError("counted"))?;
        Ok(Self::Request(Box::new(RequestRow {
            id: id.clone(),
            scope: scope.clone(),
            status,
            actor: parse(row, "actor")?,
            key: parse(row, "key")?,
            digest: text(row, "digest")?.to_owned(),
            kind: parse(row, "kind")?,
            outcome: parse(row, "outcome")?,
            lane,
            seq: number(row, "seq")?,
            decided_at: parse(row, "decided_at")?,
            open_until: row.contains_key("open_until").then(|| parse(row, "open_until")).transpose()?,
            similar: text(row, "similar")?.to_owned(),
            counted,
            attempt: text(row, "attempt")?.to_owned(),
            rationale: optional("rationale")?.map(str::to_owned),
            execution: optional("execution")?
                .map(|text| serde_json::from_str(text).map_err(|_| RowError("execution")))
                .transpose()?,
            approval: optional("approval")?
                .map(|text| serde_json::from_str(text).map_err(|_| RowError("approval")))
                .transpose()?,
            failure: optional("failure")?
                .map(|text| serde_json::from_str(text).map_err(|_| RowError("failure")))
                .transpose()?,
            object: row.contains_key("object").then(|| parse(row, "object")).transpose()?,
            version: Version::of(Some(row))?,
        })))
    }
}

impl RequestRow {
    /// The log of its entry.
    #[must_use]
    pub fn log(&self) -> LogId {
        LogId { scope: self.scope.clone(), lane: self.lane }
    }

    /// The row as it stands once it was written.
    pub(crate) fn written(mut self) -> Self {
        self.version = Version(self.version.0 + 1);
        self
    }

    /// The write of the row as it is now.
    pub(crate) fn put(&self, store: &Store) -> Result<TransactWriteItem, AwsError> {
        let counted = serde_json::to_string(&self.counted).unwrap_or_default();
        let mut attributes: Vec<(&'static str, AttributeValue)> = vec![
            ("status", s(self.status.as_str())),
            ("actor", s(self.actor.to_string())),
            ("key", s(self.key.as_str())),
            ("digest", s(&self.digest)),
            ("kind", s(self.kind.as_str())),
            ("outcome", s(self.outcome.as_str())),
            ("lane", s(self.lane.to_string())),
            ("seq", n(self.seq)),
            ("decided_at", s(self.decided_at.to_string())),
            ("similar", s(&self.similar)),
            ("counted", s(counted)),
            ("attempt", s(&self.attempt)),
            ("listed", s(listed(&self.scope, self.status.is_open()))),
            ("listed_at", s(format!("{}#{}", self.decided_at, self.id))),
        ];
        attributes.extend(self.open_until.map(|until| ("open_until", s(until.to_string()))));
        attributes.extend(
            self.execution.as_ref().map(|made| ("execution", s(serde_json::to_string(made).unwrap_or_default()))),
        );
        attributes.extend(
            self.approval.as_ref().map(|asked| ("approval", s(serde_json::to_string(asked).unwrap_or_default()))),
        );
        attributes
            .extend(self.failure.as_ref().map(|why| ("failure", s(serde_json::to_string(why).unwrap_or_default()))));
        attributes.extend(self.object.as_ref().map(|object| ("object", s(object.as_str()))));
        attributes.extend(self.rationale.as_ref().map(|rationale| ("rationale", s(rationale))));
        self.version.put(store, &key_of(&self.scope, &self.id), attributes)
    }
}

impl Store {
    /// A request's row; none where there is none, or only another request's answer.
    pub(crate) async fn request_row(&self, scope: &Scope, id: &RequestId) -> Result<Option<RequestRow>, StoreError> {
        let (pk, sk) = key_of(scope, id);
        let row = self.row(&pk, &sk).await?;
        Ok(match row.map(|row| Found::of(scope, id, &row)).transpose()? {
            Some(Found::Request(row)) => Some(*row),
            Some(Found::Alias { .. }) | None => None,
        })
    }

    /// The money that was decided on under that id, where anything was: a call that leaves its amount out means the same when it is
    /// sent again, though by then nothing may be left.
    ///
    /// # Errors
    /// [`crate::decide::Undecided`].
    pub async fn decided_money(
        &self,
        scope: &Scope,
        id: &RequestId,
    ) -> Result<Option<Money>, crate::decide::Undecided> {
        let (pk, sk) = key_of(scope, id);
        let Some(row) = self.row(&pk, &sk).await? else { return Ok(None) };
        let row = match Found::of(scope, id, &row)? {
            Found::Request(row) => row,
            Found::Alias { of, .. } => self.request(scope, &of).await?,
        };
        let entry = self.decision_entry(&row).await?;
        Ok(Some(crate::execution::money_of(&entry)?))
    }

    /// Notes that the request `alias` is answered by `of`. Written twice it is the same row.
    pub(crate) async fn put_alias(
        &self,
        scope: &Scope,
        alias: &RequestId,
        of: &RequestId,
        digest: &str,
    ) -> Result<(), StoreError> {
        let (pk, sk) = key_of(scope, alias);
        let put = self
            .client
            .put_item()
            .table_name(&self.state)
            .set_item(Some(crate::item::key(pk, sk)))
            .item("alias", s(of.as_str()))
            .item("digest", s(digest))
            .condition_expression("attribute_not_exists(pk) OR alias = :of")
            .expression_attribute_values(":of", s(of.as_str()));
        put.send().await.map_err(AwsError::of("noting an alias"))?;
        Ok(())
    }
}
