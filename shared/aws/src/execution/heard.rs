//! What an answer of Stripe's says of a send.

use axiru_domain::{Heard, StripeId};
use axiru_stripe::error::ApiRefusal;
use axiru_stripe::gateway::{Effect, Moves};
use bytes::Bytes;
use http::{Response, StatusCode};

use crate::reach::ReachError;

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Reading {
    /// What it says.
    pub(crate) heard: Heard,
    /// What Stripe made.
    pub(crate) effect: Option<Effect>,
    /// Why, in a word for the ledger.
    pub(crate) why: &'static str,
    /// The HTTP status.
    pub(crate) status: Option<u16>,
    /// Stripe's own code.
    pub(crate) code: Option<String>,
    /// Stripe's id of the call.
    pub(crate) stripe_request: Option<StripeId>,
}

impl Reading {
    /// Reads what came of a send.
    pub(crate) fn of(moves: &Moves, answer: &Result<Response<Bytes>, ReachError>) -> Self {
        match answer {
            Ok(answer) => Self::answered(moves, answer),
            Err(ReachError::Token(_)) => Self::bare(Heard::NotTaken, "no_token"),
            Err(ReachError::Transport(error)) if !error.may_have_acted() => Self::bare(Heard::NotTaken, "not_reached"),
            Err(ReachError::Transport(_)) => Self::bare(Heard::Unclear, "no_answer"),
        }
    }

    const fn bare(heard: Heard, why: &'static str) -> Self {
        Self { heard, effect: None, why, status: None, code: None, stripe_request: None }
    }

    fn answered(moves: &Moves, answer: &Response<Bytes>) -> Self {
        let status = answer.status();
        let refusal = ApiRefusal::read(Some(status), answer.body());
        let should_retry = header(answer, "stripe-should-retry");
        let kind = refusal.as_ref().map(|refusal| refusal.kind.as_str());
        let (heard, why, effect) = match status {
            _ if status.is_success() => match Effect::of(moves, answer.body()) {
                Ok(effect) => (Heard::Made, "made", Some(effect)),
                // It was made; what was made is found by looking.
                Err(_) => (Heard::Unclear, "answer_unreadable", None),
            },
            // The key is in use by a send of ours that Stripe is still answering.
            StatusCode::CONFLICT => (Heard::Unclear, "key_in_use", None),
            // Nothing is done, and nothing kept under the key (Stripe docs, "Rate limits").
            StatusCode::TOO_MANY_REQUESTS => (Heard::NotTaken, "rate_limited", None),
            StatusCode::UNAUTHORIZED => (Heard::NotTaken, "unauthorized", None),
            // The key was used for something else: not by us, whose key is derived from what is asked.
            _ if kind == Some("idempotency_error") => (Heard::Unclear, "key_used_otherwise", None),
            _ if status.is_client_error() && should_retry == Some("true") => (Heard::Unclear, "try_again", None),
            StatusCode::FORBIDDEN => (Heard::Refused, "permission_missing", None),
            // A refusal that is none of Stripe's is somebody's in between, who knows nothing of what Stripe did.
            _ if status.is_client_error() && refusal.is_some() => (Heard::Refused, "stripe_refused", None),
            _ => (Heard::Unclear, "stripe_failed", None),
        };
        let stripe_request = header(answer, "request-id").and_then(|id| id.parse().ok());
        let code = refusal.and_then(|refusal| refusal.code).filter(|code| !code.is_empty() && is_word(code));
        Self { heard, effect, why, status: Some(status.as_u16()), code, stripe_request }
    }
}

/// A header that is there once, as text.
pub(crate) fn header<'a>(answer: &'a Response<Bytes>, name: &str) -> Option<&'a str> {
    answer.headers().get(name).and_then(|value| value.to_str().ok())
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}
