//! What a movement is, and the family it is reported under.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The kind of a movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Money back to a customer.
    Refund,
    /// Money from the Stripe balance to a bank account or card.
    Payout,
    /// Money to a connected account.
    Transfer,
    /// Money of a transfer taken back from a connected account.
    TransferReversal,
    /// A dispute conceded: the disputed money is given up.
    DisputeAccept,
    /// Evidence submitted against a dispute.
    DisputeSubmit,
}

/// The four families that plans, permissions and reports speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Refunds.
    Refunds,
    /// Dispute responses.
    Disputes,
    /// Payouts.
    Payouts,
    /// Transfers and their reversals.
    Transfers,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Refund, Self::Payout, Self::Transfer, Self::TransferReversal, Self::DisputeAccept, Self::DisputeSubmit];

    /// The kind's word in keys, entries and policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Payout => "payout",
            Self::Transfer => "transfer",
            Self::TransferReversal => "transfer_reversal",
            Self::DisputeAccept => "dispute_accept",
            Self::DisputeSubmit => "dispute_submit",
        }
    }

    /// The family it belongs to.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Self::Refund => Family::Refunds,
            Self::Payout => Family::Payouts,
            Self::Transfer | Self::TransferReversal => Family::Transfers,
            Self::DisputeAccept | Self::DisputeSubmit => Family::Disputes,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a kind of movement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of movement")]
pub struct KindError(String);

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| KindError(text.chars().take(40).collect()))
    }
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 4] = [Self::Refunds, Self::Disputes, Self::Payouts, Self::Transfers];

    /// The family's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refunds => "refunds",
            Self::Disputes => "disputes",
            Self::Payouts => "payouts",
            Self::Transfers => "transfers",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_word_in_text_and_json() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert!(Family::ALL.contains(&kind.family()));
        }
        assert!("refunds".parse::<Kind>().is_err());
        assert!("Refund".parse::<Kind>().is_err());
    }
}
