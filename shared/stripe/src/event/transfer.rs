//! Transfers and their reversals. Neither has a status: they are done when they exist.

use axiru_domain::{Actor, FactValue, Kind};

use super::EventError;
use super::fields::{Fields, Gathered};
use crate::report::{News, Sighting};

/// The movement that a transfer object is.
pub(super) fn transfer(transfer: &Fields<'_>) -> Result<News, EventError> {
    let mut facts = Gathered::default();
    facts.id("destination", transfer, "destination")?;
    facts.word("source_type", transfer, "source_type");
    facts.id("source_transaction", transfer, "source_transaction")?;
    sighting(Kind::Transfer, transfer, facts)
}

/// One movement for each reversal that the transfer shows. Stripe shows the ten newest, and sends an event for each.
pub(super) fn reversals(transfer: &Fields<'_>) -> Result<Vec<News>, EventError> {
    let amount = transfer.int("amount")?;
    let id = transfer.id("id")?;
    let mut news = Vec::new();
    for reversal in transfer.object("reversals")?.objects("data")? {
        let mut facts = Gathered::default();
        facts.set("transfer", Some(FactValue::Text(id.to_string())));
        facts.set("transfer_amount_minor", Some(FactValue::Long(amount)));
        facts.id("source_refund", &reversal, "source_refund")?;
        news.push(sighting(Kind::TransferReversal, &reversal, facts)?);
    }
    Ok(news)
}

fn sighting(kind: Kind, object: &Fields<'_>, facts: Gathered) -> Result<News, EventError> {
    Ok(News::Movement(Sighting {
        kind,
        object: object.id("id")?,
        ordinal: 0,
        amount_minor: object.int("amount")?,
        currency: object.currency()?,
        actor: Actor::External,
        moved_at: object.time("created")?,
        // An event for a reversal lists the earlier ones of the transfer too.
        announced: kind == Kind::Transfer,
        first_status: None,
        later_status: None,
        shown_status: None,
        failure_code: None,
        link: object.link(),
        facts: facts.0,
    }))
}
