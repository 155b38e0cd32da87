//! The forms of fields: what a value may look like.

use axiru_domain::{Currency, Date, Kind, Mode, Outcome, PersonId, StripeId, Timestamp};
use serde_json::Value;

use crate::hash::Hash;

/// The form of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// An object id of Stripe's.
    StripeId,
    /// A Stripe id or null.
    StripeIdOrNull,
    /// A word: letters, digits and `_ . : -`, at most 255.
    Word,
    /// A word or null.
    WordOrNull,
    /// A kind of movement.
    Kind,
    /// A currency.
    Currency,
    /// A moment.
    Time,
    /// A moment or null.
    TimeOrNull,
    /// An integer.
    Int,
    /// An integer from 0 on.
    Count,
    /// An integer from 0 on, or null.
    CountOrNull,
    /// True or false.
    Bool,
    /// 64 hex digits.
    Sha256,
    /// 64 hex digits or null.
    Sha256OrNull,
    /// A list of words.
    Words,
    /// An object of facts.
    Facts,
    /// An object of Stripe ids by what they are.
    Ids,
    /// A decision.
    Decision,
    /// The groups that are asked.
    Asked,
    /// A UTC day, `2026-10-31`.
    Day,
    /// `test` or `live`.
    Mode,
    /// How far each lane is signed.
    Heads,
}

/// Letters, digits and `_ . : -`, 1 to 255 of them: as long as Stripe's ids may become.
fn is_word(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-'))
}

impl Form {
    pub(super) fn fits(self, value: &Value) -> bool {
        let text = value.as_str();
        let parses = |ok: fn(&str) -> bool| text.is_some_and(ok);
        match self {
            Self::StripeId => parses(|t| t.parse::<StripeId>().is_ok()),
            Self::StripeIdOrNull => value.is_null() || Self::StripeId.fits(value),
            Self::Word => parses(is_word),
            Self::WordOrNull => value.is_null() || parses(is_word),
            Self::Kind => parses(|t| t.parse::<Kind>().is_ok()),
            Self::Currency => parses(|t| t.parse::<Currency>().is_ok()),
            Self::Time => parses(|t| t.parse::<Timestamp>().is_ok()),
            Self::TimeOrNull => value.is_null() || Self::Time.fits(value),
            Self::Int => value.is_i64(),
            Self::Count => value.is_u64(),
            Self::CountOrNull => value.is_null() || value.is_u64(),
            Self::Bool => value.is_boolean(),
            Self::Sha256 => parses(|t| t.parse::<Hash>().is_ok()),
            Self::Sha256OrNull => value.is_null() || Self::Sha256.fits(value),
            Self::Ids => value
                .as_object()
                .is_some_and(|ids| ids.iter().all(|(name, id)| is_word(name) && Self::StripeId.fits(id))),
            Self::Words => value.as_array().is_some_and(|a| a.iter().all(|w| Self::Word.fits(w))),
            Self::Facts => value.as_object().is_some_and(|facts| {
                let scalar = |v: &Value| v.is_null() || v.is_boolean() || v.is_i64() || Self::Word.fits(v);
                facts.iter().all(|(name, v)| is_word(name) && scalar(v))
            }),
            Self::Decision => decision_fits(value).unwrap_or(false),
            Self::Asked => asked_fits(value).unwrap_or(false),
            Self::Day => parses(|t| t.parse::<Date>().is_ok()),
            Self::Mode => parses(|t| t.parse::<Mode>().is_ok()),
            Self::Heads => heads_fit(value).unwrap_or(false),
        }
    }
}

