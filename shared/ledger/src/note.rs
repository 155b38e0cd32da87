//! C2SP signed notes with Ed25519 signatures (c2sp.org/signed-note).
//!
//! A note is a text that ends in a line feed, an empty line, and one line per signature:
//!
//! ```text
//! text
//!
//! — name base64(key hash || signature)
//! ```

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Hash;

/// Signature type byte of Ed25519 in the specification.
const ED25519_TYPE: u8 = 0x01;

/// Upper bound of a note, in bytes: a checkpoint is some 250.
pub const MAX_NOTE_BYTES: usize = 8_192;

/// A verifier key: the name a log signs under, and its Ed25519 public key.
/// Written `name+<key hash, 8 hex>+<base64 of type byte and key>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: [u8; 32],
}

/// What is wrong with a key or a note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The text is not a verifier key.
    #[error("not a verifier key: expected `name+hash+base64` of an Ed25519 key")]
    Key,
    /// The name cannot stand in a note.
    #[error("a key name may not be empty nor hold spaces or `+`")]
    Name,
    /// The bytes are not a signed note.
    #[error("not a signed note: {0}")]
    Form(&'static str),
    /// No line is signed under the key's name and hash.
    #[error("no signature by `{0}`")]
    Unsigned(String),
    /// The signature is wrong.
    #[error("the signature by `{0}` does not fit the text")]
    Signature(String),
}

impl VerifierKey {
    /// The key of `name`.
    ///
    /// # Errors
    /// [`NoteError::Name`].
    pub fn new(name: &str, key: [u8; 32]) -> Result<Self, NoteError> {
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') {
            return Err(NoteError::Name);
        }
        Ok(Self { name: name.to_owned(), key })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256(name LF type key).
    fn key_hash(&self) -> [u8; 4] {
        let mut bytes = format!("{}\n", self.name).into_bytes();
        bytes.push(ED25519_TYPE);
        bytes.extend(self.key);
        let [a, b, c, d, ..] = *Hash::of(&bytes).as_bytes();
        [a, b, c, d]
    }

    /// The note that `text` and this key's `signature` over it make.
    ///
    /// # Errors
    /// [`NoteError`] when the text cannot be a note's or the signature is not this key's over it: nothing unverified is ever published.
    pub fn sign_with(&self, text: &str, signature: &[u8]) -> Result<String, NoteError> {
        check_text(text)?;
        self.check(text, signature)?;
        let blob = STANDARD.encode([&self.key_hash()[..], signature].concat());
        Ok(format!("{text}\n\u{2014} {} {blob}\n", self.name))
    }

    /// The text of a note that this key has signed.
    ///
    /// # Errors
    /// [`NoteError`] when it is no note, or not signed by this key.
    pub fn open<'a>(&self, note: &'a [u8]) -> Result<&'a str, NoteError> {
        let (text, lines) = split(note)?;
        for (name, blob) in lines {
            if name == self.name
                && let Some((hash, signature)) = blob.split_at_checked(4)
                && hash == self.key_hash()
            {
                return self.check(text, signature).map(|()| text);
            }
        }
        Err(NoteError::Unsigned(self.name.clone()))
    }

    fn check(&self, text: &str, signature: &[u8]) -> Result<(), NoteError> {
        UnparsedPublicKey::new(&ED25519, self.key)
            .verify(text.as_bytes(), signature)
            .map_err(|_| NoteError::Signature(self.name.clone()))
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.key_hash();
        let key = STANDARD.encode([&[ED25519_TYPE][..], &self.key].concat());
        write!(f, "{}+{a:02x}{b:02x}{c:02x}{d:02x}+{key}", self.name)
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let bytes = STANDARD.decode(key).map_err(|_| NoteError::Key)?;
        let Some((&ED25519_TYPE, key)) = bytes.split_first() else {
            return Err(NoteError::Key);
        };
        let key = Self::new(name, key.try_into().map_err(|_| NoteError::Key)?)?;
        // The hash and the base64 must be exactly the ones that the key has.
        if key.to_string() == text { Ok(key) } else { Err(NoteError::Key) }
    }
}

