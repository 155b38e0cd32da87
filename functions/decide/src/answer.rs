//! The answer, read from the decision's entry: so the first one and every later one are the same.

use std::collections::BTreeMap;

use axiru_aws::decide::Decided;
use axiru_domain::{Approval, Outcome, RequestStatus, Timestamp};
use axiru_ledger::entry::Entry;
use serde::Deserialize;

use crate::wire::{
    ApprovalAnswer, Audit, DecisionAnswer, FailureAnswer, GroupAnswer, HoldAnswer, IntentAnswer, LimitAnswer,
    OutcomeWord, StatusWord, VerdictAnswer,
};

/// An entry that is not that of a decision.
#[derive(Debug, thiserror::Error)]
#[error("the entry of the decision is not readable: {0}")]
pub(crate) struct AnswerError(#[from] serde_json::Error);

/// What of `decision.made` is answered.
#[derive(Deserialize)]
struct Made {
    kind: String,
    amount_minor: u64,
    currency: String,
    objects: BTreeMap<String, String>,
    open_until: Option<String>,
    decision: Decision,
}

#[derive(Deserialize)]
struct Decision {
    outcome: Outcome,
    would_be: Outcome,
    verdicts: Vec<Verdict>,
}

#[derive(Deserialize)]
struct Verdict {
    plan: String,
    plan_sha256: String,
    policy_mode: String,
    outcome: Outcome,
    reasons: Vec<String>,
    holds: Vec<Hold>,
    #[serde(default)]
    limits: Vec<Limit>,
}

#[derive(Deserialize)]
struct Hold {
    policy: String,
    group: String,
    quorum: u64,
    expires_secs: u64,
}

#[derive(Deserialize)]
struct Limit {
    limit: String,
    subject: String,
    used_amount: u64,
    used_count: u64,
    max_amount: Option<u64>,
    max_count: Option<u64>,
    passed: bool,
}

impl From<Outcome> for OutcomeWord {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Allow => Self::Allowed,
            Outcome::RequireApproval => Self::PendingApproval,
            Outcome::Block => Self::Denied,
        }
    }
}

impl From<RequestStatus> for StatusWord {
    fn from(status: RequestStatus) -> Self {
        match status {
            RequestStatus::Allowed => Self::Allowed,
            RequestStatus::Pending => Self::Pending,
            RequestStatus::Approved => Self::Approved,
            RequestStatus::Denied => Self::Denied,
            RequestStatus::Executing => Self::Executing,
            RequestStatus::Unknown => Self::Unknown,
            RequestStatus::Succeeded => Self::Succeeded,
            RequestStatus::Failed => Self::Failed,
            RequestStatus::Settled => Self::Settled,
            RequestStatus::Expired => Self::Expired,
            RequestStatus::Cancelled => Self::Cancelled,
        }
    }
}

impl DecisionAnswer {
    /// The answer of a decision.
    pub(crate) fn of(decided: &Decided) -> Result<Self, AnswerError> {
        let entry: &Entry = &decided.entry;
        let fields = serde_json::Value::Object(entry.fields().clone());
        let made = Made::deserialize(fields)?;
        let outcome = made.decision.outcome;
        // What is counted takes from what is left; what is denied does not.
        let taken = if outcome == Outcome::Block { (0, 0) } else { (made.amount_minor, 1) };
        let deciding = deciding(&made.decision);
        let first_reason = deciding.and_then(|verdict| verdict.reasons.first().cloned());
        let rule = first_reason
            .as_deref()
            .and_then(|reason| reason.split_once(':'))
            .filter(|(word, _)| *word != "fact_unknown");
        let holds = deciding.filter(|_| outcome == Outcome::RequireApproval).and_then(|verdict| verdict.holds.first());
        let scope = &decided.row.scope;
        Ok(Self {
            decision_id: decided.row.id.to_string(),
            outcome: outcome.into(),
            matched_rule: rule.map(|(_, id)| id.to_owned()),
            policy_version: deciding.map(|verdict| verdict.plan_sha256.clone()),
            approver_role: holds.map(|hold| hold.group.clone()),
            reason: first_reason.unwrap_or_else(|| "no_plan_enforced".to_owned()),
            would_be: made.decision.would_be.into(),
            status: decided.row.status.into(),
            object: decided.row.object.as_ref().map(ToString::to_string),
            failure: decided.row.failure.clone().map(|failure| FailureAnswer {
                reason: failure.reason,
                status: failure.status,
                code: failure.code,
            }),
            approval: decided.row.approval.as_ref().map(approval),
            expires_at: made.open_until,
            intent: IntentAnswer {
                kind: made.kind,
                amount_cents: made.amount_minor,
                currency: made.currency,
                stripe_connection_id: scope.account().to_string(),
                mode: scope.mode().to_string(),
                objects: made.objects,
            },
            verdicts: made.decision.verdicts.into_iter().map(|verdict| verdict.answer(taken)).collect(),
            audit: Audit {
                logged_at: entry.at().to_string(),
                ledger_id: entry.id().to_owned(),
                log: entry.log().path(),
                seq: entry.seq(),
            },
            cached: decided.cached,
        })
    }
}

/// How the people stand who were asked, by the answers alone: who has left a group since is found when it begins.
fn approval(asked: &Approval) -> ApprovalAnswer {
    let count = |people: usize| u32::try_from(people).unwrap_or(u32::MAX);
    let groups = asked.standing(|_, _| true).into_iter().zip(&asked.groups).map(|(standing, group)| GroupAnswer {
        group: standing.group,
        quorum: standing.quorum,
        approved: standing.approved,
        asked: count(group.approvers.len()),
    });
    ApprovalAnswer {
        groups: groups.collect(),
        digest: asked.digest(),
        until: Timestamp::from_millis(asked.until).map(|until| until.to_string()).unwrap_or_default(),
    }
}

/// The enforced plan that decided: the first of the strictest.
fn deciding(decision: &Decision) -> Option<&Verdict> {
    decision.verdicts.iter().find(|verdict| verdict.policy_mode == "enforce" && verdict.outcome == decision.outcome)
}

impl Verdict {
    fn answer(self, taken: (u64, u64)) -> VerdictAnswer {
        VerdictAnswer {
            plan: self.plan,
            plan_sha256: self.plan_sha256,
            policy_mode: self.policy_mode,
            outcome: self.outcome.into(),
            reasons: self.reasons,
            holds: self
                .holds
                .into_iter()
                .map(|hold| HoldAnswer {
                    rule: hold.policy,
                    group: hold.group,
                    quorum: hold.quorum,
                    expires_secs: hold.expires_secs,
                })
                .collect(),
            limits: self.limits.into_iter().map(|limit| limit.answer(taken)).collect(),
        }
    }
}

impl Limit {
    fn answer(self, (amount, count): (u64, u64)) -> LimitAnswer {
        let left =
            |max: Option<u64>, used: u64, taken: u64| max.map(|max| max.saturating_sub(used).saturating_sub(taken));
        LimitAnswer {
            left_amount: left(self.max_amount, self.used_amount, amount),
            left_count: left(self.max_count, self.used_count, count),
            limit: self.limit,
            subject: self.subject,
            used_amount: self.used_amount,
            used_count: self.used_count,
            max_amount: self.max_amount,
            max_count: self.max_count,
            passed: self.passed,
        }
    }
}
