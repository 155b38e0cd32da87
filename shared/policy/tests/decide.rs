//! What plans say of movements.
// Helpers outside the test functions are test code too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::Arc;

use axiru_domain::{Actor, Fact, Kind, Outcome, PolicyMode, Verdict};
use axiru_policy::PlanSet;
use common::{boolean, decide, long, movement, plan, refunds, text};

const PERMIT: &str = "@id(\"ok\") permit(principal, action == Axiru::Action::\"refund\", resource);\n";

/// The verdict of a refund plan on a refund of 100.00 usd.
fn verdict(policies: &str, facts: &[(&str, Fact)]) -> Verdict {
    let mut plans = PlanSet::new();
    plans.push(Arc::new(refunds(policies).unwrap()), PolicyMode::Enforce);
    let decision = decide(&plans, &movement(Kind::Refund, 10_000, facts), &Actor::External);
    decision.verdicts()[0].clone()
}

/// Outcome and reasons as one text.
fn said(policies: &str, facts: &[(&str, Fact)]) -> String {
    let verdict = verdict(policies, facts);
    let reasons: Vec<_> = verdict.reasons.iter().map(ToString::to_string).collect();
    format!("{} {}", verdict.outcome, reasons.join(" "))
}

fn forbid(head: &str, condition: &str) -> String {
    format!("{PERMIT}{head} forbid(principal, action == Axiru::Action::\"refund\", resource) when {{ {condition} }};")
}

const HOLD: &str = "@id(\"no\") @require_approval(\"finance\")";
const BLOCK: &str = "@id(\"no\")";

#[test]
fn a_hold_never_masks_that_nothing_permits() {
    let hold = "@id(\"no\") @require_approval(\"f\") forbid(principal, action == Axiru::Action::\"refund\", resource);";
    assert_eq!(said(hold, &[]), "block nothing_permits");
    assert_eq!(said(&format!("{PERMIT}{hold}"), &[]), "require_approval policy:no");
}

#[test]
fn a_policy_that_fails_blocks() {
    // 9 * 10^15 squared is beyond 64 bits.
    let fails = "context has charge_age_days && context.charge_age_days * context.charge_age_days > 5";
    let big = [("charge_age_days", long(9_007_199_254_740_991))];
    for head in [HOLD, BLOCK] {
        assert_eq!(said(&forbid(head, fails), &big), "block evaluation_error:no");
        assert_eq!(said(&forbid(head, fails), &[("charge_age_days", long(2))]), "allow policy:ok");
        assert_eq!(said(&forbid(head, fails), &[]), "require_approval fact_unknown:charge_age_days block_possible");
    }
    let permit = format!(
        "{PERMIT}@id(\"p\") permit(principal, action == Axiru::Action::\"refund\", resource) when {{ {fails} }};"
    );
    assert_eq!(said(&permit, &big), "block evaluation_error:p");
    // Beside another permit only its failure matters, and it may fail.
    assert_eq!(said(&permit, &[]), "require_approval fact_unknown:charge_age_days block_possible");
}

#[test]
fn an_unknown_fact_never_falls_open() {
    for condition in [
        "context has reason && context.reason == \"fraudulent\"",
        "context has reason",
        "!(context has reason)",
        "!(context has reason && context.reason == \"duplicate\")",
        "if context has reason then context.reason like \"f*\" else true",
        "context has reason && [\"fraudulent\", \"x\"].contains(context.reason)",
    ] {
        assert_eq!(said(&forbid(HOLD, condition), &[]), "require_approval fact_unknown:reason", "{condition}");
        let block = "require_approval fact_unknown:reason block_possible";
        assert_eq!(said(&forbid(BLOCK, condition), &[]), block, "{condition}");
        let only = format!(
            "@id(\"p\") permit(principal, action == Axiru::Action::\"refund\", resource) when {{ {condition} }};"
        );
        assert_eq!(said(&only, &[]), block, "{condition}");
        // Beside a permit that is satisfied it does not matter.
        assert_eq!(said(&format!("{PERMIT}{only}"), &[]), "allow policy:ok", "{condition}");
    }
}

#[test]
fn an_unknown_fact_matters_only_where_it_decides() {
    let fraud = "context has reason && context.reason == \"fraudulent\"";
    let big = "context.currency == \"usd\" && context.amount_minor > 10000";
    for condition in [format!("({fraud}) && {big}"), format!("{big} && {fraud}"), format!("!(!({big})) && {fraud}")] {
        assert_eq!(said(&forbid(BLOCK, &condition), &[]), "allow policy:ok", "{condition}");
    }
    assert_eq!(said(&forbid(BLOCK, &format!("({fraud}) || !({big})")), &[]), "block policy:no");
    assert_eq!(said(&forbid(BLOCK, "context has reason || !(context has reason)"), &[]), "block policy:no");
}

#[test]
fn absent_is_not_unknown() {
    let absent = [("reason", Fact::Absent)];
    assert_eq!(said(&forbid(BLOCK, "context has reason && context.reason == \"x\""), &absent), "allow policy:ok");
    assert_eq!(said(&forbid(BLOCK, "!(context has reason)"), &absent), "block policy:no");
    assert_eq!(said(&forbid(BLOCK, "context has reason"), &[("reason", text(""))]), "block policy:no");
}

