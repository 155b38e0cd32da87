//! Facts and decisions as entries write them: `docs/ledger-format.md`.

use axiru_domain::{Decision, Fact, FactValue, Facts, LimitReading, Verdict};
use serde_json::{Map, Value, json};

/// Known facts with their values, absent ones as null; unknown ones are left out.
#[must_use]
pub fn facts(facts: &Facts) -> Value {
    let mut map = Map::new();
    for (name, fact) in facts.iter() {
        let value = match fact {
            Fact::Unknown => continue,
            Fact::Absent => Value::Null,
            Fact::Known(FactValue::Bool(value)) => Value::from(*value),
            Fact::Known(FactValue::Long(value)) => Value::from(*value),
            Fact::Known(FactValue::Text(value)) => Value::from(value.as_str()),
        };
        map.insert(name.to_owned(), value);
    }
    Value::Object(map)
}

/// A decision with all its verdicts.
#[must_use]
pub fn decision(decision: &Decision) -> Value {
    json!({
        "outcome": decision.outcome().as_str(),
        "would_be": decision.would_be().as_str(),
        "verdicts": decision.verdicts().iter().map(verdict).collect::<Vec<_>>(),
    })
}

fn verdict(verdict: &Verdict) -> Value {
    let holds = verdict.holds.iter().map(|hold| {
        json!({"policy": hold.policy, "group": hold.group, "quorum": hold.quorum, "expires_secs": hold.expires_secs})
    });
    let mut value = json!({
        "plan": verdict.plan,
        "plan_sha256": verdict.plan_sha256,
        "policy_mode": verdict.policy_mode.as_str(),
        "outcome": verdict.outcome.as_str(),
        "reasons": verdict.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "holds": holds.collect::<Vec<_>>(),
    });
    if let (Some(fields), false) = (value.as_object_mut(), verdict.limits.is_empty()) {
        fields.insert("limits".to_owned(), verdict.limits.iter().map(limit).collect());
    }
    value
}

fn limit(limit: &LimitReading) -> Value {
    json!({
        "limit": limit.limit,
        "subject": limit.subject.key(),
        "used_amount": limit.reading.used.amount,
        "used_count": limit.reading.used.count,
        "held_amount": limit.reading.held.amount,
        "held_count": limit.reading.held.count,
        "max_amount": limit.max_amount,
        "max_count": limit.max_count,
        "passed": limit.passed,
    })
}
