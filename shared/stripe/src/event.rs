//! The projection: from the raw bytes of a verified event to a [`Report`].
//!
//! An allow-list: only the fields named in the modules below are read, each checked for its form. What Stripe adds later
//! is ignored; what Axiru needs and does not find is an error that names the field.

mod dispute;
mod fields;
mod payout;
mod refund;
mod transfer;

use axiru_domain::{AccountId, Mode, Scope};
use serde_json::Value;

use crate::report::{News, Report};
use fields::Fields;
pub(crate) use fields::is_word;

/// Largest event that is taken. Stripe's events are some 5 kB; SQS takes 1 MiB, and the projection of one is far smaller.
pub const MAX_BODY: usize = 1_048_576;

/// The events that Axiru asks Stripe for: DESIGN "From a webhook to an observation".
pub const EVENT_TYPES: [&str; 17] = [
    "account.application.deauthorized",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "payout.canceled",
    "payout.created",
    "payout.failed",
    "payout.paid",
    "payout.reconciliation_completed",
    "payout.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "transfer.created",
    "transfer.reversed",
];

/// An event that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Larger than [`MAX_BODY`].
    #[error("an event of {0} bytes is larger than {MAX_BODY}")]
    TooLarge(usize),
    /// Not JSON, or no object.
    #[error("the event is not a JSON object")]
    NotJson,
    /// A field that is needed is missing or of another form.
    #[error("field `{0}` is missing or of another form")]
    Field(String),
    /// The event says live on the endpoint of test mode.
    #[error("a live event on the endpoint of test mode")]
    LiveOnTest,
    /// The object's mode is not the event's.
    #[error("the object's mode is not the event's")]
    Mode,
    /// An event of another mode or account than the list's or endpoint's.
    #[error("an event of another account or mode than that of its list or endpoint")]
    Foreign,
}

/// What a verified event is to Axiru.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projected {
    /// Something to observe.
    Report(Box<Report>),
    /// Nothing for Axiru, for the reason given.
    Ignored(Ignored),
}

/// Why an event is none of Axiru's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// Not one of [`EVENT_TYPES`].
    Type,
    /// It is about the developer account itself.
    NoAccount,
    /// A thin event: it has no object.
    Thin,
    /// It says nothing that Axiru keeps.
    NoNews,
}

/// Projects an event that arrived at the endpoint of mode `endpoint`.
///
/// Stripe sends test events to the live endpoint too where an app is installed in both modes; those are simply test.
///
/// # Errors
/// [`EventError`] when it is not an event, or lacks what its type needs.
pub fn project(body: &[u8], endpoint: Mode) -> Result<Projected, EventError> {
    projected(&read(body)?, Origin::Endpoint(endpoint))
}

/// Projects an event that arrived at the endpoint which the scope's account has of its own. Stripe leaves `account` out there; an event of
/// another account or mode is refused.
///
/// # Errors
/// [`EventError`], as of [`project`]; [`EventError::Foreign`] where it is not the scope's.
pub fn project_own(body: &[u8], scope: &Scope) -> Result<Projected, EventError> {
    projected(&read(body)?, Origin::Own(scope))
}

fn read(body: &[u8]) -> Result<Value, EventError> {
    if body.len() > MAX_BODY {
        return Err(EventError::TooLarge(body.len()));
    }
    serde_json::from_slice(body).map_err(|_| EventError::NotJson)
}

/// Projects an event of the list of a scope's own events. Stripe leaves `account` out there; one that it names must be the scope's, and
/// so must the mode. The report is marked as recovered.
///
/// # Errors
/// [`EventError`], as of [`project`]; [`EventError::Foreign`] where it is not the scope's.
pub fn project_listed(event: &Value, scope: &Scope) -> Result<Projected, EventError> {
    projected(event, Origin::List(scope))
}

