//! The plans that are asked about a movement, and the decision that their verdicts make.

use std::collections::BTreeSet;
use std::sync::Arc;

use axiru_domain::{Actor, Decision, Kind, Movement, Outcome, PolicyMode, Reason, Verdict};

use crate::plan::Plan;
use crate::question::Question;

/// The active plans of a scope, in the order their verdicts are given.
#[derive(Clone, Debug, Default)]
pub struct PlanSet {
    active: Vec<Active>,
}

/// One plan that is active.
#[derive(Clone, Debug)]
enum Active {
    Usable(Arc<Plan>, PolicyMode),
    /// A plan that is active and could not be loaded: it blocks, in its policy mode, whatever it would have covered.
    Unusable {
        name: String,
        sha256: String,
        policy_mode: PolicyMode,
    },
}

impl PlanSet {
    /// No plans. A movement that no plan covers is allowed, with no verdict.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a plan in a policy mode.
    pub fn push(&mut self, plan: Arc<Plan>, policy_mode: PolicyMode) {
        self.active.push(Active::Usable(plan, policy_mode));
    }

    /// Adds a plan that is active but whose document could not be loaded. Its verdict on every movement is `block`, reason
    /// `plan_unusable`: what it covers is unknown.
    pub fn push_unusable(&mut self, name: String, sha256: String, policy_mode: PolicyMode) {
        self.active.push(Active::Unusable { name, sha256, policy_mode });
    }

    /// The facts of this kind that some plan reads, and that are worth asking for.
    #[must_use]
    pub fn facts_read(&self, kind: Kind) -> BTreeSet<&'static str> {
        let usable = self.active.iter().filter_map(|active| match active {
            Active::Usable(plan, _) => Some(plan),
            Active::Unusable { .. } => None,
        });
        usable.flat_map(|plan| plan.facts_read(kind)).collect()
    }
}

/// The decision on a movement: one verdict of every plan that covers its kind. A pure function; it never fails, because
/// whatever cannot be evaluated blocks.
#[must_use]
pub fn decide(plans: &PlanSet, movement: &Movement, actor: &Actor) -> Decision {
    let question = Question::new(movement, actor);
    let verdicts = plans.active.iter().filter_map(|active| match (active, &question) {
        (Active::Usable(plan, policy_mode), Ok(question)) => plan.verdict(question, *policy_mode),
        (Active::Usable(plan, policy_mode), Err(_)) if plan.covers(movement.kind()) => {
            Some(unusable(plan.name(), plan.sha256(), *policy_mode))
        }
        (Active::Usable(..), Err(_)) => None,
        (Active::Unusable { name, sha256, policy_mode }, _) => Some(unusable(name, sha256, *policy_mode)),
    });
    Decision::new(verdicts.collect())
}

fn unusable(plan: &str, plan_sha256: &str, policy_mode: PolicyMode) -> Verdict {
    Verdict {
        plan: plan.to_owned(),
        plan_sha256: plan_sha256.to_owned(),
        policy_mode,
        outcome: Outcome::Block,
        reasons: [Reason::PlanUnusable].into(),
        holds: BTreeSet::new(),
    }
}
