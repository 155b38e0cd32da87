//! One member of gzip (RFC 1952), with nothing in its header but what must be there: no name, no time, no system.

use std::io::{self, Read, Write};

use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

use crate::hash::Hash;

/// Bytes that are decompressed at a time.
const BUFFER: usize = 65_536;

/// Compresses what it is given.
pub struct Writer(GzEncoder<Vec<u8>>);

impl Writer {
    /// An empty file.
    #[must_use]
    pub fn new() -> Self {
        Self(GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::default()))
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// The compressor's, which writes to memory: none is known.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// The whole file.
    ///
    /// # Errors
    /// As of [`Self::write`].
    pub fn finish(self) -> io::Result<Vec<u8>> {
        self.0.finish()
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

/// The SHA-256 of the content of a file of exactly one member, whose content must have `expected` bytes: what is longer is refused as soon
/// as it is, so a small file cannot take hours.
///
/// # Errors
/// For anything that is not gzip, a wrong checksum, a second member or other bytes behind the first (programs differ in what they make of
/// those), and a content of another length.
pub fn digest(bytes: &[u8], expected: u64) -> io::Result<Hash> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut decoder = GzDecoder::new(bytes);
    let (mut hasher, mut length, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER]);
    loop {
        let read = decoder.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        length += read as u64;
        if length > expected {
            break;
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
    if length != expected {
        return Err(bad("its content has another length"));
    }
    // The end of the member, with its checksum, has been read with the 0 that ended the loop.
    if decoder.into_inner().is_empty() {
        Ok(Hash::from(hasher))
    } else {
        Err(bad("there are bytes behind its one member"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.write(content).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn the_header_says_nothing() {
        // RFC 1952 §2.3: magic, deflate, no flags, no time, no extra flags, unknown system.
        assert_eq!(file(b"abc")[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        assert_eq!(digest(&file(b"abc"), 3).unwrap(), Hash::of(b"abc"));
        assert_eq!(digest(&file(b""), 0).unwrap(), Hash::of(b""));
        let long = vec![7; 200_000];
        assert_eq!(digest(&file(&long), 200_000).unwrap(), Hash::of(&long));
    }

    #[test]
    fn more_members_and_other_tails_are_refused() {
        let one = file(b"abc\n");
        assert!(digest(&[&one[..], &file(b"def\n")].concat(), 8).is_err());
        assert!(digest(&[&one[..], &file(b"")].concat(), 4).is_err());
        assert!(digest(&[&one[..], b"\0"].concat(), 4).is_err());
        for end in 0..one.len() {
            assert!(digest(&one[..end], 4).is_err(), "cut at {end}");
        }
        for expected in [0, 3, 5, 100] {
            assert!(digest(&one, expected).is_err(), "{expected}");
        }
    }

    #[test]
    fn a_small_file_that_grows_is_not_read_to_its_end() {
        let bomb = file(&vec![0; 10_000_000]);
        assert!(bomb.len() < 20_000);
        assert!(digest(&bomb, 1_000).is_err());
    }
}
