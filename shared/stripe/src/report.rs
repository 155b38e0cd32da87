//! What an event of Stripe's says, in Axiru's words: the only thing of it that is kept.
//!
//! It is the body of a queue message. It holds ids, amounts and words from closed lists: no free text, of the metadata only the two
//! names that Axiru itself writes, no card or bank detail, nothing about a person.

mod link;

use std::collections::BTreeMap;

use axiru_domain::{Actor, Currency, FactValue, Kind, Scope, StripeId, Timestamp};
use serde::{Deserialize, Serialize};

pub use link::{Caused, Link, RECEIPT, REQUEST, Receipt, ReceiptError};

/// An event, projected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Whose.
    pub scope: Scope,
    /// The event's id.
    pub event: StripeId,
    /// The event's type, such as `refund.created`.
    pub event_type: String,
    /// When Stripe made it. To the second, and no order follows from it.
    pub event_at: Timestamp,
    /// The API request that caused it; none where Stripe acted by itself or does not say.
    pub stripe_request: Option<StripeId>,
    /// The call of Axiru's own that caused it, as far as its idempotency key tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caused: Option<Caused>,
    /// What it says.
    pub news: Vec<News>,
    /// Whether no webhook told it: it was found in Stripe's list of events afterwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovered: bool,
}

/// One thing that an event says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case", deny_unknown_fields)]
pub enum News {
    /// A movement exists.
    Movement(Sighting),
    /// Something about an object that is no movement by itself.
    Fact(ReportedFact),
    /// The account uninstalled the app.
    Uninstalled,
}

/// A movement as an event shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sighting {
    /// Its kind.
    pub kind: Kind,
    /// The Stripe object that is the movement.
    pub object: StripeId,
    /// Which movement of that object.
    pub ordinal: u32,
    /// Amount in minor units.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// Who moved it, as far as the object tells.
    pub actor: Actor,
    /// When it was made, by Stripe's clock, to the second.
    pub moved_at: Timestamp,
    /// True when the event announces the movement; false when it could be about one made before the connection.
    pub announced: bool,
    /// Stripe's status when the movement began; none where the object has none or the event does not announce it.
    pub first_status: Option<String>,
    /// Stripe's status after this event changed it.
    pub later_status: Option<String>,
    /// Stripe's status as the event shows it, whether it tells of a change or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_status: Option<String>,
    /// Stripe's code of why it failed.
    pub failure_code: Option<String>,
    /// The request that the object's metadata names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// What is known: a name that is missing is unknown, a null is absent.
    pub facts: BTreeMap<String, Option<FactValue>>,
}

/// What happened to a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Opened.
    DisputeOpened,
    /// Changed in some way.
    DisputeUpdated,
    /// The disputed money was taken.
    DisputeFundsWithdrawn,
    /// The disputed money was given back.
    DisputeFundsReinstated,
    /// Ended.
    DisputeClosed,
}

impl FactKind {
    /// The fact's word in an entry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DisputeOpened => "dispute_opened",
            Self::DisputeUpdated => "dispute_updated",
            Self::DisputeFundsWithdrawn => "dispute_funds_withdrawn",
            Self::DisputeFundsReinstated => "dispute_funds_reinstated",
            Self::DisputeClosed => "dispute_closed",
        }
    }
}

/// News of a dispute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportedFact {
    /// What happened.
    pub fact: FactKind,
    /// The dispute.
    pub object: StripeId,
    /// Its status.
    pub status: Option<String>,
    /// The disputed amount, in minor units.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// Stripe's reason.
    pub reason: Option<String>,
    /// The disputed charge.
    pub charge: Option<StripeId>,
    /// How often evidence has been submitted.
    pub submission_count: u32,
}
