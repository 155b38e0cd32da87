//! Making a movement at Stripe: at most once, and always with an outcome.
//!
//! A pure state machine, beside the request's status. Two rules carry it. *Only one starter*: what a caller waits for is started by
//! that caller alone (its own retry with the same key included), because a person who saw a failure may refund by hand a minute
//! later; what nobody waits for is started by the worker alone. *Doubt is counted*: a send of which nobody knows whether Stripe acted is
//! a doubt, and a refusal by Stripe proves that nothing happened only where it is the answer to the only doubt.
//!
//! Stripe gives the answer of the first execution again for the same idempotency key, for at least 24 hours (Stripe API reference,
//! "Idempotent requests"); so sending again is safe within [`KEY_SECS`], and never after.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{RequestId, RequestStatus, Scope, Timestamp};

/// How long a process may take over a send, in seconds. Two sends of eight seconds fit, and the commits around them.
pub const LEASE_SECS: i64 = 40;

/// How long Stripe's answer under an idempotency key is relied upon, in seconds: 23 of at least 24 hours.
pub const KEY_SECS: i64 = 23 * 3_600;

/// How long Stripe has to tell by a webhook before it is asked, in seconds.
pub const WEBHOOK_SECS: i64 = 60;

/// Least time between two looks which both found nothing, in seconds, before it counts as never made.
pub const LOOK_AGAIN_SECS: i64 = 600;

/// Who may start the effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Starter {
    /// The caller who waits for it, and nobody else.
    Caller,
    /// The worker, from the queue.
    Worker,
}

/// What is known of making a movement.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// Who may start it.
    #[serde(rename = "s")]
    pub starter: Starter,
    /// When it was decided, in milliseconds since 1970: the idempotency key at Stripe is not older.
    #[serde(rename = "b")]
    pub began: i64,
    /// Who is at it.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Sends of which nobody knows whether Stripe acted.
    #[serde(rename = "d", default)]
    pub doubts: u32,
    /// When it was first looked for in vain since the last send, in milliseconds since 1970.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<i64>,
}

/// The right to send, for a while.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    /// The attempt that has it.
    #[serde(rename = "a")]
    pub attempt: String,
    /// Until when, in milliseconds since 1970.
    #[serde(rename = "u")]
    pub until: i64,
}

/// The answer to somebody who wants to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Send, under the lease that is now noted.
    Send,
    /// Somebody is at it.
    Busy,
    /// It is not theirs to start, or too old to be sent again: it is looked for.
    Wait,
    /// There is an outcome.
    Ended,
}

/// What was heard of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Stripe made it.
    Made,
    /// Stripe refused it for good.
    Refused,
    /// It did not reach Stripe, or Stripe was too busy to take it.
    NotTaken,
    /// No answer, or one that says nothing.
    Unclear,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It happened.
    Succeeded,
    /// It did not, and will not.
    Failed,
    /// Nobody knows.
    Unknown,
    /// As before: it may be sent again by its starter.
    Free,
    /// Nothing follows: there is an outcome, or somebody is at it.
    Nothing,
}

/// What the sweeper is to do with one that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chore {
    /// Nothing yet.
    Wait,
    /// Tell the worker again.
    Queue,
    /// Look for it in Stripe.
    Look,
}

impl Execution {
    /// One that is decided now: under way already, under the lease of `attempt`, where its caller waits.
    #[must_use]
    pub fn new(starter: Starter, attempt: &str, now: Timestamp) -> Self {
        let lease = (starter == Starter::Caller).then(|| lease(attempt, now));
        Self { starter, began: now.millis(), doubts: u32::from(lease.is_some()), lease, looked: None }
    }

    /// Somebody wants to send.
    pub fn claim(&mut self, status: RequestStatus, who: Starter, attempt: &str, now: Timestamp) -> Claim {
        if !status.is_under_way() {
            return Claim::Ended;
        }
        if who != self.starter || now >= plus(self.began, KEY_SECS) {
            return Claim::Wait;
        }
        if who == Starter::Worker && status == RequestStatus::Unknown {
            // Nobody waits: it is looked for, and every send would put that off.
            return Claim::Wait;
        }
        match &self.lease {
            // The answer to the taking of it was lost: it was this very attempt.
            Some(lease) if lease.attempt == attempt && now.millis() < lease.until => Claim::Send,
            Some(lease) if now.millis() < lease.until => Claim::Busy,
            _ => {
                self.lease = Some(lease(attempt, now));
                self.doubts = self.doubts.saturating_add(1);
                self.looked = None;
                Claim::Send
            }
        }
    }

