//! Consistency: a larger tree is a smaller one with leaves added behind.

use super::nodes::over;
use super::{Nodes, ProofError, split_of};
use crate::hash::Hash;

/// The proof that the tree of `new` leaves begins with the tree of `old` leaves: PROOF of RFC 6962 §2.1.2.
/// Empty for two trees of one size, and from the empty tree, with which every tree begins (c2sp.org/tlog-witness, "add-checkpoint").
///
/// # Errors
/// [`ProofError::Shrunk`] and [`ProofError::Missing`].
pub fn consistency(nodes: &(impl Nodes + ?Sized), old: u64, new: u64) -> Result<Vec<Hash>, ProofError> {
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    // SUBPROOF, from the root down. The range always ends at or behind `old`, and begins before it.
    let (mut start, mut end) = (0, new);
    while end != old {
        let middle = start + split_of(end - start);
        if old <= middle {
            proof.push(over(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(over(nodes, start, middle)?);
            start = middle;
        }
    }
    // The old tree itself is known to whoever checks; a part of it is not.
    if start != 0 {
        proof.push(over(nodes, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that the tree of `new` leaves begins with the tree of `old` leaves, by their roots: RFC 9162 §2.1.4.2.
///
/// # Errors
/// [`ProofError`] says why it does not hold.
pub fn check_consistency(old: u64, new: u64, old_root: Hash, new_root: Hash, proof: &[Hash]) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    if old == 0 || old == new {
        // Nothing to prove, so nothing may be brought.
        let same = if old == new { new_root } else { Hash::of(b"") };
        return match (proof.is_empty(), old_root == same) {
            (false, _) => Err(ProofError::TooLong),
            (true, true) => Ok(()),
            (true, false) if old == new => Err(ProofError::Differ(old)),
            (true, false) => Err(ProofError::OldRoot),
        };
    }
    let (first, rest) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ProofError::TooShort)?;
        (*first, rest)
    };
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (first, first);
    for other in rest {
        if last == 0 {
            return Err(ProofError::TooLong);
        }
        if at & 1 == 1 || at == last {
            old_hash = Hash::node(*other, old_hash);
            new_hash = Hash::node(*other, new_hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = Hash::node(new_hash, *other);
        }
        at >>= 1;
        last >>= 1;
    }
    match (last, old_hash == old_root, new_hash == new_root) {
        (0, true, true) => Ok(()),
        (0, false, _) => Err(ProofError::OldRoot),
        (0, true, false) => Err(ProofError::Root),
        _ => Err(ProofError::TooShort),
    }
}
