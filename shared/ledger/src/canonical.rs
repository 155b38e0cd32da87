//! The one JSON text of a value: RFC 8785 restricted to integers and ASCII keys.
//!
//! Reading accepts exactly the bytes that writing produces, so hashed bytes have one meaning.

use std::fmt::Write as _;

use axiru_domain::MAX_SAFE_INTEGER;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Deepest nesting of an entry. A verdict's hold is at depth 5.
pub const MAX_DEPTH: usize = 8;

/// Bytes that are not the canonical text of a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// Not JSON, or JSON outside the subset.
    #[error("not the allowed subset of JSON: {0}")]
    Json(String),
    /// JSON of the subset, but other bytes than the canonical ones.
    #[error("not in canonical form from byte {0} on")]
    Form(usize),
    /// A value that has no canonical text.
    #[error("a value has no canonical text: {0}")]
    Value(&'static str),
}

/// Writes the canonical text of `value`.
///
/// # Errors
/// [`CanonicalError::Value`] for a fraction, an integer beyond 2^53 - 1, a key that is not ASCII, or nesting beyond [`MAX_DEPTH`].
pub fn write(value: &Value) -> Result<String, CanonicalError> {
    let mut out = String::new();
    write_value(&mut out, value, MAX_DEPTH)?;
    Ok(out)
}

fn write_value(out: &mut String, value: &Value, depth: usize) -> Result<(), CanonicalError> {
    let depth = depth.checked_sub(1).ok_or(CanonicalError::Value("nested too deep"))?;
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => {
            let n = number.as_i64().filter(|n| n.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs());
            let n = n.ok_or(CanonicalError::Value("a number is not an integer within 2^53 - 1"))?;
            // Writing to a String cannot fail.
            let _ = write!(out, "{n}");
        }
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(out, item, depth)?;
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            // For ASCII keys byte order is the UTF-16 order that RFC 8785 asks for.
            pairs.sort_unstable_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (i, (key, item)) in pairs.into_iter().enumerate() {
                if !key.is_ascii() {
                    return Err(CanonicalError::Value("a key is not ASCII"));
                }
                if i > 0 {
                    out.push(',');
                }
                write_string(out, key);
                out.push(':');
                write_value(out, item, depth)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Reads a value from its canonical text.
///
/// # Errors
/// [`CanonicalError`] for anything but exactly the bytes that [`write()`] makes of the value.
pub fn read(bytes: &[u8]) -> Result<Value, CanonicalError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: MAX_DEPTH }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| CanonicalError::Json(error.to_string()))?;
    let canonical = write(&value)?;
    match canonical.as_bytes().iter().zip(bytes).position(|(a, b)| a != b) {
        Some(at) => Err(CanonicalError::Form(at)),
        None if canonical.len() != bytes.len() => Err(CanonicalError::Form(canonical.len().min(bytes.len()))),
        None => Ok(value),
    }
}

/// Reads any JSON value, but no fraction, no key twice, and nothing nested beyond `depth`.
struct Strict {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        if self.depth == 0 {
            return Err(de::Error::custom("nested too deep"));
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("null, a truth value, an integer, a string, an array or an object")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<Value, E> {
        Ok(Value::from(n))
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<Value, E> {
        Ok(Value::from(n))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Value, E> {
        Err(E::custom("a number is not an integer"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(Self { depth: self.depth.saturating_sub(1) })? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = pairs.next_key::<String>()? {
            let value = pairs.next_value_seed(Self { depth: self.depth.saturating_sub(1) })?;
            if map.insert(key, value).is_some() {
                return Err(de::Error::custom("a key stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn known_texts() {
        let value = json!({"b": [1, -2, null, true], "a": "x\n\"\\\u{1}é", "_": {}});
        let text = "{\"_\":{},\"a\":\"x\\n\\\"\\\\\\u0001é\",\"b\":[1,-2,null,true]}";
        assert_eq!(write(&value).unwrap(), text);
        assert_eq!(read(text.as_bytes()).unwrap(), value);
    }

    #[test]
    fn every_other_text_of_the_same_value_is_refused() {
        for bad in [
            "{\"a\":1} ",
            " {\"a\":1}",
            "{\"a\": 1}",
            "{\"a\":1,\"a\":1}",
            "{\"b\":1,\"a\":2}",
            "{\"a\":1.0}",
            "{\"a\":1e0}",
            "{\"a\":-0}",
            "{\"a\":01}",
            "{\"a\":9007199254740992}",
            "{\"a\":\"\\u0041\"}",
            "{\"a\":\"\\/\"}",
            "{\"a\":\"\\u000A\"}",
            "{\"a\":1}{}",
            "{\"a\":1",
            "",
            "{\"é\":1}",
            "[[[[[[[[[1]]]]]]]]]",
            "{\"a\":\"\\ud800\"}",
            "nul",
            "\u{feff}{}",
            "{\"a\":1}\n",
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(read(b"{\"a\":\"\xff\"}").is_err());
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER).prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ -~]{0,6}", inner, 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_any_reader_agrees(value in values()) {
            let text = write(&value).unwrap();
            prop_assert_eq!(read(text.as_bytes()).unwrap(), value.clone());
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
            prop_assert!(!text.contains('\n'));
        }

        #[test]
        fn a_changed_byte_is_refused_or_another_value(value in values(), at in any::<prop::sample::Index>(), byte: u8) {
            let mut bytes = write(&value).unwrap().into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            if let Ok(other) = read(&bytes) {
                prop_assert_ne!(other, value);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(value) = read(&bytes) {
                prop_assert_eq!(write(&value).unwrap().into_bytes(), bytes);
            }
        }
    }
}
