//! A decision is decided again from its entry alone, and any other input shows.
use std::sync::Arc;

use axiru_domain::{
    Actor, Claimed, Counters, Fact, FactValue, Facts, Kind, LogId, Money, Movement, PolicyMode, Stage, Timestamp, Usage,
};
use axiru_ledger::entry::{Draft, Entry, Tip};
use axiru_ledger::types::EntryType;
use axiru_policy::{Asked, CountedFor, Plan, PlanSet, ReplayError, decide, record, replay};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn text(value: &str) -> Fact {
    Fact::Known(FactValue::Text(value.to_owned()))
}

fn long(value: i64) -> Fact {
    Fact::Known(FactValue::Long(value))
}

fn boolean(value: bool) -> Fact {
    Fact::Known(FactValue::Bool(value))
}

const HEAD: &str = r#"{"v":1,"name":"p","description":"d","kinds":["refund"],"limits":[
  {"id":"day","per":"account","kinds":["refund"],"currency":"usd","window":{"calendar":"day","zone":"Europe/Berlin"},"max_amount":10000,"on_exceed":"block"},
  {"id":"mine","per":"actor","kinds":["refund"],"currency":"usd","window":{"rolling":"24h"},"max_count":3,"on_exceed":"require_approval","approvers":"finance"},
  {"id":"theirs","per":"customer","kinds":["refund"],"currency":"usd","window":{"rolling":"7d"},"max_amount":5000,"on_exceed":"block"},
  {"id":"oper","per":"operator","kinds":["refund"],"currency":"usd","window":{"calendar":"day","zone":"UTC"},"max_amount":20000,"on_exceed":"block"}]}"#;

const POLICIES: &str = r#"
@id("ok") permit(principal, action == Axiru::Action::"refund", resource);
@id("old") @require_approval("finance") forbid(principal, action == Axiru::Action::"refund", resource) when { context has charge_age_days && context.charge_age_days > 90 };
@id("disputed") forbid(principal, action == Axiru::Action::"refund", resource) when { context has charge_disputed && context.charge_disputed };
@id("urgent") @require_approval("finance") forbid(principal, action == Axiru::Action::"refund", resource) when { context.claimed.hasTag("urgent") && context.claimed.getTag("urgent") == "true" };"#;

fn plan() -> Arc<Plan> {
    Arc::new(Plan::parse(HEAD, POLICIES).unwrap())
}