/// Where an event comes from.
#[derive(Clone, Copy)]
enum Origin<'a> {
    /// The endpoint of a mode, for all connected accounts.
    Endpoint(Mode),
    /// The endpoint of a scope's account.
    Own(&'a Scope),
    /// The list of a scope's own events.
    List(&'a Scope),
}

impl Origin<'_> {
    /// Whether an event of that mode may come from there.
    fn admit(self, mode: Mode) -> Result<(), EventError> {
        match self {
            Self::Endpoint(Mode::Test) if mode == Mode::Live => Err(EventError::LiveOnTest),
            Self::Own(scope) | Self::List(scope) if scope.mode() != mode => Err(EventError::Foreign),
            _ => Ok(()),
        }
    }

    /// Whose an event is that names that account.
    fn scope(self, mode: Mode, account: Option<AccountId>) -> Result<Option<Scope>, EventError> {
        match self {
            Self::Endpoint(_) => Ok(account.map(|account| Scope::new(mode, account))),
            Self::Own(scope) | Self::List(scope)
                if account.as_ref().is_none_or(|account| account == scope.account()) =>
            {
                Ok(Some(scope.clone()))
            }
            Self::Own(_) | Self::List(_) => Err(EventError::Foreign),
        }
    }
}

fn projected(value: &Value, origin: Origin<'_>) -> Result<Projected, EventError> {
    let event = Fields::of(value, "").map_err(|_| EventError::NotJson)?;
    match event.text("object")? {
        "event" => {}
        "v2.core.event" => return Ok(Projected::Ignored(Ignored::Thin)),
        _ => return Err(EventError::Field("object".to_owned())),
    }
    let event_type = event.text("type")?;
    let mode = Mode::from_livemode(event.bool("livemode")?);
    origin.admit(mode)?;
    if !EVENT_TYPES.contains(&event_type) {
        return Ok(Projected::Ignored(Ignored::Type));
    }
    let account = event.text_or_null("account")?.map(str::parse::<AccountId>).transpose();
    let account = account.map_err(|_| EventError::Field("account".to_owned()))?;
    let Some(scope) = origin.scope(mode, account)? else { return Ok(Projected::Ignored(Ignored::NoAccount)) };
    let data = event.object("data")?;
    let object = data.object("object")?;
    // Refunds and reversals have no `livemode`; where an object has one it must be the event's.
    if object.bool_or_null("livemode")?.is_some_and(|livemode| livemode != mode.livemode()) {
        return Err(EventError::Mode);
    }
    let before = data.object_or_null("previous_attributes")?;
    let request = event.object_or_null("request")?;
    let stripe_request = request.as_ref().map(|request| request.id_or_null("id")).transpose()?.flatten();
    let caused = request.as_ref().and_then(Fields::caused);
    let asked_for = stripe_request.is_some() || caused.is_some();
    let event_at = event.time("created")?;
    let news = match event_type {
        "account.application.deauthorized" => vec![News::Uninstalled],
        "transfer.reversed" => transfer::reversals(&object)?,
        "transfer.created" => vec![transfer::transfer(&object)?],
        name if name.starts_with("refund.") => {
            vec![refund::refund(&object, StatusNews::of(name, before.as_ref()))?]
        }
        name if name.starts_with("payout.") => {
            vec![payout::payout(&object, StatusNews::of(name, before.as_ref()))?]
        }
        name => dispute::dispute(name, &object, before.as_ref(), asked_for, event_at)?,
    };
    if news.is_empty() {
        return Ok(Projected::Ignored(Ignored::NoNews));
    }
    Ok(Projected::Report(Box::new(Report {
        scope,
        event: event.id("id")?,
        event_type: event_type.to_owned(),
        event_at,
        stripe_request,
        caused,
        news,
        recovered: matches!(origin, Origin::List(_)),
    })))
}

/// What an event says of its object's status.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StatusNews {
    /// It is the first one.
    First,
    /// It has changed to what the object shows.
    Changed,
    /// Nothing: something else has changed.
    None,
}

impl StatusNews {
    /// An `…updated` event tells a change of status only if it says what the status was before.
    fn of(event_type: &str, before: Option<&Fields<'_>>) -> Self {
        match event_type.rsplit('.').next() {
            Some("created") => Self::First,
            Some("failed" | "canceled" | "paid") => Self::Changed,
            _ if before.is_some_and(|before| before.word("status").is_some()) => Self::Changed,
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests;
