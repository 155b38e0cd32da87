//! Deciding again from what an entry recorded: the same facts, readings and plan documents must give the same answer.

use std::sync::Arc;

use axiru_domain::{
    Actor, Claimed, Counters, Fact, FactValue, Facts, Kind, Money, Movement, PolicyMode, Reading, Scope, Subject, Sum,
    Timestamp, Usage,
};
use serde_json::{Map, Value};

use crate::asked::Asked;
use crate::plan::Plan;
use crate::plan_set::{PlanSet, decide};
use crate::record;

/// A recorded decision beside the one that its inputs give today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The entry's `decision`.
    pub recorded: Value,
    /// The decision on the entry's inputs, written the same way.
    pub again: Value,
    /// Whether they are equal.
    pub same: bool,
}

/// An entry that cannot be decided again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Entries of that type hold no decision.
    #[error("an entry of type `{0}` holds no decision")]
    Type(String),
    /// A field is missing or not of its form.
    #[error("the entry's field `{0}` is missing or damaged")]
    Field(&'static str),
    /// The document of a plan that was asked is not there.
    #[error("the document of plan `{plan}`, {sha256}, is missing or not what its hash says")]
    Document {
        /// The plan's name.
        plan: String,
        /// The hash of the document.
        sha256: String,
    },
}

/// The fields of an entry.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn get(self, name: &'static str) -> Result<&'a Value, ReplayError> {
        self.0.get(name).ok_or(ReplayError::Field(name))
    }

    fn text(self, name: &'static str) -> Result<&'a str, ReplayError> {
        self.get(name)?.as_str().ok_or(ReplayError::Field(name))
    }

    fn parse<T: std::str::FromStr>(self, name: &'static str) -> Result<T, ReplayError> {
        self.text(name)?.parse().map_err(|_| ReplayError::Field(name))
    }
}

/// Decides again on the fields of a `decision.made`, `execution.started` or `movement.observed` entry, with the plan documents that `documents` gives by
/// their SHA-256.
///
/// # Errors
/// [`ReplayError`] where something that the decision needs is not there. A decision that comes out otherwise is no error: see
/// [`Replayed::same`].
pub fn replay(
    fields: &Map<String, Value>,
    documents: impl Fn(&str) -> Option<Vec<u8>>,
) -> Result<Replayed, ReplayError> {
    let entry = Fields(fields);
    let ty = entry.text("type")?;
    let (at, operator, claimed): (Timestamp, _, _) = match ty {
        "decision.made" => {
            let claimed = Claimed::from_json(entry.get("claimed")?).map_err(|_| ReplayError::Field("claimed"))?;
            (entry.parse("evaluated_at")?, Some(entry.text("operator")?), claimed)
        }
        "execution.started" => {
            let claimed = Claimed::from_json(entry.get("claimed")?).map_err(|_| ReplayError::Field("claimed"))?;
            (entry.parse("evaluated_at")?, Some(entry.text("operator")?), claimed)
        }
        "movement.observed" => (entry.parse("moved_at")?, None, Claimed::nothing()),
        other => return Err(ReplayError::Type(other.to_owned())),
    };
    let kind: Kind = entry.parse("kind")?;
    let amount = entry.get("amount_minor")?.as_i64().ok_or(ReplayError::Field("amount_minor"))?;
    let movement = Movement {
        scope: Scope::new(entry.parse("mode")?, entry.parse("account")?),
        kind,
        money: Money::new(amount, entry.parse("currency")?).map_err(|_| ReplayError::Field("amount_minor"))?,
        facts: facts(kind, entry.get("facts")?).ok_or(ReplayError::Field("facts"))?,
    };
    // What people approved is decided again by Axiru, for whoever asked.
    let actor: Actor = entry.parse(if ty == "execution.started" { "asked_by" } else { "actor" })?;
    let recorded = entry.get("decision")?;
    let (plans, usage) = asked_of(recorded, at, documents)?;
    let asked = Asked { movement: &movement, actor: &actor, operator, claimed: &claimed, at };
    let again = record::decision(&decide(&plans, &asked, &usage));
    Ok(Replayed { same: again == *recorded, again, recorded: recorded.clone() })
}

/// The facts as an entry writes them.
fn facts(kind: Kind, value: &Value) -> Option<Facts> {
    let mut facts = Facts::unknown(kind);
    for (name, value) in value.as_object()? {
        let fact = match value {
            Value::Null => Fact::Absent,
            Value::Bool(value) => Fact::Known(FactValue::Bool(*value)),
            Value::String(value) => Fact::Known(FactValue::Text(value.clone())),
            other => Fact::Known(FactValue::Long(other.as_i64()?)),
        };
        facts.set(name, fact).ok()?;
    }
    Some(facts)
}

/// The plans that gave the verdicts, and what their limits read.
fn asked_of(
    recorded: &Value,
    at: Timestamp,
    documents: impl Fn(&str) -> Option<Vec<u8>>,
) -> Result<(PlanSet, Usage), ReplayError> {
    const DECISION: ReplayError = ReplayError::Field("decision");
    let (mut plans, mut usage) = (PlanSet::new(), Usage::nothing());
    for verdict in recorded.get("verdicts").and_then(Value::as_array).ok_or(DECISION)? {
        let text = |name: &str| verdict.get(name).and_then(Value::as_str).ok_or(DECISION);
        let (name, sha256) = (text("plan")?.to_owned(), text("plan_sha256")?.to_owned());
        let policy_mode = match text("policy_mode")? {
            "shadow" => PolicyMode::Shadow,
            "enforce" => PolicyMode::Enforce,
            _ => return Err(DECISION),
        };
        let document = documents(&sha256).and_then(|bytes| Plan::from_document(&bytes).ok());
        match document.filter(|plan| plan.sha256() == sha256) {
            Some(plan) => {
                for limit in verdict.get("limits").and_then(Value::as_array).into_iter().flatten() {
                    read_again(&mut usage, &plan, limit, at).ok_or(DECISION)?;
                }
                plans.push(Arc::new(plan), policy_mode);
            }
            // It could not be loaded then either.
            None if was_unusable(verdict) => plans.push_unusable(name, sha256, policy_mode),
            None => return Err(ReplayError::Document { plan: name, sha256 }),
        }
    }
    Ok((plans, usage))
}

fn was_unusable(verdict: &Value) -> bool {
    let reasons = verdict.get("reasons").and_then(Value::as_array);
    reasons.is_some_and(|reasons| reasons.iter().all(|reason| reason == "plan_unusable"))
}

/// Puts what a limit read back into the counters of its subject.
fn read_again(usage: &mut Usage, plan: &Plan, limit: &Value, at: Timestamp) -> Option<()> {
    let number = |name: &str| limit.get(name)?.as_u64();
    let subject: Subject = limit.get("subject")?.as_str()?.parse().ok()?;
    let reading = Reading {
        used: Sum { amount: number("used_amount")?, count: number("used_count")? },
        held: Sum { amount: number("held_amount")?, count: number("held_count")? },
    };
    let id = limit.get("limit")?.as_str()?;
    let mut counters: Counters = usage.get(&subject).cloned().unwrap_or_default();
    if let Some(known) = plan.limits().iter().find(|known| known.id == id) {
        counters.restore(&known.series, at, reading);
    }
    usage.insert(subject, counters);
    Some(())
}
