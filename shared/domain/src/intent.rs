//! A movement that somebody asks for, before it has an object of Stripe's.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::{Kind, Money, MoneyError, StripeId};

/// What an object is to the movement asked for. One word in requests, entries and facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectRole {
    /// The charge refunded.
    Charge,
    /// Who or what receives the money: a bank account or card for a payout, a connected account for a transfer.
    Destination,
    /// The dispute answered.
    Dispute,
    /// The payment intent whose charge is refunded.
    PaymentIntent,
    /// The charge whose funds are transferred.
    SourceTransaction,
    /// The transfer reversed.
    Transfer,
}

impl ObjectRole {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Charge, Self::Destination, Self::Dispute, Self::PaymentIntent, Self::SourceTransaction, Self::Transfer];

    /// The role's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Destination => "destination",
            Self::Dispute => "dispute",
            Self::PaymentIntent => "payment_intent",
            Self::SourceTransaction => "source_transaction",
            Self::Transfer => "transfer",
        }
    }

    /// The roles that a movement of this kind has: at most one object of each.
    #[must_use]
    pub const fn of(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Refund => &[Self::Charge, Self::PaymentIntent],
            Kind::Payout => &[Self::Destination],
            Kind::Transfer => &[Self::Destination, Self::SourceTransaction],
            Kind::TransferReversal => &[Self::Transfer],
            Kind::DisputeAccept | Kind::DisputeSubmit => &[Self::Dispute],
        }
    }

    /// Prefixes of the ids of such objects (Stripe API reference; `py_` is a charge that is no card payment).
    #[must_use]
    pub const fn prefixes(self, kind: Kind) -> &'static [&'static str] {
        match (self, kind) {
            (Self::Charge | Self::SourceTransaction, _) => &["ch", "py"],
            (Self::Destination, Kind::Transfer) => &["acct"],
            (Self::Destination, _) => &["ba", "card"],
            (Self::Dispute, _) => &["dp", "du"],
            (Self::PaymentIntent, _) => &["pi"],
            (Self::Transfer, _) => &["tr"],
        }
    }
}

impl fmt::Display for ObjectRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the role of an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not what an object can be to a movement")]
pub struct ObjectRoleError(String);

impl FromStr for ObjectRole {
    type Err = ObjectRoleError;

    fn from_str(text: &str) -> Result<Self, ObjectRoleError> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| ObjectRoleError(text.chars().take(40).collect()))
    }
}

/// A movement that somebody asks for: checked to be one that could be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    kind: Kind,
    money: Money,
    objects: BTreeMap<ObjectRole, StripeId>,
}

/// What is asked for cannot be a movement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    /// The amount.
    #[error("{0}")]
    Amount(#[from] MoneyError),
    /// The currency is none that Stripe moves.
    #[error("`{0}` is no currency that Stripe moves")]
    Currency(crate::Currency),
    /// A movement of this kind has no such object.
    #[error("a {kind} has no `{role}`")]
    NoSuchRole {
        /// The kind.
        kind: Kind,
        /// The role given.
        role: ObjectRole,
    },
    /// The id is one of another kind of object.
    #[error("`{role}` of a {kind} begins with {}", expected(.role, .kind))]
    Prefix {
        /// The kind.
        kind: Kind,
        /// The role.
        role: ObjectRole,
    },
    /// Two objects that each say what is refunded.
    #[error("say `charge` or `payment_intent`, not both: they could disagree")]
    TwoParents,
}

fn expected(role: &ObjectRole, kind: &Kind) -> String {
    let prefixes: Vec<String> = role.prefixes(*kind).iter().map(|prefix| format!("`{prefix}_`")).collect();
    prefixes.join(" or ")
}

impl IntentError {
    /// The field that is wrong.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Amount(_) => "amount_cents",
            Self::Currency(_) => "currency",
            Self::NoSuchRole { role, .. } | Self::Prefix { role, .. } => role.as_str(),
            Self::TwoParents => "payment_intent",
        }
    }
}