/// What a decision was made of.
#[derive(Clone, Debug)]
struct Inputs {
    facts: Vec<(&'static str, Fact)>,
    amount: i64,
    actor: &'static str,
    claimed: Value,
    counted: Vec<(i64, bool)>,
    unread: bool,
    enforce: bool,
}

fn at() -> Timestamp {
    "2026-10-25T00:30:00.000Z".parse().unwrap()
}

/// The entry of the decision on these inputs: a real one, of the form that the ledger allows.
fn entry(inputs: &Inputs, ty: EntryType) -> Entry {
    let mut facts = Facts::unknown(Kind::Refund);
    for (name, fact) in &inputs.facts {
        facts.set(name, fact.clone()).unwrap();
    }
    let movement = Movement {
        scope: "live/acct_1".parse().unwrap(),
        kind: Kind::Refund,
        money: Money::new(inputs.amount, "usd".parse().unwrap()).unwrap(),
        facts,
    };
    let actor: Actor = inputs.actor.parse().unwrap();
    let made = ty == EntryType::DecisionMade;
    let claimed = if made { Claimed::from_json(&inputs.claimed).unwrap() } else { Claimed::nothing() };
    let asked =
        Asked { movement: &movement, actor: &actor, operator: made.then_some("per_1"), claimed: &claimed, at: at() };
    let mut plans = PlanSet::new();
    plans.push(plan(), if inputs.enforce { PolicyMode::Enforce } else { PolicyMode::Shadow });
    let mut usage = Usage::nothing();
    for (who, series) in plans.series_for(&asked) {
        let CountedFor::Subject(subject) = who else { continue };
        let mut counters: Counters = usage.get(&subject).cloned().unwrap_or_default();
        for (amount, held) in &inputs.counted {
            counters.take(&series, at(), *amount, if *held { Stage::Held } else { Stage::Committed });
        }
        if !(inputs.unread && subject.key().starts_with("actor")) {
            usage.insert(subject, counters);
        }
    }
    let decision = record::decision(&decide(&plans, &asked, &usage));
    let shared = json!({"kind": "refund", "amount_minor": inputs.amount, "currency": "usd",
        "facts": record::facts(&movement.facts), "decision": decision});
    let own = if made {
        json!({"request": format!("dec_{}", "0".repeat(32)), "key": "abcdefghijkl", "operator": "per_1", "digest": "0".repeat(64),
            "objects": {"charge": "ch_1"}, "execute": false, "claimed": claimed.to_json(), "evaluated_at": at().to_string(),
            "status": "pending", "open_until": null})
    } else {
        json!({"object": "re_1", "ordinal": 0, "status": "succeeded", "moved_at": at().to_string(), "event": "evt_1",
            "event_type": "refund.created", "event_at": at().to_string(), "stripe_request": null})
    };
    let fields: Map<_, _> = [shared, own].iter().flat_map(|part| part.as_object().unwrap().clone()).collect();
    let draft = Draft { log: LogId::from_key("live#acct_1#0").unwrap(), actor, ty, fields };
    draft.at_tip(&Tip::EMPTY, at()).unwrap()
}

fn again(fields: &Map<String, Value>) -> Result<bool, ReplayError> {
    let plan = plan();
    let documents = |sha256: &str| (sha256 == plan.sha256()).then(|| plan.document().to_vec());
    replay(fields, documents).map(|replayed| {
        assert_eq!(replayed.same, replayed.recorded == replayed.again);
        replayed.same
    })
}

fn plain() -> Inputs {
    Inputs {
        facts: vec![
            ("charge_age_days", long(3)),
            ("charge_disputed", boolean(false)),
            ("customer", text("cus_1")),
            ("reason", Fact::Absent),
        ],
        amount: 2_000,
        actor: "agent:ag_1",
        claimed: json!({"urgent": true, "ticket": "T-7"}),
        counted: vec![(1_000, true), (1_500, false)],
        unread: false,
        enforce: true,
    }
}

/// The fields with the value at a path replaced.
fn altered(fields: &Map<String, Value>, path: &str, value: Value) -> Map<String, Value> {
    let mut all = Value::Object(fields.clone());
    *all.pointer_mut(path).unwrap_or_else(|| panic!("no {path}")) = value;
    all.as_object().unwrap().clone()
}

#[test]
fn every_other_input_shows() {
    let entry = entry(&plain(), EntryType::DecisionMade);
    let fields = entry.fields();
    assert_eq!(again(fields), Ok(true));
    for (path, value) in [
        ("/facts/charge_age_days", json!(91)),
        ("/facts/charge_disputed", json!(true)),
        ("/facts/customer", json!("cus_2")),
        ("/facts/customer", Value::Null),
        ("/claimed/urgent", json!(false)),
        ("/amount_minor", json!(9_000)),
        ("/currency", json!("eur")),
        ("/actor", json!("agent:ag_2")),
        ("/actor", json!("external")),
        ("/operator", json!("per_2")),
        ("/decision/outcome", json!("allow")),
        ("/decision/verdicts/0/reasons", json!([])),
        ("/decision/verdicts/0/holds/0/quorum", json!(2)),
        ("/decision/verdicts/0/policy_mode", json!("shadow")),
        ("/decision/verdicts/0/limits/0/max_amount", json!(1)),
        ("/decision/verdicts/0/limits/0/passed", json!(true)),
        ("/decision/verdicts/0/limits/0/used_amount", json!(9_999)),
        ("/decision/verdicts/0/limits/0/subject", json!("actor#agent:ag_9")),
        ("/decision/verdicts/0/limits/0/limit", json!("other")),
        ("/decision/verdicts/0/limits", json!([])),
    ] {
        assert_eq!(again(&altered(fields, path, value)), Ok(false), "{path}");
    }
}

#[test]
fn damaged_entries_are_refused() {
    let entry = entry(&plain(), EntryType::DecisionMade);
    let fields = entry.fields();
    for name in [
        "type",
        "kind",
        "amount_minor",
        "currency",
        "actor",
        "operator",
        "mode",
        "account",
        "facts",
        "claimed",
        "evaluated_at",
        "decision",
    ] {
        let mut less = fields.clone();
        less.remove(name);
        assert_eq!(again(&less), Err(ReplayError::Field(name)), "{name}");
        assert!(again(&altered(fields, &format!("/{name}"), json!([{}]))).is_err(), "{name}");
    }
    let other = altered(fields, "/type", json!("movement.changed"));
    assert_eq!(again(&other), Err(ReplayError::Type("movement.changed".into())));
    assert_eq!(again(&altered(fields, "/facts", json!({"colour": "red"}))), Err(ReplayError::Field("facts")));
    assert!(matches!(replay(fields, |_| None), Err(ReplayError::Document { .. })));
    let refunds = Plan::parse(r#"{"v":1,"name":"p","description":"d","kinds":["refund"]}"#, POLICIES).unwrap();
    assert!(matches!(replay(fields, |_| Some(refunds.document().to_vec())), Err(ReplayError::Document { .. })));
}

#[test]
fn a_plan_that_was_unusable_is_unusable_again() {
    let mut fields = entry(&plain(), EntryType::MovementObserved).fields().clone();
    let verdict = json!({"plan": "p", "plan_sha256": "1".repeat(64), "policy_mode": "enforce", "outcome": "block",
        "reasons": ["plan_unusable"], "holds": []});
    fields.insert("decision".into(), json!({"outcome": "block", "would_be": "block", "verdicts": [verdict]}));
    assert_eq!(again(&fields), Ok(true));
}

fn fact(values: Vec<Fact>) -> impl Strategy<Value = Fact> {
    prop::sample::select([values, vec![Fact::Unknown, Fact::Absent]].concat())
}

proptest! {
    #[test]
    fn every_decision_comes_out_the_same(
        age in fact(vec![long(3), long(91)]), disputed in fact(vec![boolean(true), boolean(false)]),
        customer in fact(vec![text("cus_1")]), amount in 1..12_000_i64,
        actor in prop::sample::select(vec!["agent:ag_1", "staff:st_1", "external", "stripe"]),
        urgent: bool, counted in prop::collection::vec((1..4_000_i64, any::<bool>()), 0..5), unread: bool, enforce: bool, made: bool,
    ) {
        let facts = vec![("charge_age_days", age), ("charge_disputed", disputed), ("customer", customer)];
        let inputs = Inputs { facts, amount, actor, claimed: json!({"urgent": urgent}), counted, unread, enforce };
        let ty = if made { EntryType::DecisionMade } else { EntryType::MovementObserved };
        prop_assert_eq!(again(entry(&inputs, ty).fields()), Ok(true));
    }
}
