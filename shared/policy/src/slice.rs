//! The policies of one plan that can speak of one kind of movement.
//!
//! Cutting the set when the plan is loaded keeps a decision from paying for policies that can never apply to it.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{FactSpec, Hold, Kind};
use cedar_policy::PolicySet;

use crate::check::Checked;
use crate::guard::Guards;
use crate::rule::RuleEffect;

/// What an evaluation must know of a rule beside its policy.
#[derive(Clone, Debug)]
pub(crate) struct SliceRule {
    pub(crate) effect: RuleEffect,
    pub(crate) hold: Option<Hold>,
    /// The facts it reads, of those the kind has.
    pub(crate) facts: BTreeSet<&'static str>,
    /// Whether it calculates, and so can fail on values that are too large.
    pub(crate) arithmetic: bool,
}

/// A set of policies and the facts they read.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) policies: PolicySet,
    pub(crate) facts: BTreeSet<&'static str>,
    /// The same policies, apart by the facts they read: an unknown fact costs only those that read it.
    pub(crate) groups: Vec<Group>,
    /// The same policies one by one, each with what excludes it.
    pub(crate) singles: Vec<(Guards, PolicySet)>,
}

/// Policies that read the same facts.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) policies: PolicySet,
    pub(crate) facts: BTreeSet<&'static str>,
}

/// The policies of one kind.
#[derive(Debug)]
pub(crate) struct Slice {
    /// The permits and the forbids that block.
    pub(crate) base: Part,
    /// The forbids that hold.
    pub(crate) holding: Part,
    /// Every rule of both, by id.
    pub(crate) rules: BTreeMap<String, SliceRule>,
}

fn set(policies: &[&Checked]) -> Result<PolicySet, String> {
    PolicySet::from_policies(policies.iter().map(|p| p.policy.clone())).map_err(|error| error.to_string())
}

impl Slice {
    /// The policies among `all` whose action scope names `kind`.
    ///
    /// # Errors
    /// Cedar's message, where it refuses to hold the policies in one set.
    pub(crate) fn of(kind: Kind, all: &[Checked]) -> Result<Self, String> {
        let of_kind = || all.iter().filter(move |policy| policy.kinds.contains(&kind));
        let facts = |policy: &Checked| -> BTreeSet<&'static str> {
            policy.rule.reading.facts.iter().copied().filter(|name| FactSpec::find(kind, name).is_some()).collect()
        };
        let part = |holding: bool| -> Result<Part, String> {
            let chosen: Vec<_> = of_kind().filter(|p| (p.rule.effect() == RuleEffect::Hold) == holding).collect();
            let mut by_facts: BTreeMap<BTreeSet<&'static str>, Vec<&Checked>> = BTreeMap::new();
            for policy in &chosen {
                by_facts.entry(facts(policy)).or_default().push(policy);
            }
            let groups = by_facts.into_iter().map(|(facts, of)| Ok(Group { policies: set(&of)?, facts }));
            let single = |policy: &&Checked| {
                let json = policy.policy.to_json().unwrap_or_default();
                Ok((Guards::read(&json, policy.rule.reading.arithmetic), set(&[*policy])?))
            };
            let facts = chosen.iter().flat_map(|p| facts(p)).collect();
            let groups = groups.collect::<Result<_, String>>()?;
            let singles = chosen.iter().map(single).collect::<Result<_, String>>()?;
            Ok(Part { policies: set(&chosen)?, facts, groups, singles })
        };
        let rules = of_kind().map(|p| {
            let rule = SliceRule {
                effect: p.rule.effect(),
                hold: p.rule.hold().cloned(),
                facts: facts(p),
                arithmetic: p.rule.reading.arithmetic,
            };
            (p.rule.id().to_owned(), rule)
        });
        Ok(Self { base: part(false)?, holding: part(true)?, rules: rules.collect() })
    }

    /// The facts that its policies read.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &'static str> {
        self.base.facts.union(&self.holding.facts).copied()
    }
}

impl SliceRule {
    /// What the rule does when it is satisfied.
    pub(crate) const fn effect(&self) -> RuleEffect {
        self.effect
    }
}
