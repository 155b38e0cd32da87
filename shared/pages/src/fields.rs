//! Fields of a form or a query: foreign text, read strictly.

use std::collections::BTreeMap;

/// Most fields that are read.
const MAX_FIELDS: usize = 16;

/// The fields, each at most once. No `Debug`: they hold links, states and codes.
pub struct Fields(BTreeMap<String, String>);

/// The text cannot be read as fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldsError {
    /// Longer than allowed, or more than 16 fields.
    #[error("the form or query is too long")]
    TooLong,
    /// Not URL-encoded UTF-8.
    #[error("the form or query is not URL-encoded text")]
    Encoding,
    /// A field stands twice: which one counts would be a matter of taste.
    #[error("a field of the form or query stands twice")]
    Twice,
}

impl Fields {
    /// Reads URL-encoded fields of at most `max_bytes`.
    ///
    /// # Errors
    /// [`FieldsError`].
    pub fn parse(text: &[u8], max_bytes: usize) -> Result<Self, FieldsError> {
        if text.len() > max_bytes {
            return Err(FieldsError::TooLong);
        }
        let text = std::str::from_utf8(text).map_err(|_| FieldsError::Encoding)?;
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text).map_err(|_| FieldsError::Encoding)?;
        if pairs.len() > MAX_FIELDS {
            return Err(FieldsError::TooLong);
        }
        let mut fields = BTreeMap::new();
        for (name, value) in pairs {
            if fields.insert(name, value).is_some() {
                return Err(FieldsError::Twice);
            }
        }
        Ok(Self(fields))
    }

    /// A field's value; none where it is missing or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(text: &[u8]) -> Option<FieldsError> {
        Fields::parse(text, 4_096).err()
    }

    #[test]
    fn strictly_read() {
        let fields =
            Fields::parse(b"state=test.a-b&empty=&x=%C3%BC+y", 4_096).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (fields.get("state"), fields.get("empty"), fields.get("x"), fields.get("y")),
            (Some("test.a-b"), None, Some("ü y"), None)
        );
        assert_eq!(error(b"code=1&code=2"), Some(FieldsError::Twice));
        assert_eq!(error(b"\xff=1"), Some(FieldsError::Encoding));
        assert_eq!(error(&[b'a'; 4_097]), Some(FieldsError::TooLong));
        assert_eq!(
            error("a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1&l=1&m=1&n=1&o=1&p=1&q=1".as_bytes()),
            Some(FieldsError::TooLong)
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(fields) = Fields::parse(&bytes, 4_096) {
                prop_assert!(fields.get("state").is_none_or(|value| value.len() <= 600));
            }
        }
    }
}
