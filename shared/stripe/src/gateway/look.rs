//! Finding in Stripe what a call did.

use axiru_domain::{Money, Timestamp};

use super::{Effect, Moves, Stamp};
use crate::error::StripeError;
use crate::rest::Rest;

/// What the call did, if it did anything.
///
/// # Errors
/// [`StripeError`]; never "not there" where that is not certain.
pub async fn find(
    _rest: &Rest<'_>,
    _moves: &Moves,
    _money: Money,
    _stamp: &Stamp,
    _since: Timestamp,
) -> Result<Option<Effect>, StripeError> {
    Err(StripeError::Answer { at: "body", what: "not read yet" })
}
