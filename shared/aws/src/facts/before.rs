//! Facts for observations: what active plans read, as it was before the movement that Stripe reports.

use std::collections::BTreeSet;

use axiru_domain::{FactSpec, FactValue, Scope, StripeId};
use axiru_policy::PlanSet;
use axiru_stripe::report::Sighting;
use futures_util::future::join_all;

use super::{StripeFacts, Subject, askable};

/// Movements asked about at the same time: each takes up to three calls, and Stripe allows 25 a second.
const AT_ONCE: usize = 5;

/// Adds to each sighting what the plans read and Stripe can tell. What cannot be learnt stays unknown: an observation never waits for it.
pub(crate) async fn before<'a>(
    stripe: Option<&StripeFacts>,
    scope: &Scope,
    plans: &PlanSet,
    sightings: impl Iterator<Item = &'a mut Sighting>,
) {
    let Some(stripe) = stripe else { return };
    let mut asked: Vec<(&mut Sighting, BTreeSet<&'static str>)> = Vec::new();
    for sighting in sightings {
        let wanted = wanted(plans, sighting);
        if !wanted.is_empty() {
            asked.push((sighting, wanted));
        }
    }
    for some in asked.chunks_mut(AT_ONCE) {
        join_all(some.iter_mut().map(|(sighting, wanted)| add(stripe, scope, sighting, wanted))).await;
    }
}

/// The facts that some plan reads, that Stripe can be asked, and that the event did not tell.
fn wanted(plans: &PlanSet, sighting: &Sighting) -> BTreeSet<&'static str> {
    let read = plans.facts_read(sighting.kind).into_iter();
    read.filter(|name| askable(sighting.kind).contains(name))
        .filter(|name| !sighting.facts.contains_key(*name))
        // A name that the table has not (yet) would spoil the whole observation.
        .filter(|name| FactSpec::find(sighting.kind, name).is_some())
        .collect()
}

async fn add(stripe: &StripeFacts, scope: &Scope, sighting: &mut Sighting, wanted: &BTreeSet<&'static str>) {
    let id = |name: &str| match sighting.facts.get(name) {
        Some(Some(FactValue::Text(id))) => id.parse::<StripeId>().ok(),
        _ => None,
    };
    let is_dispute = sighting.object.as_str().starts_with("du_") || sighting.object.as_str().starts_with("dp_");
    let subject = Subject {
        kind: sighting.kind,
        charge: id("charge"),
        payment_intent: id("payment_intent"),
        transfer: id("transfer"),
        dispute: Some(sighting.object.clone()).filter(|_| is_dispute),
        at: sighting.moved_at,
        made: Some(sighting.object.clone()),
    };
    let learnt = stripe.learn(scope, &subject, wanted).await;
    for (name, why) in &learnt.unknown {
        tracing::warn!(scope = %scope, movement.kind = %sighting.kind, fact = name, why = %why, "a fact is not known");
    }
    sighting.facts.extend(learnt.facts.into_iter().map(|(name, value)| (name.to_owned(), value)));
}
