//! Looking after requests that are under way and of which nobody has reported: first Stripe's webhooks have their time, then Stripe is
//! asked. Nothing is ever sent here.

use std::collections::BTreeMap;

use axiru_domain::{Chore, Mode, RequestId, RequestStatus, Scope};
use axiru_ledger::entry::Entry;
use axiru_stripe::gateway::{Effect, look};
use serde_json::Value;

use super::conclude::{self, News};
use super::{Executor, FindError, later, moves_of};
use crate::cancel::Canceller;
use crate::decide::Undecided;
use crate::error::AwsError;
use crate::item::RowError;
use crate::jobs::{Job, JobQueue};
use crate::ledger::CommitError;
use crate::requests::RequestRow;
use crate::store::StoreError;

/// Requests that one run looks after at most in one scope: each may cost a few calls to Stripe.
const MAX_LOOKED: usize = 100;

/// What a run came to in a mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Requests that have an outcome now.
    pub settled: u64,
    /// Requests that were put on the queue again.
    pub queued: u64,
    /// Requests that are still not known.
    pub unknown: u64,
    /// Requests that could not be looked after: the next run tries again.
    pub failed: u64,
    /// How long ago the oldest of those that are still not known was begun, in seconds.
    pub oldest_unknown_secs: u64,
}

