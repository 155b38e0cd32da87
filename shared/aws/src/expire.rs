//! Requests that nobody used, or approved, in time: they end, and free what they hold. Once.
//!
//! The index only says where to look: what is decided is decided on rows read consistently, in the transaction that changes them.

use axiru_domain::{Actor, Mode, RequestId, RequestStatus, Scope, Timestamp, Usage};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use serde_json::json;

use crate::counters::{self, CounterRow};
use crate::error::AwsError;
use crate::item::{parse, s};
use crate::ledger::{CommitError, Writes};
use crate::requests::{self, Found, INDEX, RequestRow, listed};
use crate::similar::{self, SimilarRow};
use crate::store::{Store, StoreError};

/// Requests that one run ends at most in one scope. A run is every minute; what is left is ended by the next.
const MAX_ENDED: usize = 500;

/// Ends requests whose time is over.
pub struct Expirer {
    store: Store,
    clock: fn() -> Timestamp,
}

/// What a run did in a mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Requests that were ended.
    pub ended: u64,
    /// Requests that could not be ended: the next run tries again.
    pub failed: u64,
    /// Requests that are open still.
    pub open: u64,
}

impl Expirer {
    /// On that store, with that clock.
    #[must_use]
    pub const fn new(store: Store, clock: fn() -> Timestamp) -> Self {
        Self { store, clock }
    }

    /// Ends what is over in every connected scope of a mode. One that cannot be ended does not hold back the others.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be found out what there is.
    pub async fn run(&self, mode: Mode) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        for connection in self.store.connections(mode).await? {
            // A revoked scope's holds end too: its logs remain, and it may be connected again.
            let (over, open) = self.over(&connection.scope).await?;
            swept.open += open;
            for id in over {
                match Box::pin(self.end(&connection.scope, &id)).await {
                    Ok(true) => swept.ended += 1,
                    Ok(false) => {}
                    Err(error) => {
                        swept.failed += 1;
                        tracing::error!(scope = %connection.scope, decision.id = %id, error = %error, "a decision could not be ended");
                    }
                }
            }
        }
        Ok(swept)
    }

    /// The requests of a scope that are over, and how many others are open.
    async fn over(&self, scope: &Scope) -> Result<(Vec<RequestId>, u64), StoreError> {
        let now = (self.clock)().to_string();
        let (mut over, mut open, mut start) = (Vec::new(), 0, None);
        loop {
            let page = self
                .store
                .client
                .query()
                .table_name(&self.store.state)
                .index_name(INDEX)
                .key_condition_expression("listed = :listed")
                .expression_attribute_values(":listed", s(listed(scope, true)))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(AwsError::of("listing open decisions"))?;
            for row in page.items.unwrap_or_default() {
                let until: String = parse(&row, "open_until")?;
                // Moments are written in one form, so that their texts stand in their order.
                if until <= now && over.len() < MAX_ENDED {
                    over.push(requests::id_of_index(&row)?);
                } else {
                    open += 1;
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok((over, open));
            }
        }
    }

    /// Ends a request whose time is over; false where somebody else did, or something became of it.
    async fn end(&self, scope: &Scope, id: &RequestId) -> Result<bool, CommitError> {
        // The lane of a request never changes.
        let Some(row) = self.row(scope, id).await? else { return Ok(false) };
        let log = row.log();
        let plan = || async {
            let row = self.row(scope, id).await?;
            let over = row.filter(|row| {
                ends_by_itself(row.status) && row.open_until.is_some_and(|until| until <= (self.clock)())
            });
            match over {
                Some(row) => self.writes(row).await,
                None => Ok(Writes::default()),
            }
        };
        self.store.commit(&log, self.clock, plan).await.map(|entries| !entries.is_empty())
    }

    async fn row(&self, scope: &Scope, id: &RequestId) -> Result<Option<RequestRow>, CommitError> {
        let (pk, sk) = requests::key_of(scope, id);
        let row = self.store.row(&pk, &sk).await?;
        let found = row.map(|row| Found::of(scope, id, &row)).transpose().map_err(StoreError::from)?;
        Ok(match found {
            Some(Found::Request(row)) => Some(*row),
            Some(Found::Alias { .. }) | None => None,
        })
    }

    /// The writes that end a request and free what it holds.
    async fn writes(&self, mut row: RequestRow) -> Result<Writes, CommitError> {
        let scope = row.scope.clone();
        let similar_key = similar::key_of(&scope, &row.similar);
        let mut keys: std::collections::BTreeSet<_> =
            row.counted.iter().map(|taken| counters::key_of(&scope, &taken.subject)).collect();
        keys.insert(similar_key.clone());
        let reads = crate::reads::Reads::fetch(&self.store, &keys).await?;
        let now = (self.clock)();
        let mut rows = Vec::new();
        let mut usage = Usage::nothing();
        let mut counter_rows = std::collections::BTreeMap::new();
        for taken in &row.counted {
            let key = counters::key_of(&scope, &taken.subject);
            let counter = CounterRow::of(reads.get(&key)).map_err(StoreError::from)?;
            usage.insert(taken.subject.clone(), counter.counters.clone());
            counter_rows.insert(taken.subject.clone(), (key, counter));
        }
        for taken in &row.counted {
            usage.release(taken);
        }
        for (subject, (key, mut counter)) in counter_rows {
            counter.counters = usage.get(&subject).cloned().unwrap_or_default();
            rows.push(counter.put(&self.store, &key, now)?);
        }
        let mut similar = SimilarRow::of(reads.get(&similar_key)).map_err(StoreError::from)?;
        if similar.similar.is_open(&row.id) {
            similar.similar.close(&row.id);
            rows.push(similar.put(&self.store, &similar_key)?);
        }
        let before = row.status;
        row.status = RequestStatus::Expired;
        row.counted = Vec::new();
        row.open_until = None;
        rows.push(row.put(&self.store)?);
        let fields = json!({"request": row.id.as_str(), "before": before.as_str()});
        let fields = fields.as_object().cloned().unwrap_or_default();
        let draft = Draft { log: row.log(), actor: Actor::Axiru, ty: EntryType::DecisionExpired, fields };
        Ok(Writes { drafts: vec![draft], rows })
    }
}

/// Whether such a request ends when its time is over. What is under way at Stripe does not: only its outcome ends it.
const fn ends_by_itself(status: RequestStatus) -> bool {
    matches!(status, RequestStatus::Allowed | RequestStatus::Pending)
}
