//! The parameters of one call: taken one by one, and whatever is left over is refused by name.

use std::collections::BTreeMap;

use crate::error::StripeError;
use crate::form::Node;

/// Stripe's bounds on metadata: 50 keys of 40 characters with values of 500.
const METADATA_KEYS: usize = 50;
const METADATA_KEY_CHARS: usize = 40;
const METADATA_VALUE_CHARS: usize = 500;

/// How metadata is to be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MetadataChange {
    /// Drop everything first (`metadata=`).
    pub clear: bool,
    /// New values; an empty one removes its key.
    pub set: BTreeMap<String, String>,
}

impl MetadataChange {
    /// Applies the change.
    pub(crate) fn apply(&self, metadata: &mut BTreeMap<String, String>) {
        if self.clear {
            metadata.clear();
        }
        for (key, value) in &self.set {
            if value.is_empty() {
                metadata.remove(key);
            } else {
                metadata.insert(key.clone(), value.clone());
            }
        }
    }

    /// The metadata of a new object.
    #[must_use]
    pub(crate) fn into_new(self) -> BTreeMap<String, String> {
        let mut metadata = BTreeMap::new();
        self.apply(&mut metadata);
        metadata
    }
}

/// Decoded parameters, consumed as they are read.
#[derive(Clone, Debug)]
pub(crate) struct Params {
    left: BTreeMap<String, Node>,
    prefix: String,
}

impl Params {
    pub(crate) const fn new(left: BTreeMap<String, Node>) -> Self {
        Self { left, prefix: String::new() }
    }

    fn name(&self, key: &str) -> String {
        if self.prefix.is_empty() { key.to_owned() } else { format!("{}[{key}]", self.prefix) }
    }

    /// A text; an empty one counts as not given.
    pub(crate) fn text(&mut self, key: &str) -> Result<Option<String>, StripeError> {
        match self.left.remove(key) {
            None => Ok(None),
            Some(Node::Text(text)) => Ok((!text.is_empty()).then_some(text)),
            Some(Node::Map(_)) => Err(StripeError::invalid(self.name(key), format!("Invalid string: {key}"))),
        }
    }

    pub(crate) fn required(&mut self, key: &str) -> Result<String, StripeError> {
        self.text(key)?.ok_or_else(|| StripeError::missing(&self.name(key)))
    }

    pub(crate) fn integer(&mut self, key: &str) -> Result<Option<i64>, StripeError> {
        self.text(key)?
            .map(|text| {
                text.parse().map_err(|_| {
                    StripeError::invalid(self.name(key), format!("Invalid integer: {text}"))
                        .with_code("parameter_invalid_integer")
                })
            })
            .transpose()
    }

    /// An amount of money in minor units: a positive integer.
    pub(crate) fn amount(&mut self, key: &str) -> Result<Option<i64>, StripeError> {
        let amount = self.integer(key)?;
        match amount {
            Some(minor) if minor < 1 => {
                Err(StripeError::invalid(self.name(key), "Invalid positive integer")
                    .with_code("parameter_invalid_integer"))
            }
            _ => Ok(amount),
        }
    }

    pub(crate) fn flag(&mut self, key: &str) -> Result<Option<bool>, StripeError> {
        match self.text(key)?.as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => Err(StripeError::invalid(self.name(key), format!("Invalid boolean: {other}"))),
        }
    }

    pub(crate) fn choice(&mut self, key: &str, allowed: &[&str]) -> Result<Option<String>, StripeError> {
        match self.text(key)? {
            Some(text) if !allowed.contains(&text.as_str()) => Err(StripeError::one_of(&self.name(key), allowed)),
            other => Ok(other),
        }
    }

    /// A three-letter currency, lower-cased.
    pub(crate) fn currency(&mut self, key: &str) -> Result<Option<String>, StripeError> {
        self.text(key)?
            .map(|text| {
                let code = text.to_ascii_lowercase();
                if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_lowercase()) {
                    Ok(code)
                } else {
                    Err(StripeError::invalid(self.name(key), format!("Invalid currency: {text}")))
                }
            })
            .transpose()
    }

    pub(crate) fn list(&mut self, key: &str) -> Result<Option<Vec<String>>, StripeError> {
        let bad = |name: String| StripeError::invalid(name, "Invalid array");
        match self.left.remove(key) {
            None => Ok(None),
            Some(Node::Text(text)) if text.is_empty() => Ok(Some(Vec::new())),
            Some(Node::Text(_)) => Err(bad(self.name(key))),
            Some(Node::Map(map)) => {
                let mut items = Vec::new();
                for (position, node) in map {
                    match (position.parse::<usize>(), node) {
                        (Ok(at), Node::Text(text)) => items.push((at, text)),
                        _ => return Err(bad(self.name(key))),
                    }
                }
                items.sort();
                Ok(Some(items.into_iter().map(|(_, text)| text).collect()))
            }
        }
    }

    /// A nested group of parameters, to be read and finished in its own turn.
    pub(crate) fn group(&mut self, key: &str) -> Result<Option<Self>, StripeError> {
        let prefix = self.name(key);
        match self.left.remove(key) {
            None => Ok(None),
            Some(Node::Map(left)) => Ok(Some(Self { left, prefix })),
            Some(Node::Text(_)) => Err(StripeError::invalid(prefix, "Invalid object")),
        }
    }

    /// Either a text or a group, as list filters allow (`created=5`, `created[gte]=5`).
    pub(crate) fn text_or_group(&mut self, key: &str) -> Result<(Option<String>, Option<Self>), StripeError> {
        if matches!(self.left.get(key), Some(Node::Map(_))) {
            Ok((None, self.group(key)?))
        } else {
            Ok((self.text(key)?, None))
        }
    }

    pub(crate) fn metadata(&mut self) -> Result<MetadataChange, StripeError> {
        let bad = |message: String| Err(StripeError::invalid("metadata", message));
        let map = match self.left.remove("metadata") {
            None => return Ok(MetadataChange::default()),
            Some(Node::Text(text)) if text.is_empty() => {
                return Ok(MetadataChange { clear: true, set: BTreeMap::new() });
            }
            Some(Node::Text(_)) => return bad("Invalid object".into()),
            Some(Node::Map(map)) => map,
        };
        if map.len() > METADATA_KEYS {
            return bad(format!("Metadata can hold at most {METADATA_KEYS} keys"));
        }
        let mut set = BTreeMap::new();
        for (key, node) in map {
            let Node::Text(value) = node else {
                return bad("Metadata values must be strings".into());
            };
            if key.chars().count() > METADATA_KEY_CHARS || value.chars().count() > METADATA_VALUE_CHARS {
                return bad(format!(
                    "Metadata keys hold {METADATA_KEY_CHARS} characters, values {METADATA_VALUE_CHARS}"
                ));
            }
            set.insert(key, value);
        }
        Ok(MetadataChange { clear: false, set })
    }

    /// Every remaining text, for groups whose keys are open.
    pub(crate) fn rest(self) -> Result<BTreeMap<String, String>, StripeError> {
        self.left
            .into_iter()
            .map(|(key, node)| match node {
                Node::Text(text) => Ok((key, text)),
                Node::Map(_) => Err(StripeError::invalid(format!("{}[{key}]", self.prefix), "Invalid string")),
            })
            .collect()
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(self) -> Result<(), StripeError> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(key) => Err(StripeError::unknown_param(&self.name(key))),
        }
    }
}