/// A note's text: valid UTF-8, no control characters but line feeds, ends in one, and has no empty line at its end.
fn check_text(text: &str) -> Result<(), NoteError> {
    if !text.ends_with('\n') || text.ends_with("\n\n") || text == "\n" {
        return Err(NoteError::Form("the text must end in one line feed"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(NoteError::Form("a control character"));
    }
    Ok(())
}

type SignatureLine<'a> = (&'a str, Vec<u8>);

/// The text and the signature lines.
fn split(note: &[u8]) -> Result<(&str, Vec<SignatureLine<'_>>), NoteError> {
    if note.len() > MAX_NOTE_BYTES {
        return Err(NoteError::Form("too long"));
    }
    let note = std::str::from_utf8(note).map_err(|_| NoteError::Form("not UTF-8"))?;
    let at = note.rfind("\n\n").ok_or(NoteError::Form("no empty line before the signatures"))?;
    let (text, lines) = note.split_at_checked(at + 1).ok_or(NoteError::Form("no signatures"))?;
    check_text(text)?;
    let lines = lines.strip_prefix('\n').unwrap_or(lines);
    let lines = lines.strip_suffix('\n').ok_or(NoteError::Form("the last line is not ended"))?;
    let mut signatures = Vec::new();
    for line in lines.split('\n') {
        let line = line.strip_prefix("\u{2014} ").ok_or(NoteError::Form("a signature line without its dash"))?;
        let (name, blob) = line.split_once(' ').ok_or(NoteError::Form("a signature line of one word"))?;
        let blob = STANDARD.decode(blob).map_err(|_| NoteError::Form("a signature that is not base64"))?;
        signatures.push((name, blob));
    }
    Ok((text, signatures))
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use proptest::prelude::*;

    use super::*;

    /// A key pair from a fixed seed.
    pub(crate) fn signer(seed: u8, name: &str) -> (Ed25519KeyPair, VerifierKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let key = VerifierKey::new(name, pair.public_key().as_ref().try_into().unwrap()).unwrap();
        (pair, key)
    }

    /// The example of the Go checksum database's note package, golang.org/x/mod/sumdb/note.
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const PETER_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn a_published_note_opens() {
        let key: VerifierKey = PETER.parse().unwrap();
        let text = key.open(PETER_NOTE.as_bytes()).unwrap();
        assert!(text.ends_with("what your problem is.\n"));
        assert_eq!(key.to_string(), PETER);
    }

    #[test]
    fn every_changed_byte_of_it_is_refused() {
        let key: VerifierKey = PETER.parse().unwrap();
        for i in 0..PETER_NOTE.len() {
            for bit in 0..8 {
                let mut note = PETER_NOTE.as_bytes().to_vec();
                note[i] ^= 1 << bit;
                assert!(key.open(&note).is_err(), "byte {i} bit {bit}");
            }
        }
        for end in 0..PETER_NOTE.len() {
            assert!(key.open(&PETER_NOTE.as_bytes()[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn keys_of_other_forms_are_refused() {
        for bad in [
            "",
            "a",
            "a+b",
            "a+00000000+AA==",
            &PETER.replace("c74f20a3", "c74f20a4"),
            &PETER.replace("Peter", "Petra"),
            &format!("{PETER}="),
        ] {
            assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
        }
        assert!(VerifierKey::new("a b", [0; 32]).is_err());
    }

    #[test]
    fn another_log_s_signature_does_not_count() {
        let (pair, key) = signer(1, "axiru.a/ledger/live/acct_1/0");
        let text = "axiru.a/ledger/live/acct_1/0\n1\nroot\n";
        let note = key.sign_with(text, pair.sign(text.as_bytes()).as_ref()).unwrap();
        assert_eq!(key.open(note.as_bytes()), Ok(text));
        // The same key under another name, and another key under the same name.
        let (_, renamed) = signer(1, "axiru.a/ledger/test/acct_1/0");
        let (other_pair, other) = signer(2, "axiru.a/ledger/live/acct_1/0");
        assert!(renamed.open(note.as_bytes()).is_err());
        assert!(other.open(note.as_bytes()).is_err());
        assert!(key.sign_with(text, other_pair.sign(text.as_bytes()).as_ref()).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..120), text in ".{0,80}") {
            let (_, key) = signer(1, "k");
            prop_assert!(key.open(&bytes).is_err());
            let _ = text.parse::<VerifierKey>();
        }
    }
}
