//! Making what was decided, at Stripe: at most once, and always with an outcome in the ledger.
//!
//! Whoever sends has the lease in the request's row and sends the one key that follows from the request; what was heard is recorded by
//! [`conclude`] under the rules of `axiru_domain::Execution`. INVARIANT: nothing is sent for a request whose row does not say, as read
//! or written by this very process, that it may.

mod begin;
mod conclude;
mod heard;
mod native;
mod recover;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

use axiru_domain::{
    Claim, Currency, Heard, Intent, KEY_SECS, Kind, Money, ObjectRole, RequestId, RequestStatus, Scope, Starter,
    StripeId, Timestamp, stripe_key,
};
use axiru_ledger::entry::Entry;
use axiru_stripe::error::StripeError;
use axiru_stripe::gateway::{Effect, Moves, Stamp, look};
use axiru_stripe::rest::Rest;
use bytes::Bytes;
use http::Response;
use serde_json::Value;

use crate::connect::token::random_id;
use crate::error::{AwsError, Retry};
use crate::item::RowError;
use crate::ledger::{CommitError, Writes};
use crate::reach::{Letter, Reach, ReachError};
use crate::requests::RequestRow;
use crate::store::{Store, StoreError};
use crate::tokens::TokenError;
use conclude::News;
use heard::Reading;

pub use begin::{Began, BeginError, Beginner};
pub use native::moves_of;
pub use recover::{Recovered, Recoverer, enqueue, enqueue_held};
pub use work::{WorkError, Worked, Worker};

/// What came of a send.
#[derive(Debug)]
pub struct Performed {
    /// Stripe's last answer, or why there is none.
    pub answer: Result<Response<Bytes>, ReachError>,
    /// What it says.
    pub heard: Heard,
    /// Why, in a word.
    pub why: &'static str,
    /// Where the request stands now; as it stood before, where that could not be recorded.
    pub row: RequestRow,
    /// Why the outcome could not be recorded. It will be: from Stripe's webhook, or by looking.
    pub unrecorded: Option<CommitError>,
}

/// What came of asking for the right to send.
#[derive(Debug)]
pub enum Claimed {
    /// The right is noted in the row: send, as that attempt.
    Send {
        /// The row as it is now.
        row: Box<RequestRow>,
        /// The attempt.
        attempt: String,
    },
    /// Not now, or not any more; the row says why.
    Not(Claim, Box<RequestRow>),
    /// There is no such request.
    Unknown,
}

/// Time before the decision from which objects are looked for, in seconds: Stripe's clock is not ours.
const SLACK_SECS: i64 = 300;

