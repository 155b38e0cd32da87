//! Where the hashes of a proof come from.

use super::{ProofError, split_of};
use crate::hash::Hash;
use crate::tile::{Kind, TilePath, WIDTH, hashes, root_of_full_tile};

/// Levels of the tree that one tile spans.
const TILE_HEIGHT: u8 = 8;

/// Anything that knows the roots of full subtrees.
pub trait Nodes {
    /// The root of the subtree over the 2^`level` leaves from leaf `index * 2^level` on; `None` where it is not known.
    fn node(&self, level: u8, index: u64) -> Option<Hash>;
}

/// The leaf hashes, all of them.
impl Nodes for [Hash] {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        let count = 1_usize.checked_shl(level.into())?;
        let start = usize::try_from(index).ok()?.checked_mul(count)?;
        self.get(start..start.checked_add(count)?).map(root_of_full_tile)
    }
}

/// The tiles of a tree of some size, read by a function that gives a tile's bytes, or nothing when it is not there.
///
/// A tile of another length than its name demands counts as not there. Where a partial tile is gone, the head of the full one serves
/// (tlog-tiles, "Partial Tiles").
#[derive(Clone, Debug)]
pub struct TileNodes<F> {
    size: u64,
    read: F,
}

impl<F: Fn(TilePath) -> Option<Vec<u8>>> TileNodes<F> {
    /// The tiles of a tree of `size` leaves.
    pub const fn new(size: u64, read: F) -> Self {
        Self { size, read }
    }

    fn tile(&self, level: u8, index: u64) -> Option<Vec<Hash>> {
        let in_level = self.size.checked_shr(u32::from(level * TILE_HEIGHT)).unwrap_or(0);
        let width = in_level.checked_sub(index * u64::from(WIDTH))?.min(WIDTH.into());
        let width = u16::try_from(width).ok()?;
        let read = |width| {
            let bytes = (self.read)(TilePath::new(Kind::Hashes(level), index, width)?)?;
            hashes(&bytes, width).ok()
        };
        read(width).or_else(|| read(WIDTH).map(|full| full.into_iter().take(width.into()).collect()))
    }
}

impl<F: Fn(TilePath) -> Option<Vec<u8>>> Nodes for TileNodes<F> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        // The node is the root over 2^height neighbours in a tile.
        let height = level % TILE_HEIGHT;
        let first = index.checked_mul(1 << height)?;
        let tile = self.tile(level / TILE_HEIGHT, first / u64::from(WIDTH))?;
        let at = usize::try_from(first % u64::from(WIDTH)).ok()?;
        tile.get(at..at + (1 << height)).map(root_of_full_tile)
    }
}

/// The root of the tree of `size` leaves.
///
/// # Errors
/// [`ProofError::Missing`].
pub fn root(nodes: &(impl Nodes + ?Sized), size: u64) -> Result<Hash, ProofError> {
    if size == 0 { Ok(Hash::of(b"")) } else { over(nodes, 0, size) }
}

/// MTH(D[start:end]) of RFC 6962 §2.1.
///
/// INVARIANT: `start < end`, and `start` is a multiple of the smallest power of two that is not below `end - start`:
/// all ranges that proofs need are such.
pub(super) fn over(nodes: &(impl Nodes + ?Sized), start: u64, end: u64) -> Result<Hash, ProofError> {
    let count = end - start;
    if count.is_power_of_two() {
        let level = count.trailing_zeros();
        let (level, index) = (u8::try_from(level).unwrap_or(u8::MAX), start >> level);
        return nodes.node(level, index).ok_or(ProofError::Missing { level, index });
    }
    let middle = start + split_of(count);
    Ok(Hash::node(over(nodes, start, middle)?, over(nodes, middle, end)?))
}
