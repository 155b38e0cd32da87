//! Renewing tokens: the only code beside connect's exchange that holds a developer key, and the only one that uses a refresh token.
//!
//! Every renewal kills the refresh token before it. So there is one refresher at a time for a connection, under a lease in its row; the
//! idempotency key is written ahead of the call; and what Stripe answers is stored only over the version that was read, by whoever
//! still holds the lease.
//!
//! A process that dies between Stripe's answer and the store leaves its key behind. The next one sends the same key with the same
//! refresh token: if Stripe gives its answer again, nothing is lost; if not, Stripe says `invalid_grant`, and the connection becomes
//! `reauth_required`, which a person sees. There is no second place for sealed tokens: it would help only where the table fails between
//! two calls of one renewal (which tries again until its deadline), and not where a process dies.

mod ask;
mod key;
mod row;

pub use ask::{Ask, AskQueue};
pub(crate) use row::generation;

use std::sync::Arc;
use std::time::Duration;

use axiru_domain::{Actor, Lane, LogId, Mode, Scope, Timestamp};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use axiru_stripe::base::ApiBase;
use axiru_stripe::error::StripeError;
use axiru_stripe::oauth::{self, Grant, OAuthError};
use axiru_stripe::secret::Secret;
use axiru_stripe::transport::Transport;
use serde_json::json;
use tokio::time::Instant;

use crate::connect::developer::{DeveloperError, Developers};
use crate::connect::token::{RandomError, random_id};
use crate::connection::{self, ConnectionState};
use crate::error::Retry;
use crate::item::RowError;
use crate::ledger::{CommitError, Writes};
use crate::seal::Seal;
use crate::store::{Store, StoreError};
use crate::tokens::{Opened, opened, sealed};
use row::{Key, Lead, Plan, TokenRow, sealed_tokens};

/// How long one renewal may take from its lease on. Two calls to Stripe of 8 seconds at most, and time to store what they say.
const DEADLINE: Duration = Duration::from_secs(25);

/// Calls to Stripe with one key in one renewal, while answers are lost.
const CALLS: u32 = 2;

/// Tries to take the lease while others change the row.
const TRIES: u32 = 3;

/// Wait between two tries to store what Stripe answered; it doubles up to [`MAX_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(50);
const MAX_WAIT: Duration = Duration::from_secs(2);

/// What became of a scope's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// They are renewed; this is their version.
    Renewed(u64),
    /// They are young, or somebody has renewed them already.
    Fresh,
    /// Somebody else is renewing them.
    Busy,
    /// The scope is not connected, or its connection is not in use.
    NotActive,
    /// They are dead: a person must connect again.
    ReauthRequired,
}

/// Why they could not be renewed this time.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The store or the seal.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The end of the connection could not be recorded.
    #[error("recording that an account must be connected again: {0}")]
    Commit(#[from] CommitError),
    /// The developer key.
    #[error("{0}")]
    Developer(#[from] DeveloperError),
    /// Stripe.
    #[error("renewing tokens: {0}")]
    Stripe(OAuthError),
    /// Stripe, asked whether it takes a restricted key.
    #[error("asking whether a restricted key is accepted: {0}")]
    Key(StripeError),
    /// Stripe answered with tokens of another account or mode.
    #[error("Stripe renewed the tokens of another account or mode")]
    Foreign,
    /// The system has no random bytes.
    #[error("{0}")]
    Random(#[from] RandomError),
    /// It took too long; the next renewal takes up where this one stopped.
    #[error("given up after {} seconds", DEADLINE.as_secs())]
    Deadline,
}

impl RefreshError {
    /// Whether trying again later can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Store(StoreError::Aws(error)) => error.retry(),
            Self::Store(StoreError::Row(_)) => Retry::Never,
            Self::Commit(error) => error.retry(),
            Self::Developer(DeveloperError::Aws { source, .. }) => source.retry(),
            Self::Developer(_) => Retry::Never,
            Self::Stripe(error) if !error.is_open() && !matches!(error, OAuthError::Transport(_)) => Retry::Never,
            Self::Key(_) | Self::Stripe(_) | Self::Foreign | Self::Random(_) | Self::Deadline => Retry::Later,
        }
    }
}

/// Renews tokens.
pub struct Refresher {
    store: Store,
    seal: Seal,
    developers: Developers,
    stripe: Arc<dyn Transport>,
    base: ApiBase,
    clock: fn() -> Timestamp,
}

