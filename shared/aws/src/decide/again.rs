//! Requests that are decided already: the same one, and an equal one that is open.

use axiru_domain::RequestId;

use super::{Course, DecideError, Decided, Decider, Undecided};
use crate::requests::{Found, RequestRow};

impl Decider {
    /// The decision that a request already has.
    pub(super) async fn again(
        &self,
        course: &Course<'_>,
        found: Found,
        governed: bool,
    ) -> Result<Decided, DecideError> {
        let row = match found {
            Found::Request(row) if row.digest == course.digest => row,
            Found::Alias { of, digest } if digest == course.digest => self.store.request(&course.scope, &of).await?,
            Found::Request(_) | Found::Alias { .. } => return Err(DecideError::OtherContent),
        };
        // What this very call wrote, and lost the answer of, is no repetition.
        let cached = row.attempt != course.attempt;
        self.known(course, *row, cached, governed).await
    }

    /// The decision on an equal request that is open, which from now on answers this idempotency key too.
    pub(super) async fn same_as(
        &self,
        course: &Course<'_>,
        open: &RequestId,
        governed: bool,
    ) -> Result<Decided, DecideError> {
        let row = self.store.request(&course.scope, open).await?;
        let alias = RequestId::of(&course.scope, &row.actor, &course.ask.idempotency_key);
        self.store.put_alias(&course.scope, &alias, open, &course.digest).await.map_err(Undecided::from)?;
        self.known(course, *row, true, governed).await
    }

    /// What is decided already, with its entry.
    async fn known(
        &self,
        course: &Course<'_>,
        row: RequestRow,
        cached: bool,
        governed: bool,
    ) -> Result<Decided, DecideError> {
        Ok(Decided {
            entry: self.store.decision_entry(&row).await?,
            exact: row.digest == course.digest,
            row,
            cached,
            governed,
            attempt: course.attempt.clone(),
            stopped: None,
        })
    }
}
