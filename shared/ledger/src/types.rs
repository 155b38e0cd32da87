//! The closed list of entry types, the fields of each, and what each is about.

use std::fmt;
use std::str::FromStr;

use axiru_domain::{Currency, Kind, Outcome, Scope, StripeId, Timestamp};
use serde_json::{Map, Value};

use crate::entry::{EntryError, text_field};
use crate::hash::Hash;

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryType {
    /// An account was connected, or connected again.
    ConnectionConnected,
    /// The webhook endpoint that serves the connection is in place.
    ConnectionWebhooksRegistered,
    /// The connection ended.
    ConnectionRevoked,
    /// A plan came into force for the scope.
    PlanAdopted,
    /// A movement was seen for the first time, with what the plans say of it.
    MovementObserved,
    /// A movement has a status it did not have before.
    MovementChanged,
    /// Stripe reported something about an object that is no movement by itself.
    FactRecorded,
    /// Stripe no longer accepts the connection's tokens; a person must connect again.
    ConnectionReauthRequired,
    /// What the connection may do at Stripe was found to be other than recorded.
    ConnectionPermissionsChanged,
    /// A person was made known to the scope.
    PersonAdded,
    /// A person was removed.
    PersonRemoved,
    /// A further e-mail address or AWS principal of a person was added or taken away.
    PersonAliasChanged,
    /// A key was made for an actor.
    KeyCreated,
    /// A key was revoked.
    KeyRevoked,
    /// A version of a plan was pushed and is now the one in force.
    PlanPushed,
    /// An earlier version of a plan was put in force again.
    PlanRolledBack,
    /// A plan was switched between shadow and enforce.
    PlanModeChanged,
    /// A connected account was put under review, or taken off it.
    AccountReviewChanged,
    /// A request was decided.
    DecisionMade,
    /// The movement that a decision allowed was seen; its hold is committed.
    DecisionSettled,
    /// Nobody used a decision, or approved it, in time; its hold is released.
    DecisionExpired,
    /// Stripe made what a decision allowed; its hold is committed.
    ExecutionSucceeded,
    /// Stripe refused it, or it was never made; its hold is released, and it will not be made any more.
    ExecutionFailed,
    /// It was sent, and nobody knows yet what became of it.
    ExecutionUnknown,
    /// A call that moves nothing out, or that no enforced plan speaks of, was passed on to Stripe.
    CallPassed,
    /// Stripe undid a movement that an enforced plan forbids.
    MovementCancelled,
    /// A movement that an enforced plan forbids, and that could not be undone.
    MovementTooLate,
}

/// The form of a field.
#[derive(Clone, Copy, Debug)]
enum Form {
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
}

use Form::{
    Bool, Count, CountOrNull, Facts, Ids, Int, Sha256, Sha256OrNull, Time, TimeOrNull, Word, WordOrNull, Words,
};

const MOVEMENT: [(&str, Form); 9] = [
    ("kind", Form::Kind),
    ("object", Form::StripeId),
    ("ordinal", Count),
    ("amount_minor", Int),
    ("currency", Form::Currency),
    ("status", WordOrNull),
    ("event", Form::StripeId),
    ("event_type", Word),
    ("event_at", Time),
];

impl EntryType {
    /// Every type this program writes.
    pub const ALL: [Self; 27] = [
        Self::ConnectionConnected,
        Self::ConnectionWebhooksRegistered,
        Self::ConnectionRevoked,
        Self::PlanAdopted,
        Self::MovementObserved,
        Self::MovementChanged,
        Self::FactRecorded,
        Self::ConnectionReauthRequired,
        Self::ConnectionPermissionsChanged,
        Self::PersonAdded,
        Self::PersonRemoved,
        Self::PersonAliasChanged,
        Self::KeyCreated,
        Self::KeyRevoked,
        Self::PlanPushed,
        Self::PlanRolledBack,
        Self::PlanModeChanged,
        Self::AccountReviewChanged,
        Self::DecisionMade,
        Self::DecisionSettled,
        Self::DecisionExpired,
        Self::ExecutionSucceeded,
        Self::ExecutionFailed,
        Self::ExecutionUnknown,
        Self::CallPassed,
        Self::MovementCancelled,
        Self::MovementTooLate,
    ];

