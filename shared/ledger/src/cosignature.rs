//! Cosignatures: what a witness says of a checkpoint (c2sp.org/tlog-cosignature, the Ed25519 kind).
//!
//! A cosignature is one more signature line of the checkpoint's note. It says: at this time, this was the largest tree of that log
//! that the witness had seen, and it had grown from the ones before.

use std::fmt;
use std::str::FromStr;

use crate::note::{self, NoteError};

/// Signature type byte of timestamped Ed25519 cosignatures in the specification.
const COSIGNATURE_TYPE: u8 = 0x04;

/// The latest time that the specification allows: 2^63 - 1.
const MAX_SECONDS: u64 = (1 << 63) - 1;

/// The name and public key of a witness. Written as verifier keys are, with type 0x04.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignerKey {
    name: String,
    key: [u8; 32],
}

/// What is signed: the checkpoint's text behind a line that tells this kind of signature from all others, and the time.
/// `seconds` since 1970 is the time of signing.
#[must_use]
pub fn message(checkpoint: &str, seconds: u64) -> String {
    format!("cosignature/v1\ntime {seconds}\n{checkpoint}")
}

impl CosignerKey {
    /// The key of `name`, such as `witness.example/w1`.
    ///
    /// # Errors
    /// [`NoteError::Name`].
    pub fn new(name: &str, key: [u8; 32]) -> Result<Self, NoteError> {
        note::check_name(name)?;
        Ok(Self { name: name.to_owned(), key })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The signature line, with its line feed, that `signature` over [`message`] makes. It is put behind the note's other lines.
    ///
    /// # Errors
    /// [`NoteError`] when the signature is not this key's over that message: nothing unverified is ever handed out.
    pub fn line(&self, checkpoint: &str, seconds: u64, signature: &[u8]) -> Result<String, NoteError> {
        note::check_text(checkpoint)?;
        self.check(checkpoint, seconds, signature)?;
        let stamped = [&seconds.to_be_bytes()[..], signature].concat();
        Ok(note::signature_line(&self.name, self.key_hash(), &stamped))
    }

    /// The text of a note that this witness has cosigned, and when it did, in seconds since 1970.
    /// Whether the log signed it too is asked of the log's key.
    ///
    /// # Errors
    /// [`NoteError`] when it is no note, or not cosigned by this key.
    pub fn open<'a>(&self, note: &'a [u8]) -> Result<(&'a str, u64), NoteError> {
        let (text, lines) = note::split(note)?;
        for (name, blob) in lines {
            if name == self.name
                && let Some((hash, stamped)) = blob.split_at_checked(4)
                && hash == self.key_hash()
            {
                let (seconds, signature) = stamped.split_first_chunk::<8>().ok_or_else(|| self.wrong())?;
                let seconds = u64::from_be_bytes(*seconds);
                return self.check(text, seconds, signature).map(|()| (text, seconds));
            }
        }
        Err(NoteError::Unsigned(self.name.clone()))
    }

    fn check(&self, checkpoint: &str, seconds: u64, signature: &[u8]) -> Result<(), NoteError> {
        if seconds > MAX_SECONDS {
            return Err(self.wrong());
        }
        note::check_signature(&self.name, &self.key, &message(checkpoint, seconds), signature)
    }

    fn key_hash(&self) -> [u8; 4] {
        note::key_hash(&self.name, COSIGNATURE_TYPE, &self.key)
    }

    fn wrong(&self) -> NoteError {
        NoteError::Signature(self.name.clone())
    }
}

impl fmt::Display for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        note::write_key(f, &self.name, COSIGNATURE_TYPE, &self.key)
    }
}

