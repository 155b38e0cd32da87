//! Why an administrative act is not done, in words for the operator.

use axiru_policy::PlanError;

use crate::error::{AwsError, Retry};
use crate::item::RowError;
use crate::ledger::CommitError;
use crate::store::StoreError;

/// The kind of a refusal, from which the HTTP status follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// What is asked for is not of its form.
    Form,
    /// The caller may not.
    Forbidden,
    /// There is no such thing in the scope.
    Missing,
    /// Things are not so that it could be done.
    Conflict,
}

/// A refusal: nothing was changed, and asking again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// Its kind.
    pub kind: RefusalKind,
    /// A word that programs can test.
    pub code: &'static str,
    /// What is wrong and what to do about it, for people. Holds ids and words, no addresses and no secrets.
    pub detail: String,
}

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// It is refused.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The plan has problems.
    #[error("the plan is refused: {0}")]
    Plan(#[from] PlanError),
    /// The store or the ledger did not do it, or did and could not say so: asking again finds out.
    #[error("{0}")]
    Commit(#[from] CommitError),
}

impl AdminError {
    /// Whether trying again later can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Refused(_) | Self::Plan(_) => Retry::Never,
            Self::Commit(error) => error.retry(),
        }
    }

    pub(crate) fn form(code: &'static str, detail: impl Into<String>) -> Self {
        Refusal { kind: RefusalKind::Form, code, detail: detail.into() }.into()
    }

    pub(crate) fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Refusal { kind: RefusalKind::Forbidden, code, detail: detail.into() }.into()
    }

    pub(crate) fn missing(code: &'static str, detail: impl Into<String>) -> Self {
        Refusal { kind: RefusalKind::Missing, code, detail: detail.into() }.into()
    }

    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Refusal { kind: RefusalKind::Conflict, code, detail: detail.into() }.into()
    }
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<AwsError> for AdminError {
    fn from(error: AwsError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<RowError> for AdminError {
    fn from(error: RowError) -> Self {
        StoreError::from(error).into()
    }
}
