//! The closed list of entry types, the fields of each, and what each is about.

mod fields;
mod form;

use std::fmt;
use std::str::FromStr;

use axiru_domain::Scope;
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
    /// A signing secret of the account's own webhook endpoint was added.
    ConnectionWebhookSecretAdded,
    /// The connection ended.
    ConnectionRevoked,
    /// An operator ended the connection; its tokens are deleted.
    ConnectionDisconnected,
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
    /// People were asked about a request that is held.
    ApprovalRequested,
    /// Somebody who was asked has answered.
    VoteCast,
    /// Enough people have approved a request.
    ApprovalGranted,
    /// One of those who were asked has denied a request; its hold is released.
    ApprovalDenied,
    /// A request that was held or approved is not made, because things are not as they were or an operator ended it; its hold is released.
    ApprovalCancelled,
    /// An approved request was decided again, on the facts and plans of now, and is made from now on.
    ExecutionStarted,
    /// Who approves for a group, how many of them, or how long they have, was changed.
    GroupChanged,
    /// Links that were sent to approvers were called in.
    LinksRevoked,
    /// Everything, a scope or an actor was stopped, or started again.
    SwitchChanged,
    /// Somebody wants to start what is stopped; it is started when somebody else wants so too, in time.
    SwitchStartAsked,
    /// A mail to a person could not be delivered, or was complained about.
    MailReturned,
    /// A day has begun: what follows in the log is of this day or later.
    Heartbeat,
    /// How far every lane of the scope is signed.
    LanesHeads,
    /// The files of a day are written; this is the hash of their manifest.
    ExportSealed,
    /// Something happened to another log that no part of this program does.
    AlarmRaised,
    /// The ledger was compared with what Stripe lists.
    ReconcileReported,
}

impl EntryType {
    /// Every type this program writes.
    pub const ALL: [Self; 45] = [
        Self::ConnectionConnected,
        Self::ConnectionWebhooksRegistered,
        Self::ConnectionWebhookSecretAdded,
        Self::ConnectionRevoked,
        Self::ConnectionDisconnected,
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
        Self::ApprovalRequested,
        Self::VoteCast,
        Self::ApprovalGranted,
        Self::ApprovalDenied,
        Self::ApprovalCancelled,
        Self::ExecutionStarted,
        Self::GroupChanged,
        Self::LinksRevoked,
        Self::SwitchChanged,
        Self::SwitchStartAsked,
        Self::MailReturned,
        Self::Heartbeat,
        Self::LanesHeads,
        Self::ExportSealed,
        Self::AlarmRaised,
        Self::ReconcileReported,
    ];

    /// The `type` of the entry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionConnected => "connection.connected",
            Self::ConnectionWebhooksRegistered => "connection.webhooks_registered",
            Self::ConnectionWebhookSecretAdded => "connection.webhook_secret_added",
            Self::ConnectionRevoked => "connection.revoked",
            Self::ConnectionDisconnected => "connection.disconnected",
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
            Self::ApprovalRequested => "approval.requested",
            Self::VoteCast => "vote.cast",
            Self::ApprovalGranted => "approval.granted",
            Self::ApprovalDenied => "approval.denied",
            Self::ApprovalCancelled => "approval.cancelled",
            Self::ExecutionStarted => "execution.started",
            Self::GroupChanged => "group.changed",
            Self::LinksRevoked => "links.revoked",
            Self::SwitchChanged => "switch.changed",
            Self::SwitchStartAsked => "switch.start_asked",
            Self::MailReturned => "mail.returned",
            Self::Heartbeat => "heartbeat",
            Self::LanesHeads => "lanes.heads",
            Self::ExportSealed => "export.sealed",
            Self::AlarmRaised => "alarm.raised",
            Self::ReconcileReported => "reconcile.reported",
        }
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

/// True for a type that this program writes, and for two words of `a-z` and `_`, joined by a dot: a type of later.
pub(crate) fn is_type(text: &str) -> bool {
    if text.parse::<EntryType>().is_ok() {
        return true;
    }
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
    // A mark stands only where it is true, so that an entry has one text.
    for mark in ty.marks() {
        if fields.get(*mark).is_some_and(|value| value != &Value::Bool(true)) {
            return Err(shape(mark, "of another form"));
        }
    }
    let known =
        |name: &str| HEADER.contains(&name) || own.iter().any(|(own, _)| *own == name) || ty.marks().contains(&name);
    match fields.keys().find(|name| !known(name)) {
        Some(name) => Err(shape(name, "not one of its fields")),
        None => Ok(()),
    }
}

/// The id of an entry: the head of SHA-256(type LF scope LF subject).
pub(crate) fn id_of(ty: EntryType, scope: &Scope, fields: &Map<String, Value>) -> Result<String, EntryError> {
    let text = |name| text_field(fields, name);
    let number = |name| fields.get(name).and_then(Value::as_u64).ok_or(EntryError::Field(name));
    let movement = || Ok::<_, EntryError>(format!("{}#{}#{}", text("kind")?, text("object")?, number("ordinal")?));
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
        | EntryType::ExecutionUnknown
        | EntryType::ExecutionStarted
        | EntryType::ApprovalRequested
        | EntryType::ApprovalGranted
        | EntryType::ApprovalDenied
        | EntryType::ApprovalCancelled => text("request")?.to_owned(),
        EntryType::VoteCast => format!("{}\n{}", text("request")?, text("person")?),
        EntryType::MailReturned => text("report")?.to_owned(),
        EntryType::CallPassed => text("call")?.to_owned(),
        EntryType::Heartbeat | EntryType::ExportSealed => format!("{}\n{}", number("lane")?, text("day")?),
        EntryType::LanesHeads => text("day")?.to_owned(),
        EntryType::AlarmRaised => {
            let of_seq = fields.get("of_seq").and_then(Value::as_u64).map_or_else(String::new, |seq| seq.to_string());
            format!("{}\n{}\n{}\n{of_seq}", text("alarm")?, text("of_mode")?, number("of_lane")?)
        }
        EntryType::ReconcileReported => format!("{}\n{}", text("period")?, text("report_sha256")?),
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
        | EntryType::AccountReviewChanged
        | EntryType::GroupChanged
        | EntryType::LinksRevoked
        | EntryType::SwitchChanged
        | EntryType::SwitchStartAsked
        | EntryType::ConnectionDisconnected
        | EntryType::ConnectionWebhookSecretAdded => text("change")?.to_owned(),
    };
    let mut hex = Hash::of(format!("{ty}\n{scope}\n{subject}").as_bytes()).to_string();
    hex.truncate(32);
    Ok(format!("ent_{hex}"))
}
