//! Reading a whole list of Stripe's: page after page, below the rate limit, with a token that may be renewed meanwhile.

use std::time::Duration;

use axiru_domain::{Scope, StripeId, Timestamp};
use axiru_stripe::error::StripeError;
use axiru_stripe::rest::Rest;
use axiru_stripe::rest::lists::{Asking, Listed, MAX_LIMIT};
use axiru_stripe::transport::TransportError;

use crate::error::Retry;
use crate::reach::Reach;
use crate::store::StoreError;
use crate::tokens::{AccessToken, TokenError};

/// Most pages of one list: half a million objects, which take Stripe some twenty minutes; more than a function has.
const MAX_PAGES: usize = 5_000;

/// Tries of one call that Stripe does not answer, or puts off.
const TRIES: u32 = 6;

/// Wait before the second try; it doubles, so that the tries of one call take half a minute.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Why a list could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The app lacks this permission of Stripe's.
    #[error("the app lacks the permission `{0}`")]
    Permission(&'static str),
    /// There is no access token.
    #[error("{0}")]
    Token(#[from] TokenError),
    /// Stripe does not answer, or not as it should.
    #[error("{0}")]
    Stripe(StripeError),
    /// The list is longer than can be read.
    #[error("the list has more than {MAX_PAGES} pages")]
    TooLong,
}

impl ListError {
    /// Whether reading it later can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Token(TokenError::Expired) => Retry::Later,
            Self::Token(TokenError::Store(StoreError::Aws(error))) => error.retry(),
            Self::Stripe(StripeError::Transport(_) | StripeError::Busy | StripeError::Failed(_)) => Retry::Later,
            Self::Permission(_) | Self::Token(_) | Self::Stripe(_) | Self::TooLong => Retry::Never,
        }
    }
}

/// A list, what is wanted of it, and the permission that it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) path: &'a str,
    pub(super) filters: &'a [(&'a str, String)],
    pub(super) permission: &'static str,
}

/// Reads lists of one scope.
pub(super) struct Lists<'a> {
    pub(super) reach: &'a Reach,
    pub(super) scope: &'a Scope,
    pub(super) clock: fn() -> Timestamp,
}

/// How often a call may still be tried.
struct Tries {
    left: u32,
    wait: Duration,
    renewed: bool,
}

impl Tries {
    const fn new() -> Self {
        Self { left: TRIES, wait: FIRST_WAIT, renewed: false }
    }
}

impl Lists<'_> {
    /// Everything that the list has, newest first.
    pub(super) async fn all<T: Listed>(&self, wanted: Wanted<'_>) -> Result<Vec<T>, ListError> {
        let (mut all, mut after, mut limit) = (Vec::new(), None::<StripeId>, MAX_LIMIT);
        for _ in 0..MAX_PAGES {
            let page = self.page(wanted, &mut limit, after.as_ref()).await?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
        Err(ListError::TooLong)
    }

    async fn page<T: Listed>(
        &self,
        wanted: Wanted<'_>,
        limit: &mut u8,
        after: Option<&StripeId>,
    ) -> Result<axiru_stripe::rest::lists::Page<T>, ListError> {
        let mut token = None;
        let mut tries = Tries::new();
        loop {
            let held = self.token(&mut token, &mut tries).await?;
            let (transport, base) = self.reach.rest();
            let Wanted { path, filters, .. } = wanted;
            let asking = Asking { scope: self.scope, path, filters, limit: *limit, after };
            let error = match Rest::new(transport, base, held.secret()).page(&asking).await {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
            if error == StripeError::Transport(TransportError::TooLong) && *limit > 1 {
                // Large objects, such as disputes with evidence: fewer of them, from here on.
                *limit = (*limit / 4).max(1);
                continue;
            }
            self.again(&mut token, &mut tries, error, wanted.permission).await?;
        }
    }

    /// One object; none where there is none.
    pub(super) async fn one<T: Listed>(&self, path: &str, permission: &'static str) -> Result<Option<T>, ListError> {
        let mut token = None;
        let mut tries = Tries::new();
        loop {
            let held = self.token(&mut token, &mut tries).await?;
            let (transport, base) = self.reach.rest();
            let error = match Rest::new(transport, base, held.secret()).one(self.scope, path).await {
                Ok(one) => return Ok(one),
                Err(error) => error,
            };
            self.again(&mut token, &mut tries, error, permission).await?;
        }
    }

    /// The token of the next call, which keeps the pace.
    async fn token<'t>(
        &self,
        token: &'t mut Option<AccessToken>,
        tries: &mut Tries,
    ) -> Result<&'t AccessToken, ListError> {
        self.reach.pace(self.scope, (self.clock)()).await;
        if token.is_none() {
            *token = Some(loop {
                match self.reach.tokens().token(self.scope).await {
                    Ok(token) => break token,
                    // A fresh one is asked for, and comes within seconds.
                    Err(error @ TokenError::Expired) => self.wait(tries, error.into()).await?,
                    Err(error) => return Err(error.into()),
                }
            });
        }
        token.as_ref().ok_or(ListError::Token(TokenError::Expired))
    }

    /// Whether a call is tried again after that error, and when.
    async fn again(
        &self,
        token: &mut Option<AccessToken>,
        tries: &mut Tries,
        error: StripeError,
        permission: &'static str,
    ) -> Result<(), ListError> {
        match error {
            StripeError::Forbidden => Err(ListError::Permission(permission)),
            StripeError::Unauthorized if !tries.renewed => {
                tries.renewed = true;
                if let Some(refused) = token.take() {
                    *token = Some(self.reach.tokens().after_refusal(self.scope, &refused).await?);
                }
                Ok(())
            }
            StripeError::Busy => {
                self.reach.slow_down(self.scope, (self.clock)());
                self.wait(tries, ListError::Stripe(error)).await
            }
            error => {
                let error = ListError::Stripe(error);
                if error.retry() == Retry::Later { self.wait(tries, error).await } else { Err(error) }
            }
        }
    }

    async fn wait(&self, tries: &mut Tries, error: ListError) -> Result<(), ListError> {
        tries.left = tries.left.saturating_sub(1);
        if tries.left == 0 {
            return Err(error);
        }
        tokio::time::sleep(tries.wait).await;
        tries.wait = tries.wait.saturating_mul(2);
        Ok(())
    }
}
