//! On which terms people are asked: fixed with the decision that holds, in the same transaction.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{
    Approval, AskedGroup, Decision, FactValue, Facts, Money, Outcome, PersonId, PolicyMode, Reason, RequestId,
    Timestamp, Verdict,
};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use axiru_policy::{PlanSet, record};
use serde_json::{Map, Value, json};

use super::LinkCaps;
use crate::groups::{FALLBACK, Group};

/// How many must approve where neither the plan nor the group says.
const QUORUM: u32 = 1;

/// How long they have where neither the plan nor the group says, in seconds: a day.
const EXPIRES_SECS: u32 = 86_400;

/// What one rule asks of one group: how many and how long, where it says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    group: String,
    quorum: Option<u32>,
    expires_secs: Option<u32>,
}

/// The verdicts that hold.
fn holding(decision: &Decision) -> impl Iterator<Item = &Verdict> {
    let enforced = |verdict: &&Verdict| verdict.policy_mode == PolicyMode::Enforce;
    decision.verdicts().iter().filter(enforced).filter(|verdict| verdict.outcome == Outcome::RequireApproval)
}

/// What is asked of whom. A verdict that names nobody (an unknown fact could make it a block) asks everybody whom its plan ever asks.
fn wanted(decision: &Decision, plans: &PlanSet) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for verdict in holding(decision) {
        let demands = plans.demands_of(&verdict.plan);
        let asked = demands.iter().filter(|demand| {
            let named = verdict.holds.iter().any(|hold| hold.policy == demand.rule && hold.group == demand.group);
            named || verdict.holds.is_empty()
        });
        let before = wanted.len();
        wanted.extend(asked.map(|demand| Wanted {
            group: demand.group.clone(),
            quorum: demand.quorum,
            expires_secs: demand.expires_secs,
        }));
        if wanted.len() == before {
            wanted.push(Wanted { group: FALLBACK.to_owned(), quorum: None, expires_secs: None });
        }
    }
    wanted
}

/// The groups that a decision asks.
pub(crate) fn groups_of(decision: &Decision, plans: &PlanSet) -> BTreeSet<String> {
    wanted(decision, plans).into_iter().map(|wanted| wanted.group).collect()
}

/// How many of each group a decision asks for, with the groups as they are now.
pub(crate) fn demands(
    decision: &Decision,
    plans: &PlanSet,
    groups: &BTreeMap<String, Group>,
    least: u32,
) -> BTreeMap<String, u32> {
    let mut demands = BTreeMap::new();
    for wanted in wanted(decision, plans) {
        let default = groups.get(&wanted.group).and_then(|group| group.quorum).unwrap_or(QUORUM);
        let quorum = wanted.quorum.unwrap_or(default).max(least);
        let so_far = demands.entry(wanted.group).or_insert(quorum);
        *so_far = quorum.max(*so_far);
    }
    demands
}

/// `<plan> <reason>`: what an approval answers.
pub(crate) fn answered(plan: &str, reason: &Reason) -> String {
    format!("{plan} {reason}")
}

/// Everything that the terms depend on beside the decision.
pub(crate) struct Terms<'a> {
    pub(crate) plans: &'a PlanSet,
    pub(crate) groups: &'a BTreeMap<String, Group>,
    pub(crate) caps: &'a LinkCaps,
    /// The operator of whoever asks, and who made the key.
    pub(crate) requesters: BTreeSet<PersonId>,
    pub(crate) money: Money,
    pub(crate) action: String,
    pub(crate) now: Timestamp,
}

impl Terms<'_> {
    /// What people are asked.
    pub(crate) fn approval(self, decision: &Decision) -> Approval {
        let wanted = wanted(decision, self.plans);
        let secs = wanted.iter().map(|wanted| {
            let default = self.groups.get(&wanted.group).and_then(|group| group.expires_secs).unwrap_or(EXPIRES_SECS);
            wanted.expires_secs.unwrap_or(default)
        });
        let until = self.now.plus_secs(i64::from(secs.min().unwrap_or(EXPIRES_SECS)));
        let demands = demands(decision, self.plans, self.groups, self.caps.least(self.money));
        let groups = demands.into_iter().map(|(name, quorum)| {
            let members = self.groups.get(&name).map(|group| group.members.clone()).unwrap_or_default();
            let approvers = members.difference(&self.requesters).cloned().collect();
            AskedGroup { group: name, quorum, approvers }
        });
        let groups = groups.collect();
        let mut reasons = BTreeMap::new();
        for verdict in holding(decision) {
            let demands = self.plans.demands_of(&verdict.plan);
            for reason in &verdict.reasons {
                let rule = match reason {
                    Reason::Policy(id) | Reason::Limit(id) => Some(id),
                    _ => None,
                };
                let why = rule.and_then(|id| demands.iter().find(|demand| demand.rule == *id)?.why.clone());
                reasons.insert(answered(&verdict.plan, reason), why);
            }
        }
        Approval {
            groups,
            requesters: self.requesters,
            reasons,
            until: until.millis(),
            action: self.action,
            epoch: 0,
            votes: Vec::new(),
            begins_by: None,
        }
    }
}

/// The entry that says whom was asked about what, with what was known of it.
pub(crate) fn requested(log: &axiru_domain::LogId, request: &RequestId, approval: &Approval, facts: &Facts) -> Draft {
    let groups: Vec<Value> = approval
        .groups
        .iter()
        .map(|asked| json!({"group": asked.group, "quorum": asked.quorum, "approvers": asked.approvers}))
        .collect();
    let until = Timestamp::from_millis(approval.until).map(|until| until.to_string()).unwrap_or_default();
    let fields = json!({
        "request": request.as_str(),
        "groups": groups,
        "until": until,
        "action_sha256": approval.action,
        "facts": record::facts(facts),
    });
    let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
    Draft { log: log.clone(), actor: axiru_domain::Actor::Axiru, ty: EntryType::ApprovalRequested, fields }
}

/// Facts that change what people were shown, by name: what they were and what they are. None where nothing has.
pub(crate) fn drift(then: &Map<String, Value>, now: &Facts) -> Option<&'static str> {
    // By kind only those that the kind has are ever set.
    const WATCHED: [(&str, &str); 6] = [
        ("charge_refunded_minor", "refunded_since"),
        ("charge_disputed", "disputed_since"),
        ("charge_currency", "object_changed"),
        ("transfer_amount_minor", "object_changed"),
        ("submission_count", "answered_since"),
        ("evidence_past_due", "past_due_since"),
    ];
    WATCHED.into_iter().find_map(|(name, reason)| {
        let before = then.get(name)?;
        let after = match now.get(name) {
            axiru_domain::Fact::Known(FactValue::Bool(value)) => Value::from(*value),
            axiru_domain::Fact::Known(FactValue::Long(value)) => Value::from(*value),
            axiru_domain::Fact::Known(FactValue::Text(value)) => Value::from(value.as_str()),
            axiru_domain::Fact::Absent => Value::Null,
            // What nobody can tell now is no change; a plan that reads it holds.
            axiru_domain::Fact::Unknown => return None,
        };
        (*before != after).then_some(reason)
    })
}
