//! The tree as static files: tiles of hashes and bundles of entries (c2sp.org/tlog-tiles).
//!
//! A tile of level 0 holds up to 256 leaf hashes. A tile of level `L + 1` holds the roots of *full* tiles of level `L`.
//! A tile that is not full yet is partial: it has its width in its name, and nothing above it knows of it.
//! A tree of 70,000 leaves, as the specification draws it:
//!
//! ```text
//! level 2                                      [1 hash]
//! level 1                    [256 hashes]      [17 hashes]
//! level 0   [256] ... [256]  (273 of them)     [112 hashes]
//! ```
//!
//! This module names tiles, makes and reads their bytes, and keeps the right edge ([`Edge`]), from which the tree grows.
//! It never decides which of them are stored, or where.

mod bundle;
mod edge;
mod path;

pub use bundle::{bundle, unbundle};
pub use edge::{Edge, EdgeError, Tile};
pub use path::{Kind, TilePath};

use crate::hash::Hash;
use crate::merkle::CompactRange;

/// Hashes in a full tile, and entries in a full bundle: 2^8, a subtree of height 8 (tlog-tiles, "Merkle Tree").
pub const WIDTH: u16 = 256;

/// The highest level that a tile's name may have (tlog-tiles, "Merkle Tree"). Numbers of 64 bits reach level 7.
pub const MAX_LEVEL: u8 = 63;

/// Bytes of a hash.
const HASH_BYTES: usize = 32;

/// What is wrong with the bytes of a tile or bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// The file is longer or shorter than its width demands.
    #[error("a tile of {width} hashes has {} bytes, not {bytes}", usize::from(*width) * HASH_BYTES)]
    Length {
        /// Hashes that it must hold.
        width: u16,
        /// Bytes that it has.
        bytes: usize,
    },
    /// A bundle without entries, or with more than [`WIDTH`].
    #[error("a bundle holds 1 to {WIDTH} entries, not {0}")]
    Count(usize),
    /// An entry that the 16-bit length of a bundle cannot express.
    #[error("an entry of {0} bytes does not fit a bundle")]
    EntryLength(usize),
    /// A bundle that ends inside an entry or its length.
    #[error("the bundle ends inside its entry number {0}, counted from 0")]
    Cut(usize),
}

/// The hashes of a tile of `width` hashes.
///
/// # Errors
/// [`TileError::Length`] unless there are exactly 32 bytes for each: a longer file is as wrong as a shorter one.
pub fn hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, TileError> {
    let wrong = || TileError::Length { width, bytes: bytes.len() };
    if bytes.len() != usize::from(width) * HASH_BYTES {
        return Err(wrong());
    }
    bytes.chunks_exact(HASH_BYTES).map(|chunk| Hash::from_slice(chunk).ok_or_else(wrong)).collect()
}

/// The bytes of a tile: its hashes one after the other.
#[must_use]
pub fn bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The hash that a full tile of 256 hashes is in the tile above it: the root of the subtree over its hashes.
/// Of fewer hashes, it is the root of the tree that has them as its leaves.
#[must_use]
pub fn root_of_full_tile(hashes: &[Hash]) -> Hash {
    subtree(hashes).root()
}

/// The tree over hashes of one level.
fn subtree(hashes: &[Hash]) -> CompactRange {
    let mut range = CompactRange::new();
    hashes.iter().for_each(|hash| range.push(*hash));
    range
}

#[cfg(test)]
mod tests;
