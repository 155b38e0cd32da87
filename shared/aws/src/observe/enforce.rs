//! What is done about a movement that nobody asked for and that an enforced plan blocks.
//!
//! Nothing that Stripe reports can be blocked any more. A manual payout that is still pending and a refund that waits for the customer
//! can be cancelled; everything else is told to be too late. Only `block` is enforced so: a plan that would have *held* the movement for
//! people has no say any more, for there is nothing left that an approval could release. Its verdict stands in `movement.observed`,
//! and nothing more is told.

use axiru_domain::{Actor, Decision, FactValue, Outcome};
use axiru_stripe::report::Sighting;
use axiru_stripe::rest::cancel::Cancellable;

use super::plan::has_not_moved;

/// What is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing.
    Nothing,
    /// Stripe is asked to cancel it.
    Cancel,
    /// It is told to be too late.
    TooLate,
}

/// What is done about an ungoverned movement with that decision.
pub(super) fn answer(sighting: &Sighting, decision: &Decision) -> Answer {
    if decision.outcome() != Outcome::Block || sighting.actor == Actor::Stripe {
        return Answer::Nothing;
    }
    let Some(status) = sighting.shown_status.as_deref() else { return Answer::TooLate };
    if has_not_moved(status) {
        // It is undone already, or never happened.
        return Answer::Nothing;
    }
    let manual = match Cancellable::of(sighting.kind) {
        Some(Cancellable::Payout) => sighting.facts.get("automatic") == Some(&Some(FactValue::Bool(false))),
        Some(Cancellable::Refund) => true,
        None => return Answer::TooLate,
    };
    let in_time = Cancellable::of(sighting.kind).is_some_and(|what| what.status() == status);
    if manual && in_time { Answer::Cancel } else { Answer::TooLate }
}
