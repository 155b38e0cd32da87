//! Undoing what an enforced plan forbids and Stripe can still undo.
//!
//! `observe` notes in a movement's row that it is to be cancelled, in the transaction that tells of it; here Stripe is asked, and the
//! outcome is told: once, because the note goes with it. Nothing is said to be cancelled unless Stripe returned the cancelled object.
//! While the note stands the row is in the index `requests` under `<mode>#<account>#cancel`: that is how a lost job is found.

mod entry;
mod press;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use aws_sdk_dynamodb::types::TransactWriteItem;
use axiru_domain::{Kind, LogId, MovementKey, Scope, StripeId, Taken, Timestamp};
use axiru_stripe::base::ApiBase;
use axiru_stripe::error::StripeError;
use axiru_stripe::rest::Rest;
use axiru_stripe::rest::cancel::Cancellable;
use axiru_stripe::transport::Transport;
use sha2::{Digest, Sha256};

pub(crate) use entry::too_late;

use crate::counters::{self, CounterRow};
use crate::error::{AwsError, Retry};
use crate::item::{RowError, s, text};
use crate::jobs::Job;
use crate::ledger::{CommitError, Writes};
use crate::movement::{self, CancelNote, MovementRow};
use crate::reads::Reads;
use crate::requests::INDEX;
use crate::store::{Store, StoreError};
use crate::tokens::{AccessToken, TokenError, TokenReader};
use press::Said;

/// Stripe's word for what was undone.
pub(crate) const CANCELED: &str = "canceled";

/// How long a job may take before it counts as lost, in seconds.
const OVERDUE_SECS: i64 = 60;

/// Jobs that one look gives at most; the next look gives more.
const MAX_OVERDUE: i32 = 200;

/// Cancels movements at Stripe.
pub struct Canceller {
    store: Store,
    transport: Arc<dyn Transport>,
    base: ApiBase,
    tokens: TokenReader,
    clock: fn() -> Timestamp,
}

/// What became of a movement that was to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// Stripe returned the cancelled object; its windows are free.
    Undone,
    /// Stripe does not cancel it: the money moves.
    TooLate,
    /// It is not, or no longer, to be cancelled.
    Nothing,
}

