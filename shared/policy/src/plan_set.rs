//! The plans that are asked about a movement, and the decision that their verdicts make.

use std::collections::BTreeSet;
use std::sync::Arc;

use axiru_domain::{Decision, Family, Kind, Outcome, PolicyMode, Reason, Series, Usage, Verdict};

use crate::asked::{Asked, CountedFor};
use crate::demand::Demand;
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

    /// Whether something of the family is enforced: then its calls are decided, and what leads around the decision is refused. A plan
    /// that cannot be loaded may cover anything.
    #[must_use]
    pub fn enforces(&self, family: Family) -> bool {
        self.active.iter().any(|active| match active {
            Active::Usable(plan, PolicyMode::Enforce) => plan.kinds().iter().any(|kind| kind.family() == family),
            Active::Unusable { policy_mode: PolicyMode::Enforce, .. } => true,
            Active::Usable(_, PolicyMode::Shadow) | Active::Unusable { .. } => false,
        })
    }

    /// What every rule and limit of every plan says of the people it asks for.
    #[must_use]
    pub fn demands(&self) -> Vec<Demand> {
        self.usable().flat_map(|plan| plan.demands()).collect()
    }

    /// What the rules and limits of a plan say of the people they ask for; none where the plan is not here.
    #[must_use]
    pub fn demands_of(&self, plan: &str) -> Vec<Demand> {
        self.usable().filter(|one| one.name() == plan).flat_map(|plan| plan.demands()).collect()
    }

    /// The facts of this kind that some plan reads or counts by, and that are worth asking for.
    #[must_use]
    pub fn facts_read(&self, kind: Kind) -> BTreeSet<&'static str> {
        self.usable().flat_map(|plan| plan.facts_read(kind)).collect()
    }

    /// Every series that the movement is counted in, and for whom, none twice: those of every limit that covers it, of shadow
    /// plans too. The rows of their subjects are to be read before the decision; unless it blocks, the movement is taken in each
    /// of them. A limit that does not apply because the movement has no such subject is left out.
    #[must_use]
    pub fn series_for(&self, asked: &Asked<'_>) -> BTreeSet<(CountedFor, Series)> {
        let limits = self.usable().flat_map(|plan| plan.limits());
        let covering = limits.filter(|limit| limit.covers(asked.movement.kind(), asked.movement.money));
        let counted = covering.map(|limit| (asked.counted_for(limit.per), limit.series.clone()));
        counted.filter(|(who, _)| *who != CountedFor::Nobody).collect()
    }

    /// The largest number of windows that one movement can be counted in: at most [`axiru_domain::MAX_WINDOWS`] for one plan, and
    /// whoever adds a plan to others checks the sum.
    #[must_use]
    pub fn most_windows(&self) -> usize {
        let mut windows: BTreeSet<_> = BTreeSet::new();
        for limit in self.usable().flat_map(|plan| plan.limits()) {
            windows.extend(
                limit.series.kinds().iter().map(|kind| (*kind, limit.series.currency(), limit.per, &limit.series)),
            );
        }
        let of = |kind, currency| windows.iter().filter(|(k, c, _, _)| (*k, *c) == (kind, currency)).count();
        windows.iter().map(|(kind, currency, _, _)| of(*kind, *currency)).max().unwrap_or(0)
    }

    fn usable(&self) -> impl Iterator<Item = &Arc<Plan>> {
        self.active.iter().filter_map(|active| match active {
            Active::Usable(plan, _) => Some(plan),
            Active::Unusable { .. } => None,
        })
    }
}

/// The decision on a movement: one verdict of every plan that covers its kind. A pure function; it never fails, because
/// whatever cannot be evaluated blocks, and whatever was not read holds.
#[must_use]
pub fn decide(plans: &PlanSet, asked: &Asked<'_>, usage: &Usage) -> Decision {
    let question = Question::new(asked);
    let verdicts = plans.active.iter().filter_map(|active| match (active, &question) {
        (Active::Usable(plan, policy_mode), Ok(question)) => plan.verdict(question, usage, *policy_mode),
        (Active::Usable(plan, policy_mode), Err(_)) if plan.covers(asked.movement.kind()) => {
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
        limits: vec![],
    }
}
