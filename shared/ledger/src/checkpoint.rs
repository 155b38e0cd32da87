//! Checkpoints: a signed statement of a log's size and root (c2sp.org/tlog-checkpoint).

use axiru_domain::LogId;

use crate::hash::Hash;
use crate::note::{NoteError, VerifierKey};

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log, also the name of the key that signs.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the Merkle tree over them.
    pub root: Hash,
}

/// What is wrong with a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it.
    #[error("{0}")]
    Note(#[from] NoteError),
    /// Its text.
    #[error("not a checkpoint: expected origin, size and root on three lines")]
    Form,
    /// It speaks of another log.
    #[error("it is of the log `{0}`")]
    Origin(String),
}

/// The origin line of a log: `axiru.<deployment>/ledger/<mode>/<account>/<lane>`.
#[must_use]
pub fn origin(deployment: &str, log: &LogId) -> String {
    format!("axiru.{deployment}/ledger/{}", log.path())
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.base64())
    }

    fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root), Some(""), None) =
            (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Form);
        };
        let checkpoint = Self {
            origin: origin.to_owned(),
            size: size.parse().map_err(|_| CheckpointError::Form)?,
            root: Hash::from_base64(root).ok_or(CheckpointError::Form)?,
        };
        // Leading zeros or another base64 of the same bytes are refused.
        if checkpoint.text() == text { Ok(checkpoint) } else { Err(CheckpointError::Form) }
    }

    /// Opens a signed checkpoint of the log whose key this is.
    ///
    /// # Errors
    /// [`CheckpointError`] unless the key signed it and its first line is the key's name.
    pub fn open(note: &[u8], key: &VerifierKey) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(key.open(note)?)?;
        if checkpoint.origin == key.name() { Ok(checkpoint) } else { Err(CheckpointError::Origin(checkpoint.origin)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::tests::signer;

    #[test]
    fn signed_and_opened() {
        let origin = origin("local", &LogId::from_key("live#acct_1#0").unwrap());
        assert_eq!(origin, "axiru.local/ledger/live/acct_1/0");
        let (pair, key) = signer(3, &origin);
        let checkpoint = Checkpoint { origin, size: 7, root: Hash::of(b"") };
        let text = checkpoint.text();
        let note = key.sign_with(&text, pair.sign(text.as_bytes()).as_ref()).unwrap();
        assert_eq!(Checkpoint::open(note.as_bytes(), &key), Ok(checkpoint));
    }

    #[test]
    fn other_texts_are_refused_even_when_signed() {
        let (pair, key) = signer(3, "o");
        let root = Hash::of(b"").base64();
        for text in [
            format!("o\n07\n{root}\n"),
            format!("o\n-7\n{root}\n"),
            format!("o\n7\n{root}\nmore\n"),
            format!("p\n7\n{root}\n"),
            "o\n7\n".to_owned(),
            "o\n7\nAAAA\n".to_owned(),
            format!("o\n18446744073709551616\n{root}\n"),
        ] {
            let note = key.sign_with(&text, pair.sign(text.as_bytes()).as_ref()).unwrap();
            assert!(Checkpoint::open(note.as_bytes(), &key).is_err(), "{text}");
        }
    }
}
