//! The unit of segregation: a mode together with an account.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AccountId, AccountIdError, Mode, ModeError};

/// One Stripe account in one mode, written `live/acct_123`.
///
/// Every key, row, queue message, log line, encryption context and file prefix carries it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope {
    mode: Mode,
    account: AccountId,
}

impl Scope {
    /// The scope of `account` in `mode`.
    #[must_use]
    pub const fn new(mode: Mode, account: AccountId) -> Self {
        Self { mode, account }
    }

    /// The mode.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The account.
    #[must_use]
    pub const fn account(&self) -> &AccountId {
        &self.account
    }

    /// The form used at the head of table keys: `live#acct_123`. Mode first, so that a role can be held to one mode by key prefix.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}#{}", self.mode, self.account)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.mode, self.account)
    }
}

/// The text is not a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// There is no `/`.
    #[error("`{0}` is not a scope: expected `test/acct_…` or `live/acct_…`")]
    Shape(String),
    /// The part before the `/`.
    #[error("the scope's mode is wrong")]
    Mode(#[from] ModeError),
    /// The part after the `/`.
    #[error("the scope's account is wrong")]
    Account(#[from] AccountIdError),
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let (mode, account) = text.split_once('/').ok_or_else(|| ScopeError::Shape(text.chars().take(40).collect()))?;
        Ok(Self::new(mode.parse()?, account.parse()?))
    }
}

impl TryFrom<String> for Scope {
    type Error = ScopeError;

    fn try_from(text: String) -> Result<Self, ScopeError> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(live: bool, tail in "[A-Za-z0-9]{1,40}") {
            let account: AccountId = format!("acct_{tail}").parse().unwrap();
            let scope = Scope::new(Mode::from_livemode(live), account);
            prop_assert_eq!(scope.to_string().parse::<Scope>(), Ok(scope.clone()));
            let key = scope.key();
            prop_assert_eq!(key.matches('#').count(), 1);
        }

        #[test]
        fn arbitrary_text_never_panics_and_never_gains_meaning(text in ".{0,60}") {
            if let Ok(scope) = text.parse::<Scope>() {
                prop_assert_eq!(scope.to_string(), text);
            }
        }
    }

    #[test]
    fn other_shapes_are_refused() {
        for bad in [
            "",
            "live",
            "live#acct_1",
            "acct_1/live",
            "live/acct_",
            "live/cus_1",
            "live/acct_1/x",
            " live/acct_1",
            "live/acct_1#0",
        ] {
            assert!(bad.parse::<Scope>().is_err(), "{bad}");
        }
    }
}
