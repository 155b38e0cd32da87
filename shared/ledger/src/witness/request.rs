//! The body of a request to `add-checkpoint`.

use crate::hash::Hash;
use crate::note::MAX_NOTE_BYTES;
use crate::proof::MAX_HASHES;

/// Upper bound of a body: 63 hashes of 45 bytes, the line of the old size, and the note.
pub const MAX_BYTES: usize = MAX_HASHES * 45 + 32 + MAX_NOTE_BYTES;

/// What a log asks a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Size of the last checkpoint that the witness cosigned, as far as the log knows; 0 for none.
    pub old: u64,
    /// The consistency proof from there to the checkpoint.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub note: String,
}

/// The body is not a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a request to add a checkpoint: {0}")]
pub struct RequestError(&'static str);

impl Request {
    /// The body.
    #[must_use]
    pub fn text(&self) -> String {
        let proof: String = self.proof.iter().map(|hash| format!("{}\n", hash.base64())).collect();
        format!("old {}\n{proof}\n{}", self.old, self.note)
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`RequestError`] for anything but the one spelling of a request.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > MAX_BYTES {
            return Err(RequestError("too long"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| RequestError("not UTF-8"))?;
        let (head, note) = text.split_once("\n\n").ok_or(RequestError("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(|old| old.parse().ok());
        let proof: Option<Vec<_>> = lines.map(Hash::from_base64).collect();
        let request = Self {
            old: old.ok_or(RequestError("no old size"))?,
            proof: proof.ok_or(RequestError("a line that is not a hash"))?,
            note: note.to_owned(),
        };
        if request.proof.len() > MAX_HASHES {
            return Err(RequestError("too many hashes"));
        }
        // Other spellings of the size are refused.
        if request.text() == text { Ok(request) } else { Err(RequestError("not in its one spelling")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of tlog-witness, "add-checkpoint".
    const EXAMPLE: &str = "old 20852014\n\
        PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
        jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
        5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
        /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\
        \n\
        example.com/behind-the-sofa\n\
        20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\
        \n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";

    #[test]
    fn the_example_of_the_specification_is_read_and_written() {
        let request = Request::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!((request.old, request.proof.len()), (20_852_014, 4));
        assert!(request.note.starts_with("example.com/behind-the-sofa\n20852163\n"));
        assert_eq!(request.text(), EXAMPLE);
    }

    #[test]
    fn other_spellings_are_refused() {
        let hash = format!("{}\n", Hash::ZERO.base64());
        assert!(Request::parse(format!("old 0\n{}\nnote", hash.repeat(63)).as_bytes()).is_ok());
        for bad in [
            String::new(),
            "old 0\n".to_owned(),
            "old\n\nnote".to_owned(),
            "old 00\n\nnote".to_owned(),
            "old +1\n\nnote".to_owned(),
            "old -1\n\nnote".to_owned(),
            "old 18446744073709551616\n\nnote".to_owned(),
            "OLD 0\n\nnote".to_owned(),
            "old 0 \n\nnote".to_owned(),
            "old 0\nAAAA\n\nnote".to_owned(),
            format!("old 0\n{}\nnote", hash.replace('=', "")),
            format!("old 0\n{}\nnote", hash.repeat(64)),
            format!("old 0\r\n{hash}\nnote"),
            format!("old 0\n\n{}", "x".repeat(MAX_BYTES)),
        ] {
            assert!(Request::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Request::parse(b"old 0\n\n\xff").is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bodies_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), tail in "[ -~\n]{0,200}") {
            let _ = Request::parse(&bytes);
            let _ = Request::parse(format!("old 1\n{tail}").as_bytes());
        }
    }
}
