//! What a decision depends on: rows, the tip of the log, and facts from Stripe.

use std::collections::BTreeSet;

use axiru_domain::{ObjectRole, Timestamp};
use axiru_ledger::entry::Tip;

use super::view::{Learnt, View};
use super::{Course, DecideError, Decider, Undecided};
use crate::facts;
use crate::reads::Reads;

/// Reads of one try: cold it takes three (who and where, plans and counters, what Stripe's facts lead to), and a change between them
/// one more.
const ROUNDS: usize = 6;

impl Decider {
    /// Reads until nothing more is asked for: once, where memory is warm.
    pub(super) async fn read(
        &self,
        course: &mut Course<'_>,
        now: Timestamp,
    ) -> Result<(Reads, View, Tip), DecideError> {
        let mut reads = Reads::default();
        let mut tip = None;
        for _ in 0..ROUNDS {
            let view = View::new(course, &reads, &self.memory, &self.plans, now)?;
            let missing = view.rows.iter().filter(|row| !reads.knows(row)).cloned().collect();
            let log = view.log.clone().filter(|log| tip.as_ref().is_none_or(|(of, _)| of != log));
            let wanted =
                (course.learnt.is_none() && view.who.is_some() && view.plans.is_some()).then_some(&view.wanted);
            if let (true, None, None, Some((_, tip))) = (BTreeSet::is_empty(&missing), &log, wanted, &tip) {
                return Ok((reads, view, *tip));
            }
            let rows = async {
                if missing.is_empty() { Ok(Reads::default()) } else { Reads::fetch(&self.store, &missing).await }
            };
            let next_tip = async {
                match &log {
                    Some(log) => self.store.tip(log).await.map(Some),
                    None => Ok(None),
                }
            };
            let learning = async {
                match wanted {
                    Some(wanted) => Some(self.learn(course, wanted, now).await),
                    None => None,
                }
            };
            let (rows, next_tip, learnt) = tokio::join!(rows, next_tip, learning);
            reads.extend(rows.map_err(Undecided::from)?);
            if let (Some(log), Some(next)) = (log, next_tip.map_err(Undecided::from)?) {
                tip = Some((log, next));
            }
            if let Some((learnt, no_such)) = learnt {
                (course.learnt, course.no_such) = (Some(learnt), no_such);
            }
        }
        Err(Undecided::Unsettled.into())
    }

    /// Asks Stripe for the facts that somebody reads. What it cannot say stays unknown; an object that it does not know is named.
    pub(super) async fn learn(
        &self,
        course: &Course<'_>,
        wanted: &BTreeSet<&'static str>,
        now: Timestamp,
    ) -> (Learnt, Option<&'static str>) {
        let Some(stripe) = self.facts.as_ref().filter(|_| !wanted.is_empty()) else { return (Learnt::new(), None) };
        let object = |role| course.ask.intent.object(role).cloned();
        let subject = facts::Subject {
            kind: course.ask.intent.kind(),
            charge: object(ObjectRole::Charge),
            payment_intent: object(ObjectRole::PaymentIntent),
            transfer: object(ObjectRole::Transfer),
            dispute: object(ObjectRole::Dispute),
            at: now,
            made: None,
        };
        let learnt = stripe.learn(&course.scope, &subject, wanted).await;
        for (name, why) in &learnt.unknown {
            tracing::warn!(scope = %course.scope, fact = name, why = %why, "a fact is not known");
        }
        let no_such = learnt.no_such();
        (learnt.facts, no_such)
    }
}
