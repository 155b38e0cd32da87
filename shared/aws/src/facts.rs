//! Facts that only Stripe can tell: asked for with the scope's access token, within a deadline, and only where somebody reads them.
//!
//! What could not be asked stays unknown, with a reason; nothing here fails a decision or an observation by itself. A fact is as it was
//! *before* the movement: a refund that exists already is taken out of what was refunded.

mod before;
mod learn;

pub(crate) use before::before;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axiru_domain::{FactValue, Kind, Scope, StripeId, Timestamp};
use axiru_stripe::base::ApiBase;
use axiru_stripe::rest::Rest;
use axiru_stripe::rest::objects::ReadError;
use axiru_stripe::transport::Transport;
use tokio::time::Instant;

use crate::tokens::{AccessToken, TokenError, TokenReader};
use learn::Inquiry;

/// How long all calls for one movement may take together. A decision has two seconds, and two waits beside this one.
pub const DEADLINE: Duration = Duration::from_millis(1_200);

/// Asks Stripe for facts.
pub struct StripeFacts {
    transport: Arc<dyn Transport>,
    base: ApiBase,
    tokens: Arc<TokenReader>,
    deadline: Duration,
}

/// The movement that facts are asked of.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its kind.
    pub kind: Kind,
    /// The charge refunded or disputed.
    pub charge: Option<StripeId>,
    /// The payment intent refunded, where the charge is not named.
    pub payment_intent: Option<StripeId>,
    /// The transfer reversed.
    pub transfer: Option<StripeId>,
    /// The dispute answered.
    pub dispute: Option<StripeId>,
    /// The moment that the facts are of: now, or when the movement was made.
    pub at: Timestamp,
    /// The object that the movement is, where it exists already.
    pub made: Option<StripeId>,
}

/// What Stripe told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// What is known: a value, or that there is none.
    pub facts: BTreeMap<&'static str, Option<FactValue>>,
    /// What was wanted and is not known, and why.
    pub unknown: BTreeMap<&'static str, Unlearnt>,
    /// The charge that the money belongs to, where it was found.
    pub charge: Option<StripeId>,
}

/// Why a fact is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unlearnt {
    /// Facts of that name are not asked from Stripe for movements of this kind.
    #[error("not asked from Stripe")]
    NotAsked,
    /// The movement names no object to ask about.
    #[error("the movement names no object to ask about")]
    NoObject,
    /// There is no such object in this account and mode. The caller's fault: `field` is what they gave.
    #[error("there is no such object: `{0}`")]
    NoSuch(&'static str),
    /// The app lacks this permission of Stripe's.
    #[error("the app lacks the permission `{0}`")]
    Permission(&'static str),
    /// The scope is not connected.
    #[error("the account is not connected in this mode")]
    NotConnected,
    /// The scope must be connected again.
    #[error("the account must be connected again")]
    ReauthRequired,
    /// There is no usable token at the moment; a fresh one is asked for.
    #[error("there is no usable access token at the moment")]
    NoToken,
    /// Stripe refuses the token.
    #[error("Stripe does not accept the access token")]
    Unauthorized,
    /// Too many calls.
    #[error("Stripe limits the rate of calls")]
    RateLimited,
    /// Stripe failed, or was not reached.
    #[error("Stripe is not available")]
    Unavailable,
    /// The deadline passed.
    #[error("Stripe did not answer in time")]
    TimedOut,
    /// Stripe's answer does not say, or not in a form that can be relied on.
    #[error("Stripe's answer does not say")]
    NotSaid,
}

impl Learnt {
    /// The field of the request that names an object which does not exist: a caller's error.
    #[must_use]
    pub fn no_such(&self) -> Option<&'static str> {
        self.unknown.values().find_map(|why| if let Unlearnt::NoSuch(field) = why { Some(*field) } else { None })
    }

    /// A permission that the app lacks.
    #[must_use]
    pub fn permission_missing(&self) -> Option<&'static str> {
        self.unknown.values().find_map(|why| if let Unlearnt::Permission(name) = why { Some(*name) } else { None })
    }

    fn is_unauthorized(&self) -> bool {
        self.unknown.values().any(|why| *why == Unlearnt::Unauthorized)
    }

    fn set(&mut self, name: &'static str, value: Option<FactValue>) {
        self.unknown.remove(name);
        self.facts.insert(name, value);
    }
}

