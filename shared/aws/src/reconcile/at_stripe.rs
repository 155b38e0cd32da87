//! What Stripe has, as far as it is compared.

use std::collections::BTreeMap;

use axiru_domain::{Currency, StripeId, Timestamp};
use axiru_stripe::rest::lists::{BalanceLine, ListedObject};

use super::subject::{Class, Subject};

/// A movement or a dispute as Stripe shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) amount_minor: i64,
    pub(super) currency: Currency,
    /// When it was made. An answer to a dispute has no moment of its own: it is the dispute's.
    pub(super) created: Timestamp,
    /// Its status; none where it has none.
    pub(super) status: Option<String>,
    /// Where it was seen.
    pub(super) seen_in: SeenIn,
}

/// Where something was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SeenIn {
    /// In the list of its kind.
    List,
    /// In the balance.
    Balance,
    /// It was asked for by its id, because the ledger names it.
    Look,
}

/// What could not be compared, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Refused {
    /// The list.
    pub(super) what: &'static str,
    /// `permission_missing` or `too_many`.
    pub(super) why: &'static str,
    /// The permission that is missing.
    pub(super) permission: Option<&'static str>,
}

/// What Stripe has.
#[derive(Debug, Default)]
pub(super) struct AtStripe {
    /// Movements and disputes: of the period, of an hour around it, and what else was looked at.
    pub(super) shown: BTreeMap<Subject, Shown>,
    /// The lines of the balance in the period.
    pub(super) lines: Vec<BalanceLine>,
    /// Of those, by their ids, the lines that are not held against a movement of the period, and why.
    pub(super) aside: BTreeMap<StripeId, Aside>,
    /// The lists that could not be read.
    pub(super) refused: Vec<Refused>,
}

/// Why a line of the balance is not held against a movement of the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aside {
    /// Its object was made before the period: it is compared with the period that it is of.
    Earlier,
    /// The list that its object is in was refused.
    NotListed,
}

impl SeenIn {
    /// The word in a report.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Balance => "balance_transactions",
            Self::Look => "look",
        }
    }
}

impl Shown {
    /// An object as Stripe shows it.
    pub(super) fn of(object: &ListedObject, seen_in: SeenIn) -> Self {
        Self {
            amount_minor: object.amount_minor,
            currency: object.currency,
            created: object.created,
            status: object.status.clone(),
            seen_in,
        }
    }
}

impl AtStripe {
    /// Whether what is of that class was listed: what Stripe refused to list is not compared.
    pub(super) fn compares(&self, class: Class) -> bool {
        !self.refused.iter().any(|refused| refused.what == list_of(class))
    }

    /// Whether the balance was read.
    pub(super) fn compares_balance(&self) -> bool {
        !self.refused.iter().any(|refused| refused.what == BALANCE)
    }
}

/// The list of the balance, in reports.
pub(super) const BALANCE: &str = "balance_transactions";

/// The list that a class is in, in reports.
pub(super) const fn list_of(class: Class) -> &'static str {
    use axiru_domain::Kind::{DisputeAccept, DisputeSubmit, Payout, Refund, Transfer, TransferReversal};
    match class {
        Class::Movement(Refund) => "refunds",
        Class::Movement(Payout) => "payouts",
        Class::Movement(Transfer | TransferReversal) => "transfers",
        Class::Movement(DisputeAccept | DisputeSubmit) | Class::Dispute => "disputes",
    }
}