impl Refresher {
    /// With all it needs.
    #[must_use]
    pub fn new(store: Store, seal: Seal, developers: Developers, stripe: Arc<dyn Transport>, base: ApiBase) -> Self {
        Self { store, seal, developers, stripe, base, clock: Timestamp::now }
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> Timestamp) -> Self {
        self.clock = clock;
        self
    }

    /// The scopes of a mode whose tokens are to be renewed now.
    ///
    /// # Errors
    /// [`StoreError`] when the connections cannot be read.
    pub async fn due(&self, mode: Mode) -> Result<Vec<Scope>, StoreError> {
        let now = (self.clock)();
        let mut due = Vec::new();
        for row in self.store.partition(&connection::pk(mode)).await? {
            let scope = Scope::new(mode, crate::item::parse(&row, "sk")?);
            match TokenRow::of(&row).map(|row| row.plan(&scope, None, now)) {
                Ok(Plan::Resume(..) | Plan::Begin) => due.push(scope),
                Ok(Plan::NotActive(_) | Plan::Fresh | Plan::Check | Plan::Wait) => {}
                // One row that is not ours to understand must not keep the others from being renewed.
                Err(error) => tracing::error!(scope = %scope, error = %error, "a connection cannot be read"),
            }
        }
        Ok(due)
    }

    /// Renews the tokens that `ask` names, if they need it.
    ///
    /// # Errors
    /// [`RefreshError`]; whatever it is, asking again takes up where this one stopped.
    pub async fn refresh(&self, ask: &Ask) -> Result<Refreshed, RefreshError> {
        let scope = &ask.scope;
        let lease = random_id("lse_")?;
        let fresh_key = random_id("axiru-refresh-")?;
        for _ in 0..TRIES {
            let Some((seen, item)) = self.store.token_row(scope).await? else {
                return Ok(Refreshed::NotActive);
            };
            let now = (self.clock)();
            let mine = seen.is_held_by(&lease);
            let (key, sent_at) = match seen.plan(scope, ask.refused.as_deref(), now) {
                Plan::NotActive(ConnectionState::ReauthRequired) => return Ok(Refreshed::ReauthRequired),
                Plan::NotActive(_) => return Ok(Refreshed::NotActive),
                Plan::Fresh => return Ok(Refreshed::Fresh),
                Plan::Check => return self.check(scope, &seen.attempt, &item).await,
                // Taken by a write of ours whose answer was lost.
                Plan::Wait if mine => seen.open().unwrap_or_else(|| (fresh_key.clone(), now)),
                Plan::Wait => return Ok(Refreshed::Busy),
                Plan::Resume(key, at) => (key, at),
                Plan::Begin => (fresh_key.clone(), now),
            };
            // All that can fail without consequence comes before the lease.
            let opened = opened(&self.seal, scope, sealed_tokens(&item).map_err(StoreError::from)?).await?;
            let Opened::Tokens(tokens) = opened else {
                return Err(StoreError::from(RowError("credential")).into());
            };
            let developer = self.developers.of(scope.mode()).await?;
            let lead = Lead { store: &self.store, scope, attempt: &seen.attempt, version: seen.version, lease: &lease };
            if !mine && !lead.take(&seen, &key, now).await? {
                continue;
            }
            // A key of this very call is not in doubt because it stands in the row.
            let doubt = seen.doubt || (seen.in_doubt() && key != fresh_key);
            let call =
                Call { developer: &developer.key, refresh_token: &tokens.refresh_token, key: &key, sent_at, doubt };
            let led = tokio::time::timeout(DEADLINE, self.lead(&lead, call)).await;
            return led.unwrap_or(Err(RefreshError::Deadline));
        }
        Ok(Refreshed::Busy)
    }

    /// Calls Stripe and stores what it says. The lease is held.
    async fn lead(&self, lead: &Lead<'_>, mut call: Call<'_>) -> Result<Refreshed, RefreshError> {
        match self.ask_stripe(lead.scope, &mut call).await {
            Ok(grant) => self.keep(lead, &grant, call.sent_at, call.key).await,
            Err(RefreshError::Stripe(OAuthError::InvalidGrant)) => self.end(lead, call.doubt).await,
            Err(error) => {
                let key = match &error {
                    // Stripe keeps failures under a key: only a new one can get another answer.
                    RefreshError::Stripe(OAuthError::Unsettled(500..) | OAuthError::Answer { .. })
                    | RefreshError::Foreign => Key::Doubted,
                    RefreshError::Stripe(error) if error.is_open() => Key::Kept,
                    // An earlier call with this key may have been taken: its answer is still to be asked for.
                    _ if call.doubt => Key::Kept,
                    _ => Key::Dropped,
                };
                if let Err(error) = lead.release(key).await {
                    // It ends by itself.
                    tracing::warn!(scope = %lead.scope, error = %error, "a lease could not be given back");
                }
                Err(error)
            }
        }
    }

