//! The sheet of a held request: what page and mail show, read from the entries and rows alone.

use std::collections::BTreeMap;

use axiru_domain::{
    Asking, Date, GroupLine, Kind, LimitLine, Money, ObjectRole, Original, Said, Sheet, StripeId, Timestamp,
};
use serde_json::{Map, Value};

use super::Held;
use crate::execution::{intent_of, money_of};
use crate::store::StoreError;

const DAY_SECS: i64 = 86_400;

impl Held {
    /// The digits of the hash of what would be done that people compare.
    #[must_use]
    pub fn digest(&self) -> String {
        self.approval.digest()
    }

    /// What an approver is shown.
    ///
    /// # Errors
    /// [`StoreError`] where the entry is not one of a decision.
    pub fn sheet(&self) -> Result<Sheet, StoreError> {
        let intent = intent_of(&self.made)?;
        let money = money_of(&self.made)?;
        let facts = Facts(self.requested.fields().get("facts").and_then(Value::as_object));
        let detail = match intent.kind() {
            Kind::Refund => facts.text("reason"),
            Kind::Payout => facts.text("method"),
            _ => None,
        };
        let until = Timestamp::from_millis(self.approval.until).map_err(|_| crate::item::RowError("approval"))?;
        let operator = self.made.fields().get("operator").and_then(Value::as_str).unwrap_or("-");
        let operator = operator.parse().map_or_else(|_| operator.to_owned(), |id| self.name_of(&id));
        let (unknown, block_possible) = self.unknown();
        Ok(Sheet {
            scope: self.row.scope.clone(),
            account_name: self.account_name.clone(),
            request: self.row.id.clone(),
            kind: intent.kind(),
            money,
            objects: objects(intent.objects(), &facts),
            detail,
            customer: facts.text("customer"),
            original: original(intent.kind(), money, &facts, self.row.decided_at),
            actor: self.row.actor.clone(),
            key_label: self.key_label.clone(),
            operator,
            asking: self.asking(),
            unknown,
            block_possible,
            limits: self.limits(money),
            similar_24h: facts.number("similar_24h"),
            groups: self
                .approval
                .standing(|group, person| self.is_member(group, person))
                .into_iter()
                .map(|group| GroupLine { group: group.group, approved: group.approved, quorum: group.quorum })
                .collect(),
            asked_at: self.row.decided_at,
            until,
            digest: self.digest(),
            executes: self.executes(),
            said: self.said(),
        })
    }

    /// The rules and limits that ask.
    fn asking(&self) -> Vec<Asking> {
        let asking = self.approval.reasons.iter().filter_map(|(answered, why)| {
            let (plan, reason) = answered.split_once(' ')?;
            let (word, rule) = reason.split_once(':')?;
            (word != "fact_unknown").then(|| Asking { plan: plan.to_owned(), rule: rule.to_owned(), why: why.clone() })
        });
        asking.collect()
    }

    fn unknown(&self) -> (Vec<String>, bool) {
        let reasons = self.approval.reasons.keys().filter_map(|answered| answered.split_once(' '));
        let mut unknown = Vec::new();
        let mut block_possible = false;
        for (_, reason) in reasons {
            block_possible |= reason == "block_possible";
            unknown.extend(reason.strip_prefix("fact_unknown:").map(str::to_owned));
        }
        unknown.sort_unstable();
        unknown.dedup();
        (unknown, block_possible)
    }

    /// The limits of the plans that count, as they stood.
    fn limits(&self, money: Money) -> Vec<LimitLine> {
        let decision = self.made.fields().get("decision");
        let verdicts = decision.and_then(|decision| decision.get("verdicts")).and_then(Value::as_array);
        let enforced = verdicts
            .into_iter()
            .flatten()
            .filter(|verdict| verdict.get("policy_mode").and_then(Value::as_str) == Some("enforce"));
        let limits = enforced.filter_map(|verdict| verdict.get("limits").and_then(Value::as_array)).flatten();
        let amount = u64::try_from(money.amount_minor()).unwrap_or(0);
        limits.filter_map(|limit| line(limit, amount)).collect()
    }

    /// What the caller wrote.
    fn said(&self) -> Said {
        let claims = self.made.fields().get("claimed").and_then(Value::as_object).into_iter().flatten();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Said {
            rationale: self.row.rationale.clone(),
            claims: claims.map(|(name, value)| (name.clone(), text(value))).collect(),
        }
    }
}

/// Facts as an entry writes them.
struct Facts<'a>(Option<&'a Map<String, Value>>);

impl Facts<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.and_then(|facts| facts.get(name))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(Value::as_i64)
    }
}

/// What it is about, with the payment that was found for what the request names.
fn objects(named: &BTreeMap<ObjectRole, StripeId>, facts: &Facts<'_>) -> BTreeMap<ObjectRole, StripeId> {
    let mut objects = named.clone();
    for role in [ObjectRole::Charge, ObjectRole::PaymentIntent] {
        if let (false, Some(id)) = (objects.contains_key(&role), facts.text(role.as_str())) {
            objects.extend(id.parse().ok().map(|id| (role, id)));
        }
    }
    objects
}

/// The payment that a refund goes back from.
fn original(kind: Kind, money: Money, facts: &Facts<'_>, asked_at: Timestamp) -> Option<Original> {
    let (refunded, remaining) = (facts.number("charge_refunded_minor")?, facts.number("charge_refundable_minor")?);
    let same = facts.text("charge_currency").is_none_or(|currency| currency == money.currency().as_str());
    if kind != Kind::Refund || !same {
        return None;
    }
    let made: Option<Date> = facts
        .number("charge_age_days")
        .and_then(|days| days.checked_mul(-DAY_SECS))
        .map(|secs| asked_at.plus_secs(secs).date());
    Some(Original {
        money: Money::new(refunded.checked_add(remaining)?, money.currency()).ok()?,
        made,
        refunded_minor: refunded,
        remaining_minor: remaining,
        disputed: facts.get("charge_disputed").and_then(Value::as_bool),
    })
}

fn line(limit: &Value, amount: u64) -> Option<LimitLine> {
    let number = |name: &str| limit.get(name).and_then(Value::as_u64);
    let subject = limit.get("subject")?.as_str()?;
    let subject = match subject.split_once('#') {
        Some(("account", _)) => "account".to_owned(),
        Some((_, id)) => id.to_owned(),
        None => subject.to_owned(),
    };
    let (used_amount, used_count) = (number("used_amount")?, number("used_count")?);
    Some(LimitLine {
        limit: limit.get("limit")?.as_str()?.to_owned(),
        subject,
        amount: number("max_amount").map(|max| (used_amount, used_amount.saturating_add(amount), max)),
        count: number("max_count").map(|max| (used_count, used_count.saturating_add(1), max)),
        passed: limit.get("passed")?.as_bool()?,
    })
}