/// The facts that Stripe can be asked for movements of a kind.
#[must_use]
pub const fn askable(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Refund => &[
            "charge",
            "charge_age_days",
            "charge_currency",
            "charge_disputed",
            "charge_refundable_minor",
            "charge_refunded_minor",
            "customer",
            "payment_intent",
        ],
        Kind::DisputeAccept | Kind::DisputeSubmit => {
            &["case_type", "charge", "customer", "evidence_past_due", "reason", "submission_count"]
        }
        Kind::TransferReversal => &["transfer_amount_minor"],
        Kind::Payout | Kind::Transfer => &[],
    }
}

impl StripeFacts {
    /// Over that transport, with the tokens of that reader.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, base: ApiBase, tokens: impl Into<Arc<TokenReader>>) -> Self {
        Self { transport, base, tokens: tokens.into(), deadline: DEADLINE }
    }

    /// With another deadline for the calls of one movement.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The reader of access tokens.
    #[must_use]
    pub fn tokens(&self) -> &TokenReader {
        &self.tokens
    }

    /// Learns the `wanted` facts about a movement. Every wanted name is in the answer, either known or unknown with a reason; where none
    /// can be asked, Stripe is not called.
    pub async fn learn(&self, scope: &Scope, subject: &Subject, wanted: &BTreeSet<&'static str>) -> Learnt {
        let mut learnt = Learnt { charge: subject.charge.clone(), ..Learnt::default() };
        for name in wanted {
            let why = if askable(subject.kind).contains(name) { Unlearnt::TimedOut } else { Unlearnt::NotAsked };
            learnt.unknown.insert(name, why);
        }
        if learnt.unknown.values().all(|why| *why == Unlearnt::NotAsked) {
            return learnt;
        }
        let deadline = Instant::now() + self.deadline;
        let token = match within(deadline, self.tokens.token(scope)).await {
            Ok(token) => token,
            Err(why) => return learnt.without(&why),
        };
        let first = self.inquire(scope, subject, &token, deadline, learnt.clone()).await;
        if !first.is_unauthorized() {
            return first;
        }
        // Renewed by the refresher while we held it, or dead: the reader finds out.
        match within(deadline, self.tokens.after_refusal(scope, &token)).await {
            Ok(token) => self.inquire(scope, subject, &token, deadline, learnt).await,
            Err(Unlearnt::NoToken | Unlearnt::TimedOut) => first,
            Err(why) => learnt.without(&why),
        }
    }

    async fn inquire(
        &self,
        scope: &Scope,
        subject: &Subject,
        token: &AccessToken,
        deadline: Instant,
        learnt: Learnt,
    ) -> Learnt {
        let rest = Rest::new(self.transport.as_ref(), &self.base, token.secret());
        Inquiry { rest, mode: scope.mode(), subject, deadline, learnt }.run().await
    }
}

impl Learnt {
    /// The same where Stripe cannot be asked at all.
    fn without(mut self, why: &Unlearnt) -> Self {
        for reason in self.unknown.values_mut().filter(|reason| **reason != Unlearnt::NotAsked) {
            reason.clone_from(why);
        }
        self
    }
}

/// What `work` gives before the deadline.
async fn within<T, E: Into<Unlearnt>>(
    deadline: Instant,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Unlearnt> {
    match tokio::time::timeout_at(deadline, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Unlearnt::TimedOut),
    }
}

impl From<TokenError> for Unlearnt {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::NotConnected => Self::NotConnected,
            TokenError::ReauthRequired => Self::ReauthRequired,
            TokenError::Expired => Self::NoToken,
            TokenError::Store(error) => {
                tracing::error!(error = %error, "an access token could not be read");
                Self::NoToken
            }
        }
    }
}

impl From<ReadError> for Unlearnt {
    fn from(error: ReadError) -> Self {
        match error {
            // Which field names the object is known where it was asked.
            ReadError::NoSuch => Self::NoSuch("object"),
            ReadError::Permission(name) => Self::Permission(name),
            ReadError::Unauthorized => Self::Unauthorized,
            ReadError::RateLimited => Self::RateLimited,
            ReadError::Unavailable => Self::Unavailable,
            ReadError::Refused(_) | ReadError::Answer { .. } => {
                tracing::warn!(error = %error, "Stripe's answer cannot be used");
                Self::NotSaid
            }
        }
    }
}
