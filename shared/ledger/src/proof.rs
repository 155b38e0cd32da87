//! Proofs about the tree: that an entry is in it (inclusion), and that it only grew (consistency). RFC 6962 §2.1.1, §2.1.2.
//!
//! The hashes of a proof and their order are RFC 6962's; the checks follow RFC 9162 §2.1.3.2 and §2.1.4.2 step by step.
//! A proof is made from whatever knows the full subtrees ([`Nodes`]): the leaves themselves, or the tiles of an export.
//! A check needs neither; it sees only sizes, hashes and the roots that are trusted.

mod consistency;
mod inclusion;
mod nodes;

pub use consistency::{check_consistency, consistency};
pub use inclusion::{check_inclusion, inclusion};
pub use nodes::{Nodes, TileNodes, root};

/// Upper bound of a proof's hashes: one for each level of a tree whose size has 64 bits (also c2sp.org/tlog-witness, "add-checkpoint").
pub const MAX_HASHES: usize = 63;

/// Why a proof cannot be made or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// No such entry.
    #[error("a tree of {size} leaves has no leaf number {index}")]
    NotInTree {
        /// The leaf, counted from 0.
        index: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// A tree never gets smaller.
    #[error("a tree of {old} leaves cannot have become one of {new}")]
    Shrunk {
        /// Leaves before.
        old: u64,
        /// Leaves now.
        new: u64,
    },
    /// Whatever the proof is made from does not have a node.
    #[error("node {index} of level {level} is not there")]
    Missing {
        /// Its subtree has 2^level leaves.
        level: u8,
        /// Its number within the level.
        index: u64,
    },
    /// It ends before the root.
    #[error("the proof has too few hashes")]
    TooShort,
    /// It goes on behind the root.
    #[error("the proof has too many hashes")]
    TooLong,
    /// It leads to another root.
    #[error("the proof does not lead to the root")]
    Root,
    /// A consistency proof does not lead to the root of the smaller tree.
    #[error("the proof does not lead to the root of the smaller tree")]
    OldRoot,
    /// Trees of one size with different roots.
    #[error("two trees of {0} leaves have different roots")]
    Differ(u64),
}

/// The largest power of two below `n`, where the tree of `n > 1` leaves splits (RFC 6962 §2.1).
const fn split_of(n: u64) -> u64 {
    1 << (u64::BITS - 1 - (n - 1).leading_zeros())
}

#[cfg(test)]
mod tests;
