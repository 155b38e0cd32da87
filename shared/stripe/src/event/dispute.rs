//! Disputes. What happens to one is a fact; answering it, by evidence or by giving up, is a movement.

use axiru_domain::{Actor, FactValue, Kind, Timestamp};

use super::EventError;
use super::fields::{Fields, Gathered};
use crate::report::{FactKind, News, ReportedFact, Sighting};

/// Most submissions that one event is taken to report. Stripe allows one as a rule.
const MAX_RISE: u32 = 8;

/// The fact, and the movements where the event shows that somebody answered. `at` is the event's time: a dispute object
/// does not say when it was answered.
pub(super) fn dispute(
    event_type: &str,
    dispute: &Fields<'_>,
    before: Option<&Fields<'_>>,
    asked_by_request: bool,
    at: Timestamp,
) -> Result<Vec<News>, EventError> {
    let evidence = dispute.object_or_null("evidence_details")?;
    let count = evidence.as_ref().map(submissions).transpose()?.flatten().unwrap_or(0);
    let fact = ReportedFact {
        fact: match event_type {
            "charge.dispute.created" => FactKind::DisputeOpened,
            "charge.dispute.funds_withdrawn" => FactKind::DisputeFundsWithdrawn,
            "charge.dispute.funds_reinstated" => FactKind::DisputeFundsReinstated,
            "charge.dispute.closed" => FactKind::DisputeClosed,
            _ => FactKind::DisputeUpdated,
        },
        object: dispute.id("id")?,
        status: dispute.word("status"),
        amount_minor: dispute.int("amount")?,
        currency: dispute.currency()?,
        reason: dispute.word("reason"),
        charge: dispute.id_or_null("charge")?,
        submission_count: count,
    };
    let lost = fact.fact == FactKind::DisputeClosed && fact.status.as_deref() == Some("lost");
    let mut news = vec![News::Fact(fact)];
    // Only a change that the event itself shows: a dispute answered before the connection is not a movement of today.
    let earlier = before.map(|before| before.object_or_null("evidence_details")).transpose()?.flatten();
    if let Some(earlier) = earlier.as_ref().map(submissions).transpose()?.flatten() {
        for ordinal in (earlier + 1..=count).take(MAX_RISE as usize) {
            news.push(answer(Kind::DisputeSubmit, dispute, evidence.as_ref(), ordinal, at)?);
        }
    }
    // A dispute can also be lost by the bank's ruling; only a request shows that somebody gave it up.
    if lost && asked_by_request {
        news.push(answer(Kind::DisputeAccept, dispute, evidence.as_ref(), 0, at)?);
    }
    Ok(news)
}

/// How often evidence has been submitted.
fn submissions(evidence: &Fields<'_>) -> Result<Option<u32>, EventError> {
    evidence.count_or_null("submission_count")
}

fn answer(
    kind: Kind,
    dispute: &Fields<'_>,
    evidence: Option<&Fields<'_>>,
    ordinal: u32,
    at: Timestamp,
) -> Result<News, EventError> {
    let mut facts = Gathered::default();
    facts.word("reason", dispute, "reason");
    facts.id("charge", dispute, "charge")?;
    if let Some(details) = dispute.object_or_null("payment_method_details")?
        && let Some(card) = details.object_or_null("card")?
    {
        facts.word("case_type", &card, "case_type");
    }
    if let Some(evidence) = evidence {
        let count = if kind == Kind::DisputeSubmit { Some(ordinal) } else { submissions(evidence)? };
        facts.set("submission_count", count.map(|count| FactValue::Long(i64::from(count))));
        facts.bool("evidence_past_due", evidence, "past_due")?;
    }
    Ok(News::Movement(Sighting {
        kind,
        object: dispute.id("id")?,
        ordinal,
        amount_minor: dispute.int("amount")?,
        currency: dispute.currency()?,
        actor: Actor::External,
        moved_at: at,
        announced: true,
        first_status: dispute.word("status"),
        later_status: None,
        shown_status: dispute.word("status"),
        failure_code: None,
        link: dispute.link(),
        facts: facts.0,
    }))
}
