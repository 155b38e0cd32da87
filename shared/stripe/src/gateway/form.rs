//! Forms: `application/x-www-form-urlencoded` (WHATWG URL standard, section 5), but strict: what parsers disagree on is refused.

use super::refused::Refused;

/// The name of a parameter: `amount`, `metadata[order]`, `expand[]`, `expand[0]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) inside: Option<String>,
}

/// Most parameters of one call: 48 of metadata, 27 of evidence, and what is left over.
const MAX_PAIRS: usize = 128;

/// Decodes a form.
pub(super) fn pairs(text: &str) -> Result<Vec<(Key, String)>, Refused> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = || Refused::new("axiru_encoding", None, None);
    // Some readers separate at `;` too.
    if text.contains(';') || text.split('&').count() > MAX_PAIRS {
        return Err(wrong());
    }
    text.split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
            if value.contains('=') {
                return Err(wrong());
            }
            let (name, value) = (decoded(name).ok_or_else(wrong)?, decoded(value).ok_or_else(wrong)?);
            Ok((key(&name)?, value))
        })
        .collect()
}

/// Text without its escapes; none if an escape is bad, or if it is no UTF-8 or holds control characters other than line ends and tabs.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let high = digit()?;
                high << 4 | digit()?
            }
            byte => byte,
        });
    }
    let plain = String::from_utf8(plain).ok()?;
    let fits = plain.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
    fits.then_some(plain)
}

/// Takes a name apart: one pair of brackets at most.
fn key(text: &str) -> Result<Key, Refused> {
    let Some((name, rest)) = text.split_once('[') else {
        return if text.contains(']') {
            Err(Refused::at("axiru_nested_parameter", text))
        } else {
            Ok(Key { name: text.to_owned(), inside: None })
        };
    };
    let inside = rest.strip_suffix(']').filter(|inside| !inside.contains(['[', ']']));
    match inside {
        Some(inside) if !name.is_empty() && !name.contains(']') => {
            Ok(Key { name: name.to_owned(), inside: Some(inside.to_owned()) })
        }
        _ => Err(Refused::at("axiru_nested_parameter", name)),
    }
}
