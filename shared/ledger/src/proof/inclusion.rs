//! Inclusion: a leaf is in the tree at its place.

use super::nodes::over;
use super::{Nodes, ProofError, split_of};
use crate::hash::Hash;

/// The proof that leaf `index` is in the tree of `size` leaves: PATH of RFC 6962 §2.1.1, the leaf's neighbour first.
///
/// # Errors
/// [`ProofError::NotInTree`] and [`ProofError::Missing`].
pub fn inclusion(nodes: &(impl Nodes + ?Sized), index: u64, size: u64) -> Result<Vec<Hash>, ProofError> {
    if index >= size {
        return Err(ProofError::NotInTree { index, size });
    }
    // From the root down; the hash of the other side at each split.
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    while end - start > 1 {
        let middle = start + split_of(end - start);
        if index < middle {
            proof.push(over(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(over(nodes, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that a leaf with this hash is number `index` of the tree of `size` leaves that has this root: RFC 9162 §2.1.3.2.
///
/// # Errors
/// [`ProofError`] says why it does not hold.
pub fn check_inclusion(index: u64, size: u64, leaf: Hash, proof: &[Hash], root: Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::NotInTree { index, size });
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = leaf;
    for other in proof {
        if last == 0 {
            return Err(ProofError::TooLong);
        }
        if at & 1 == 1 || at == last {
            hash = Hash::node(*other, hash);
            // A lone node at the right edge goes up unchanged until it has a left neighbour.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = Hash::node(hash, *other);
        }
        at >>= 1;
        last >>= 1;
    }
    match (last, hash == root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::TooShort),
    }
}
