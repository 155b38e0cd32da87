//! Which policies of a set are satisfied, which fail, and which cannot be told for want of a fact.
//!
//! An unknown fact may turn out to have a value or to be absent. Cedar's partial evaluation knows only the first: an
//! attribute with an unknown value makes `has` true. So policies are evaluated in every *world*: each of the unknown facts they
//! read either absent or present with an unknown value. Policies that read the same facts are evaluated together. What holds in all worlds holds; everything else is undecided.

use std::collections::BTreeSet;

use cedar_policy::{Authorizer, PolicyId, PolicySet};

use crate::question::{Question, QuestionError};
use crate::residual;
use crate::slice::{Group, Part, Slice};

/// Most unknown facts of one policy whose worlds are evaluated: 2^6 = 64 evaluations of the policies that read the same facts.
/// Past the bound such a policy counts as undecided, which is strict and still right.
const MAX_UNKNOWN: usize = 6;

/// The state of a set's policies for one movement. A policy in none of the three is not satisfied.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Satisfied whatever the unknown facts are.
    pub(crate) satisfied: BTreeSet<String>,
    /// Failing whatever the unknown facts are.
    pub(crate) failed: BTreeSet<String>,
    /// Dependent on an unknown fact.
    pub(crate) undecided: BTreeSet<String>,
}

fn name(id: &PolicyId) -> String {
    let id: &str = id.as_ref();
    id.to_owned()
}

impl Tally {
    /// Evaluates one part of a slice.
    pub(crate) fn of(part: &Part, slice: &Slice, question: &Question<'_>) -> Result<Self, QuestionError> {
        Self::bounded(part, slice, question, MAX_UNKNOWN)
    }

    fn bounded(part: &Part, slice: &Slice, question: &Question<'_>, bound: usize) -> Result<Self, QuestionError> {
        if question.unknown(&part.facts).is_empty() {
            return Ok(Self::guarded(part, question));
        }
        let mut all = Self::default();
        for group in &part.groups {
            let unknown = question.unknown(&group.facts);
            let tally = if unknown.is_empty() {
                Self::known(&group.policies, question)
            } else if unknown.len() > bound {
                Self::past_the_bound(group)
            } else {
                Self::worlds(group, slice, question, &unknown)?
            };
            all.satisfied.extend(tally.satisfied);
            all.failed.extend(tally.failed);
            all.undecided.extend(tally.undecided);
        }
        Ok(all)
    }

