//! Refunds.

use axiru_domain::{Actor, Kind};

use super::fields::{Fields, Gathered};
use super::{EventError, StatusNews};
use crate::report::{News, Sighting};

/// The movement that a refund object is.
pub(super) fn refund(refund: &Fields<'_>, news: StatusNews) -> Result<News, EventError> {
    let mut facts = Gathered::default();
    facts.word("reason", refund, "reason");
    facts.id("charge", refund, "charge")?;
    facts.id("payment_intent", refund, "payment_intent")?;
    if let Some(details) = refund.object_or_null("destination_details")? {
        facts.word("destination_type", &details, "type");
    }
    // Stripe refunds an authorisation that nobody captured in time: nobody asked for it.
    let by_stripe = refund.word("reason").as_deref() == Some("expired_uncaptured_charge");
    let status = refund.word("status");
    Ok(News::Movement(Sighting {
        kind: Kind::Refund,
        object: refund.id("id")?,
        ordinal: 0,
        amount_minor: refund.int("amount")?,
        currency: refund.currency()?,
        actor: if by_stripe { Actor::Stripe } else { Actor::External },
        moved_at: refund.time("created")?,
        announced: news == StatusNews::First,
        first_status: status.clone().filter(|_| news == StatusNews::First),
        later_status: status.clone().filter(|_| news == StatusNews::Changed),
        shown_status: status,
        failure_code: refund.word("failure_reason"),
        link: refund.link(),
        facts: facts.0,
    }))
}