    async fn ask_stripe(&self, scope: &Scope, call: &mut Call<'_>) -> Result<Grant, RefreshError> {
        let mut calls = 1;
        loop {
            let answer =
                oauth::refresh(self.stripe.as_ref(), &self.base, call.developer, call.refresh_token, call.key).await;
            match answer {
                Ok(grant) if grant.mode == scope.mode() && grant.account == *scope.account() => return Ok(grant),
                Ok(_) => return Err(RefreshError::Foreign),
                // The same key: Stripe acts once, or says that the token is spent.
                Err(error @ OAuthError::Transport(_)) if calls < CALLS => {
                    call.doubt |= error.is_open();
                    calls += 1;
                }
                Err(error) => return Err(RefreshError::Stripe(error)),
            }
        }
    }

    /// Stores renewed tokens, again and again until the deadline: nobody else has them.
    async fn keep(
        &self,
        lead: &Lead<'_>,
        grant: &Grant,
        sent_at: Timestamp,
        key: &str,
    ) -> Result<Refreshed, RefreshError> {
        let next = lead.version.saturating_add(1);
        let started = Instant::now();
        let mut wait = FIRST_WAIT;
        let mut envelope = None;
        loop {
            let kept = async {
                let bytes = match &mut envelope {
                    Some(bytes) => bytes,
                    none => none.insert(sealed(&self.seal, grant, sent_at).await?),
                };
                if lead.keep(bytes, sent_at, key).await? {
                    return Ok(Refreshed::Renewed(next));
                }
                // Overtaken, or a write of ours whose answer was lost.
                let row = self.store.token_row(lead.scope).await?.map(|(row, _)| row);
                let ours = row.is_some_and(|row| row.refreshed_by.as_deref() == Some(key) && row.version == next);
                Ok::<_, StoreError>(if ours { Refreshed::Renewed(next) } else { Refreshed::Fresh })
            };
            match kept.await {
                Ok(refreshed) => return Ok(refreshed),
                Err(error) if started.elapsed() + wait < DEADLINE => {
                    tracing::warn!(scope = %lead.scope, error = %error, "renewed tokens could not be stored yet");
                }
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(MAX_WAIT);
        }
    }

    /// Stripe does not accept the refresh token: whoever has renewed it meanwhile is right, and otherwise it is dead.
    async fn end(&self, lead: &Lead<'_>, doubt: bool) -> Result<Refreshed, RefreshError> {
        let log = LogId { scope: lead.scope.clone(), lane: Lane::ZERO };
        let change = random_id("chg_")?;
        let reason = if doubt { "lost_grant" } else { "invalid_grant" };
        let plan = async || {
            let row = self.store.token_row(lead.scope).await.map_err(CommitError::from)?.map(|(row, _)| row);
            if !row.is_some_and(|row| row.state == ConnectionState::Active && row.is_held_by(lead.lease)) {
                return Ok(Writes::default());
            }
            let fields = json!({"change": change, "reason": reason});
            let fields = fields.as_object().cloned().unwrap_or_default();
            let draft =
                Draft { log: log.clone(), actor: Actor::Axiru, ty: EntryType::ConnectionReauthRequired, fields };
            Ok(Writes { drafts: vec![draft], rows: vec![lead.end()?] })
        };
        let _: Vec<_> = self.store.commit::<CommitError, _>(&log, self.clock, plan).await?;
        self.stands(lead.scope).await
    }

    /// What stands there now, whoever wrote it.
    async fn stands(&self, scope: &Scope) -> Result<Refreshed, RefreshError> {
        let state = self.store.token_row(scope).await?.map(|(row, _)| row.state);
        Ok(match state {
            Some(ConnectionState::ReauthRequired) => Refreshed::ReauthRequired,
            Some(ConnectionState::Active) => Refreshed::Fresh,
            Some(ConnectionState::Revoked) | None => Refreshed::NotActive,
        })
    }
}

/// One renewal towards Stripe.
struct Call<'a> {
    developer: &'a Secret,
    refresh_token: &'a Secret,
    key: &'a str,
    /// When the key was first sent: an answer that Stripe gives again is of then.
    sent_at: Timestamp,
    /// Whether an earlier call may have spent the refresh token.
    doubt: bool,
}