#[test]
fn many_unknown_facts_are_still_bounded_and_strict() {
    let all = "(context has reason && context.reason == \"a\") || (context has charge && context.charge == \"b\") || \
        (context has destination_type && context.destination_type == \"c\") || \
        (context has charge_age_days && context.charge_age_days > 90) || \
        (context has charge_refundable_minor && context.charge_refundable_minor < context.amount_minor) || \
        (context has charge_disputed && context.charge_disputed)";
    let verdict = verdict(&forbid(HOLD, all), &[]);
    assert_eq!((verdict.outcome, verdict.reasons.len(), verdict.holds.len()), (Outcome::RequireApproval, 6, 1));
    assert_eq!(said(&forbid(HOLD, all), &[("charge_disputed", boolean(true))]), "require_approval policy:no");
}

#[test]
fn every_hold_is_listed_with_whom_it_asks() {
    let text = format!(
        "{PERMIT}
        @id(\"a\") @require_approval(\"finance\") @quorum(\"2\") @expires(\"4h\") forbid(principal, action in Axiru::Action::\"refunds\", resource);
        @id(\"b\") @require_approval(\"risk\") forbid(principal, action in [Axiru::Action::\"refund\"], resource) when {{ context has reason }};"
    );
    let holds = |facts: &[(&str, Fact)]| -> Vec<_> {
        verdict(&text, facts).holds.into_iter().map(|h| (h.policy, h.group, h.quorum, h.expires_secs)).collect()
    };
    let a = ("a".to_owned(), "finance".to_owned(), 2, 14_400);
    let b = ("b".to_owned(), "risk".to_owned(), 1, 86_400);
    assert_eq!(holds(&[("reason", Fact::Absent)]), std::slice::from_ref(&a));
    assert_eq!(holds(&[("reason", common::text("x"))]), [a.clone(), b.clone()]);
    assert_eq!(holds(&[]), [a, b]);
}

#[test]
fn principals_and_accounts_are_told_apart() {
    let plan = Arc::new(
        refunds(
            "@id(\"agent\") permit(principal is Axiru::Agent, action == Axiru::Action::\"refund\", resource);
             @id(\"jo\") permit(principal == Axiru::Staff::\"jo\", action == Axiru::Action::\"refund\", resource == Axiru::Account::\"live/acct_1\");
             @id(\"ext\") permit(principal is Axiru::External, action == Axiru::Action::\"refund\", resource) when { resource.mode == \"live\" && resource.account == \"acct_1\" };
             @id(\"str\") permit(principal == Axiru::Stripe::\"stripe\", action == Axiru::Action::\"refund\", resource);",
        )
        .unwrap(),
    );
    let mut plans = PlanSet::new();
    plans.push(plan, PolicyMode::Shadow);
    for (actor, reason) in [
        ("agent:a", "policy:agent"),
        ("staff:jo", "policy:jo"),
        ("staff:al", "nothing_permits"),
        ("external", "policy:ext"),
        ("stripe", "policy:str"),
        ("operator:op", "plan_unusable"),
        ("axiru", "plan_unusable"),
    ] {
        let decision = decide(&plans, &movement(Kind::Refund, 1, &[]), &actor.parse().unwrap());
        let reasons: Vec<_> = decision.verdicts()[0].reasons.iter().map(ToString::to_string).collect();
        assert_eq!(reasons, [reason], "{actor}");
        assert_eq!(decision.outcome(), Outcome::Allow);
    }
}

#[test]
fn a_plan_speaks_only_of_what_it_covers() {
    let mut plans = PlanSet::new();
    plans.push(Arc::new(refunds(PERMIT).unwrap()), PolicyMode::Enforce);
    let payout = movement(Kind::Payout, 1, &[]);
    assert_eq!(decide(&plans, &payout, &Actor::External).verdicts(), []);
    plans.push_unusable("broken".into(), "0".repeat(64), PolicyMode::Enforce);
    let decision = decide(&plans, &payout, &Actor::External);
    assert_eq!((decision.verdicts().len(), decision.outcome()), (1, Outcome::Block));
    let open = plan(
        r#"["payout","refund","transfer","transfer_reversal","dispute_accept","dispute_submit"]"#,
        "@id(\"a\") permit(principal, action, resource);",
    );
    plans.push(Arc::new(open.unwrap()), PolicyMode::Shadow);
    assert_eq!(decide(&plans, &payout, &Actor::External).verdicts().len(), 2);
}

#[test]
fn facts_of_another_kind_block() {
    let mut plans = PlanSet::new();
    plans.push(Arc::new(refunds(PERMIT).unwrap()), PolicyMode::Enforce);
    let mut refund = movement(Kind::Refund, 1, &[]);
    refund.facts = axiru_domain::Facts::unknown(Kind::Payout);
    assert_eq!(decide(&plans, &refund, &Actor::External).outcome(), Outcome::Block);
}

#[test]
fn the_facts_that_plans_read_are_known_beforehand() {
    let mut plans = PlanSet::new();
    plans.push(
        Arc::new(refunds(&forbid(HOLD, "context has charge_age_days && context.charge_age_days > 90")).unwrap()),
        PolicyMode::Shadow,
    );
    assert_eq!(plans.facts_read(Kind::Refund).into_iter().collect::<Vec<_>>(), ["charge_age_days"]);
    assert!(plans.facts_read(Kind::Payout).is_empty());
}
