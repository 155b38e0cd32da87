//! What a caller claims about a movement. Nobody has checked it, and it can never be read as a fact.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::MAX_SAFE_INTEGER;
use crate::subject::is_word;

/// Most claims of one request.
const MAX_CLAIMS: usize = 16;
/// Longest name, in bytes.
const MAX_NAME: usize = 64;

/// The claims of one request: words, whole numbers, true or false, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    claims: BTreeMap<String, Value>,
}

/// A claim that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimedError {
    /// Not an object.
    #[error("claims are an object of names and values")]
    NotAnObject,
    /// More than [`MAX_CLAIMS`].
    #[error("{0} claims, at most 16 are taken")]
    TooMany(usize),
    /// The name is no word.
    #[error("`{0}` is not the name of a claim: use 1 to 64 letters, digits and `_ . : -`")]
    Name(String),
    /// The value is neither a word, nor a whole number, nor true or false.
    #[error("the claim `{0}` is not a word of 1 to 255 letters, digits and `_ . : -`, a whole number, true or false")]
    Value(String),
}

impl Claimed {
    /// Nothing is claimed.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// The claims of a JSON object.
    ///
    /// # Errors
    /// [`ClaimedError`] for anything that is not taken; never a part of them.
    pub fn from_json(value: &Value) -> Result<Self, ClaimedError> {
        let object = value.as_object().ok_or(ClaimedError::NotAnObject)?;
        if object.len() > MAX_CLAIMS {
            return Err(ClaimedError::TooMany(object.len()));
        }
        for (name, value) in object {
            if name.len() > MAX_NAME || !is_word(name) {
                return Err(ClaimedError::Name(name.chars().take(60).collect()));
            }
            let fits = match value {
                Value::String(text) => is_word(text),
                Value::Number(n) => n.as_i64().is_some_and(|n| n.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs()),
                Value::Bool(_) => true,
                _ => false,
            };
            if !fits {
                return Err(ClaimedError::Value(name.clone()));
            }
        }
        Ok(Self { claims: object.iter().map(|(name, value)| (name.clone(), value.clone())).collect() })
    }

    /// The claims as the JSON object they were read from.
    #[must_use]
    pub fn to_json(&self) -> Value {
        Value::Object(self.claims.iter().map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
    }

    /// True where nothing is claimed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }

    /// Every claim as text, sorted by name: `true`, `-5`, `ticket-7`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        self.claims.iter().map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.as_str(), text)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn words_numbers_and_truth_are_taken() {
        let value = json!({"ticket": "T-7", "urgent": true, "seats": -3, "a.b:c_d-e": "x"});
        let claimed = Claimed::from_json(&value).unwrap();
        assert_eq!(claimed.to_json(), value);
        let texts: Vec<_> = claimed.iter().map(|(name, text)| format!("{name}={text}")).collect();
        assert_eq!(texts, ["a.b:c_d-e=x", "seats=-3", "ticket=T-7", "urgent=true"]);
        assert!(Claimed::from_json(&json!({})).unwrap().is_empty());
    }

    #[test]
    fn everything_else_is_refused() {
        for bad in [
            json!(null),
            json!([]),
            json!("a"),
            json!({"": 1}),
            json!({"a b": 1}),
            json!({"é": 1}),
            json!({"a": null}),
            json!({"a": 1.5}),
            json!({"a": 9_007_199_254_740_992_i64}),
            json!({"a": u64::MAX}),
            json!({"a": ""}),
            json!({"a": "two words"}),
            json!({"a": "jo@shop.example"}),
            json!({"a": ["x"]}),
            json!({"a": {"b": 1}}),
            json!({"n".repeat(65): 1}),
            json!({"a": "v".repeat(256)}),
        ] {
            assert!(Claimed::from_json(&bad).is_err(), "{bad}");
        }
        let many: Map<_, _> = (0..17).map(|i| (format!("c{i}"), json!(i))).collect();
        assert_eq!(Claimed::from_json(&Value::Object(many)), Err(ClaimedError::TooMany(17)));
    }

    proptest! {
        #[test]
        fn what_is_taken_is_words_only(name in ".{0,70}", text in ".{0,260}") {
            if let Ok(claimed) = Claimed::from_json(&json!({name.clone(): text.clone()})) {
                prop_assert!(is_word(&name) && is_word(&text) && name.len() <= 64);
                prop_assert_eq!(claimed.to_json(), json!({name: text}));
            }
        }
    }
}
