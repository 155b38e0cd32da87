//! What goes wrong with one call on purpose: Stripe's own failures, before or after the effect.

use serde::{Deserialize, Serialize};

use crate::error::{RateLimitReason, StripeError};

/// One failure of one call. "Remembered" means under the call's idempotency key, as Stripe remembers its first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mishap {
    /// Not executed; 500, remembered: every later call with the key gets it again.
    #[serde(rename = "error_500")]
    Error500,
    /// Executed; 500 instead of the answer, remembered.
    #[serde(rename = "error_500_after_effect")]
    Error500AfterEffect,
    /// Executed and remembered; the connection breaks before the answer.
    DropAfterEffect,
    /// Not executed; 429 `lock_timeout`: another request holds the object. Not remembered.
    LockTimeout,
    /// Not executed; 429 `rate_limit` with its reason. Not remembered.
    RateLimit(RateLimitReason),
    /// Not executed; 409 `idempotency_key_in_use`. Not remembered.
    KeyInUse,
}

impl Mishap {
    /// The refusal before anything is looked up or executed.
    pub(crate) fn refusal(self) -> Option<StripeError> {
        match self {
            Self::LockTimeout => Some(StripeError::lock_timeout()),
            Self::RateLimit(reason) => Some(StripeError::rate_limited(reason)),
            Self::KeyInUse => Some(StripeError::key_in_use()),
            Self::Error500 | Self::Error500AfterEffect | Self::DropAfterEffect => None,
        }
    }

    /// Whether the caller sees a 500.
    pub(crate) const fn is_500(self) -> bool {
        matches!(self, Self::Error500 | Self::Error500AfterEffect)
    }
}
