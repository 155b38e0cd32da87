//! From the state of a plan's policies to its answer.

use std::collections::BTreeSet;

use axiru_domain::{Hold, Outcome, Reason};

use crate::question::{Question, QuestionError};
use crate::rule::RuleEffect;
use crate::slice::{Slice, SliceRule};
use crate::tally::Tally;

/// One plan's answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) reasons: BTreeSet<Reason>,
    pub(crate) holds: BTreeSet<Hold>,
}

impl Answer {
    /// Blocked for these reasons.
    pub(crate) fn block(reasons: impl IntoIterator<Item = Reason>) -> Self {
        Self { outcome: Outcome::Block, reasons: reasons.into_iter().collect(), holds: BTreeSet::new() }
    }
}

/// The answer of a slice.
///
/// Two evaluations: permits with blocking forbids, then holding forbids. In one, a hold would mask that nothing permits the
/// movement, because Cedar reports only forbids once one is satisfied.
pub(crate) fn answer(slice: &Slice, question: &Question<'_>) -> Answer {
    evaluate(slice, question).unwrap_or_else(|_| Answer::block([Reason::PlanUnusable]))
}

fn evaluate(slice: &Slice, question: &Question<'_>) -> Result<Answer, QuestionError> {
    let base = Tally::of(&slice.base, slice, question)?;
    if let Some(block) = certain_block(slice, &base) {
        return Ok(block);
    }
    let holding = Tally::of(&slice.holding, slice, question)?;
    if !holding.failed.is_empty() {
        return Ok(Answer::block(holding.failed.into_iter().map(Reason::EvaluationError)));
    }
    Ok(weigh(slice, question, base, holding))
}

fn effect(slice: &Slice, id: &str) -> Option<RuleEffect> {
    slice.rules.get(id).map(SliceRule::effect)
}

/// What blocks whatever the unknown facts are: a failed policy, a satisfied forbid, or that nothing can permit it.
fn certain_block(slice: &Slice, base: &Tally) -> Option<Answer> {
    let failed = base.failed.iter().cloned().map(Reason::EvaluationError);
    let blocking = base.satisfied.iter().filter(|id| effect(slice, id) == Some(RuleEffect::Block));
    let reasons: BTreeSet<_> = failed.chain(blocking.cloned().map(Reason::Policy)).collect();
    if !reasons.is_empty() {
        return Some(Answer::block(reasons));
    }
    let may_permit = base.satisfied.iter().chain(&base.undecided);
    let nothing_permits = !may_permit.into_iter().any(|id| effect(slice, id) == Some(RuleEffect::Permit));
    nothing_permits.then(|| Answer::block([Reason::NothingPermits]))
}

/// What is left: nothing blocks for certain, and something permits or may permit.
fn weigh(slice: &Slice, question: &Question<'_>, base: Tally, holding: Tally) -> Answer {
    let permitted = base.satisfied.iter().any(|id| effect(slice, id) == Some(RuleEffect::Permit));
    // An undecided rule may block if it is a blocking forbid, if it is the permit that everything hangs on, or if it
    // calculates and so may fail.
    let may_block = |id: &&String| {
        slice.rules.get(*id).is_none_or(|rule| {
            rule.arithmetic || rule.effect == RuleEffect::Block || (rule.effect == RuleEffect::Permit && !permitted)
        })
    };
    let blockers: BTreeSet<_> = base.undecided.iter().chain(&holding.undecided).filter(may_block).collect();
    let in_doubt: BTreeSet<_> = blockers.iter().copied().chain(&holding.undecided).collect();

    if in_doubt.is_empty() && holding.satisfied.is_empty() {
        let reasons = base.satisfied.into_iter().map(Reason::Policy).collect();
        return Answer { outcome: Outcome::Allow, reasons, holds: BTreeSet::new() };
    }
    let mut reasons: BTreeSet<_> = holding.satisfied.iter().cloned().map(Reason::Policy).collect();
    reasons.extend(in_doubt.iter().flat_map(|id| unknown_facts(slice, question, id)).map(Reason::FactUnknown));
    if !blockers.is_empty() {
        reasons.insert(Reason::BlockPossible);
    }
    // Who would have to approve includes those whom an undecided rule would ask.
    let asking = holding.satisfied.iter().chain(&holding.undecided);
    let holds = asking.filter_map(|id| slice.rules.get(id)?.hold.clone()).collect();
    Answer { outcome: Outcome::RequireApproval, reasons, holds }
}

/// The unknown facts that a rule reads.
fn unknown_facts(slice: &Slice, question: &Question<'_>, id: &str) -> Vec<String> {
    let facts = slice.rules.get(id).map(|rule| question.unknown(&rule.facts)).unwrap_or_default();
    facts.into_iter().map(str::to_owned).collect()
}