/// Why a request could not be looked after.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error("{0}")]
    Commit(#[from] CommitError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Entry(#[from] Undecided),
    #[error("{0}")]
    Find(#[from] FindError),
    #[error("{0}")]
    Queue(#[from] AwsError),
}

/// Looks after what is under way.
pub struct Recoverer {
    executor: Executor,
    jobs: JobQueue,
    canceller: Option<Canceller>,
}

impl Recoverer {
    /// With that executor, and the queue of the worker.
    #[must_use]
    pub const fn new(executor: Executor, jobs: JobQueue) -> Self {
        Self { executor, jobs, canceller: None }
    }

    /// Finding cancellations that got lost, too.
    #[must_use]
    pub fn with_canceller(mut self, canceller: Canceller) -> Self {
        self.canceller = Some(canceller);
        self
    }

    /// Looks after everything that is due in every connected scope of a mode.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be found out what there is.
    pub async fn run(&self, mode: Mode) -> Result<Recovered, StoreError> {
        let store = &self.executor.store;
        let mut recovered = Recovered::default();
        for connection in store.connections(mode).await? {
            let scope = &connection.scope;
            match self.cancellations(scope).await {
                Ok(queued) => recovered.queued += queued,
                Err(error) => {
                    recovered.failed += 1;
                    tracing::error!(scope = %scope, error = %error, "cancellations could not be queued again");
                }
            }
            let due = store.due(scope, (self.executor.clock)()).await?;
            let under_way = due
                .requests
                .into_iter()
                .filter(|(_, status)| status.is_under_way() || *status == RequestStatus::Approved);
            for (id, _) in under_way.take(MAX_LOOKED) {
                let mut began = None;
                let looked = Box::pin(self.look_after(scope, &id, &mut began)).await;
                if let (Ok(None) | Err(_), Some(began)) = (&looked, began) {
                    let age = ((self.executor.clock)().millis() - began) / 1_000;
                    recovered.oldest_unknown_secs =
                        recovered.oldest_unknown_secs.max(u64::try_from(age).unwrap_or_default());
                }
                match looked {
                    Ok(Some(Chore::Queue)) => recovered.queued += 1,
                    Ok(Some(Chore::Look)) => recovered.settled += 1,
                    Ok(Some(Chore::Wait)) => {}
                    Ok(None) => recovered.unknown += 1,
                    Err(error) => {
                        recovered.failed += 1;
                        let again = !matches!(&error, LookError::Commit(error) if !later(error));
                        tracing::error!(scope = %scope, decision.id = %id, error = %error, retry = again, "a request could not be looked after");
                    }
                }
            }
        }
        Ok(recovered)
    }

    /// Queues again what should have been cancelled by now.
    async fn cancellations(&self, scope: &Scope) -> Result<u64, LookError> {
        let Some(canceller) = &self.canceller else { return Ok(0) };
        let mut queued = 0;
        for job in canceller.overdue(scope).await? {
            let group = if let Job::Cancel { object, .. } = &job { object.as_str() } else { "-" };
            let turn = ((self.executor.clock)().secs() / 300).to_string();
            self.jobs.send(&job, group, &turn).await?;
            queued += 1;
        }
        Ok(queued)
    }

    /// Looks after one request; what was done, none where it is still not known. `began` is when it was, in milliseconds.
    async fn look_after(
        &self,
        scope: &Scope,
        id: &RequestId,
        began: &mut Option<i64>,
    ) -> Result<Option<Chore>, LookError> {
        let Executor { store, clock, .. } = &self.executor;
        let Some(row) = store.request_row(scope, id).await? else { return Ok(Some(Chore::Wait)) };
        if row.status == RequestStatus::Approved {
            // Its job was lost, or put off: it begins while its time lasts, and `Expirer` ends it after that.
            let turn = format!("a-{}", clock().secs() / 300);
            let entry = store.decision_entry(&row).await?;
            self.jobs.send(&job(&row), &group_of(&entry), &turn).await?;
            return Ok(Some(Chore::Queue));
        }
        let Some(execution) = &row.execution else { return Ok(Some(Chore::Wait)) };
        *began = Some(execution.began);
        match execution.chore(row.status, clock()) {
            Chore::Wait => Ok(Some(Chore::Wait)),
            Chore::Queue => {
                let turn = format!("{}-{}", execution.doubts, clock().secs() / 300);
                let entry = store.decision_entry(&row).await?;
                self.jobs.send(&job(&row), &group_of(&entry), &turn).await?;
                Ok(Some(Chore::Queue))
            }
            Chore::Look => {
                let found = match self.find(&row).await {
                    Err(LookError::Find(FindError::Stripe(claimed))) if claimed == look::CLAIMED => {
                        // For a person: it stays unknown, and its age raises an alarm.
                        tracing::warn!(scope = %row.scope, decision.id = %row.id, refusal = %claimed, "nobody can say what became of a request");
                        return Ok(None);
                    }
                    found => found?,
                };
                let news = match &found {
                    Some(effect) => News::Found(effect),
                    None => News::NotFound { version: row.version.0 },
                };
                let now = conclude::record(store, *clock, row, &news).await?;
                Ok((!now.status.is_under_way()).then_some(Chore::Look))
            }
        }
    }

    /// What the request became at Stripe.
    async fn find(&self, row: &RequestRow) -> Result<Option<Effect>, LookError> {
        let entry = self.executor.store.decision_entry(row).await?;
        let intent = super::intent_of(&entry)?;
        let moves = moves_of(&intent, None, None, &BTreeMap::new());
        let moves = moves.map_err(|_| StoreError::from(RowError("objects")))?;
        Ok(self.executor.find(row, &entry, &moves).await?)
    }
}

/// The job that makes what a request asks for.
pub(crate) fn job(row: &RequestRow) -> Job {
    Job::Execute { scope: row.scope.clone(), request: row.id.clone() }
}

/// The object that a decided request presses at Stripe: those about one object come one after the other, so that they do not meet its lock.
fn group_of(entry: &Entry) -> String {
    let fields = entry.fields();
    let objects = fields.get("objects").and_then(Value::as_object);
    let parent = objects.and_then(|objects| objects.values().find_map(Value::as_str));
    // Without one it presses the balance.
    parent.or_else(|| fields.get("kind").and_then(Value::as_str)).unwrap_or("-").to_owned()
}

/// Puts an approved request on the worker's queue. That it is not there is found by the next sweep.
///
/// # Errors
/// [`AwsError`].
pub async fn enqueue_held(jobs: &JobQueue, held: &crate::approval::Held) -> Result<(), AwsError> {
    enqueue(jobs, &held.row, &held.made).await
}

/// Puts a decided request on the worker's queue. That it is not there is found by the next sweep.
///
/// # Errors
/// [`AwsError`].
pub async fn enqueue(jobs: &JobQueue, row: &RequestRow, entry: &Entry) -> Result<(), AwsError> {
    jobs.send(&job(row), &group_of(entry), "0").await
}
