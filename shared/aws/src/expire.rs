//! Requests that nobody used, or approved, in time: they end, and free what they hold. Once.
//!
//! The index only says where to look: what is decided is decided on rows read consistently, in the transaction that changes them.

use axiru_domain::{Actor, Mode, RequestId, RequestStatus, Scope, Timestamp};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use serde_json::json;

use crate::connection::ConnectionState;
use crate::ended;
use crate::ledger::{CommitError, Writes};
use crate::requests::{Failure, RequestRow};
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
    /// Requests that wait for people.
    pub pending: u64,
    /// Requests that waited for people, and were ended.
    pub unanswered: u64,
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
            let revoked = connection.state == ConnectionState::Revoked;
            // A revoked scope's holds end too: its logs remain, and it may be connected again.
            let due = if revoked {
                self.store.open(&connection.scope).await?
            } else {
                self.store.due(&connection.scope, (self.clock)()).await?
            };
            swept.open += due.open;
            swept.pending += due.pending;
            let over = due.requests.into_iter().filter(|(_, status)| ends_by_itself(*status));
            for (id, status) in over.take(MAX_ENDED) {
                match Box::pin(self.end(&connection.scope, &id)).await {
                    Ok(true) => {
                        swept.ended += 1;
                        swept.unanswered += u64::from(status == RequestStatus::Pending);
                    }
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

    /// Ends an allowed request that came to nothing, such as a call in shadow that Stripe refused: what it holds is free. False where
    /// something has become of it.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn release(&self, row: &RequestRow) -> Result<bool, CommitError> {
        let plan = || async {
            match self.store.request_row(&row.scope, &row.id).await? {
                Some(row) if row.status == RequestStatus::Allowed => self.writes(row).await,
                _ => Ok(Writes::default()),
            }
        };
        self.store.commit(&row.log(), self.clock, plan).await.map(|entries| !entries.is_empty())
    }

    /// Ends a request whose time is over, or that waits for people at a connection which has ended; false where somebody else did, or
    /// something became of it.
    async fn end(&self, scope: &Scope, id: &RequestId) -> Result<bool, CommitError> {
        // The lane of a request never changes.
        let Some(row) = self.store.request_row(scope, id).await? else { return Ok(false) };
        let log = row.log();
        let plan = || async {
            match self.store.request_row(scope, id).await? {
                Some(row) if is_over(&row, (self.clock)()) => self.writes(row).await,
                Some(row) if waits(row.status) && self.is_revoked(scope).await? => self.orphaned(row).await,
                Some(_) | None => Ok(Writes::default()),
            }
        };
        self.store.commit(&log, self.clock, plan).await.map(|entries| !entries.is_empty())
    }

    async fn is_revoked(&self, scope: &Scope) -> Result<bool, StoreError> {
        let connection = self.store.connection(scope).await?;
        Ok(connection.is_some_and(|connection| connection.state == ConnectionState::Revoked))
    }

    /// The writes that cancel a request whose connection has ended.
    async fn orphaned(&self, mut row: RequestRow) -> Result<Writes, CommitError> {
        let reason = "not_connected";
        let fields = json!({"request": row.id.as_str(), "before": row.status.as_str(), "reason": reason});
        let fields = fields.as_object().cloned().unwrap_or_default();
        let draft = Draft { log: row.log(), actor: Actor::Axiru, ty: EntryType::ApprovalCancelled, fields };
        row.failure = Some(Failure { reason: reason.to_owned(), status: None, code: None });
        ended::end(&self.store, row, RequestStatus::Cancelled, vec![draft], (self.clock)()).await
    }

    /// The writes that end a request and free what it holds.
    async fn writes(&self, row: RequestRow) -> Result<Writes, CommitError> {
        let fields = json!({"request": row.id.as_str(), "before": row.status.as_str()});
        let fields = fields.as_object().cloned().unwrap_or_default();
        let draft = Draft { log: row.log(), actor: Actor::Axiru, ty: EntryType::DecisionExpired, fields };
        ended::end(&self.store, row, RequestStatus::Expired, vec![draft], (self.clock)()).await
    }
}

/// Whether such a request ends when its time is over. What is under way at Stripe does not: only its outcome ends it.
const fn ends_by_itself(status: RequestStatus) -> bool {
    matches!(status, RequestStatus::Allowed | RequestStatus::Pending | RequestStatus::Approved)
}

/// Whether it waits for people, or for its beginning.
const fn waits(status: RequestStatus) -> bool {
    matches!(status, RequestStatus::Pending | RequestStatus::Approved)
}

/// Whether its time is over. What is approved is looked after before it is.
fn is_over(row: &RequestRow, now: Timestamp) -> bool {
    let until = match (row.status, &row.approval) {
        (RequestStatus::Approved, Some(approval)) => {
            approval.begins_by.and_then(|until| Timestamp::from_millis(until).ok())
        }
        _ => row.open_until,
    };
    ends_by_itself(row.status) && until.is_some_and(|until| until <= now)
}
