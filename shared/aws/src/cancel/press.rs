//! Asking Stripe to cancel, and what its answer means.

use axiru_domain::{Mode, StripeId};
use axiru_stripe::error::{ApiRefusal, StripeError};
use axiru_stripe::rest::Rest;
use axiru_stripe::rest::cancel::Cancellable;

use super::CANCELED;

/// What Stripe said for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It returned the cancelled object.
    Canceled,
    /// It refused, for this reason.
    Refused { reason: &'static str, code: Option<String> },
    /// It failed, and would answer the same to this key for a day: the next call takes another.
    Sticky,
}

/// Asks once. What is not known for good is the error: then the same key is sent again.
pub(super) async fn press(
    rest: &Rest<'_>,
    mode: Mode,
    what: Cancellable,
    object: &StripeId,
    key: &str,
) -> Result<Said, StripeError> {
    match rest.cancel(mode, what, object, key).await {
        Ok(status) if status == CANCELED => Ok(Said::Canceled),
        Ok(_) => Err(StripeError::Answer { at: "status", what: "not cancelled, and no refusal" }),
        Err(StripeError::Forbidden) => Ok(Said::Refused { reason: "permission_missing", code: None }),
        Err(StripeError::Refused(refusal)) if is_final(refusal.status) && refusal.kind != "idempotency_error" => {
            looked(rest, mode, what, object, code(&refusal)).await
        }
        Err(StripeError::Status(status)) if is_final(Some(status)) => looked(rest, mode, what, object, None).await,
        Err(StripeError::Failed(_) | StripeError::Refused(_) | StripeError::Status(_)) => Ok(Said::Sticky),
        Err(error) => Err(error),
    }
}

/// Whether a status is Stripe's word that it does not do it (Stripe API reference, "Errors").
const fn is_final(status: Option<u16>) -> bool {
    matches!(status, Some(400 | 402 | 404))
}

/// Stripe refused: because it is too late, or because an earlier call did it, of which the answer was lost. The object tells.
async fn looked(
    rest: &Rest<'_>,
    mode: Mode,
    what: Cancellable,
    object: &StripeId,
    code: Option<String>,
) -> Result<Said, StripeError> {
    match rest.status_of(mode, what, object).await {
        Ok(status) if status == CANCELED => Ok(Said::Canceled),
        Ok(_) | Err(StripeError::Forbidden) => Ok(Said::Refused { reason: "stripe_refused", code }),
        Err(StripeError::Refused(refusal)) if is_final(refusal.status) => {
            Ok(Said::Refused { reason: "stripe_refused", code })
        }
        Err(StripeError::Status(status)) if is_final(Some(status)) => {
            Ok(Said::Refused { reason: "stripe_refused", code })
        }
        Err(error) => Err(error),
    }
}

/// Stripe's code, as an entry may have it.
fn code(refusal: &ApiRefusal) -> Option<String> {
    let word = |text: &&String| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
    };
    refusal.code.as_ref().filter(word).cloned()
}
