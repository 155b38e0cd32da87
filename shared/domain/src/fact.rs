//! What is known about a movement beside its amount.
//!
//! Absent (Stripe says there is none) and unknown (nobody could say) are different: a policy that depends on an unknown
//! fact must not fall open. The table [`FACTS`] is the only place where a fact is named: the policy schema, the entry
//! format and the documentation follow it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Kind, MAX_SAFE_INTEGER};

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FactValue {
    /// True or false.
    Bool(bool),
    /// A whole number; its unit is in the fact's name.
    Long(i64),
    /// A word or an id.
    Text(String),
}

/// A fact about one movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It is this.
    Known(FactValue),
    /// Stripe says that there is none.
    Absent,
    /// It could not be asked, or was not.
    Unknown,
}

/// The type of a fact's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactType {
    /// [`FactValue::Bool`].
    Bool,
    /// [`FactValue::Long`].
    Long,
    /// [`FactValue::Text`].
    Text,
}

/// Where a fact comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactSource {
    /// The moved object itself, as Stripe reports it.
    Object,
    /// Another object of Stripe that must be asked for.
    Stripe,
    /// What Axiru itself has recorded.
    Axiru,
}

/// One row of the table of facts.
#[derive(Clone, Copy, Debug)]
pub struct FactSpec {
    /// Its name in policies and entries.
    pub name: &'static str,
    /// The type of its value.
    pub ty: FactType,
    /// The kinds of movement that have it.
    pub kinds: &'static [Kind],
    /// Where it comes from.
    pub source: FactSource,
    /// What it says, for the documentation.
    pub meaning: &'static str,
}

/// Every fact a policy may read.
pub const FACTS: &[FactSpec] = &[
    FactSpec {
        name: "reason",
        ty: FactType::Text,
        kinds: &[Kind::Refund, Kind::DisputeAccept, Kind::DisputeSubmit],
        source: FactSource::Object,
        meaning: "Stripe's reason of the refund or dispute",
    },
    FactSpec {
        name: "charge",
        ty: FactType::Text,
        kinds: &[Kind::Refund, Kind::DisputeAccept, Kind::DisputeSubmit],
        source: FactSource::Object,
        meaning: "id of the charge refunded or disputed",
    },
    FactSpec {
        name: "destination_type",
        ty: FactType::Text,
        kinds: &[Kind::Refund, Kind::Payout],
        source: FactSource::Object,
        meaning: "where the money goes: `card`, `bank_account` and so on",
    },
    FactSpec {
        name: "method",
        ty: FactType::Text,
        kinds: &[Kind::Payout],
        source: FactSource::Object,
        meaning: "`standard` or `instant`",
    },
    FactSpec {
        name: "automatic",
        ty: FactType::Bool,
        kinds: &[Kind::Payout],
        source: FactSource::Object,
        meaning: "whether Stripe's schedule made the payout",
    },
    FactSpec {
        name: "destination",
        ty: FactType::Text,
        kinds: &[Kind::Payout, Kind::Transfer],
        source: FactSource::Object,
        meaning: "id of the bank account, card or connected account that receives the money",
    },
    FactSpec {
        name: "source_type",
        ty: FactType::Text,
        kinds: &[Kind::Payout, Kind::Transfer],
        source: FactSource::Object,
        meaning: "which part of the balance the money comes from",
    },
    FactSpec {
        name: "source_transaction",
        ty: FactType::Text,
        kinds: &[Kind::Transfer],
        source: FactSource::Object,
        meaning: "id of the charge whose funds are transferred",
    },
    FactSpec {
        name: "transfer",
        ty: FactType::Text,
        kinds: &[Kind::TransferReversal],
        source: FactSource::Object,
        meaning: "id of the transfer reversed",
    },
    FactSpec {
        name: "source_refund",
        ty: FactType::Text,
        kinds: &[Kind::TransferReversal],
        source: FactSource::Object,
        meaning: "id of the refund that caused the reversal",
    },
    FactSpec {
        name: "transfer_amount_minor",
        ty: FactType::Long,
        kinds: &[Kind::TransferReversal],
        source: FactSource::Object,
        meaning: "amount of the transfer reversed, in minor units",
    },
    FactSpec {
        name: "case_type",
        ty: FactType::Text,
        kinds: &[Kind::DisputeAccept, Kind::DisputeSubmit],
        source: FactSource::Object,
        meaning: "`chargeback`, `inquiry` and so on",
    },
    FactSpec {
        name: "submission_count",
        ty: FactType::Long,
        kinds: &[Kind::DisputeAccept, Kind::DisputeSubmit],
        source: FactSource::Object,
        meaning: "how often evidence had been submitted, this time included",
    },
    FactSpec {
        name: "evidence_past_due",
        ty: FactType::Bool,
        kinds: &[Kind::DisputeAccept, Kind::DisputeSubmit],
        source: FactSource::Object,
        meaning: "whether the time to respond had passed",
    },
    FactSpec {
        name: "charge_age_days",
        ty: FactType::Long,
        kinds: &[Kind::Refund],
        source: FactSource::Stripe,
        meaning: "whole days since the charge was made",
    },
    FactSpec {
        name: "charge_refundable_minor",
        ty: FactType::Long,
        kinds: &[Kind::Refund],
        source: FactSource::Stripe,
        meaning: "what remained refundable before the refund, in minor units",
    },
    FactSpec {
        name: "charge_disputed",
        ty: FactType::Bool,
        kinds: &[Kind::Refund],
        source: FactSource::Stripe,
        meaning: "whether the charge had a dispute",
    },
    FactSpec {
        name: "charge_currency",
        ty: FactType::Text,
        kinds: &[Kind::Refund],
        source: FactSource::Stripe,
        meaning: "currency of the charge",
    },
    FactSpec {
        name: "charge_refunded_minor",
        ty: FactType::Long,
        kinds: &[Kind::Refund],
        source: FactSource::Stripe,
        meaning: "what of the charge had been refunded before, in minor units",
    },
    FactSpec {
        name: "customer",
        ty: FactType::Text,
        kinds: &[Kind::Refund, Kind::DisputeAccept, Kind::DisputeSubmit],
        source: FactSource::Stripe,
        meaning: "id of the charge's customer",
    },
    FactSpec {
        name: "payment_intent",
        ty: FactType::Text,
        kinds: &[Kind::Refund],
        source: FactSource::Object,
        meaning: "id of the payment intent refunded",
    },
    FactSpec {
        name: "destination_under_review",
        ty: FactType::Bool,
        kinds: &[Kind::Payout, Kind::Transfer],
        source: FactSource::Axiru,
        meaning: "whether the destination, or its account, is under review",
    },
    FactSpec {
        name: "similar_24h",
        ty: FactType::Long,
        kinds: &Kind::ALL,
        source: FactSource::Axiru,
        meaning: "how many with the same actor, object and amount there were in the 24 hours before",
    },
];