    /// The send of `attempt` was heard of.
    pub fn heard(&mut self, status: RequestStatus, attempt: &str, heard: Heard) -> Next {
        if !status.is_under_way() {
            return Next::Nothing;
        }
        let own = self.lease.as_ref().is_some_and(|lease| lease.attempt == attempt);
        match heard {
            Heard::Made => Next::Succeeded,
            Heard::Refused if own && self.doubts <= 1 => Next::Failed,
            // Whoever has the lease now will be answered; this answer proves nothing of their send, or of an earlier one.
            _ if !own => Next::Nothing,
            Heard::NotTaken => {
                self.lease = None;
                self.doubts = self.doubts.saturating_sub(1);
                Next::Free
            }
            Heard::Refused | Heard::Unclear => {
                self.lease = None;
                Next::Unknown
            }
        }
    }

    /// An operator has stopped it before anybody had the right to send: it is not made. Where somebody had, it is looked for instead.
    #[must_use]
    pub fn stopped(&self, status: RequestStatus) -> Next {
        let untouched = self.lease.is_none() && self.doubts == 0;
        if status == RequestStatus::Executing && untouched { Next::Failed } else { Next::Nothing }
    }

    /// What the sweeper is to do.
    #[must_use]
    pub fn chore(&self, status: RequestStatus, now: Timestamp) -> Chore {
        if !status.is_under_way() || now < self.check_at(now) {
            return Chore::Wait;
        }
        let fresh = now < plus(self.began, KEY_SECS);
        match (self.starter, status) {
            (Starter::Worker, RequestStatus::Executing) if fresh => Chore::Queue,
            _ => Chore::Look,
        }
    }

    /// When the sweeper has to look after it next.
    #[must_use]
    pub fn check_at(&self, now: Timestamp) -> Timestamp {
        match (&self.lease, self.looked) {
            (Some(lease), _) => plus(lease.until, WEBHOOK_SECS),
            (None, Some(looked)) => plus(looked, LOOK_AGAIN_SECS),
            (None, None) => now,
        }
    }

    /// It was looked for in Stripe and not found. Two looks [`LOOK_AGAIN_SECS`] apart settle that it was never made.
    pub fn not_found(&mut self, status: RequestStatus, now: Timestamp) -> Next {
        if !status.is_under_way() || self.lease.as_ref().is_some_and(|lease| now.millis() < lease.until) {
            return Next::Nothing;
        }
        self.lease = None;
        match self.looked {
            Some(looked) if now >= plus(looked, LOOK_AGAIN_SECS) => Next::Failed,
            Some(_) => Next::Nothing,
            None => {
                self.looked = Some(now.millis());
                Next::Unknown
            }
        }
    }
}

/// The idempotency key under which Stripe is asked to make what a request asks for: derived, so that every process sends the same one,
/// and naming the request, so that an event which Stripe says was caused under it leads back.
#[must_use]
pub fn stripe_key(scope: &Scope, request: &RequestId, digest: &str) -> String {
    let tail = Sha256::digest(format!("axiru/stripe/v1\n{scope}\n{request}\n{digest}"));
    let tail = tail.iter().take(16).fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let name = request.as_str().trim_start_matches("dec_");
    format!("axr_{name}_{tail}")
}

/// The request that such a key names. Nothing is proven by it: the key must be that request's.
#[must_use]
pub fn request_of_key(key: &str) -> Option<RequestId> {
    let (name, tail) = key.strip_prefix("axr_")?.split_once('_')?;
    let hex = tail.len() == 32 && tail.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if hex { format!("dec_{name}").parse().ok() } else { None }
}

fn lease(attempt: &str, now: Timestamp) -> Lease {
    Lease { attempt: attempt.to_owned(), until: now.plus_secs(LEASE_SECS).millis() }
}

fn plus(millis: i64, secs: i64) -> Timestamp {
    // A moment that cannot be one is one that has passed long ago.
    Timestamp::from_millis(millis.max(0)).map_or_else(|_| Timestamp::now(), |at| at.plus_secs(secs))
}

#[cfg(test)]
mod tests;
