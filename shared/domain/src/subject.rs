//! Whom or what a limit counts for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a limit is counted by: each value has windows of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// All movements of the scope together.
    Account,
    /// Who asks: an agent or a member of staff. Nobody who moves money without asking.
    Actor,
    /// The person responsible for the actor, over all that person's keys.
    Operator,
    /// The charge refunded or disputed.
    Charge,
    /// The customer of that charge.
    Customer,
    /// Who receives the money.
    Destination,
}

impl Per {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Account, Self::Actor, Self::Operator, Self::Charge, Self::Customer, Self::Destination];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Actor => "actor",
            Self::Operator => "operator",
            Self::Charge => "charge",
            Self::Customer => "customer",
            Self::Destination => "destination",
        }
    }

    /// The fact that names the subject; none where the request itself does.
    #[must_use]
    pub const fn fact(self) -> Option<&'static str> {
        match self {
            Self::Account | Self::Actor | Self::Operator => None,
            Self::Charge | Self::Customer | Self::Destination => Some(self.as_str()),
        }
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One subject: the actor `agent:ag_1`, the charge `ch_1`, the account itself. Written `actor#agent:ag_1`, `account#-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject {
    per: Per,
    id: String,
}

/// The text is not a subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a subject of limits")]
pub struct SubjectError(String);

/// Letters, digits and `_ . : -`, 1 to 255 of them.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-'))
}

impl Subject {
    /// The subject of that id.
    ///
    /// # Errors
    /// [`SubjectError`] where the id is no word.
    pub fn new(per: Per, id: &str) -> Result<Self, SubjectError> {
        if is_word(id) && (per != Per::Account || id == "-") {
            Ok(Self { per, id: id.to_owned() })
        } else {
            Err(SubjectError(id.chars().take(60).collect()))
        }
    }

    /// The account: the one subject of [`Per::Account`] in a scope.
    #[must_use]
    pub fn account() -> Self {
        Self { per: Per::Account, id: "-".to_owned() }
    }

    /// What it is.
    #[must_use]
    pub const fn per(&self) -> Per {
        self.per
    }

    /// Which one.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its text in keys, entries and answers: `charge#ch_1`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}#{}", self.per, self.id)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.per, self.id)
    }
}

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let error = || SubjectError(text.chars().take(60).collect());
        let (per, id) = text.split_once('#').ok_or_else(error)?;
        let per = Per::ALL.into_iter().find(|known| known.as_str() == per).ok_or_else(error)?;
        Self::new(per, id)
    }
}

impl TryFrom<String> for Subject {
    type Error = SubjectError;

    fn try_from(text: String) -> Result<Self, SubjectError> {
        text.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.key()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read_back() {
        for text in
            ["account#-", "actor#agent:ag_1", "operator#per_1", "charge#ch_1", "customer#cus_1", "destination#ba_1"]
        {
            assert_eq!(text.parse::<Subject>().map(|s| s.key()), Ok(text.to_owned()));
        }
        assert_eq!(Subject::account().key(), "account#-");
    }

    #[test]
    fn what_could_break_a_key_is_refused() {
        for bad in
            ["", "actor", "actor#", "account#acct_1", "card#1", "charge#ch_1#2", "charge#é", "charge#a b", "Actor#a"]
        {
            assert!(bad.parse::<Subject>().is_err(), "{bad}");
        }
        assert!(Subject::new(Per::Charge, &"c".repeat(256)).is_err());
    }
}
