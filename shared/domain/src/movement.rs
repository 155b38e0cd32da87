//! A movement of money, normalised.

use crate::{Facts, Kind, Money, Scope, StripeId};

/// What identifies a movement within its scope: its kind, the Stripe object, and an ordinal where one object moves more
/// than once (the n-th submission of evidence for a dispute). The ordinal is 0 everywhere else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MovementKey {
    /// The kind.
    pub kind: Kind,
    /// The Stripe object that is the movement: `re_…`, `po_…`, `tr_…`, `trr_…`, or the dispute.
    pub object: StripeId,
    /// Which movement of that object.
    pub ordinal: u32,
}

impl MovementKey {
    /// The key's text: `refund#re_1#0`.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}#{}#{}", self.kind, self.object, self.ordinal)
    }
}

/// A movement of money out of a Stripe account (or, for a reversal, out of a connected one).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Whose money.
    pub scope: Scope,
    /// What it is. Which one it is, where it has an object of Stripe's already, is its [`MovementKey`].
    pub kind: Kind,
    /// How much. For a dispute, the disputed amount.
    pub money: Money,
    /// What is known about it, of the same kind.
    pub facts: Facts,
}

impl Movement {
    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }
}
