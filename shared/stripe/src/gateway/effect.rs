//! What Stripe did for a call: read from its own answer.

use axiru_domain::{Currency, StripeId, Timestamp};

use super::moves::Moves;
use crate::error::StripeError;

/// The effect of a call that moved money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The object that is the movement: `re_…`, `po_…`, `tr_…`, `trr_…`, or the dispute.
    pub object: StripeId,
    /// Its status; none where it has none, or where it is none of Stripe's words.
    pub status: Option<String>,
    /// Its amount, in minor units.
    pub amount_minor: i64,
    /// Its currency.
    pub currency: Currency,
    /// When it was made; none for the answer to a dispute.
    pub created: Option<Timestamp>,
    /// Which movement of the object: the count of submissions of a dispute, otherwise 0.
    pub ordinal: u32,
}

impl Effect {
    /// Reads Stripe's answer of success.
    ///
    /// # Errors
    /// [`StripeError::Answer`].
    pub fn of(_moves: &Moves, _body: &[u8]) -> Result<Self, StripeError> {
        Err(StripeError::Answer { at: "body", what: "not read yet" })
    }
}
