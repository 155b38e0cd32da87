//! Reading foreign JSON field by field, with errors that say where.

use std::collections::BTreeMap;

use axiru_domain::{Currency, FactValue, MAX_SAFE_INTEGER, StripeId, Timestamp, request_of_key};
use serde_json::{Map, Value};

use super::EventError;
use crate::report::{Caused, Link, RECEIPT, REQUEST};

/// A JSON object and the path that leads to it.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

/// A word from one of Stripe's lists: lower-case letters, digits, `_`, `.` and `-`, at most 64.
/// Anything else is free text and is not kept.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-'))
}

impl<'a> Fields<'a> {
    pub(super) fn of(value: &'a Value, path: &str) -> Result<Self, EventError> {
        let map = value.as_object().ok_or_else(|| EventError::Field(path.to_owned()))?;
        Ok(Self { map, path: path.to_owned() })
    }

    fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn wrong(&self, name: &str) -> EventError {
        EventError::Field(self.path(name))
    }

    /// The value; none where it is missing or null.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn need<T>(&self, name: &str, value: Option<T>) -> Result<T, EventError> {
        value.ok_or_else(|| self.wrong(name))
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, EventError> {
        self.need(name, self.get(name).and_then(Value::as_str))
    }

    pub(super) fn text_or_null(&self, name: &str) -> Result<Option<&'a str>, EventError> {
        self.get(name).map(|value| self.need(name, value.as_str())).transpose()
    }

    pub(super) fn bool(&self, name: &str) -> Result<bool, EventError> {
        self.need(name, self.get(name).and_then(Value::as_bool))
    }

    pub(super) fn bool_or_null(&self, name: &str) -> Result<Option<bool>, EventError> {
        self.get(name).map(|value| self.need(name, value.as_bool())).transpose()
    }

    /// An integer within 2^53 - 1.
    pub(super) fn int(&self, name: &str) -> Result<i64, EventError> {
        let n = self.get(name).and_then(Value::as_i64);
        self.need(name, n.filter(|n| n.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs()))
    }

    pub(super) fn count_or_null(&self, name: &str) -> Result<Option<u32>, EventError> {
        self.get(name).map(|value| self.need(name, value.as_u64().and_then(|n| u32::try_from(n).ok()))).transpose()
    }

    /// A moment that Stripe writes as seconds since 1970.
    pub(super) fn time(&self, name: &str) -> Result<Timestamp, EventError> {
        Timestamp::from_secs(self.int(name)?).map_err(|_| self.wrong(name))
    }

    pub(super) fn currency(&self) -> Result<Currency, EventError> {
        self.text("currency")?.parse().map_err(|_| self.wrong("currency"))
    }

    pub(super) fn id(&self, name: &str) -> Result<StripeId, EventError> {
        self.need(name, self.id_or_null(name)?)
    }

    /// The id of an object, which may stand there itself where somebody asked for it to be expanded.
    pub(super) fn id_or_null(&self, name: &str) -> Result<Option<StripeId>, EventError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().or_else(|| value.get("id").and_then(Value::as_str));
        let text = self.need(name, text)?;
        text.parse().map(Some).map_err(|_| self.wrong(name))
    }

    /// A word from one of Stripe's lists; none where it is missing, null or free text.
    pub(super) fn word(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Value::as_str).filter(|text| is_word(text)).map(str::to_owned)
    }

    pub(super) fn object(&self, name: &str) -> Result<Self, EventError> {
        self.need(name, self.object_or_null(name)?)
    }

    pub(super) fn object_or_null(&self, name: &str) -> Result<Option<Self>, EventError> {
        self.get(name).map(|value| Self::of(value, &self.path(name))).transpose()
    }

    /// The objects of a list.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Self>, EventError> {
        let list = self.need(name, self.get(name).and_then(Value::as_array))?;
        list.iter().enumerate().map(|(i, value)| Self::of(value, &format!("{}[{i}]", self.path(name)))).collect()
    }

    /// What the object's metadata names of Axiru; none where it does not name both parts in their form. Nothing else of the metadata is
    /// read, and nothing that stands there makes the event wrong.
    pub(super) fn link(&self) -> Option<Link> {
        let metadata = self.get("metadata")?.as_object()?;
        let text = |name| metadata.get(name).and_then(Value::as_str);
        Some(Link { request: text(REQUEST)?.parse().ok()?, receipt: text(RECEIPT)?.parse().ok()? })
    }

    /// The idempotency key of an event's request, where it has the form of one of Axiru's.
    pub(super) fn caused(&self) -> Option<Caused> {
        let key = self.get("idempotency_key")?.as_str()?;
        Some(Caused { request: request_of_key(key)?, key: key.to_owned() })
    }

    /// True when the field is there, even as null: Stripe says something of it.
    fn says(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }
}

/// Facts as they are gathered from an object: what the object does not mention stays unknown.
#[derive(Default)]
pub(super) struct Gathered(pub(super) BTreeMap<String, Option<FactValue>>);

impl Gathered {
    /// A word: unknown where the field is missing or free text, absent where it is null.
    pub(super) fn word(&mut self, fact: &str, from: &Fields<'_>, field: &str) {
        match (from.get(field), from.word(field)) {
            (_, Some(word)) => self.set(fact, Some(FactValue::Text(word))),
            (None, None) if from.says(field) => self.set(fact, None),
            _ => {}
        }
    }

    /// The id of an object.
    pub(super) fn id(&mut self, fact: &str, from: &Fields<'_>, field: &str) -> Result<(), EventError> {
        if from.says(field) {
            let id = from.id_or_null(field)?;
            self.set(fact, id.map(|id| FactValue::Text(id.into())));
        }
        Ok(())
    }

    /// A truth value.
    pub(super) fn bool(&mut self, fact: &str, from: &Fields<'_>, field: &str) -> Result<(), EventError> {
        if from.says(field) {
            let value = from.bool_or_null(field)?;
            self.set(fact, value.map(FactValue::Bool));
        }
        Ok(())
    }

    pub(super) fn set(&mut self, fact: &str, value: Option<FactValue>) {
        self.0.insert(fact.to_owned(), value);
    }
}