/// The form of the readings of a plan's limits; `None` where a part is missing.
fn limits_fit(value: &Value) -> Option<bool> {
    const FIELDS: [&str; 9] = [
        "limit",
        "subject",
        "used_amount",
        "used_count",
        "held_amount",
        "held_count",
        "max_amount",
        "max_count",
        "passed",
    ];
    let limits = value.as_array()?;
    for limit in limits {
        let fields = limit.as_object()?;
        let count = |name: &str| fields.get(name).is_some_and(|v| Form::Count.fits(v));
        let count_or_null = |name: &str| fields.get(name).is_some_and(|v| v.is_null() || Form::Count.fits(v));
        // A subject is `charge#ch_1`, or `account#-`.
        let subject = fields.get("subject")?.as_str()?.split_once('#')?;
        let ok = fields.len() == FIELDS.len()
            && FIELDS.iter().all(|name| fields.contains_key(*name))
            && Form::Word.fits(fields.get("limit")?)
            && is_word(subject.0)
            && is_word(subject.1)
            && ["used_amount", "used_count", "held_amount", "held_count"].into_iter().all(count)
            && ["max_amount", "max_count"].into_iter().all(count_or_null)
            && fields.get("passed")?.is_boolean();
        if !ok {
            return Some(false);
        }
    }
    // An empty list is left out.
    Some(!limits.is_empty())
}

/// The form of a decision; `None` where a part is missing.
fn decision_fits(value: &Value) -> Option<bool> {
    let keys = |value: &Value, names: &[&str]| {
        value.as_object().is_some_and(|o| o.len() == names.len() && names.iter().all(|n| o.contains_key(*n)))
    };
    let outcome = |value: &Value| value.as_str().is_some_and(|t| t.parse::<Outcome>().is_ok());
    if !keys(value, &["outcome", "would_be", "verdicts"])
        || !outcome(value.get("outcome")?)
        || !outcome(value.get("would_be")?)
    {
        return Some(false);
    }
    const VERDICT: [&str; 7] = ["plan", "plan_sha256", "policy_mode", "outcome", "reasons", "holds", "limits"];
    for verdict in value.get("verdicts")?.as_array()? {
        // `limits` is left out where the plan has none for the movement.
        let limited = verdict.get("limits").is_some();
        let ok = keys(verdict, VERDICT.get(..if limited { 7 } else { 6 })?)
            && verdict.get("limits").is_none_or(|limits| limits_fit(limits).unwrap_or(false))
            && Form::Word.fits(verdict.get("plan")?)
            && Form::Sha256.fits(verdict.get("plan_sha256")?)
            && matches!(verdict.get("policy_mode")?.as_str()?, "shadow" | "enforce")
            && outcome(verdict.get("outcome")?)
            && verdict.get("reasons")?.as_array()?.iter().all(|r| r.as_str().is_some_and(|r| r.len() <= 160));
        if !ok {
            return Some(false);
        }
        for hold in verdict.get("holds")?.as_array()? {
            let ok = keys(hold, &["policy", "group", "quorum", "expires_secs"])
                && Form::Word.fits(hold.get("policy")?)
                && Form::Word.fits(hold.get("group")?)
                && Form::Count.fits(hold.get("quorum")?)
                && Form::Count.fits(hold.get("expires_secs")?);
            if !ok {
                return Some(false);
            }
        }
    }
    Some(true)
}

/// The form of the groups that are asked; `None` where a part is missing.
fn asked_fits(value: &Value) -> Option<bool> {
    let groups = value.as_array()?;
    for group in groups {
        let fields = group.as_object()?;
        let approvers = fields.get("approvers")?.as_array()?;
        let ok = fields.len() == 3
            && Form::Word.fits(fields.get("group")?)
            && Form::Count.fits(fields.get("quorum")?)
            && approvers.iter().all(|id| id.as_str().is_some_and(|id| id.parse::<PersonId>().is_ok()));
        if !ok {
            return Some(false);
        }
    }
    Some(true)
}

/// The form of the heads of lanes; `None` where a part is missing.
fn heads_fit(value: &Value) -> Option<bool> {
    for (lane, head) in value.as_array()?.iter().enumerate() {
        let fields = head.as_object()?;
        // One for each lane, in order: a lane that is left out is seen.
        let ok = fields.len() == 3
            && fields.get("lane")?.as_u64()? == lane as u64
            && Form::Count.fits(fields.get("size")?)
            && Form::Sha256.fits(fields.get("root")?);
        if !ok {
            return Some(false);
        }
    }
    Some(true)
}
