//! Reading access tokens: from the connection's row, opened with KMS, and kept in memory for at most five minutes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axiru_domain::{Scope, Timestamp};
use axiru_stripe::secret::Secret;

use super::opened;
use crate::connection::ConnectionState;
use crate::item::bytes;
use crate::refresh::{Ask, AskQueue, generation};
use crate::seal::Seal;
use crate::store::{Store, StoreError};

/// How long a token is kept in memory, and so how long a connection's end can go unnoticed.
const KEPT_SECS: i64 = 5 * 60;

/// Least time between two asks for the same scope by one process.
const ASK_EVERY_SECS: i64 = 10;

/// An access token, or the restricted key of an account that has none, for calls to Stripe in its scope. No `Debug`, as of every secret.
#[derive(Clone)]
pub struct AccessToken(Arc<Held>);

struct Held {
    secret: Secret,
    /// Which renewal of which connect it stems from.
    generation: String,
    /// When it is no longer used; a restricted key has no such time.
    ends: Option<Timestamp>,
}

impl AccessToken {
    /// What Stripe is sent.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0.secret
    }
}

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The account is not, or no longer, connected in this mode.
    #[error("the account is not connected in this mode")]
    NotConnected,
    /// Its tokens died; a person must connect it again.
    #[error("the account must be connected again: its tokens died")]
    ReauthRequired,
    /// The token is too old to be used; a fresh one has been asked for.
    #[error("the access token is expired; a fresh one is asked for")]
    Expired,
    /// The row cannot be read, or the token not opened.
    #[error("the access token cannot be read: {0}")]
    Store(#[from] StoreError),
}

/// Reads access tokens. It has no way to renew one: it can only ask for that.
pub struct TokenReader {
    store: Store,
    seal: Seal,
    asks: AskQueue,
    clock: fn() -> Timestamp,
    kept: Mutex<BTreeMap<Scope, (AccessToken, Timestamp)>>,
    asked: Mutex<BTreeMap<Scope, Timestamp>>,
}

impl TokenReader {
    /// On that store, with the key that opens tokens, and the queue on which fresh ones are asked for.
    #[must_use]
    pub fn new(store: Store, seal: Seal, asks: AskQueue) -> Self {
        Self { store, seal, asks, clock: Timestamp::now, kept: Mutex::default(), asked: Mutex::default() }
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> Timestamp) -> Self {
        self.clock = clock;
        self
    }

    /// The access token of a scope.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn token(&self, scope: &Scope) -> Result<AccessToken, TokenError> {
        let now = (self.clock)();
        if let Some(token) = self.kept(scope, now) {
            return Ok(token);
        }
        let token = self.read(scope).await?;
        if token.0.ends.is_some_and(|ends| now >= ends) {
            self.ask(scope, None, now).await;
            return Err(TokenError::Expired);
        }
        let kept = now.plus_secs(KEPT_SECS);
        let until = token.0.ends.map_or(kept, |ends| ends.min(kept));
        lock(&self.kept).insert(scope.clone(), (token.clone(), until));
        Ok(token)
    }

    /// What to do after Stripe has refused a token (401): forgets it and gives the one that has taken its place. Where none has, a
    /// fresh one is asked for.
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::Expired`] where the refused token is still the connection's.
    pub async fn after_refusal(&self, scope: &Scope, refused: &AccessToken) -> Result<AccessToken, TokenError> {
        {
            let mut kept = lock(&self.kept);
            if kept.get(scope).is_some_and(|(token, _)| token.0.generation == refused.0.generation) {
                kept.remove(scope);
            }
        }
        let token = self.token(scope).await?;
        if token.0.generation != refused.0.generation {
            return Ok(token);
        }
        lock(&self.kept).remove(scope);
        self.ask(scope, Some(&refused.0.generation), (self.clock)()).await;
        Err(TokenError::Expired)
    }

    /// Forgets every token held in memory.
    pub fn clear(&self) {
        lock(&self.kept).clear();
    }

    fn kept(&self, scope: &Scope, now: Timestamp) -> Option<AccessToken> {
        let mut kept = lock(&self.kept);
        // What is over leaves the memory, whosever it is.
        kept.retain(|_, (_, until)| now < *until);
        kept.get(scope).map(|(token, _)| token.clone())
    }

    async fn read(&self, scope: &Scope) -> Result<AccessToken, TokenError> {
        let pk = crate::connection::pk(scope.mode());
        let row = self.store.row(&pk, scope.account().as_str()).await.map_err(StoreError::from)?;
        let row = row.ok_or(TokenError::NotConnected)?;
        match crate::item::parse(&row, "state").map_err(StoreError::from)? {
            ConnectionState::Active => {}
            ConnectionState::Revoked => return Err(TokenError::NotConnected),
            ConnectionState::ReauthRequired => return Err(TokenError::ReauthRequired),
        }
        let generation = generation(&row).map_err(StoreError::from)?;
        let sealed = bytes(&row, "tokens").map_err(StoreError::from)?;
        let (secret, ends) = opened(&self.seal, scope, sealed).await?.in_use();
        Ok(AccessToken(Arc::new(Held { secret, generation, ends })))
    }

    /// Asks for a fresh token. That the queue cannot be reached is told in the log only: the schedule renews it too.
    async fn ask(&self, scope: &Scope, refused: Option<&str>, now: Timestamp) {
        {
            let mut asked = lock(&self.asked);
            asked.retain(|_, at| now < at.plus_secs(ASK_EVERY_SECS));
            if asked.contains_key(scope) {
                return;
            }
            asked.insert(scope.clone(), now);
        }
        let ask = Ask { scope: scope.clone(), refused: refused.map(str::to_owned) };
        if let Err(error) = self.asks.send(&ask).await {
            lock(&self.asked).remove(scope);
            tracing::warn!(scope = %scope, error = %error, "a fresh access token could not be asked for");
        }
    }
}

/// A panic elsewhere leaves the maps whole: each change is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