impl FromStr for CosignerKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, key) = note::parse_key(text, COSIGNATURE_TYPE)?;
        let key = Self::new(name, key)?;
        // The hash and the base64 must be exactly the ones that the key has.
        if key.to_string() == text { Ok(key) } else { Err(NoteError::Key) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    use super::*;
    use crate::note::VerifierKey;
    use crate::note::tests::signer;

    /// A witness from a fixed seed.
    pub(crate) fn cosigner(seed: u8, name: &str) -> (Ed25519KeyPair, CosignerKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let key = CosignerKey::new(name, pair.public_key().as_ref().try_into().unwrap()).unwrap();
        (pair, key)
    }

    /// The example of tlog-cosignature. Its keys are not published, so its signatures cannot be checked, but its form can.
    const EXAMPLE_TEXT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    const EXAMPLE_LINES: &str = "\u{2014} example.com/behind-the-sofa \
        Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} witness.example.com/w1 \
        jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

    #[test]
    fn the_example_of_the_specification_is_signed_so() {
        assert_eq!(
            message(EXAMPLE_TEXT, 1_679_315_147),
            "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
             CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        );
        let note = format!("{EXAMPLE_TEXT}\n{EXAMPLE_LINES}");
        let (text, lines) = note::split(note.as_bytes()).unwrap();
        assert_eq!(text, EXAMPLE_TEXT);
        let (name, blob) = &lines[1];
        assert_eq!((*name, blob.len()), ("witness.example.com/w1", 4 + 8 + 64));
        assert_eq!(blob[4..12], 1_679_315_147_u64.to_be_bytes());
    }

    #[test]
    fn a_checkpoint_is_cosigned_and_still_opens_for_the_log() {
        let (log_pair, log) = signer(1, "example.com/behind-the-sofa");
        let (pair, witness) = cosigner(2, "witness.example/w1");
        let mut note = log.sign_with(EXAMPLE_TEXT, log_pair.sign(EXAMPLE_TEXT.as_bytes()).as_ref()).unwrap();
        let signed = pair.sign(message(EXAMPLE_TEXT, 1_679_315_147).as_bytes());
        note.push_str(&witness.line(EXAMPLE_TEXT, 1_679_315_147, signed.as_ref()).unwrap());
        assert_eq!(witness.open(note.as_bytes()), Ok((EXAMPLE_TEXT, 1_679_315_147)));
        assert_eq!(log.open(note.as_bytes()), Ok(EXAMPLE_TEXT));
    }

    #[test]
    fn other_signatures_are_no_cosignature() {
        let (pair, witness) = cosigner(2, "witness.example/w1");
        // Over the text alone, as a log signs; over another time; over another text.
        for signed in [
            pair.sign(EXAMPLE_TEXT.as_bytes()),
            pair.sign(message(EXAMPLE_TEXT, 6).as_bytes()),
            pair.sign(message(&EXAMPLE_TEXT.replace("20852163", "20852164"), 5).as_bytes()),
        ] {
            assert!(witness.line(EXAMPLE_TEXT, 5, signed.as_ref()).is_err());
        }
        let late = MAX_SECONDS + 1;
        assert!(witness.line(EXAMPLE_TEXT, late, pair.sign(message(EXAMPLE_TEXT, late).as_bytes()).as_ref()).is_err());
        // The log's own key under the type of a witness, and the other way around.
        let (log_pair, log) = signer(2, "witness.example/w1");
        let as_log = log.sign_with(EXAMPLE_TEXT, log_pair.sign(EXAMPLE_TEXT.as_bytes()).as_ref()).unwrap();
        assert!(witness.open(as_log.as_bytes()).is_err());
        let signed = pair.sign(message(EXAMPLE_TEXT, 5).as_bytes());
        let as_witness = format!("{EXAMPLE_TEXT}\n{}", witness.line(EXAMPLE_TEXT, 5, signed.as_ref()).unwrap());
        assert!(log.open(as_witness.as_bytes()).is_err());
    }

    #[test]
    fn every_changed_bit_of_a_cosigned_note_is_refused() {
        let (pair, witness) = cosigner(2, "witness.example/w1");
        let signed = pair.sign(message(EXAMPLE_TEXT, 5).as_bytes());
        let note = format!("{EXAMPLE_TEXT}\n{}", witness.line(EXAMPLE_TEXT, 5, signed.as_ref()).unwrap());
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut other = note.clone().into_bytes();
                other[at] ^= 1 << bit;
                assert!(witness.open(&other).is_err(), "byte {at} bit {bit}");
            }
            assert!(witness.open(&note.as_bytes()[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn keys_are_read_back_and_never_taken_for_a_log_s() {
        let (_, witness) = cosigner(2, "witness.example/w1");
        let text = witness.to_string();
        assert_eq!(text.parse(), Ok(witness.clone()));
        assert!(text.parse::<VerifierKey>().is_err());
        let (_, log) = signer(2, "witness.example/w1");
        assert!(log.to_string().parse::<CosignerKey>().is_err());
        assert!(format!("{text}=").parse::<CosignerKey>().is_err());
        assert!(text.replace("w1", "w2").parse::<CosignerKey>().is_err());
        assert!(CosignerKey::new("a b", [0; 32]).is_err());
    }
}