/// Why Stripe could not be asked what became of a request.
#[derive(Debug, thiserror::Error)]
enum FindError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Token(#[from] TokenError),
    #[error("{0}")]
    Stripe(#[from] StripeError),
}

/// Why Stripe's answer cannot be had again.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The rows.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// No answer.
    #[error("{0}")]
    Reach(#[from] ReachError),
    /// Another answer.
    #[error("Stripe answers {0}")]
    Other(u16),
}

/// What Stripe's API v1 is spoken in.
const FORM: &str = "application/x-www-form-urlencoded";

/// Where the object of a request is at Stripe.
fn path_of(row: &RequestRow, moves: &Moves) -> Option<String> {
    let object = row.object.as_ref()?;
    Some(match row.kind {
        Kind::Refund => format!("/v1/refunds/{object}"),
        Kind::Payout => format!("/v1/payouts/{object}"),
        Kind::Transfer => format!("/v1/transfers/{object}"),
        Kind::TransferReversal => {
            format!("/v1/transfers/{}/reversals/{object}", moves.object(ObjectRole::Transfer)?)
        }
        Kind::DisputeAccept | Kind::DisputeSubmit => format!("/v1/disputes/{object}"),
    })
}

/// Makes movements at Stripe.
#[derive(Clone)]
pub struct Executor {
    store: Store,
    reach: Arc<Reach>,
    clock: fn() -> Timestamp,
}

impl Executor {
    /// On that store, with that way to Stripe and that clock.
    #[must_use]
    pub const fn new(store: Store, reach: Arc<Reach>, clock: fn() -> Timestamp) -> Self {
        Self { store, reach, clock }
    }

    /// Asks for the right to send what a request asks for.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn claim(&self, scope: &Scope, id: &RequestId, who: Starter) -> Result<Claimed, CommitError> {
        let attempt = random_id("att_").map_err(|_| AwsError::unexpected("claiming", "no random bytes"))?;
        let Some(row) = self.store.request_row(scope, id).await? else { return Ok(Claimed::Unknown) };
        let log = row.log();
        let seen = std::sync::Mutex::new(None);
        let plan = || async {
            let mut row =
                self.store.request_row(scope, id).await?.ok_or(RowError("status")).map_err(StoreError::from)?;
            let now = (self.clock)();
            let held = row.execution.as_ref().and_then(|made| made.lease.clone());
            let claim = match &mut row.execution {
                Some(execution) => execution.claim(row.status, who, &attempt, now),
                None => Claim::Ended,
            };
            let writes = match (&claim, &row.execution) {
                (Claim::Send, Some(execution)) if execution.lease != held => {
                    row.open_until = Some(execution.check_at(now));
                    Writes { drafts: Vec::new(), rows: vec![row.put(&self.store)?] }
                }
                _ => Writes::default(),
            };
            *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some((claim, row, !writes.is_empty()));
            Ok::<_, CommitError>(writes)
        };
        self.store.commit(&log, self.clock, plan).await?;
        let seen = seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(match seen {
            Some((Claim::Send, row, changed)) => {
                Claimed::Send { row: Box::new(if changed { row.written() } else { row }), attempt }
            }
            Some((claim, row, _)) => Claimed::Not(claim, Box::new(row)),
            None => Claimed::Unknown,
        })
    }

    /// Sends what a request asks for, under the lease of `attempt`, and records what was heard. `entry` is its decision.
    ///
    /// # Errors
    /// [`StoreError`] where the entry is not the one of a decision: nothing is sent.
    pub async fn perform(
        &self,
        row: RequestRow,
        attempt: &str,
        entry: &Entry,
        moves: &Moves,
        version: &str,
    ) -> Result<Performed, StoreError> {
        let money = money_of(entry)?;
        let outgoing = moves.outgoing(money, Some(&stamp(&row.id, entry)));
        let key = stripe_key(&row.scope, &row.id, &row.digest);
        let letter = Letter {
            method: &outgoing.method,
            path: &outgoing.path,
            query: "",
            body: Some((&outgoing.body, FORM)),
            idempotency_key: Some(&key),
            version: Some(version),
        };
        let mut answer = self.reach.send(&row.scope, &letter).await;
        let mut reading = Reading::of(moves, &answer);
        if matches!(&answer, Err(ReachError::Transport(error)) if error.may_have_acted()) {
            // The same key: Stripe gives the answer that was lost, or does it now for the first time.
            answer = self.reach.send(&row.scope, &letter).await;
            let first = reading;
            reading = Reading::of(moves, &answer);
            if reading.heard != Heard::Made {
                // The first send may still arrive: nothing that is heard of the second says that it will not.
                reading = Reading { heard: Heard::Unclear, why: first.why, ..reading };
            }
        }
        if reading.why == "answer_unreadable" {
            // Stripe made it and shows something else, as the charge of a refund: what was made bears our mark.
            let found = self.find(&row, entry, moves).await;
            if let Ok(Some(effect)) = found {
                reading = Reading { heard: Heard::Made, why: "made", effect: Some(effect), ..reading };
            }
        }
        if reading.status == Some(429) {
            self.reach.slow_down(&row.scope, (self.clock)());
        }
        let news = News::Heard { attempt, reading: &reading };
        let (row, unrecorded) = match conclude::record(&self.store, self.clock, row.clone(), &news).await {
            Ok(now) => (now, None),
            Err(error) => (row, Some(error)),
        };
        self.tell(&row, &reading, unrecorded.as_ref());
        if reading.heard == Heard::Refused && reading.status == Some(403) {
            self.permission(&row.scope).await;
        }
        Ok(Performed { answer, heard: reading.heard, why: reading.why, row, unrecorded })
    }

    /// What a request became at Stripe.
    async fn find(&self, row: &RequestRow, entry: &Entry, moves: &Moves) -> Result<Option<Effect>, FindError> {
        let since = row.decided_at.plus_secs(-SLACK_SECS);
        let (transport, base) = self.reach.rest();
        self.reach.pace(&row.scope, (self.clock)()).await;
        let tokens = self.reach.tokens();
        let token = tokens.token(&row.scope).await?;
        let (stamp, money) = (stamp(&row.id, entry), money_of(entry)?);
        let found = look::find(&Rest::new(transport, base, token.secret()), moves, money, &stamp, since).await;
        match found {
            Err(StripeError::Unauthorized) => {
                let token = tokens.after_refusal(&row.scope, &token).await?;
                Ok(look::find(&Rest::new(transport, base, token.secret()), moves, money, &stamp, since).await?)
            }
            found => Ok(found?),
        }
    }

    /// Stripe's answer to a request that was made: within 23 hours Stripe gives it again for the same key; later, or where that was an
    /// error, it shows the object.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub async fn answer_again(
        &self,
        row: &RequestRow,
        entry: &Entry,
        moves: &Moves,
        version: &str,
    ) -> Result<Response<Bytes>, AnswerError> {
        let fresh = (self.clock)() < row.decided_at.plus_secs(KEY_SECS);
        let key = stripe_key(&row.scope, &row.id, &row.digest);
        let outgoing = moves.outgoing(money_of(entry)?, Some(&stamp(&row.id, entry)));
        if fresh {
            let letter = Letter {
                method: &outgoing.method,
                path: &outgoing.path,
                query: "",
                body: Some((&outgoing.body, FORM)),
                idempotency_key: Some(&key),
                version: Some(version),
            };
            let answer = self.reach.send(&row.scope, &letter).await?;
            if answer.status().is_success() {
                return Ok(answer);
            }
            // Stripe remembers a 500 under the key, of a call that was made too: then the object is shown.
        }
        let path = path_of(row, moves).ok_or(RowError("object")).map_err(StoreError::from)?;
        self.read(row, &path, version).await
    }

    async fn read(&self, row: &RequestRow, path: &str, version: &str) -> Result<Response<Bytes>, AnswerError> {
        let method = http::Method::GET;
        let letter =
            Letter { method: &method, path, query: "", body: None, idempotency_key: None, version: Some(version) };
        let answer = self.reach.send(&row.scope, &letter).await?;
        if answer.status().is_success() { Ok(answer) } else { Err(AnswerError::Other(answer.status().as_u16())) }
    }

    /// From now on the connection counts as one that may not do this. That it cannot be noted is only logged: the refusal stands.
    async fn permission(&self, scope: &Scope) {
        if let Err(error) = self.store.permission_refused(scope, self.clock).await {
            tracing::error!(scope = %scope, error = %error, "a missing permission could not be noted");
        }
    }

    fn tell(&self, row: &RequestRow, reading: &Reading, unrecorded: Option<&CommitError>) {
        let id = &row.id;
        let status = row.status.as_str();
        match (unrecorded, reading.heard, row.status) {
            (Some(error), ..) => {
                tracing::error!(scope = %row.scope, decision.id = %id, error = %error, "an outcome could not be recorded yet");
            }
            (None, Heard::Made, RequestStatus::Succeeded) => {
                tracing::info!(scope = %row.scope, decision.id = %id, "a movement was made");
            }
            // Recorded as never made, and made after all: the webhook counts it, and people must know.
            (None, Heard::Made, _) => {
                tracing::error!(scope = %row.scope, decision.id = %id, status, "a movement was made after its outcome");
            }
            (None, Heard::Refused | Heard::NotTaken | Heard::Unclear, _) => {
                tracing::warn!(
                    scope = %row.scope, decision.id = %id, status, why = reading.why,
                    stripe.status = reading.status, stripe.code = reading.code.as_deref(), "a movement was not made, or nobody knows"
                );
            }
        }
    }
}

