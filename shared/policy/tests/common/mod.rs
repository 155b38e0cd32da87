//! Plans and movements for the tests of this crate.
#![allow(dead_code)]

use axiru_domain::{Actor, Claimed, Decision, Fact, FactValue, Facts, Kind, Money, Movement, Timestamp, Usage};
use axiru_policy::{Asked, Plan, PlanError, PlanSet};

/// A plan for refunds with these policies.
pub(crate) fn refunds(policies: &str) -> Result<Plan, PlanError> {
    plan(r#"["refund"]"#, policies)
}

/// A plan for these kinds with these policies.
pub(crate) fn plan(kinds: &str, policies: &str) -> Result<Plan, PlanError> {
    Plan::parse(&format!(r#"{{"v":1,"name":"p","description":"d","kinds":{kinds}}}"#), policies)
}

/// A movement of a kind with these facts; the others are unknown.
pub(crate) fn movement(kind: Kind, amount_minor: i64, facts: &[(&str, Fact)]) -> Movement {
    let mut all = Facts::unknown(kind);
    for (name, fact) in facts {
        all.set(name, fact.clone()).unwrap();
    }
    Movement {
        scope: "live/acct_1".parse().unwrap(),
        kind,
        money: Money::new(amount_minor, "usd".parse().unwrap()).unwrap(),
        facts: all,
    }
}

pub(crate) fn text(value: &str) -> Fact {
    Fact::Known(FactValue::Text(value.to_owned()))
}

pub(crate) fn long(value: i64) -> Fact {
    Fact::Known(FactValue::Long(value))
}

pub(crate) fn boolean(value: bool) -> Fact {
    Fact::Known(FactValue::Bool(value))
}

/// The decision on a movement of which nothing is claimed and nothing was counted.
pub(crate) fn decide(plans: &PlanSet, movement: &Movement, actor: &Actor) -> Decision {
    let (claimed, at) = (Claimed::nothing(), Timestamp::from_secs(1_793_404_800).unwrap());
    let asked = Asked { movement, actor, operator: None, claimed: &claimed, at };
    axiru_policy::decide(plans, &asked, &Usage::nothing())
}
