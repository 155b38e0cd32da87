//! Payouts.

use axiru_domain::{Actor, Kind};

use super::fields::{Fields, Gathered};
use super::{EventError, StatusNews};
use crate::report::{News, Sighting};

/// The movement that a payout object is.
pub(super) fn payout(payout: &Fields<'_>, news: StatusNews) -> Result<News, EventError> {
    let mut facts = Gathered::default();
    facts.word("method", payout, "method");
    facts.bool("automatic", payout, "automatic")?;
    facts.id("destination", payout, "destination")?;
    facts.word("destination_type", payout, "type");
    facts.word("source_type", payout, "source_type");
    let by_schedule = payout.bool_or_null("automatic")?.unwrap_or(false);
    let status = payout.word("status");
    Ok(News::Movement(Sighting {
        kind: Kind::Payout,
        object: payout.id("id")?,
        ordinal: 0,
        amount_minor: payout.int("amount")?,
        currency: payout.currency()?,
        actor: if by_schedule { Actor::Stripe } else { Actor::External },
        moved_at: payout.time("created")?,
        announced: news == StatusNews::First,
        first_status: status.clone().filter(|_| news == StatusNews::First),
        later_status: status.clone().filter(|_| news == StatusNews::Changed),
        shown_status: status,
        failure_code: payout.word("failure_code"),
        link: payout.link(),
        facts: facts.0,
    }))
}