/// The mark on what is made: the request, and where its decision stands in the ledger.
pub(crate) fn stamp(id: &RequestId, entry: &Entry) -> Stamp {
    let receipt = format!("{}:{}:{}", entry.log().key(), entry.seq(), entry.leaf_hash());
    Stamp { request: id.clone(), receipt }
}

/// The money that was decided on.
pub(crate) fn money_of(entry: &Entry) -> Result<Money, StoreError> {
    let fields = entry.fields();
    let amount = fields.get("amount_minor").and_then(Value::as_i64).ok_or(RowError("amount_minor"))?;
    let currency: Option<Currency> = fields.get("currency").and_then(Value::as_str).and_then(|text| text.parse().ok());
    Ok(Money::new(amount, currency.ok_or(RowError("currency"))?).map_err(|_| RowError("amount_minor"))?)
}

/// What was decided on.
pub(crate) fn intent_of(entry: &Entry) -> Result<Intent, StoreError> {
    let fields = entry.fields();
    let kind: Option<Kind> = fields.get("kind").and_then(Value::as_str).and_then(|text| text.parse().ok());
    let mut objects = BTreeMap::new();
    for (role, id) in fields.get("objects").and_then(Value::as_object).into_iter().flatten() {
        let role: ObjectRole = role.parse().map_err(|_| RowError("objects"))?;
        let id: Option<StripeId> = id.as_str().and_then(|text| text.parse().ok());
        objects.insert(role, id.ok_or(RowError("objects"))?);
    }
    let intent = Intent::new(kind.ok_or(RowError("kind"))?, money_of(entry)?, objects);
    Ok(intent.map_err(|_| RowError("objects"))?)
}

/// Whether a commit is worth another try later.
pub(super) fn later(error: &CommitError) -> bool {
    error.retry() == Retry::Later
}
