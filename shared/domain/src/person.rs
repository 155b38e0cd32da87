//! Persons: the humans behind operators, keys and approvals. In entries they are an id and nothing else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::key::{is_lower_alnum, lower_alnum};

/// A person of a scope, `per_` and 16 lower-case letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PersonId(String);

impl PersonId {
    /// The id of these random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("per_{}", lower_alnum(&bytes)))
    }

    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a person's id. It is not repeated: it may be an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a person's id: expected `per_` and 16 lower-case letters and digits")]
pub struct PersonIdError;

impl FromStr for PersonId {
    type Err = PersonIdError;

    fn from_str(text: &str) -> Result<Self, PersonIdError> {
        let fits = text.strip_prefix("per_").is_some_and(|tail| tail.len() == 16 && is_lower_alnum(tail));
        if fits { Ok(Self(text.to_owned())) } else { Err(PersonIdError) }
    }
}

impl TryFrom<String> for PersonId {
    type Error = PersonIdError;

    fn try_from(text: String) -> Result<Self, PersonIdError> {
        text.parse()
    }
}

impl From<PersonId> for String {
    fn from(id: PersonId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_are_read_back_and_others_refused() {
        let id = PersonId::from_random(*b"0123456789abcdef");
        assert_eq!(id.to_string().parse(), Ok(id));
        let long = format!("per_{}", "a".repeat(17));
        for bad in ["", "per_", "per_ABCDEFGHIJKLMNOP", "per_é23456789abcdef", "rosa@example.com", &long] {
            let error = bad.parse::<PersonId>().unwrap_err();
            assert!(!error.to_string().contains("rosa"), "{bad}");
        }
    }
}