impl FactSpec {
    /// The facts of one kind, in the table's order.
    pub fn of(kind: Kind) -> impl Iterator<Item = &'static Self> {
        FACTS.iter().filter(move |spec| spec.kinds.contains(&kind))
    }

    /// The row of `name` for `kind`.
    #[must_use]
    pub fn find(kind: Kind, name: &str) -> Option<&'static Self> {
        Self::of(kind).find(|spec| spec.name == name)
    }
}

impl FactValue {
    /// The type of the value.
    #[must_use]
    pub const fn ty(&self) -> FactType {
        match self {
            Self::Bool(_) => FactType::Bool,
            Self::Long(_) => FactType::Long,
            Self::Text(_) => FactType::Text,
        }
    }
}

/// A fact that may not be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// The table has no such fact for the kind.
    #[error("a {kind} has no fact `{name}`")]
    NoSuchFact {
        /// The kind of movement.
        kind: Kind,
        /// The name asked for.
        name: String,
    },
    /// The value has another type than the table says, or is a number beyond 2^53 - 1.
    #[error("the value of fact `{0}` is not of its type")]
    Type(&'static str),
}

/// The facts of one movement: one for every row of the table that its kind has; unset ones are unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    kind: Kind,
    facts: BTreeMap<&'static str, Fact>,
}

impl Facts {
    /// All facts of `kind`, unknown.
    #[must_use]
    pub fn unknown(kind: Kind) -> Self {
        Self { kind, facts: FactSpec::of(kind).map(|spec| (spec.name, Fact::Unknown)).collect() }
    }

    /// The kind these are facts of.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Sets a fact.
    ///
    /// # Errors
    /// [`FactsError`] for a name or type that is not in the table.
    pub fn set(&mut self, name: &str, fact: Fact) -> Result<(), FactsError> {
        let Some(spec) = FactSpec::find(self.kind, name) else {
            return Err(FactsError::NoSuchFact { kind: self.kind, name: name.chars().take(60).collect() });
        };
        if let Fact::Known(value) = &fact {
            let in_range = !matches!(value, FactValue::Long(n) if n.unsigned_abs() > MAX_SAFE_INTEGER.unsigned_abs());
            if value.ty() != spec.ty || !in_range {
                return Err(FactsError::Type(spec.name));
            }
        }
        self.facts.insert(spec.name, fact);
        Ok(())
    }

    /// The fact of that name; unknown where the kind has none.
    #[must_use]
    pub fn get(&self, name: &str) -> &Fact {
        self.facts.get(name).unwrap_or(&Fact::Unknown)
    }

    /// Every fact with its name, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Fact)> {
        self.facts.iter().map(|(name, fact)| (*name, fact))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_no_name_twice_for_one_kind() {
        for kind in Kind::ALL {
            let mut names: Vec<_> = FactSpec::of(kind).map(|spec| spec.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{kind}");
        }
    }

    #[test]
    fn wrong_names_and_types_are_refused() {
        let mut facts = Facts::unknown(Kind::Payout);
        assert_eq!(facts.get("automatic"), &Fact::Unknown);
        facts.set("automatic", Fact::Known(FactValue::Bool(true))).unwrap();
        assert_eq!(facts.get("automatic"), &Fact::Known(FactValue::Bool(true)));
        assert!(facts.set("automatic", Fact::Known(FactValue::Text("true".into()))).is_err());
        assert!(facts.set("charge", Fact::Absent).is_err());
        let mut refund = Facts::unknown(Kind::Refund);
        assert!(refund.set("charge_age_days", Fact::Known(FactValue::Long(i64::MAX))).is_err());
    }
}
