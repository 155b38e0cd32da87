//! What an approver is shown of a request: one sheet, from which the page and the mail are both made, so that they cannot differ.
//!
//! Everything in it but [`Sheet::said`] comes from Axiru's own records and Stripe's; what the caller wrote is kept apart.

use std::collections::BTreeMap;

use crate::{Actor, Date, Kind, Money, ObjectRole, RequestId, Scope, StripeId, Timestamp};

/// A request, as an approver sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Whose money, in which mode.
    pub scope: Scope,
    /// The account's own name for itself at Stripe.
    pub account_name: Option<String>,
    /// The request.
    pub request: RequestId,
    /// What would be done.
    pub kind: Kind,
    /// With how much.
    pub money: Money,
    /// What it is about, by what it is.
    pub objects: BTreeMap<ObjectRole, StripeId>,
    /// Stripe's word for why a refund is made, or the method of a payout.
    pub detail: Option<String>,
    /// The customer's id at Stripe, where it is known.
    pub customer: Option<String>,
    /// The payment that would be refunded or reversed, as far as it is known.
    pub original: Option<Original>,
    /// Who asks.
    pub actor: Actor,
    /// What the operators call the key that it asked with.
    pub key_label: Option<String>,
    /// Who answers for it: an address, or the person's id where there is none.
    pub operator: String,
    /// The rules and limits that ask for people.
    pub asking: Vec<Asking>,
    /// Facts that a rule reads and that nobody could tell.
    pub unknown: Vec<String>,
    /// Whether one of these facts could also make a rule forbid it.
    pub block_possible: bool,
    /// The limits that apply.
    pub limits: Vec<LimitLine>,
    /// How many with the same actor, object and amount there were in the 24 hours before.
    pub similar_24h: Option<i64>,
    /// How the groups stand.
    pub groups: Vec<GroupLine>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Until when people may answer.
    pub until: Timestamp,
    /// Eight digits of the hash of exactly what would be done.
    pub digest: String,
    /// Whether Axiru makes the movement once it is approved, or whoever asked does.
    pub executes: bool,
    /// What the caller says of it. Nobody has checked it.
    pub said: Said,
}

/// The payment that money would go back from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// Its amount.
    pub money: Money,
    /// When it was made.
    pub made: Option<Date>,
    /// What went back before, in minor units.
    pub refunded_minor: i64,
    /// What may still go back before this, in minor units.
    pub remaining_minor: i64,
    /// Whether it has a dispute.
    pub disputed: Option<bool>,
}

/// One rule or limit that asks for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// The plan.
    pub plan: String,
    /// The rule or limit, as its plan names it.
    pub rule: String,
    /// Why it exists, in the words of whoever wrote the plan.
    pub why: Option<String>,
}

/// One limit, as it stood when the request was held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitLine {
    /// The limit, as its plan names it.
    pub limit: String,
    /// For whom it counts: `agent:ag_1`, `ch_1`, `account`.
    pub subject: String,
    /// Amount before, after, and at most, in minor units of the request's currency.
    pub amount: Option<(u64, u64, u64)>,
    /// Count before, after, and at most.
    pub count: Option<(u64, u64, u64)>,
    /// Whether this request passes it.
    pub passed: bool,
}

/// How one group stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupLine {
    /// The group.
    pub group: String,
    /// How many have approved.
    pub approved: u32,
    /// How many must.
    pub quorum: u32,
}

/// What the caller wrote. Text of a stranger: shown as such, or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its reason, in its own words.
    pub rationale: Option<String>,
    /// What it claims, by name.
    pub claims: BTreeMap<String, String>,
}
