//! The id of a link: what names it in rows, entries and commands. It opens nothing without its code.

use std::fmt;
use std::str::FromStr;

use axiru_domain::{Mode, PersonId};
use sha2::{Digest, Sha256};

use crate::approval::Held;
use crate::connect::token::hex;
use crate::reads::RowKey;

/// Bytes of an id.
pub(super) const ID_BYTES: usize = 16;

/// The id of a link: 32 lower-case hex digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(pub(super) [u8; ID_BYTES]);

/// The text is no link's id. It is not repeated: it may be a whole link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the id of a link: expected 32 lower-case hex digits, as the entry `vote.cast` names it, and never the link itself"
)]
pub struct LinkIdError;

impl LinkId {
    /// The id of the link that a person gets for a request in a turn, under a key: the same one, however often it is minted.
    pub(super) fn of(held: &Held, person: &PersonId, turn: &str, key: &str) -> Self {
        let (scope, request, content) = (held.scope(), held.id(), &held.content);
        let text = format!("axiru/link/v1\n{scope}\n{request}\n{person}\n{content}\n{key}\n{turn}");
        let digest = Sha256::digest(text);
        let mut id = [0; ID_BYTES];
        for (to, from) in id.iter_mut().zip(digest) {
            *to = from;
        }
        Self(id)
    }

    /// The id's text.
    #[must_use]
    pub fn text(&self) -> String {
        hex(&self.0)
    }

    /// The row of the link in a mode.
    pub(crate) fn row_key(&self, mode: Mode) -> RowKey {
        (format!("{mode}#link#{}", self.text()), "link".to_owned())
    }
}

impl fmt::Debug for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl FromStr for LinkId {
    type Err = LinkIdError;

    fn from_str(text: &str) -> Result<Self, LinkIdError> {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 2 * ID_BYTES || !text.as_bytes().iter().all(is_digit) {
            return Err(LinkIdError);
        }
        let mut bytes = [0; ID_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| LinkIdError)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| LinkIdError)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_no_link() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(id.parse::<LinkId>().map(|id| id.text()), Ok(id.to_owned()));
        for bad in ["", "0", &id.to_uppercase(), &"A".repeat(64), &format!("{id}0"), "g123456789abcdef0123456789abcdef"]
        {
            let error = bad.parse::<LinkId>().unwrap_err();
            assert!(bad.is_empty() || bad == "0" || !error.to_string().contains(bad));
        }
    }
}
