//! What is left in each limit, for the subjects that are known. Reads the rows of [`crate::counters`] and writes none.

use std::collections::BTreeSet;

use axiru_domain::{Counters, Limit, OnExceed, Per, Scope, Subject, Timestamp};
use serde_json::{Value, json};

use crate::admin::refusal::AdminError;
use crate::counters::{CounterRow, key_of};
use crate::plans::PlanHead;
use crate::store::{Store, StoreError};

/// Most subjects that are read for one answer: a read each.
const MAX_SUBJECTS: usize = 200;

impl Store {
    async fn counters(&self, scope: &Scope, subject: &Subject) -> Result<Counters, StoreError> {
        let (pk, sk) = key_of(scope, subject);
        Ok(CounterRow::of(self.row(&pk, &sk).await?.as_ref())?.counters)
    }

    /// Used, held and left of every limit of the active plans: for the account, the actors of its keys, the persons who answer for
    /// them, and the subjects in `more`.
    ///
    /// # Errors
    /// Refused where the scope was never connected, or for more subjects than are read at once.
    pub async fn limits(
        &self,
        scope: &Scope,
        more: &[Subject],
        now: fn() -> Timestamp,
    ) -> Result<Vec<Value>, AdminError> {
        self.administered(scope).await?;
        let mut limits = Vec::new();
        for head in self.plan_heads(scope).await?.list() {
            // What the limits of an unusable plan would be nobody can say.
            if let Some(plan) = self.usable_plan(scope, &head.sha256).await? {
                limits.extend(plan.limits().iter().map(|limit| (head.clone(), limit.clone())));
            }
        }
        let mut subjects: BTreeSet<Subject> = more.iter().cloned().collect();
        subjects.insert(Subject::account());
        for key in self.keys(scope).await?.iter().filter(|key| key.is_live(now())) {
            let named = [(Per::Actor, key.actor.to_string()), (Per::Operator, key.operator.to_string())];
            subjects.extend(named.into_iter().filter_map(|(per, id)| Subject::new(per, &id).ok()));
        }
        subjects.retain(|subject| limits.iter().any(|(_, limit)| limit.per == subject.per()));
        if subjects.len() > MAX_SUBJECTS {
            let detail = format!("{} subjects, and at most {MAX_SUBJECTS} are read at once", subjects.len());
            return Err(AdminError::conflict("too_many_subjects", detail));
        }
        let mut rows = Vec::new();
        for subject in &subjects {
            let counters = self.counters(scope, subject).await?;
            let own = limits.iter().filter(|(_, limit)| limit.per == subject.per());
            rows.extend(own.map(|(head, limit)| shown(head, limit, subject, &counters, now())));
        }
        Ok(rows)
    }
}

fn shown(head: &PlanHead, limit: &Limit, subject: &Subject, counters: &Counters, now: Timestamp) -> Value {
    let reading = counters.reading(&limit.series, now);
    let left = |max: Option<u64>, used: u64| max.map(|max| max.saturating_sub(used));
    json!({
        "plan": head.plan,
        "policy_mode": head.policy_mode.as_str(),
        "limit": limit.id,
        "subject": subject.key(),
        "kinds": limit.series.kinds(),
        "currency": limit.series.currency().as_str(),
        "window": limit.series.window().to_string(),
        "on_exceed": match limit.on_exceed() { OnExceed::Block => "block", OnExceed::RequireApproval => "require_approval" },
        "used_amount": reading.used.amount,
        "used_count": reading.used.count,
        "held_amount": reading.held.amount,
        "held_count": reading.held.count,
        "max_amount": limit.max_amount,
        "max_count": limit.max_count,
        "left_amount": left(limit.max_amount, reading.used.amount),
        "left_count": left(limit.max_count, reading.used.count),
    })
}
