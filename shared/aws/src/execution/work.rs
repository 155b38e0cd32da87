//! The worker: makes what nobody waits for.

use axiru_domain::{Claim, Heard, RequestId, RequestStatus, Scope, Starter};
use axiru_stripe::gateway::Moves;

use super::conclude::{self, News};
use super::{Began, BeginError, Beginner, Claimed, Executor, Performed, money_of};
use crate::approval::action_sha256;
use crate::decide::Undecided;
use crate::ledger::CommitError;
use crate::seal::Seal;
use crate::sealed;
use crate::store::StoreError;

/// What came of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worked {
    /// It has an outcome now.
    Done,
    /// There was nothing to do: it has an outcome, or is none of the worker's.
    Nothing,
    /// Nobody knows what came of it; the sweeper finds out.
    Unknown,
    /// It was approved, and is not made: things are no longer as they were.
    Ended(&'static str),
}

/// Why a job comes back.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// Another process is at it.
    #[error("another process is at it")]
    Busy,
    /// Stripe could not be asked, or took nothing.
    #[error("not taken by Stripe: {0}")]
    NotTaken(&'static str),
    /// The rows.
    #[error("{0}")]
    Commit(#[from] CommitError),
    /// A row or the parameters.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The decision's entry.
    #[error("{0}")]
    Entry(#[from] Undecided),
    /// An approved request could not begin.
    #[error("{0}")]
    Begin(#[from] BeginError),
    /// Nobody can tell now whether an approved request may still be made.
    #[error("it cannot begin now: {0}")]
    NotNow(&'static str),
    /// Nothing that people approve is made here.
    #[error("no approvals here")]
    NoApprovals,
    /// The parameters are gone or not as they were sealed: it cannot be made.
    #[error("the parameters of the request are missing or unreadable")]
    Parameters,
}

/// Does jobs.
pub struct Worker {
    executor: Executor,
    seal: Seal,
    beginner: Option<Beginner>,
}

impl Worker {
    /// With that executor, opening parameters with that key.
    #[must_use]
    pub const fn new(executor: Executor, seal: Seal) -> Self {
        Self { executor, seal, beginner: None }
    }

    /// Making what people have approved, too.
    #[must_use]
    pub fn with_beginner(mut self, beginner: Beginner) -> Self {
        self.beginner = Some(beginner);
        self
    }

    /// Makes what a request asks for, if it is the worker's to make and nobody has.
    ///
    /// # Errors
    /// [`WorkError`]: the job is to come back.
    pub async fn execute(&self, scope: &Scope, id: &RequestId) -> Result<Worked, WorkError> {
        let store = &self.executor.store;
        let clock = self.executor.clock;
        let Some(row) = store.request_row(scope, id).await? else { return Ok(Worked::Nothing) };
        if !row.status.is_under_way() && row.status != RequestStatus::Approved {
            return Ok(Worked::Nothing);
        }
        // Everything that is needed is at hand before the right to send is taken: what fails here leaves no doubt.
        let sealed = sealed::open(store, &self.seal, scope, id).await?;
        let entry = store.decision_entry(&row).await?;
        let moves = sealed.and_then(|bytes| Moves::from_stored(&bytes).ok()).ok_or(WorkError::Parameters)?;
        // What people have approved is what is sent, to the last parameter, at every try.
        if let Some(approval) = &row.approval
            && row.status.is_under_way()
            && action_sha256(scope, &moves, money_of(&entry)?) != approval.action
        {
            return Err(WorkError::Parameters);
        }
        self.executor.reach.pace(scope, clock()).await;
        let (row, attempt) = if row.status == RequestStatus::Approved {
            let beginner = self.beginner.as_ref().ok_or(WorkError::NoApprovals)?;
            match beginner.begin(&row, &moves).await? {
                Began::Send(row, attempt) => (row, attempt),
                Began::Ended(reason) => return Ok(Worked::Ended(reason)),
                Began::Later(reason) => return Err(WorkError::NotNow(reason)),
                Began::Nothing => return Ok(Worked::Nothing),
            }
        } else if store.stopped(scope, &row.actor).await?.is_some() {
            // What was never sent ends; what may have been is not sent again, and the sweeper finds out.
            let row = conclude::record(store, clock, row, &News::Stopped).await?;
            return Ok(if row.status.is_under_way() { Worked::Unknown } else { Worked::Ended("stopped") });
        } else {
            match self.executor.claim(scope, id, Starter::Worker).await? {
                Claimed::Send { row, attempt } => (row, attempt),
                Claimed::Not(Claim::Busy, _) => return Err(WorkError::Busy),
                Claimed::Not(Claim::Wait, _) => return Ok(Worked::Unknown),
                Claimed::Not(..) | Claimed::Unknown => return Ok(Worked::Nothing),
            }
        };
        let performed = self.executor.perform(*row, &attempt, &entry, &moves, axiru_stripe::API_VERSION).await?;
        let Performed { heard, why, unrecorded, .. } = performed;
        if let Some(error) = unrecorded {
            return Err(error.into());
        }
        match heard {
            Heard::Made | Heard::Refused => Ok(Worked::Done),
            Heard::NotTaken => Err(WorkError::NotTaken(why)),
            Heard::Unclear => Ok(Worked::Unknown),
        }
    }
}
