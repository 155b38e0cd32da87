//! Stripe's two worlds, which never mix.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Stripe's mode of an object: `test` (which includes sandboxes) or `live`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// No money moves.
    Test,
    /// Real money.
    Live,
}

impl Mode {
    /// Both modes, test first.
    pub const ALL: [Self; 2] = [Self::Test, Self::Live];

    /// The mode that Stripe's `livemode` flag names.
    #[must_use]
    pub const fn from_livemode(livemode: bool) -> Self {
        if livemode { Self::Live } else { Self::Test }
    }

    /// Stripe's `livemode` flag for this mode.
    #[must_use]
    pub const fn livemode(self) -> bool {
        matches!(self, Self::Live)
    }

    /// `test` or `live`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a mode: say `test` or `live`")]
pub struct ModeError(String);

impl FromStr for Mode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Self, ModeError> {
        match text {
            "test" => Ok(Self::Test),
            "live" => Ok(Self::Live),
            other => Err(ModeError(other.chars().take(40).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_words_parse() {
        assert_eq!("test".parse(), Ok(Mode::Test));
        assert_eq!("live".parse(), Ok(Mode::Live));
        for bad in ["", "Test", "LIVE", "sandbox", "live ", "true"] {
            assert!(bad.parse::<Mode>().is_err(), "{bad}");
        }
    }

    #[test]
    fn livemode_is_the_same_fact() {
        for mode in Mode::ALL {
            assert_eq!(Mode::from_livemode(mode.livemode()), mode);
        }
    }
}
