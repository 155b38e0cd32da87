//! The right edge of the tree, as the tiles that are not full.

use super::{Kind, TilePath, WIDTH, bytes, root_of_full_tile, subtree};
use crate::hash::Hash;
use crate::merkle::CompactRange;

/// A tile of hashes as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Its name, relative to the log's folder.
    pub path: TilePath,
    /// Its content: 32 bytes for each hash.
    pub bytes: Vec<u8>,
}

/// The partial tile of each level of a tree: all that is needed to grow it, whatever its size.
///
/// Level `L` holds `(size >> 8L) mod 256` hashes; there is no level above the highest that holds one.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Edge {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

/// The hashes do not make the right edge of a tree of that size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EdgeError {
    /// Another number of levels.
    #[error("the edge of a tree of {size} leaves has {} levels, not {found}", levels_of(*size))]
    Levels {
        /// Leaves of the tree.
        size: u64,
        /// Levels given.
        found: usize,
    },
    /// Another number of hashes in a level.
    #[error("level {level} of the edge of a tree of {size} leaves has {} hashes, not {found}", width_at(*size, *level))]
    Width {
        /// Leaves of the tree.
        size: u64,
        /// The level.
        level: u8,
        /// Hashes given.
        found: usize,
    },
}

impl Edge {
    /// The edge of the empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A stored edge: the hashes of each level's partial tile, level 0 first, empty where that level has none.
    ///
    /// # Errors
    /// [`EdgeError`] unless levels and hashes are as many as `size` demands. Whether they are the right ones is only known by
    /// comparing [`Self::range`] with a root that is trusted.
    pub fn from_levels(size: u64, levels: Vec<Vec<Hash>>) -> Result<Self, EdgeError> {
        if levels.len() != levels_of(size) {
            return Err(EdgeError::Levels { size, found: levels.len() });
        }
        for (level, hashes) in (0..).zip(&levels) {
            if hashes.len() != usize::from(width_at(size, level)) {
                return Err(EdgeError::Width { size, level, found: hashes.len() });
            }
        }
        Ok(Self { size, levels })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of each level's partial tile, level 0 first.
    #[must_use]
    pub fn levels(&self) -> &[Vec<Hash>] {
        &self.levels
    }

    /// The same tree as a compact range, whose root is the tree's.
    #[must_use]
    pub fn range(&self) -> CompactRange {
        // A level's width is eight bits of the size, and its full subtrees are the peaks of these bits; higher levels are larger.
        let peaks = self.levels.iter().rev().flat_map(|hashes| subtree(hashes).peaks().to_vec()).collect();
        CompactRange::from_peaks(self.size, peaks)
    }

    /// Adds one leaf. Gives the tiles that it completed, lowest level first: mostly none.
    pub fn push(&mut self, leaf: Hash) -> Vec<Tile> {
        let mut completed = Vec::new();
        let mut hash = leaf;
        self.size += 1;
        for level in 0.. {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(at) else { break };
            hashes.push(hash);
            if hashes.len() < usize::from(WIDTH) {
                break;
            }
            let full = std::mem::take(hashes);
            hash = root_of_full_tile(&full);
            let index = shifted(self.size, level + 1) - 1;
            completed.push(Tile { path: TilePath::in_bounds(Kind::Hashes(level), index, WIDTH), bytes: bytes(&full) });
        }
        completed
    }

    /// The partial tiles of the tree as it is now, lowest level first.
    #[must_use]
    pub fn partials(&self) -> Vec<Tile> {
        let levels = (0..).zip(&self.levels).filter(|(_, hashes)| !hashes.is_empty());
        let tile = |(level, hashes): (u8, &Vec<Hash>)| {
            let path =
                TilePath::in_bounds(Kind::Hashes(level), shifted(self.size, level + 1), width_at(self.size, level));
            Tile { path, bytes: bytes(hashes) }
        };
        levels.map(tile).collect()
    }
}

/// `size / 256^level`: the number of hashes of that level in a tree of `size` leaves.
fn shifted(size: u64, level: u8) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// Width of the partial tile of a level: 0 where there is none (tlog-tiles, "Partial Tiles").
fn width_at(size: u64, level: u8) -> u16 {
    let [.., low] = shifted(size, level).to_be_bytes();
    u16::from(low)
}

/// Levels up to the highest that has a partial tile: the bytes that `size` takes.
fn levels_of(size: u64) -> usize {
    (u64::BITS - size.leading_zeros()).div_ceil(8) as usize
}
