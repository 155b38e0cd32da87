//! Bundles of entries: each entry behind its length, 16 bits, the high byte first (tlog-tiles, "Log entries").

use super::{TileError, WIDTH};

/// The bundle of 1 to 256 entries, in order.
///
/// # Errors
/// [`TileError::Count`], and [`TileError::EntryLength`] for an entry above 65,535 bytes; the ledger's own are at most 16,384.
pub fn bundle<'a>(entries: impl Iterator<Item = &'a [u8]>) -> Result<Vec<u8>, TileError> {
    let mut bytes = Vec::new();
    let mut count = 0;
    for entry in entries {
        let length = u16::try_from(entry.len()).map_err(|_| TileError::EntryLength(entry.len()))?;
        bytes.extend(length.to_be_bytes());
        bytes.extend_from_slice(entry);
        count += 1;
    }
    check_count(count)?;
    Ok(bytes)
}

/// The entries of a bundle. Whether there are as many as its name says is for the caller to compare.
///
/// # Errors
/// [`TileError::Count`] and [`TileError::Cut`]: every byte must belong to an entry.
pub fn unbundle(bytes: &[u8]) -> Result<Vec<&[u8]>, TileError> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let cut = || TileError::Cut(entries.len());
        let (length, behind) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, behind) = behind.split_at_checked(length).ok_or_else(cut)?;
        entries.push(entry);
        rest = behind;
    }
    check_count(entries.len())?;
    Ok(entries)
}

fn check_count(count: usize) -> Result<(), TileError> {
    if (1..=usize::from(WIDTH)).contains(&count) { Ok(()) } else { Err(TileError::Count(count)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_stand_before_entries() {
        let long = vec![b'x'; 258];
        let bytes = bundle([&b"ab"[..], b"", &long].into_iter()).unwrap();
        assert_eq!(bytes[..8], [0, 2, b'a', b'b', 0, 0, 1, 2]);
        assert_eq!(unbundle(&bytes).unwrap(), [&b"ab"[..], b"", &long]);
    }

    #[test]
    fn what_cannot_be_a_bundle_is_refused() {
        assert_eq!(bundle(std::iter::empty()), Err(TileError::Count(0)));
        assert_eq!(bundle(std::iter::repeat_n(&b"a"[..], 257)), Err(TileError::Count(257)));
        assert!(bundle(std::iter::once(&vec![0; 65_535][..])).is_ok());
        assert_eq!(bundle(std::iter::once(&vec![0; 65_536][..])), Err(TileError::EntryLength(65_536)));
        assert_eq!(unbundle(b""), Err(TileError::Count(0)));
        assert_eq!(unbundle(&[0; 2 * 257]), Err(TileError::Count(257)));
        assert_eq!(unbundle(&[0; 2 * 256]).unwrap().len(), 256);
    }

    #[test]
    fn a_cut_bundle_or_one_with_a_byte_more_is_refused() {
        let bytes = bundle([&b"first"[..], b"second"].into_iter()).unwrap();
        for end in (0..bytes.len()).filter(|end| *end != 7) {
            assert!(unbundle(&bytes[..end]).is_err(), "cut at {end}");
        }
        let mut more = bytes;
        more.push(0);
        assert_eq!(unbundle(&more), Err(TileError::Cut(2)));
    }

    proptest! {
        #[test]
        fn bundles_are_read_back(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..20)) {
            let bytes = bundle(entries.iter().map(Vec::as_slice)).unwrap();
            prop_assert_eq!(unbundle(&bytes).unwrap(), entries);
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_have_one_reading(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(entries) = unbundle(&bytes) {
                prop_assert_eq!(bundle(entries.into_iter()).unwrap(), bytes);
            }
        }
    }
}