/// Why it is not known yet. Nothing was told; running it again is safe.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The scope is not connected.
    #[error("the account is not connected")]
    NotConnected,
    /// There is no access token.
    #[error("{0}")]
    Token(#[from] TokenError),
    /// Stripe did not say.
    #[error("{0}")]
    Stripe(#[from] StripeError),
    /// Stripe failed, and keeps its failure under the key that was used.
    #[error("Stripe failed; the next try takes another key")]
    Failed,
    /// The store.
    #[error("{0}")]
    Commit(#[from] CommitError),
}

impl From<StoreError> for CancelError {
    fn from(error: StoreError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<AwsError> for CancelError {
    fn from(error: AwsError) -> Self {
        Self::Commit(error.into())
    }
}

impl CancelError {
    /// Whether running it again can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::NotConnected | Self::Token(TokenError::NotConnected) => Retry::Never,
            Self::Token(_) | Self::Stripe(_) | Self::Failed => Retry::Later,
            Self::Commit(error) => error.retry(),
        }
    }
}

impl Canceller {
    /// On that store, with that way to Stripe.
    #[must_use]
    pub fn new(
        store: Store,
        transport: Arc<dyn Transport>,
        base: ApiBase,
        tokens: TokenReader,
        clock: fn() -> Timestamp,
    ) -> Self {
        Self { store, transport, base, tokens, clock }
    }

    /// Cancels a movement, if that is still noted, and tells the outcome.
    ///
    /// # Errors
    /// [`CancelError`]: nothing is known for good, and nothing is told.
    pub async fn run(&self, scope: &Scope, kind: Kind, object: &StripeId) -> Result<Cancelled, CancelError> {
        let movement = MovementKey { kind, object: object.clone(), ordinal: 0 };
        let Some(row) = self.row(scope, &movement).await? else { return Ok(Cancelled::Nothing) };
        let (Some(what), Some(note)) = (Cancellable::of(kind), row.cancel) else { return Ok(Cancelled::Nothing) };
        let connection = self.store.connection(scope).await?.ok_or(CancelError::NotConnected)?;
        let log = LogId { scope: scope.clone(), lane: connection.lanes.lane_of(object.as_str()) };
        let key = idempotency_key(scope, &movement, note.tries);
        let said = self.ask(scope, what, object, &key).await?;
        let plan = || async {
            let row = self.row(scope, &movement).await?;
            // Another run has told the outcome, or this very one and its answer was lost.
            match row.map(|row| (row.cancel, row)) {
                Some((Some(now), row)) => self.writes(&log, &movement, row, now, &said).await,
                Some((None, _)) | None => Ok(Writes::default()),
            }
        };
        self.store.commit::<CommitError, _>(&log, self.clock, plan).await?;
        match said {
            Said::Canceled => Ok(Cancelled::Undone),
            Said::Refused { .. } => Ok(Cancelled::TooLate),
            Said::Sticky => Err(CancelError::Failed),
        }
    }

    /// The jobs of a scope that should have been done by now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn overdue(&self, scope: &Scope) -> Result<Vec<Job>, StoreError> {
        let before = (self.clock)().plus_secs(-OVERDUE_SECS);
        let query = self.store.client.query().table_name(&self.store.state).index_name(INDEX);
        let page = query
            .key_condition_expression("listed = :listed AND listed_at < :before")
            .expression_attribute_values(":listed", s(movement::listed(scope)))
            .expression_attribute_values(":before", s(before.to_string()))
            .limit(MAX_OVERDUE)
            .send()
            .await
            .map_err(AwsError::of("listing movements to cancel"))?;
        let job = |listed_at: &str| {
            let mut parts = listed_at.split('#').skip(1);
            let kind = parts.next()?.parse().ok()?;
            Some(Job::Cancel { scope: scope.clone(), kind, object: parts.next()?.parse().ok()? })
        };
        let items = page.items.unwrap_or_default();
        let jobs = items.iter().map(|item| job(text(item, "listed_at")?).ok_or(RowError("listed_at")));
        Ok(jobs.collect::<Result<_, _>>()?)
    }

    /// Asks Stripe; once more where the token had been renewed meanwhile.
    async fn ask(&self, scope: &Scope, what: Cancellable, object: &StripeId, key: &str) -> Result<Said, CancelError> {
        let press = async |token: &AccessToken| {
            let rest = Rest::new(self.transport.as_ref(), &self.base, token.secret());
            press::press(&rest, scope.mode(), what, object, key).await
        };
        let token = self.tokens.token(scope).await?;
        match press(&token).await {
            Err(StripeError::Unauthorized) => {
                let token = self.tokens.after_refusal(scope, &token).await?;
                Ok(press(&token).await?)
            }
            said => Ok(said?),
        }
    }

    async fn row(&self, scope: &Scope, movement: &MovementKey) -> Result<Option<MovementRow>, CommitError> {
        let (pk, sk) = movement::key_of(scope, movement);
        let row = self.store.row(&pk, &sk).await?;
        Ok(row.as_ref().map(MovementRow::of).transpose().map_err(StoreError::from)?)
    }

    /// The writes that tell what Stripe said.
    async fn writes(
        &self,
        log: &LogId,
        movement: &MovementKey,
        mut row: MovementRow,
        note: CancelNote,
        said: &Said,
    ) -> Result<Writes, CommitError> {
        let mut writes = Writes::default();
        match said {
            Said::Sticky => row.cancel = Some(CancelNote { tries: note.tries.saturating_add(1), ..note }),
            Said::Refused { reason, code } => {
                row.cancel = None;
                writes.drafts.push(entry::too_late(log, movement, reason, code.as_deref()));
            }
            Said::Canceled => {
                row.cancel = None;
                writes.drafts.push(entry::cancelled(log, movement));
                if !row.statuses.iter().any(|status| status == CANCELED) {
                    row.statuses.push(CANCELED.to_owned());
                }
                row.current = Some(CANCELED.to_owned());
                writes.rows = self.released(&log.scope, &std::mem::take(&mut row.counted)).await?;
            }
        }
        writes.rows.push(row.put(&self.store, &movement::key_of(&log.scope, movement))?);
        Ok(writes)
    }

    /// The writes that give back what windows counted of a movement; none where a webhook has given it back already.
    async fn released(&self, scope: &Scope, counted: &[Taken]) -> Result<Vec<TransactWriteItem>, CommitError> {
        let keys: BTreeSet<_> = counted.iter().map(|taken| counters::key_of(scope, &taken.subject)).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let reads = Reads::fetch(&self.store, &keys).await?;
        let mut rows = BTreeMap::new();
        for taken in counted {
            let key = counters::key_of(scope, &taken.subject);
            let read = CounterRow::of(reads.get(&key)).map_err(StoreError::from)?;
            rows.entry(key).or_insert(read).counters.release(&taken.count);
        }
        let now = (self.clock)();
        Ok(rows.iter().map(|(key, row)| row.put(&self.store, key, now)).collect::<Result<_, _>>()?)
    }
}

/// The key under which Stripe is asked to cancel: the same for every process, until Stripe has answered it with a failure.
fn idempotency_key(scope: &Scope, movement: &MovementKey, tries: u32) -> String {
    let digest = Sha256::digest(format!("axiru/cancel/v1\n{scope}\n{}\n{tries}", movement.text()));
    digest.iter().take(16).fold("axc_".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
