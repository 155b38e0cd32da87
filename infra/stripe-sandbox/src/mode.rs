//! Test and live: two worlds that never mix, and the scope (mode, account) every object lives in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Stripe's mode of a key, an object or an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Test mode: no real money.
    Test,
    /// Live mode (play money here, of course).
    Live,
}

impl Mode {
    /// Both modes.
    pub const ALL: [Self; 2] = [Self::Test, Self::Live];

    /// The word used in keys and addresses: `test` or `live`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }

    /// Stripe's `livemode` flag.
    #[must_use]
    pub const fn livemode(self) -> bool {
        matches!(self, Self::Live)
    }

    /// The mode this one must never see.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Test => Self::Live,
            Self::Live => Self::Test,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word was neither `test` nor `live`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a mode: use `test` or `live`")]
pub struct ModeError(String);

impl FromStr for Mode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Self, ModeError> {
        match text {
            "test" => Ok(Self::Test),
            "live" => Ok(Self::Live),
            other => Err(ModeError(other.to_owned())),
        }
    }
}

/// One account in one mode.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// Test or live.
    pub mode: Mode,
    /// The account's id, `acct_…`.
    pub account: String,
}

impl Scope {
    /// Names one account in one mode.
    #[must_use]
    pub fn new(mode: Mode, account: impl Into<String>) -> Self {
        Self { mode, account: account.into() }
    }

    /// The same account in the other mode.
    #[must_use]
    pub fn other_mode(&self) -> Self {
        Self { mode: self.mode.other(), account: self.account.clone() }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.mode, self.account)
    }
}
