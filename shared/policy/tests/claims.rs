//! What a caller claims: readable by policies that ask for it, and never a fact.
// Helpers outside the test functions are test code too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::Arc;

use axiru_domain::{Actor, Claimed, FACTS, Fact, Kind, PolicyMode, Timestamp, Usage};
use axiru_policy::{Asked, PlanSet, decide};
use common::{movement, refunds, text};
use serde_json::{Map, Value, json};

/// Outcome and reasons of a refund of 100.00 usd of which `claimed` is claimed, as one text.
fn said(condition: &str, facts: &[(&str, Fact)], claimed: &Value) -> String {
    let policies = format!(
        "@id(\"ok\") permit(principal, action == Axiru::Action::\"refund\", resource);
         @id(\"no\") @require_approval(\"f\") forbid(principal, action == Axiru::Action::\"refund\", resource) when {{ {condition} }};"
    );
    let mut plans = PlanSet::new();
    plans.push(Arc::new(refunds(&policies).unwrap()), PolicyMode::Enforce);
    let (movement, claimed) = (movement(Kind::Refund, 10_000, facts), Claimed::from_json(claimed).unwrap());
    let at = Timestamp::from_secs(1_793_404_800).unwrap();
    let asked = Asked { movement: &movement, actor: &Actor::External, operator: None, claimed: &claimed, at };
    let decision = decide(&plans, &asked, &Usage::nothing());
    let reasons: Vec<_> = decision.verdicts()[0].reasons.iter().map(ToString::to_string).collect();
    format!("{} {}", decision.outcome(), reasons.join(" "))
}

const HOLD: &str = "require_approval policy:no";
const ALLOW: &str = "allow policy:ok";

#[test]
fn a_policy_reads_a_claim_by_its_name() {
    let urgent = "context.claimed.hasTag(\"urgent\") && context.claimed.getTag(\"urgent\") == \"true\"";
    for (claimed, expected) in [
        (json!({"urgent": true}), HOLD),
        (json!({"urgent": "true"}), HOLD),
        (json!({"urgent": false}), ALLOW),
        (json!({"Urgent": true}), ALLOW),
        (json!({"other": 1}), ALLOW),
        (json!({}), ALLOW),
    ] {
        assert_eq!(said(urgent, &[], &claimed), expected, "{claimed}");
    }
    assert_eq!(
        said(
            "context.claimed.hasTag(\"seats\") && context.claimed.getTag(\"seats\") == \"-3\"",
            &[],
            &json!({"seats": -3})
        ),
        HOLD
    );
    assert_eq!(said("!(context.claimed.hasTag(\"ticket\"))", &[], &json!({})), HOLD);
    assert_eq!(said("!(context.claimed.hasTag(\"ticket\"))", &[], &json!({"ticket": "T-7"})), ALLOW);
}

#[test]
fn a_claim_is_decided_beside_unknown_facts() {
    let both = "context has reason && context.reason == \"fraudulent\" && context.claimed.hasTag(\"urgent\") && context.claimed.getTag(\"urgent\") == \"true\"";
    assert_eq!(said(both, &[], &json!({"urgent": true})), "require_approval fact_unknown:reason");
    assert_eq!(said(both, &[], &json!({})), ALLOW);
    assert_eq!(said(both, &[], &json!({"urgent": "no"})), ALLOW);
    assert_eq!(said(both, &[("reason", text("fraudulent"))], &json!({"urgent": true})), HOLD);
    let either = "context.claimed.hasTag(\"urgent\") || (context has reason && context.reason == \"fraudulent\")";
    assert_eq!(said(either, &[], &json!({"urgent": 1})), HOLD);
    assert_eq!(said(either, &[], &json!({})), "require_approval fact_unknown:reason");
}

#[test]
fn a_claim_never_stands_for_a_fact() {
    // Every fact of a refund and every word of the context, claimed with whatever value would end the hold.
    let mut names: Vec<&str> =
        FACTS.iter().filter(|spec| spec.kinds.contains(&Kind::Refund)).map(|spec| spec.name).collect();
    names.extend(["amount_minor", "currency", "claimed", "mode", "account"]);
    for value in [json!("usd"), json!("requested_by_customer"), json!(0), json!(true), json!(false)] {
        for chunk in names.chunks(16) {
            let claimed =
                Value::Object(chunk.iter().map(|name| ((*name).to_owned(), value.clone())).collect::<Map<_, _>>());
            for name in &names[..names.len() - 5] {
                // Unknown stays unknown, absent stays absent, and what is known stays what it is.
                let unknown = said(&format!("!(context has {name})"), &[], &claimed);
                assert_eq!(unknown, format!("require_approval fact_unknown:{name}"), "{claimed}");
                assert_eq!(said(&format!("!(context has {name})"), &[(name, Fact::Absent)], &claimed), HOLD);
            }
            assert_eq!(
                said("context.currency == \"usd\" && context.amount_minor >= 10000", &[], &claimed),
                HOLD,
                "{claimed}"
            );
            assert_eq!(
                said(
                    "context has reason && context.reason == \"fraudulent\"",
                    &[("reason", text("fraudulent"))],
                    &claimed
                ),
                HOLD
            );
            assert_eq!(
                said("resource.mode == \"live\" && resource.account == \"acct_1\"", &[], &claimed),
                HOLD,
                "{claimed}"
            );
        }
    }
}

#[test]
fn a_policy_cannot_take_a_claim_for_a_fact_by_mistake() {
    let plan = |condition: &str| {
        refunds(&format!(
            "@id(\"x\") permit(principal, action == Axiru::Action::\"refund\", resource) when {{ {condition} }};"
        ))
    };
    for (condition, message) in [
        // Unguarded, and of another type than text.
        ("context.claimed.getTag(\"urgent\") == \"true\"", "unable to guarantee safety of access to tag"),
        ("context.claimed.hasTag(\"seats\") && context.claimed.getTag(\"seats\") > 3", "unexpected type"),
        ("context.claimed has urgent", "impossible"),
        ("context.claimed.urgent == \"true\"", "not found"),
        ("context.urgent == \"true\"", "`urgent` is no fact"),
        ("principal.hasTag(\"x\")", ""),
        ("resource.hasTag(\"x\")", ""),
    ] {
        let error = plan(condition).map(|plan| panic!("{condition}: {plan:?}")).unwrap_err().to_string();
        assert!(error.contains(message), "{condition}: {error}");
    }
}