impl Intent {
    /// The intent to move `money`.
    ///
    /// # Errors
    /// [`IntentError`] naming the field that is wrong.
    pub fn new(kind: Kind, money: Money, objects: BTreeMap<ObjectRole, StripeId>) -> Result<Self, IntentError> {
        if !money.currency().is_moved() {
            return Err(IntentError::Currency(money.currency()));
        }
        money.check_asked(kind)?;
        for (role, id) in &objects {
            if !ObjectRole::of(kind).contains(role) {
                return Err(IntentError::NoSuchRole { kind, role: *role });
            }
            if !role.prefixes(kind).contains(&id.prefix()) {
                return Err(IntentError::Prefix { kind, role: *role });
            }
        }
        if objects.contains_key(&ObjectRole::Charge) && objects.contains_key(&ObjectRole::PaymentIntent) {
            return Err(IntentError::TwoParents);
        }
        Ok(Self { kind, money, objects })
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// How much.
    #[must_use]
    pub const fn money(&self) -> Money {
        self.money
    }

    /// What it is about.
    #[must_use]
    pub const fn objects(&self) -> &BTreeMap<ObjectRole, StripeId> {
        &self.objects
    }

    /// The object of a role.
    #[must_use]
    pub fn object(&self, role: ObjectRole) -> Option<&StripeId> {
        self.objects.get(&role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(kind: Kind, amount: i64, currency: &str, objects: &[(ObjectRole, &str)]) -> Result<Intent, IntentError> {
        let money = Money::new(amount, currency.parse().unwrap()).unwrap();
        Intent::new(kind, money, objects.iter().map(|(role, id)| (*role, id.parse().unwrap())).collect())
    }

    #[test]
    fn each_kind_has_its_own_objects() {
        use ObjectRole::{Charge, Destination, Dispute, PaymentIntent, Transfer};
        for (kind, objects) in [
            (Kind::Refund, vec![(Charge, "ch_1")]),
            (Kind::Refund, vec![(Charge, "py_1")]),
            (Kind::Refund, vec![(PaymentIntent, "pi_1")]),
            (Kind::Refund, vec![]),
            (Kind::Payout, vec![(Destination, "ba_1")]),
            (Kind::Transfer, vec![(Destination, "acct_1")]),
            (Kind::TransferReversal, vec![(Transfer, "tr_1")]),
            (Kind::DisputeAccept, vec![(Dispute, "du_1")]),
        ] {
            assert!(intent(kind, 100, "usd", &objects).is_ok(), "{kind} {objects:?}");
        }
        for (kind, objects, field) in [
            (Kind::Refund, vec![(Charge, "re_1")], "charge"),
            (Kind::Refund, vec![(Transfer, "tr_1")], "transfer"),
            (Kind::Refund, vec![(Charge, "ch_1"), (PaymentIntent, "pi_1")], "payment_intent"),
            (Kind::Payout, vec![(Destination, "acct_1")], "destination"),
            (Kind::Transfer, vec![(Destination, "ba_1")], "destination"),
            (Kind::DisputeSubmit, vec![(Charge, "ch_1")], "charge"),
            (Kind::TransferReversal, vec![(Transfer, "trr_1")], "transfer"),
        ] {
            assert_eq!(intent(kind, 100, "usd", &objects).map_err(|e| e.field()), Err(field), "{kind} {objects:?}");
        }
    }

    #[test]
    fn amounts_that_cannot_be_asked_for() {
        for currency in ["xxx", "btc", "zzz", "eth"] {
            assert_eq!(intent(Kind::Refund, 100, currency, &[]).unwrap_err().field(), "currency");
        }
        for (amount, currency) in [(0, "usd"), (-1, "usd"), (5, "kwd"), (50, "isk")] {
            let error = intent(Kind::Refund, amount, currency, &[]).unwrap_err();
            assert_eq!(error.field(), "amount_cents", "{amount} {currency}");
        }
    }
}
