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
        check_name(name)?;
        Ok(Self { name: name.to_owned(), key })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn key_hash(&self) -> [u8; 4] {
        key_hash(&self.name, ED25519_TYPE, &self.key)
    }

    /// The note that `text` and this key's `signature` over it make.
    ///
    /// # Errors
    /// [`NoteError`] when the text cannot be a note's or the signature is not this key's over it: nothing unverified is ever published.
    pub fn sign_with(&self, text: &str, signature: &[u8]) -> Result<String, NoteError> {
        check_text(text)?;
        self.check(text, signature)?;
        Ok(format!("{text}\n{}", signature_line(&self.name, self.key_hash(), signature)))
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
        check_signature(&self.name, &self.key, text, signature)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_key(f, &self.name, ED25519_TYPE, &self.key)
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, key) = parse_key(text, ED25519_TYPE)?;
        let key = Self::new(name, key)?;
        // The hash and the base64 must be exactly the ones that the key has.
        if key.to_string() == text { Ok(key) } else { Err(NoteError::Key) }
    }
}

/// A name that can stand in a note: not empty, without white space and `+`.
pub(crate) fn check_name(name: &str) -> Result<(), NoteError> {
    let forbidden = |c: char| c.is_whitespace() || c == '+';
    if name.is_empty() || name.contains(forbidden) { Err(NoteError::Name) } else { Ok(()) }
}

/// The first four bytes of SHA-256(name LF type key): what a signature line names a key by.
pub(crate) fn key_hash(name: &str, signature_type: u8, key: &[u8; 32]) -> [u8; 4] {
    let mut bytes = format!("{name}\n").into_bytes();
    bytes.push(signature_type);
    bytes.extend(key);
    let [a, b, c, d, ..] = *Hash::of(&bytes).as_bytes();
    [a, b, c, d]
}

/// An Ed25519 signature over a text.
pub(crate) fn check_signature(name: &str, key: &[u8; 32], text: &str, signature: &[u8]) -> Result<(), NoteError> {
    UnparsedPublicKey::new(&ED25519, key)
        .verify(text.as_bytes(), signature)
        .map_err(|_| NoteError::Signature(name.to_owned()))
}

/// The line of one signature, with its line feed.
pub(crate) fn signature_line(name: &str, hash: [u8; 4], signature: &[u8]) -> String {
    format!("\u{2014} {name} {}\n", STANDARD.encode([&hash[..], signature].concat()))
}

/// Writes a key of 32 bytes: `name+hash+base64(type key)`.
pub(crate) fn write_key(f: &mut fmt::Formatter<'_>, name: &str, signature_type: u8, key: &[u8; 32]) -> fmt::Result {
    let [a, b, c, d] = key_hash(name, signature_type, key);
    let key = STANDARD.encode([&[signature_type][..], key].concat());
    write!(f, "{name}+{a:02x}{b:02x}{c:02x}{d:02x}+{key}")
}

/// Name and bytes of a written key. The caller compares what it writes with what was read.
pub(crate) fn parse_key(text: &str, signature_type: u8) -> Result<(&str, [u8; 32]), NoteError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NoteError::Key);
    };
    let bytes = STANDARD.decode(key).map_err(|_| NoteError::Key)?;
    match bytes.split_first() {
        Some((found, key)) if *found == signature_type => Ok((name, key.try_into().map_err(|_| NoteError::Key)?)),
        _ => Err(NoteError::Key),
    }
}

/// A note's text: valid UTF-8, no control characters but line feeds, ends in one, and has no empty line at its end.
pub(crate) fn check_text(text: &str) -> Result<(), NoteError> {
    if !text.ends_with('\n') || text.ends_with("\n\n") || text == "\n" {
        return Err(NoteError::Form("the text must end in one line feed"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(NoteError::Form("a control character"));
    }
    Ok(())
}

/// Name and bytes of a signature line.
pub(crate) type SignatureLine<'a> = (&'a str, Vec<u8>);

/// The text and the signature lines.
pub(crate) fn split(note: &[u8]) -> Result<(&str, Vec<SignatureLine<'_>>), NoteError> {
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

    #[test]
    fn a_note_opens_with_several_signature_lines_in_any_order() {
        // signed-note, "Signatures": signatures of unknown keys are ignored.
        let (pair, key) = signer(1, "axiru.a/ledger/live/acct_1/0");
        let text = "axiru.a/ledger/live/acct_1/0\n1\nroot\n";
        let line = |seed, name| {
            let (pair, key) = signer(seed, name);
            let note = key.sign_with(text, pair.sign(text.as_bytes()).as_ref()).unwrap();
            note.strip_prefix(&format!("{text}\n")).unwrap().to_owned()
        };
        let own = line(1, key.name());
        // Foreign ones: a witness, another key of the same name, and a type that nobody knows yet, of another length.
        let foreign =
            [line(2, "witness.example/w1"), line(3, key.name()), format!("\u{2014} {} AAAAAAA=\n", key.name())];
        for at in 0..=foreign.len() {
            let mut lines = foreign.to_vec();
            lines.insert(at, own.clone());
            assert_eq!(key.open(format!("{text}\n{}", lines.concat()).as_bytes()), Ok(text), "own line at {at}");
        }
        let without = format!("{text}\n{}", foreign.concat());
        assert_eq!(key.open(without.as_bytes()), Err(NoteError::Unsigned(key.name().to_owned())));
        // A wrong signature by the right key is not saved by a right one behind it.
        let wrong = signature_line(key.name(), key.key_hash(), pair.sign(b"another text").as_ref());
        let note = format!("{text}\n{wrong}{own}");
        assert_eq!(key.open(note.as_bytes()), Err(NoteError::Signature(key.name().to_owned())));
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
