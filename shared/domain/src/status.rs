//! Where a request stands.

use std::fmt;
use std::str::FromStr;

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RequestStatus {
    /// It may be made, by whoever asked; what it moves is held in the windows.
    Allowed,
    /// It waits for people; what it would move is held in the windows.
    Pending,
    /// People have approved it, and Axiru is about to make it; what it would move is held in the windows.
    Approved,
    /// It may not be made: a plan forbids it, or one of those who were asked.
    Denied,
    /// Axiru is making it, or may have; what it moves is held in the windows.
    Executing,
    /// Axiru sent it and nobody knows what became of it; what it moves is held in the windows.
    Unknown,
    /// Axiru made it; what it moved is committed.
    Succeeded,
    /// Stripe refused it, or it never happened; nothing is held, and Axiru will not make it any more.
    Failed,
    /// Stripe reported the movement; what it moved is committed.
    Settled,
    /// Nobody made or approved it in time; nothing is held.
    Expired,
    /// It was held or approved, and things are no longer as they were, or an operator ended it; nothing is held.
    Cancelled,
}

impl RequestStatus {
    /// Every status.
    pub const ALL: [Self; 11] = [
        Self::Allowed,
        Self::Pending,
        Self::Approved,
        Self::Denied,
        Self::Executing,
        Self::Unknown,
        Self::Succeeded,
        Self::Failed,
        Self::Settled,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The status's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Executing => "executing",
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Settled => "settled",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether something can still become of it, so that windows hold its amount.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Allowed | Self::Pending | Self::Approved | Self::Executing | Self::Unknown)
    }

    /// Whether Axiru has sent it, or may have, and its outcome is not recorded.
    #[must_use]
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Executing | Self::Unknown)
    }
}

impl fmt::Display for RequestStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the status of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a status: expected allowed, pending, approved, denied, executing, unknown, succeeded, failed, settled, expired or \
     cancelled"
)]
pub struct RequestStatusError(String);

impl FromStr for RequestStatus {
    type Err = RequestStatusError;

    fn from_str(text: &str) -> Result<Self, RequestStatusError> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| RequestStatusError(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_one_word_and_the_refusal_lists_them() {
        for status in RequestStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert!("x".parse::<RequestStatus>().unwrap_err().to_string().contains(status.as_str()));
            assert!(!status.is_under_way() || status.is_open());
        }
    }
}
