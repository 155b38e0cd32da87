//! Identifiers of Stripe objects.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The id of a Stripe object: a lower-case prefix, an underscore, letters, digits and underscores.
///
/// At most 255 characters: Stripe's stated upper bound for object ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StripeId(String);

/// Longest id that Stripe says it may issue.
const MAX_LEN: usize = 255;

impl StripeId {
    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first underscore: `re` of `re_123`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.0.split_once('_').map_or("", |(prefix, _)| prefix)
    }
}

impl fmt::Display for StripeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not the id of a Stripe object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a Stripe id: expected a lower-case prefix, `_`, then letters and digits")]
pub struct StripeIdError(String);

/// True when `text` has the shape of a Stripe id.
fn is_stripe_id(text: &str) -> bool {
    let Some((prefix, rest)) = text.split_once('_') else {
        return false;
    };
    text.len() <= MAX_LEN
        && !prefix.is_empty()
        && prefix.bytes().all(|b| b.is_ascii_lowercase())
        && !rest.is_empty()
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl FromStr for StripeId {
    type Err = StripeIdError;

    fn from_str(text: &str) -> Result<Self, StripeIdError> {
        if is_stripe_id(text) { Ok(Self(text.to_owned())) } else { Err(StripeIdError(text.chars().take(40).collect())) }
    }
}

impl TryFrom<String> for StripeId {
    type Error = StripeIdError;

    fn try_from(text: String) -> Result<Self, StripeIdError> {
        text.parse()
    }
}

impl From<StripeId> for String {
    fn from(id: StripeId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_every_family_parse() {
        for id in ["re_1Pgc72B7WZ", "po_1", "tr_1", "trr_1", "dp_1", "du_1", "pyr_1", "evt_test_1", "acct_1"] {
            assert_eq!(id.parse::<StripeId>().map(String::from), Ok(id.to_owned()));
        }
        assert_eq!("trr_9".parse::<StripeId>().map(|id| id.prefix().to_owned()), Ok("trr".to_owned()));
    }

    #[test]
    fn anything_that_could_break_a_key_or_a_path_is_refused() {
        let long = format!("re_{}", "a".repeat(MAX_LEN));
        for bad in ["", "re", "re_", "_1", "RE_1", "re_1#2", "re_1/2", "re_1 ", "re-1", "re_é", "re_1\n", "r3_1", &long]
        {
            assert!(bad.parse::<StripeId>().is_err(), "{bad}");
        }
    }
}