    /// The `type` of the entry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionConnected => "connection.connected",
            Self::ConnectionWebhooksRegistered => "connection.webhooks_registered",
            Self::ConnectionRevoked => "connection.revoked",
            Self::PlanAdopted => "plan.adopted",
            Self::MovementObserved => "movement.observed",
            Self::MovementChanged => "movement.changed",
            Self::FactRecorded => "fact.recorded",
            Self::ConnectionReauthRequired => "connection.reauth_required",
            Self::ConnectionPermissionsChanged => "connection.permissions_changed",
            Self::PersonAdded => "person.added",
            Self::PersonRemoved => "person.removed",
            Self::PersonAliasChanged => "person.alias_changed",
            Self::KeyCreated => "key.created",
            Self::KeyRevoked => "key.revoked",
            Self::PlanPushed => "plan.pushed",
            Self::PlanRolledBack => "plan.rolled_back",
            Self::PlanModeChanged => "plan.mode_changed",
            Self::AccountReviewChanged => "account.review_changed",
            Self::DecisionMade => "decision.made",
            Self::DecisionSettled => "decision.settled",
            Self::DecisionExpired => "decision.expired",
            Self::ExecutionSucceeded => "execution.succeeded",
            Self::ExecutionFailed => "execution.failed",
            Self::ExecutionUnknown => "execution.unknown",
            Self::CallPassed => "call.passed",
            Self::MovementCancelled => "movement.cancelled",
            Self::MovementTooLate => "movement.too_late",
        }
    }

    /// The type's own fields: `docs/ledger-format.md` in one table.
    fn fields(self) -> Vec<(&'static str, Form)> {
        let own: &[(&str, Form)] = match self {
            Self::ConnectionConnected => &[
                ("attempt", Word),
                ("country", WordOrNull),
                ("currency", Form::Currency),
                ("lanes", Count),
                ("permissions", Word),
                ("reconnected", Bool),
            ],
            Self::ConnectionWebhooksRegistered => {
                &[("endpoint", Form::StripeId), ("events", Words), ("api_version", Word)]
            }
            Self::ConnectionRevoked => &[("event", Form::StripeId), ("reason", Word)],
            Self::PlanAdopted => {
                &[("plan", Word), ("plan_sha256", Sha256), ("policy_mode", Word), ("attempt", Word), ("source", Word)]
            }
            Self::MovementObserved => &[
                ("moved_at", Time),
                ("stripe_request", Form::StripeIdOrNull),
                ("facts", Facts),
                ("decision", Form::Decision),
            ],
            Self::MovementChanged => &[("late", Bool), ("failure_code", WordOrNull)],
            Self::FactRecorded => &[
                ("event", Form::StripeId),
                ("event_type", Word),
                ("event_at", Time),
                ("object", Form::StripeId),
                ("fact", Word),
                ("status", WordOrNull),
                ("amount_minor", Int),
                ("currency", Form::Currency),
                ("reason", WordOrNull),
                ("charge", Form::StripeIdOrNull),
                ("submission_count", Count),
            ],
            Self::ConnectionReauthRequired => &[("change", Word), ("reason", Word)],
            Self::ConnectionPermissionsChanged => &[("change", Word), ("permissions", Word), ("before", Word)],
            Self::PersonAdded => {
                &[("change", Word), ("person", Word), ("groups", Words), ("principals", Words), ("addresses", Count)]
            }
            Self::PersonRemoved => &[("change", Word), ("person", Word)],
            Self::PersonAliasChanged => &[
                ("change", Word),
                ("person", Word),
                ("alias", Word),
                ("added", Bool),
                ("principal", WordOrNull),
                ("addresses", Count),
            ],
            Self::KeyCreated => &[
                ("change", Word),
                ("key", Word),
                ("key_actor", Word),
                ("operator", Word),
                ("issuer", Word),
                ("replaces", WordOrNull),
                ("per_minute", Count),
                ("valid_until", TimeOrNull),
            ],
            Self::KeyRevoked => &[("change", Word), ("key", Word), ("key_actor", Word)],
            Self::PlanPushed | Self::PlanRolledBack => &[
                ("change", Word),
                ("plan", Word),
                ("plan_sha256", Sha256),
                ("before_sha256", Sha256OrNull),
                ("policy_mode", Word),
            ],
            Self::PlanModeChanged => &[
                ("change", Word),
                ("plan", Word),
                ("plan_sha256", Sha256),
                ("policy_mode", Word),
                ("before", Word),
                ("why_sha256", Sha256),
            ],
            Self::AccountReviewChanged => {
                &[("change", Word), ("connected", Word), ("under_review", Bool), ("why_sha256", Sha256)]
            }
            Self::DecisionMade => &[
                ("request", Word),
                ("key", Word),
                ("operator", Word),
                ("digest", Sha256),
                ("kind", Form::Kind),
                ("amount_minor", Count),
                ("currency", Form::Currency),
                ("objects", Ids),
                ("execute", Bool),
                ("facts", Facts),
                ("claimed", Facts),
                ("evaluated_at", Time),
                ("decision", Form::Decision),
                ("status", Word),
                ("open_until", TimeOrNull),
            ],
            Self::DecisionSettled => &[
                ("request", Word),
                ("kind", Form::Kind),
                ("object", Form::StripeId),
                ("ordinal", Count),
                ("amount_minor", Count),
                ("currency", Form::Currency),
            ],
            Self::DecisionExpired => &[("request", Word), ("before", Word)],
            Self::ExecutionSucceeded => &[
                ("request", Word),
                ("kind", Form::Kind),
                ("object", Form::StripeId),
                ("ordinal", Count),
                ("amount_minor", Count),
                ("currency", Form::Currency),
                ("status", WordOrNull),
                ("found_by", Word),
                ("stripe_request", Form::StripeIdOrNull),
            ],
            Self::ExecutionFailed => &[
                ("request", Word),
                ("reason", Word),
                ("stripe_status", CountOrNull),
                ("stripe_code", WordOrNull),
                ("stripe_request", Form::StripeIdOrNull),
            ],
            Self::ExecutionUnknown => &[("request", Word), ("reason", Word)],
            Self::CallPassed => &[
                ("call", Word),
                ("route", Word),
                ("family", Word),
                ("key", Word),
                ("operator", Word),
                ("object", Form::StripeIdOrNull),
                ("why", Word),
            ],
            Self::MovementCancelled => {
                &[("kind", Form::Kind), ("object", Form::StripeId), ("ordinal", Count), ("status", Word)]
            }
            Self::MovementTooLate => &[
                ("kind", Form::Kind),
                ("object", Form::StripeId),
                ("ordinal", Count),
                ("reason", Word),
                ("stripe_code", WordOrNull),
            ],
        };
        let shared: &[(&str, Form)] = match self {
            Self::MovementObserved | Self::MovementChanged => &MOVEMENT,
            _ => &[],
        };
        shared.iter().chain(own).copied().collect()
    }
}

