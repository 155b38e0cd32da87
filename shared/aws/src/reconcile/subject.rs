//! What is compared: a movement, or a dispute that was opened.

use std::fmt;

use axiru_domain::{Kind, StripeId};

/// What an object is compared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// A movement of that kind.
    Movement(Kind),
    /// A dispute that somebody opened. It is no movement by itself, and the money goes with it.
    Dispute,
}

/// One thing that Stripe has, or the ledger tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    pub(super) class: Class,
    pub(super) object: StripeId,
    pub(super) ordinal: u32,
}

impl Class {
    /// The class's word in reports: the kind's, or `dispute`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Movement(kind) => kind.as_str(),
            Self::Dispute => "dispute",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Subject {
    /// A movement that is the only one of its object.
    pub(super) const fn of(kind: Kind, object: StripeId) -> Self {
        Self { class: Class::Movement(kind), object, ordinal: 0 }
    }

    /// A dispute.
    pub(super) const fn dispute(object: StripeId) -> Self {
        Self { class: Class::Dispute, object, ordinal: 0 }
    }

    /// What the id of an object says that it is; none where it is nothing that is compared. A dispute is one, not an answer to it.
    pub(super) fn by_id(object: &StripeId) -> Option<Self> {
        let (prefix, _) = object.as_str().split_once('_')?;
        let kind = match prefix {
            "re" | "pyr" => Kind::Refund,
            "po" => Kind::Payout,
            "tr" => Kind::Transfer,
            "trr" => Kind::TransferReversal,
            "du" | "dp" => return Some(Self::dispute(object.clone())),
            _ => return None,
        };
        Some(Self::of(kind, object.clone()))
    }
}
