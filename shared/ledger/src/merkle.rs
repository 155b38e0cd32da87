//! The Merkle tree over a log's entries, RFC 6962 §2.1, as a compact range.
//!
//! A compact range holds only the roots of the full subtrees that make up the tree so far, largest first: at most 64
//! hashes for any size. From it the next entries can be added and the root computed without the old entries.
//! With 7 leaves it holds three:
//!
//! ```text
//!        [0,4)        [4,6)   [6,7)
//!       /     \       /   \     |
//! ```

use crate::hash::Hash;

/// The right edge of a tree of `size` leaves.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CompactRange {
    size: u64,
    /// Roots of the full subtrees, largest first: one for each 1 bit of `size`.
    peaks: Vec<Hash>,
}

/// The hashes do not make a compact range of that size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{count} hashes cannot be the right edge of a tree of {size} leaves")]
pub struct CompactRangeError {
    size: u64,
    count: usize,
}

impl CompactRange {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A stored range.
    ///
    /// # Errors
    /// [`CompactRangeError`] unless there is one hash for each 1 bit of `size`.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Result<Self, CompactRangeError> {
        if u64::from(size.count_ones()) == peaks.len() as u64 {
            Ok(Self { size, peaks })
        } else {
            Err(CompactRangeError { size, count: peaks.len() })
        }
    }

    /// INVARIANT for the caller: one peak for each 1 bit of `size`.
    pub(crate) const fn from_peaks(size: u64, peaks: Vec<Hash>) -> Self {
        Self { size, peaks }
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the full subtrees, largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds one leaf.
    pub fn push(&mut self, leaf: Hash) {
        // Each 1 bit at the low end of the size is a full subtree that the new leaf completes to one twice as large.
        let mut hash = leaf;
        let mut size = self.size;
        while size & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                hash = Hash::node(left, hash);
            }
            size >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The tree's root; SHA-256 of nothing for the empty tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev().copied();
        let Some(last) = peaks.next() else {
            return Hash::of(b"");
        };
        peaks.fold(last, |right, left| Hash::node(left, right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree head straight from the definition in RFC 6962 §2.1.
    fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of(b""),
            [one] => *one,
            many => {
                let k = many.len().next_power_of_two() / 2;
                Hash::node(by_definition(&many[..k]), by_definition(&many[k..]))
            }
        }
    }

    #[test]
    fn equals_the_definition_at_every_size() {
        let leaves: Vec<_> = (0..300_u32).map(|i| Hash::leaf(&i.to_be_bytes())).collect();
        let mut range = CompactRange::new();
        for (n, leaf) in leaves.iter().enumerate() {
            assert_eq!(range.root(), by_definition(&leaves[..n]), "{n}");
            let again = CompactRange::from_parts(range.size(), range.peaks().to_vec()).unwrap();
            assert_eq!(again, range);
            range.push(*leaf);
        }
    }

    #[test]
    fn equals_an_independent_implementation() {
        let mut other = ct_merkle::mem_backed_tree::MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
        let mut range = CompactRange::new();
        for i in 0..1_000_u32 {
            let entry = i.to_string().into_bytes();
            range.push(Hash::leaf(&entry));
            other.push(entry);
            assert_eq!(range.root().as_bytes()[..], other.root().as_bytes()[..]);
        }
    }

    #[test]
    fn a_wrong_number_of_hashes_is_refused() {
        assert!(CompactRange::from_parts(7, vec![Hash::ZERO; 2]).is_err());
        assert!(CompactRange::from_parts(0, vec![Hash::ZERO]).is_err());
        assert!(CompactRange::from_parts(8, vec![Hash::ZERO]).is_ok());
    }
}
