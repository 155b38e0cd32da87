//! What comes of a request: its decision, or why there is none.

use axiru_domain::{RateLimited, RequestStatus};
use axiru_ledger::entry::Entry;

use super::{DEADLINE, Purpose};
use crate::error::{AwsError, Retry};
use crate::item::RowError;
use crate::ledger::CommitError;
use crate::requests::RequestRow;
use crate::store::StoreError;
use crate::switches::Stopped;

/// A decision, as it stands in the ledger.
#[derive(Debug, Clone)]
pub struct Decided {
    /// Its entry.
    pub entry: Entry,
    /// Where the request stands.
    pub row: RequestRow,
    /// Whether it had been decided before this call.
    pub cached: bool,
    /// Whether something of its family is enforced now. What was decided while nothing was is only passed on while nothing is.
    pub governed: bool,
    /// Whether it was decided on exactly what this call asks: an equal open request may differ in what no policy sees, such as metadata.
    pub exact: bool,
    /// What this call wrote, which has the right to send where the request is under way.
    pub attempt: String,
    /// What an operator has stopped since it was decided: nothing more is sent for it meanwhile.
    pub stopped: Option<Stopped>,
}

impl Decided {
    /// What stops a repeated call, where its answer would have something started now: the caller's own movement, or one passed on in
    /// shadow. What has an outcome, waits, or may have been sent already is told as it stands.
    pub(super) fn would_start(&self, purpose: Purpose) -> Option<&Stopped> {
        let starts = match self.row.status {
            RequestStatus::Allowed => true,
            RequestStatus::Settled | RequestStatus::Expired => purpose == Purpose::Send && !self.governed,
            _ => false,
        };
        self.stopped.as_ref().filter(|_| starts)
    }
}

/// Why there is no decision.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The key is unknown, wrong, revoked or expired: one answer for all.
    #[error("the key is not accepted")]
    Key,
    /// The key is not for this account.
    #[error("the key is not for this account")]
    Account,
    /// The account is not connected in the key's mode.
    #[error("the account is not connected")]
    NotConnected,
    /// An operator has stopped it. Nothing is decided meanwhile.
    #[error("stopped: {0}")]
    Stopped(Stopped),
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for another request")]
    OtherContent,
    /// The key has used up its minute.
    #[error("{0}")]
    RateLimited(#[from] RateLimited),
    /// Stripe knows no such object.
    #[error("Stripe knows no such `{0}` on this account")]
    Object(&'static str),
    /// Nobody can say. Asking again with the same key is safe.
    #[error("undecided: {0}")]
    Undecided(#[from] Undecided),
}

/// What kept a request from being decided.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    /// The time was up.
    #[error("not within {DEADLINE:?}")]
    Deadline,
    /// The store did not do it.
    #[error("{0}")]
    Commit(#[from] CommitError),
    /// A row is not as this program writes it.
    #[error("{0}")]
    Row(#[from] RowError),
    /// The scope has no row that says which plans it has.
    #[error("the scope's plans are missing")]
    NoPlans,
    /// The rows kept changing while they were read.
    #[error("what the decision depends on kept changing")]
    Unsettled,
    /// An entry that a row names is not there.
    #[error("entry {0} is missing")]
    Entry(u64),
    /// The system has no random bytes to give.
    #[error("no random bytes")]
    Random,
    /// Nothing can be sealed here, so nothing can be made later.
    #[error("no key that seals")]
    NoSeal,
}

impl From<StoreError> for Undecided {
    fn from(error: StoreError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<AwsError> for Undecided {
    fn from(error: AwsError) -> Self {
        Self::Commit(error.into())
    }
}

impl Undecided {
    /// Whether another try in this call can help.
    pub(super) fn retry(&self) -> Retry {
        match self {
            Self::Commit(error) => error.retry(),
            Self::Unsettled => Retry::Later,
            Self::Deadline | Self::Row(_) | Self::NoPlans | Self::Entry(_) | Self::Random | Self::NoSeal => {
                Retry::Never
            }
        }
    }
}