impl fmt::Display for EntryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a type that this program writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a known entry type")]
pub struct EntryTypeError;

impl FromStr for EntryType {
    type Err = EntryTypeError;

    fn from_str(text: &str) -> Result<Self, EntryTypeError> {
        Self::ALL.into_iter().find(|ty| ty.as_str() == text).ok_or(EntryTypeError)
    }
}

/// Fields that every entry has.
const HEADER: [&str; 10] = ["account", "actor", "at", "id", "lane", "mode", "prev", "seq", "type", "v"];

/// True for two words of `a-z` and `_`, joined by a dot.
pub(crate) fn is_type(text: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    text.len() <= 64 && text.split_once('.').is_some_and(|(noun, verb)| word(noun) && word(verb))
}

/// True for `ent_` and 32 lower-case hex digits.
pub(crate) fn is_entry_id(text: &str) -> bool {
    text.strip_prefix("ent_")
        .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// Checks that `fields` are exactly those of the header and of the type, each of its form.
pub(crate) fn check_shape(ty: EntryType, fields: &Map<String, Value>) -> Result<(), EntryError> {
    let shape = |field: &str, fault| EntryError::Shape { ty: ty.as_str().to_owned(), field: field.to_owned(), fault };
    let own = ty.fields();
    for (name, form) in &own {
        let value = fields.get(*name).ok_or_else(|| shape(name, "missing"))?;
        if !form.fits(value) {
            return Err(shape(name, "of another form"));
        }
    }
    let known = |name: &str| HEADER.contains(&name) || own.iter().any(|(own, _)| *own == name);
    match fields.keys().find(|name| !known(name)) {
        Some(name) => Err(shape(name, "not one of its fields")),
        None => Ok(()),
    }
}

/// The id of an entry: the head of SHA-256(type LF scope LF subject).
pub(crate) fn id_of(ty: EntryType, scope: &Scope, fields: &Map<String, Value>) -> Result<String, EntryError> {
    let text = |name| text_field(fields, name);
    let movement = || {
        let ordinal = fields.get("ordinal").and_then(Value::as_u64).ok_or(EntryError::Field("ordinal"))?;
        Ok::<_, EntryError>(format!("{}#{}#{ordinal}", text("kind")?, text("object")?))
    };
    let subject = match ty {
        EntryType::ConnectionConnected => text("attempt")?.to_owned(),
        EntryType::ConnectionWebhooksRegistered => text("endpoint")?.to_owned(),
        EntryType::ConnectionRevoked | EntryType::FactRecorded => text("event")?.to_owned(),
        EntryType::PlanAdopted => format!("{}\n{}\n{}", text("plan")?, text("plan_sha256")?, text("attempt")?),
        EntryType::MovementObserved | EntryType::MovementCancelled | EntryType::MovementTooLate => movement()?,
        EntryType::MovementChanged => format!("{}\n{}", movement()?, text("status")?),
        EntryType::DecisionMade
        | EntryType::DecisionSettled
        | EntryType::DecisionExpired
        | EntryType::ExecutionSucceeded
        | EntryType::ExecutionFailed
        | EntryType::ExecutionUnknown => text("request")?.to_owned(),
        EntryType::CallPassed => text("call")?.to_owned(),
        EntryType::ConnectionReauthRequired
        | EntryType::ConnectionPermissionsChanged
        | EntryType::PersonAdded
        | EntryType::PersonRemoved
        | EntryType::PersonAliasChanged
        | EntryType::KeyCreated
        | EntryType::KeyRevoked
        | EntryType::PlanPushed
        | EntryType::PlanRolledBack
        | EntryType::PlanModeChanged
        | EntryType::AccountReviewChanged => text("change")?.to_owned(),
    };
    let mut hex = Hash::of(format!("{ty}\n{scope}\n{subject}").as_bytes()).to_string();
    hex.truncate(32);
    Ok(format!("ent_{hex}"))
}

/// Letters, digits and `_ . : -`, 1 to 255 of them: as long as Stripe's ids may become.
fn is_word(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-'))
}

impl Form {
    fn fits(self, value: &Value) -> bool {
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
