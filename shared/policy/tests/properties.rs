//! What holds for every plan: unknown facts and holding rules never soften an outcome.
// Helpers outside the test functions are test code too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::Arc;

use axiru_domain::{Actor, Fact, Kind, Outcome, PolicyMode, Reason, Verdict};
use axiru_policy::{Plan, PlanSet};
use common::{boolean, decide, long, movement, refunds, text};
use proptest::prelude::*;

/// Conditions over three facts of a refund, in every shape that strict validation lets through.
fn condition() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "context has reason",
        "context has reason && context.reason == \"a\"",
        "context has charge_disputed && context.charge_disputed",
        "context has charge_age_days",
        "context has charge_age_days && context.charge_age_days > 30",
        "context has charge_age_days && context.charge_age_days * 1048576 * 1048576 > 30",
        "context.currency == \"usd\" && context.amount_minor > 50",
        "principal is Axiru::Agent",
        "true",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(({a}) && ({b}))")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(({a}) || ({b}))")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("(if ({a}) then ({b}) else ({c}))")),
        ]
    })
}

/// A policy of one of the three effects.
fn policy(effect: u8, id: usize, condition: &str) -> String {
    let head = match effect % 3 {
        0 => format!("@id(\"p{id}\") permit"),
        1 => format!("@id(\"p{id}\") forbid"),
        _ => format!("@id(\"p{id}\") @require_approval(\"f\") forbid"),
    };
    format!("{head}(principal, action == Axiru::Action::\"refund\", resource) when {{ {condition} }};\n")
}

fn policies() -> impl Strategy<Value = Vec<String>> {
    let one = (0..3_u8, condition());
    prop::collection::vec(one, 1..5)
        .prop_map(|all| all.iter().enumerate().map(|(i, (effect, condition))| policy(*effect, i, condition)).collect())
}

/// Every value that matters for the three facts; the last one of age overflows.
fn values(name: &str) -> Vec<Fact> {
    match name {
        "reason" => vec![Fact::Absent, text("a"), text("b")],
        "charge_disputed" => vec![Fact::Absent, boolean(true), boolean(false)],
        _ => vec![Fact::Absent, long(0), long(31), long(9_007_199_254_740_991)],
    }
}

const NAMES: [&str; 3] = ["reason", "charge_disputed", "charge_age_days"];

/// The facts with every unknown one replaced by each of its values in turn.
fn assignments(facts: &[Fact]) -> Vec<Vec<Fact>> {
    NAMES.iter().zip(facts).fold(vec![vec![]], |all, (name, fact)| {
        let choices = if *fact == Fact::Unknown { values(name) } else { vec![fact.clone()] };
        let with =
            |chosen: &Vec<Fact>| choices.iter().map(|c| [chosen.clone(), vec![c.clone()]].concat()).collect::<Vec<_>>();
        all.iter().flat_map(with).collect()
    })
}

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let one = |name: &'static str| {
        let mut choices = values(name);
        choices.extend([Fact::Unknown, Fact::Unknown, Fact::Unknown]);
        prop::sample::select(choices)
    };
    (one(NAMES[0]), one(NAMES[1]), one(NAMES[2])).prop_map(|(a, b, c)| vec![a, b, c])
}

fn verdict(plan: &Arc<Plan>, facts: &[Fact]) -> Verdict {
    let mut plans = PlanSet::new();
    plans.push(Arc::clone(plan), PolicyMode::Enforce);
    let named: Vec<_> = NAMES.iter().copied().zip(facts.iter().cloned()).collect();
    decide(&plans, &movement(Kind::Refund, 100, &named), &Actor::External).verdicts()[0].clone()
}

/// The plan, or nothing where strict validation refuses the generated text (a condition that is always false).
fn plan(policies: &[String]) -> Option<Arc<Plan>> {
    refunds(&policies.concat()).ok().map(Arc::new)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn with_unknown_facts_a_verdict_speaks_for_every_assignment(policies in policies(), facts in facts()) {
        let Some(plan) = plan(&policies) else { return Ok(()) };
        let with_unknown = verdict(&plan, &facts);
        let in_doubt = with_unknown.reasons.iter().any(|reason| matches!(reason, Reason::FactUnknown(_)));
        for assignment in assignments(&facts) {
            let known = verdict(&plan, &assignment);
            if with_unknown.outcome == Outcome::Allow || with_unknown.outcome == Outcome::Block || !in_doubt {
                prop_assert_eq!(with_unknown.outcome, known.outcome, "{:?} {:?}", policies, assignment);
            }
            // Block is announced before it happens.
            if with_unknown.outcome == Outcome::RequireApproval && known.outcome == Outcome::Block {
                prop_assert!(with_unknown.reasons.contains(&Reason::BlockPossible), "{:?} {:?}", policies, assignment);
            }
            // Nobody is left out who would have been asked.
            if with_unknown.outcome == Outcome::RequireApproval {
                prop_assert!(known.holds.is_subset(&with_unknown.holds), "{:?} {:?}", policies, assignment);
            }
        }
        prop_assert_eq!(in_doubt || with_unknown.outcome != Outcome::RequireApproval || !with_unknown.holds.is_empty(), true);
    }

    #[test]
    fn adding_a_holding_rule_never_softens(policies in policies(), condition in condition(), facts in facts()) {
        let Some(before) = plan(&policies) else { return Ok(()) };
        let Some(after) = plan(&[policies, vec![policy(2, 99, &condition)]].concat()) else { return Ok(()) };
        prop_assert!(verdict(&after, &facts).outcome >= verdict(&before, &facts).outcome);
    }

    #[test]
    fn a_failure_never_allows(policies in policies(), facts in facts()) {
        let fails = policy(2, 98, "context has charge_age_days && context.charge_age_days * 1048576 * 1048576 > 30");
        let Some(plan) = plan(&[policies, vec![fails]].concat()) else { return Ok(()) };
        let with = [facts[0].clone(), facts[1].clone(), long(9_007_199_254_740_991)];
        prop_assert_eq!(verdict(&plan, &with).outcome, Outcome::Block);
    }

    #[test]
    fn unknown_is_never_softer_than_absent_for_a_forbid(condition in condition(), effect in 1..3_u8) {
        let permit = "@id(\"ok\") permit(principal, action == Axiru::Action::\"refund\", resource);\n".to_owned();
        let Some(plan) = plan(&[permit, policy(effect, 1, &condition)]) else { return Ok(()) };
        let unknown = verdict(&plan, &[Fact::Unknown, Fact::Unknown, Fact::Unknown]).outcome;
        let absent = verdict(&plan, &[Fact::Absent, Fact::Absent, Fact::Absent]).outcome;
        prop_assert!(unknown >= absent.min(Outcome::RequireApproval));
    }
}
