//! Attributes of a row: writing and strict reading.

use std::collections::HashMap;
use std::str::FromStr;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

/// A row as the SDK holds it.
pub type Item = HashMap<String, AttributeValue>;

/// A row that is not as this program writes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("attribute `{0}` of a row is missing or of another form")]
pub struct RowError(pub &'static str);

/// A string attribute.
pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number attribute.
pub(crate) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A binary attribute.
pub(crate) fn b(bytes: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// The key of a row of the state table.
pub(crate) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([("pk".to_owned(), s(pk)), ("sk".to_owned(), s(sk))])
}

/// A string attribute's text.
pub(crate) fn text<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, RowError> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or(RowError(name))
}

/// A string attribute, parsed.
pub(crate) fn parse<T: FromStr>(item: &Item, name: &'static str) -> Result<T, RowError> {
    text(item, name)?.parse().map_err(|_| RowError(name))
}

/// A number attribute, parsed.
pub(crate) fn number<T: FromStr>(item: &Item, name: &'static str) -> Result<T, RowError> {
    let value = item.get(name).and_then(|value| value.as_n().ok()).ok_or(RowError(name))?;
    value.parse().map_err(|_| RowError(name))
}

/// A binary attribute's bytes.
pub(crate) fn bytes<'a>(item: &'a Item, name: &'static str) -> Result<&'a [u8], RowError> {
    item.get(name).and_then(|value| value.as_b().ok()).map(AsRef::as_ref).ok_or(RowError(name))
}

/// The strings of a string-set or list attribute; none where it is missing.
pub(crate) fn texts(item: &Item, name: &'static str) -> Result<Vec<String>, RowError> {
    match item.get(name) {
        None => Ok(Vec::new()),
        Some(AttributeValue::Ss(texts)) => Ok(texts.clone()),
        Some(AttributeValue::L(list)) => {
            list.iter().map(|value| value.as_s().cloned().map_err(|_| RowError(name))).collect()
        }
        Some(_) => Err(RowError(name)),
    }
}