    /// What holds in every world.
    fn worlds(
        group: &Group,
        slice: &Slice,
        question: &Question<'_>,
        unknown: &[&'static str],
    ) -> Result<Self, QuestionError> {
        let worlds = 0..1_u32 << unknown.len();
        let tallies = worlds.map(|world| {
            let present = unknown.iter().enumerate().filter(|(i, _)| world >> i & 1 == 1).map(|(_, name)| *name);
            Self::world(group, slice, question, &present.collect::<Vec<_>>())
        });
        tallies.reduce(|a, b| Ok(a?.or(b?))).unwrap_or_else(|| Ok(Self::default()))
    }

    /// No unknown fact is read: the policies that are not excluded, one by one while they are few.
    fn guarded(part: &Part, question: &Question<'_>) -> Self {
        let movement = question.asked().movement;
        let left: Vec<_> = part.singles.iter().filter(|(guards, _)| !guards.exclude(movement)).collect();
        if left.len() > part.singles.len() / 2 {
            return Self::known(&part.policies, question);
        }
        let mut all = Self::default();
        for (_, policy) in left {
            let tally = Self::known(policy, question);
            all.satisfied.extend(tally.satisfied);
            all.failed.extend(tally.failed);
        }
        all
    }

    /// No unknown fact is read: Cedar's ordinary evaluation.
    fn known(policies: &PolicySet, question: &Question<'_>) -> Self {
        let response = Authorizer::new().is_authorized(question.known(), policies, question.entities());
        let diagnostics = response.diagnostics();
        Self {
            satisfied: diagnostics.reason().map(name).collect(),
            failed: diagnostics
                .errors()
                .map(|cedar_policy::AuthorizationError::PolicyEvaluationError(error)| name(error.policy_id()))
                .collect(),
            undecided: BTreeSet::new(),
        }
    }

    /// Cedar's partial evaluation in one world.
    fn world(
        group: &Group,
        slice: &Slice,
        question: &Question<'_>,
        present: &[&'static str],
    ) -> Result<Self, QuestionError> {
        let request = question.world(present)?;
        let response = Authorizer::new().is_authorized_partial(&request, &group.policies, question.entities());
        let mut tally = Self {
            satisfied: response.definitely_satisfied().map(|policy| name(policy.id())).collect(),
            failed: response.definitely_errored().map(name).collect(),
            undecided: BTreeSet::new(),
        };
        for policy in response.nontrivial_residuals() {
            let id = name(policy.id());
            // Only a policy that cannot fail may be settled.
            let cannot_fail = slice.rules.get(&id).is_some_and(|rule| !rule.arithmetic);
            match if cannot_fail { residual::settle(&policy) } else { None } {
                Some(true) => tally.satisfied.insert(id),
                Some(false) => false,
                None => tally.undecided.insert(id),
            };
        }
        Ok(tally)
    }

    /// What can be said of either of two worlds.
    fn or(self, other: Self) -> Self {
        let satisfied: BTreeSet<_> = self.satisfied.intersection(&other.satisfied).cloned().collect();
        let failed: BTreeSet<_> = self.failed.intersection(&other.failed).cloned().collect();
        let seen = [self.satisfied, self.failed, self.undecided, other.satisfied, other.failed, other.undecided];
        let undecided =
            seen.into_iter().flatten().filter(|id| !satisfied.contains(id) && !failed.contains(id)).collect();
        Self { satisfied, failed, undecided }
    }

    /// Too many unknown facts: every policy that reads them is undecided.
    fn past_the_bound(group: &Group) -> Self {
        Self { undecided: group.policies.policies().map(|policy| name(policy.id())).collect(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use axiru_domain::{Actor, Claimed, Facts, Kind, Money, Movement, Timestamp};

    use super::*;
    use crate::asked::Asked;
    use crate::document::Document;
    use crate::{check, slice::Slice};

    #[test]
    fn past_the_bound_every_reader_of_an_unknown_fact_is_undecided() {
        let policies = "
            @id(\"plain\") permit(principal, action == Axiru::Action::\"refund\", resource);
            @id(\"always\") permit(principal, action == Axiru::Action::\"refund\", resource) when { context has reason || !(context has reason) };
            @id(\"reads\") forbid(principal, action == Axiru::Action::\"refund\", resource) when { context has charge };";
        let head = r#"{"v":1,"name":"p","description":"d","kinds":["refund"]}"#;
        let document = Document::from_parts(head, policies).unwrap();
        let slice = Slice::of(Kind::Refund, &check::policies(&document, "policies.cedar").unwrap()).unwrap();
        let movement = Movement {
            scope: "test/acct_1".parse().unwrap(),
            kind: Kind::Refund,
            money: Money::new(1, "usd".parse().unwrap()).unwrap(),
            facts: Facts::unknown(Kind::Refund),
        };
        let (claimed, at) = (Claimed::nothing(), Timestamp::from_secs(0).unwrap());
        let asked = Asked { movement: &movement, actor: &Actor::External, operator: None, claimed: &claimed, at };
        let question = Question::new(&asked).unwrap();
        for (bound, satisfied, undecided) in
            [(MAX_UNKNOWN, vec!["always", "plain"], vec!["reads"]), (0, vec!["plain"], vec!["always", "reads"])]
        {
            let tally = Tally::bounded(&slice.base, &slice, &question, bound).unwrap();
            assert_eq!(tally.satisfied.into_iter().collect::<Vec<_>>(), satisfied);
            assert_eq!(tally.undecided.into_iter().collect::<Vec<_>>(), undecided);
        }
    }

    #[test]
    fn what_guards_pass_over_would_not_have_been_satisfied() {
        use axiru_domain::{Fact, FactValue};
        let leaves = [
            "context.currency == \"usd\"",
            "context.currency == \"eur\"",
            "context.amount_minor > 100",
            "context.amount_minor > 99",
            "context has reason && context.reason == \"a\"",
            "context has charge_disputed && context.charge_disputed == false",
            "context has charge_age_days && context.charge_age_days == 3",
            "!(context.currency == \"usd\")",
            "(context.currency == \"eur\" || context.amount_minor > 5)",
            "(if context.currency == \"eur\" then context.amount_minor > 500 else context.amount_minor > 5)",
            "\"usd\" == context.currency",
            "context has charge_age_days && context.charge_age_days * 1048576 * 1048576 > 30",
        ];
        let mut text = String::new();
        for (i, a) in leaves.iter().enumerate() {
            for (j, b) in leaves.iter().enumerate() {
                for (k, clause) in
                    ["when { A && B }", "when { B } when { A }", "when { A } unless { B }", "unless { A && B }"]
                        .iter()
                        .enumerate()
                {
                    let clause = clause
                        .replace('A', "(a)")
                        .replace('B', "(b)")
                        .replace("(a)", &format!("({a})"))
                        .replace("(b)", &format!("({b})"));
                    text.push_str(&format!("@id(\"r{i}-{j}-{k}\") permit(principal, action == Axiru::Action::\"refund\", resource) {clause};\n"));
                }
            }
        }
        // Too many for one plan, and some can never be satisfied: each is checked alone.
        let mut excluded = 0;
        for policy in text.lines() {
            let head = r#"{"v":1,"name":"p","description":"d","kinds":["refund"]}"#;
            let Ok(checked) = check::policies(&Document::from_parts(head, policy).unwrap(), "policies.cedar") else {
                continue;
            };
            let slice = Slice::of(Kind::Refund, &checked).unwrap();
            for (amount, reason, age) in [(100, "a", 3), (101, "b", 3), (6, "a", 9_007_199_254_740_991), (501, "b", 4)]
            {
                let mut facts = Facts::unknown(Kind::Refund);
                facts.set("reason", Fact::Known(FactValue::Text(reason.into()))).unwrap();
                facts
                    .set("charge_age_days", if age == 4 { Fact::Absent } else { Fact::Known(FactValue::Long(age)) })
                    .unwrap();
                facts.set("charge_disputed", Fact::Known(FactValue::Bool(age == 3))).unwrap();
                let movement = Movement {
                    scope: "test/acct_1".parse().unwrap(),
                    kind: Kind::Refund,
                    money: Money::new(amount, if age == 4 { "eur" } else { "usd" }.parse().unwrap()).unwrap(),
                    facts,
                };
                let (claimed, at) = (Claimed::nothing(), Timestamp::from_secs(0).unwrap());
                let asked =
                    Asked { movement: &movement, actor: &Actor::External, operator: None, claimed: &claimed, at };
                let question = Question::new(&asked).unwrap();
                if slice.base.singles[0].0.exclude(&movement) {
                    excluded += 1;
                    let whole = Tally::known(&slice.base.policies, &question);
                    assert!(whole.satisfied.is_empty() && whole.failed.is_empty(), "{policy} {movement:?}");
                }
            }
        }
        assert!(excluded > 300, "{excluded}");
    }

    #[test]
    fn no_starter_policy_is_past_the_bound_with_every_fact_unknown() {
        for (plan, policies) in crate::starter::texts() {
            let document = Document::from_parts(plan, policies).unwrap();
            for policy in check::policies(&document, "policies.cedar").unwrap() {
                // 4 worlds at most: what a decision costs where nothing is known.
                assert!(policy.rule.reading.facts.len() <= 2, "{}", policy.rule.id());
            }
        }
    }
}
