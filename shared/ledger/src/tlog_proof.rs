//! A proof of one entry as a file that can be checked offline (c2sp.org/tlog-proof).
//!
//! It shows that one entry stands in the log without showing any other:
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64>                 left out where there is none; never signed, never to be trusted
//! index 73894
//! <hash, base64>                 an inclusion proof, the entry's neighbour first
//! ...
//!
//! <the checkpoint, verbatim>
//! ```

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::Hash;
use crate::note::{MAX_NOTE_BYTES, VerifierKey};
use crate::proof::{MAX_HASHES, ProofError, check_inclusion};

/// First line of every proof.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Ending of a proof's file name.
pub const EXTENSION: &str = "tlog-proof";

/// Upper bound of a proof file, in bytes: the note, 63 hashes of 45, and as much again for `extra`.
pub const MAX_BYTES: usize = 2 * MAX_NOTE_BYTES;

/// A proof that an entry stands in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Bytes that the one who made the proof added. Nobody signed them. Never `Some` of nothing.
    pub extra: Option<Vec<u8>>,
    /// The entry's number, counted from 0.
    pub index: u64,
    /// The inclusion proof, the entry's neighbour first.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub note: String,
}

/// What is wrong with a proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// It is not a proof of this format.
    #[error("not a tlog-proof: {0}")]
    Form(&'static str),
    /// The checkpoint in it.
    #[error("the checkpoint in it: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The hashes do not lead from the entry to the checkpoint's root.
    #[error("the entry is not shown to be in the log: {0}")]
    Inclusion(#[from] ProofError),
}

impl TlogProof {
    /// The file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        if let Some(extra) = &self.extra {
            text.push_str(&format!("extra {}\n", STANDARD.encode(extra)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.hashes {
            text.push_str(&hash.base64());
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.note);
        text
    }

    /// Reads a proof. Nothing in it is checked yet.
    ///
    /// # Errors
    /// [`TlogProofError::Form`] for anything but the one spelling of a proof.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        let form = TlogProofError::Form;
        if bytes.len() > MAX_BYTES {
            return Err(form("too long"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| form("not UTF-8"))?;
        let (head, note) = text.split_once("\n\n").ok_or(form("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(form("another first line"));
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            Some(line) => Some(extra(line).ok_or(form("`extra` is not base64"))?),
            None => None,
        };
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(|index| index.parse().ok());
        let proof = Self {
            extra,
            index: index.ok_or(form("no index"))?,
            hashes: lines.map(Hash::from_base64).collect::<Option<_>>().ok_or(form("a line that is not a hash"))?,
            note: note.to_owned(),
        };
        if proof.hashes.len() > MAX_HASHES {
            return Err(form("too many hashes"));
        }
        // Other spellings of the index are refused.
        if proof.text() == text { Ok(proof) } else { Err(form("not in its one spelling")) }
    }

    /// Checks that the entry with these exact bytes stands in the log whose key this is, at the place that the proof says.
    /// Gives the checkpoint that says so.
    ///
    /// # Errors
    /// [`TlogProofError`] says why it is not shown.
    pub fn verify(&self, entry: &[u8], key: &VerifierKey) -> Result<Checkpoint, TlogProofError> {
        let checkpoint = Checkpoint::open(self.note.as_bytes(), key)?;
        check_inclusion(self.index, checkpoint.size, Hash::leaf(entry), &self.hashes, checkpoint.root)?;
        Ok(checkpoint)
    }
}

fn extra(line: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(line.strip_prefix("extra ")?).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::note::tests::signer;
    use crate::proof::{inclusion, root};

    const ORIGIN: &str = "axiru.t/ledger/live/acct_1/0";

    fn entry(i: u64) -> Vec<u8> {
        format!("{{\"seq\":{i}}}").into_bytes()
    }

    fn proof(index: u64, size: u64) -> (TlogProof, VerifierKey) {
        let leaves: Vec<_> = (0..size).map(|i| Hash::leaf(&entry(i))).collect();
        let (pair, key) = signer(7, ORIGIN);
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: root(&leaves[..], size).unwrap() };
        let text = checkpoint.text();
        let note = key.sign_with(&text, pair.sign(text.as_bytes()).as_ref()).unwrap();
        let hashes = inclusion(&leaves[..], index, size).unwrap();
        (TlogProof { extra: None, index, hashes, note }, key)
    }

    #[test]
    fn proofs_of_every_entry_are_written_read_and_hold() {
        for size in 1..=17 {
            for index in 0..size {
                let (proof, key) = proof(index, size);
                let read = TlogProof::parse(proof.text().as_bytes()).unwrap();
                assert_eq!(read, proof);
                assert_eq!(read.verify(&entry(index), &key).unwrap().size, size);
                assert!(read.verify(&entry(index + 1), &key).is_err());
            }
        }
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_refused() {
        let (proof, key) = proof(5, 11);
        let text = proof.text().into_bytes();
        let holds = |bytes: &[u8]| TlogProof::parse(bytes).is_ok_and(|proof| proof.verify(&entry(5), &key).is_ok());
        assert!(holds(&text));
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut other = text.clone();
                other[at] ^= 1 << bit;
                assert!(!holds(&other), "byte {at} bit {bit}");
            }
            assert!(!holds(&text[..at]), "cut at {at}");
        }
        assert!(!holds(&[&text[..], b"\n"].concat()));
    }

    #[test]
    fn extra_is_carried_but_proves_nothing() {
        let (mut proof, key) = proof(5, 11);
        for extra in [&b"a"[..], b"a decision's receipt"] {
            proof.extra = Some(extra.to_vec());
            let read = TlogProof::parse(proof.text().as_bytes()).unwrap();
            assert_eq!(read.extra.as_deref(), Some(extra));
            assert!(read.verify(&entry(5), &key).is_ok());
        }
    }

    #[test]
    fn another_key_another_size_and_another_log_are_refused() {
        let (of_11, key) = proof(5, 11);
        let (of_12, _) = proof(5, 12);
        let (_, other) = signer(8, ORIGIN);
        assert!(matches!(of_11.verify(&entry(5), &other), Err(TlogProofError::Checkpoint(_))));
        let mixed = TlogProof { note: of_12.note, ..of_11.clone() };
        assert!(matches!(mixed.verify(&entry(5), &key), Err(TlogProofError::Inclusion(_))));
        let elsewhere = TlogProof { index: 4, ..of_11.clone() };
        assert_eq!(elsewhere.verify(&entry(5), &key), Err(TlogProofError::Inclusion(ProofError::Root)));
        let beyond = TlogProof { index: 11, ..of_11 };
        assert!(matches!(beyond.verify(&entry(5), &key), Err(TlogProofError::Inclusion(ProofError::NotInTree { .. }))));
    }

    #[test]
    fn other_spellings_are_refused() {
        let (proof, key) = proof(5, 11);
        let text = proof.text();
        let long = format!("{}\n", Hash::ZERO.base64()).repeat(64);
        for bad in [
            String::new(),
            text.replace("@v1", "@v2"),
            text.replace("index 5", "index 05"),
            text.replace("index 5", "index +5"),
            text.replace("index 5", "Index 5"),
            text.replace("index 5\n", ""),
            text.replace("index 5", "extra \nindex 5"),
            text.replace("index 5", "extra AA\nindex 5"),
            text.replace("index 5", "extra AAAA\nextra AAAA\nindex 5"),
            text.replace("index 5", "index 5\nextra AAAA"),
            text.replace("index 5", "index 5\nAAAA"),
            text.replace("index 5\n", "index 5\n\n"),
            text.replace("index 5\n", &format!("index 5\n{long}")),
            text.replace('\n', "\r\n"),
            format!("\n{text}"),
        ] {
            let holds = TlogProof::parse(bad.as_bytes()).is_ok_and(|read| read.verify(&entry(5), &key).is_ok());
            assert!(!holds, "{bad}");
        }
    }

    /// The specification's example without its `extra`, which is abridged there as the signatures are.
    const EXAMPLE: &str = "c2sp.org/tlog-proof@v1\n\
        index 73894\n\
        gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n\
        B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n\
        EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\n\
        RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n\
        AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n\
        \n\
        example.com/fancylog\n\
        109482\n\
        sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\
        \n\
        \u{2014} example.com/fancylog hI2DJw[...]1roloI=\n\
        \u{2014} witness1.example mJirIklj[...]qY9v2B/5bg==\n\
        \u{2014} witness2.example TnKKVHLX[...]xwYwrSjgow==\n\
        \u{2014} witness3.example S4X82uH5[...]3oEcROGLFQ==\n";

    #[test]
    fn the_example_of_the_specification_is_read() {
        let proof = TlogProof::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!((proof.index, proof.hashes.len(), proof.extra.as_ref()), (73_894, 5, None));
        assert!(proof.note.starts_with("example.com/fancylog\n109482\n"));
        assert_eq!(proof.text(), EXAMPLE);
        let (_, key) = signer(1, "example.com/fancylog");
        assert!(matches!(proof.verify(b"", &key), Err(TlogProofError::Checkpoint(_))));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), tail in "[ -~\n]{0,200}") {
            let _ = TlogProof::parse(&bytes);
            let _ = TlogProof::parse(format!("{HEADER}\n{tail}").as_bytes());
        }
    }
}
