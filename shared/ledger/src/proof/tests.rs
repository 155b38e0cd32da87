use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::hash::Hash;
use crate::merkle::CompactRange;
use crate::tile::{Edge, TilePath};

/// Every pair of sizes, and every leaf of every size, up to this one.
const ALL: u64 = 300;

fn leaf(i: u64) -> Hash {
    Hash::leaf(&i.to_be_bytes())
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(leaf).collect()
}

/// The root of every size up to `count`.
fn roots(leaves: &[Hash]) -> Vec<Hash> {
    let mut range = CompactRange::new();
    let mut roots = vec![range.root()];
    for leaf in leaves {
        range.push(*leaf);
        roots.push(range.root());
    }
    roots
}

/// The tiles of a tree, as files.
fn tiles(leaves: &[Hash]) -> BTreeMap<TilePath, Vec<u8>> {
    let mut edge = Edge::new();
    let mut tiles: BTreeMap<_, _> =
        leaves.iter().flat_map(|leaf| edge.push(*leaf)).map(|tile| (tile.path, tile.bytes)).collect();
    tiles.extend(edge.partials().into_iter().map(|tile| (tile.path, tile.bytes)));
    tiles
}

/// Every full subtree's root, level by level: quick, for tests that ask often.
struct Levels(Vec<Vec<Hash>>);

impl Levels {
    fn of(leaves: &[Hash]) -> Self {
        let mut levels = vec![leaves.to_vec()];
        while let Some(pairs) = levels.last().map(|below| below.chunks_exact(2)).filter(|pairs| pairs.len() > 0) {
            let above = pairs.map(|pair| Hash::node(pair[0], pair[1])).collect();
            levels.push(above);
        }
        Self(levels)
    }
}

impl Nodes for Levels {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.0.get(usize::from(level))?.get(usize::try_from(index).ok()?).copied()
    }
}

/// Sizes whose proofs are also made by definition, from the leaves and from tiles, which is slow.
/// All others are compared with other programs in `tests/differential.rs`.
fn is_compared(size: u64) -> bool {
    size <= 70 || (254..=258).contains(&size) || size == ALL
}

fn nodes(size: u64, tiles: &BTreeMap<TilePath, Vec<u8>>) -> TileNodes<impl Fn(TilePath) -> Option<Vec<u8>>> {
    TileNodes::new(size, |path| tiles.get(&path).cloned())
}

/// PATH of RFC 6962 §2.1.1 and SUBPROOF of §2.1.2, as they are written there.
mod definition {
    use super::*;

    fn mth(leaves: &[Hash]) -> Hash {
        let mut range = CompactRange::new();
        leaves.iter().for_each(|leaf| range.push(*leaf));
        range.root()
    }

    fn k_of(n: usize) -> usize {
        n.next_power_of_two() / 2
    }

    pub(super) fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return vec![];
        }
        let (left, right) = leaves.split_at(k_of(leaves.len()));
        let (mut path, other) =
            if m < left.len() { (path(m, left), mth(right)) } else { (path(m - left.len(), right), mth(left)) };
        path.push(other);
        path
    }

    pub(super) fn subproof(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if m == leaves.len() {
            return if whole { vec![] } else { vec![mth(leaves)] };
        }
        let (left, right) = leaves.split_at(k_of(leaves.len()));
        let (mut proof, other) = if m <= left.len() {
            (subproof(m, left, whole), mth(right))
        } else {
            (subproof(m - left.len(), right, false), mth(left))
        };
        proof.push(other);
        proof
    }
}

#[test]
fn every_inclusion_proof_is_the_definition_s_and_holds() {
    let leaves = leaves(ALL);
    let roots = roots(&leaves);
    let levels = Levels::of(&leaves);
    for size in 1..=ALL {
        let of_size = &leaves[..usize::try_from(size).unwrap()];
        let tiles = tiles(of_size);
        for index in 0..size {
            let at = usize::try_from(index).unwrap();
            let proof = inclusion(&levels, index, size).unwrap();
            if is_compared(size) {
                assert_eq!(definition::path(at, of_size), proof, "{index} of {size}");
                assert_eq!(inclusion(of_size, index, size).unwrap(), proof, "{index} of {size}");
                assert_eq!(inclusion(&nodes(size, &tiles), index, size).unwrap(), proof, "{index} of {size}");
            }
            assert_eq!(check_inclusion(index, size, leaves[at], &proof, roots[of_size.len()]), Ok(()));
            // Another leaf, another place, another size of tree.
            assert!(check_inclusion(index, size, Hash::ZERO, &proof, roots[of_size.len()]).is_err());
            assert!(check_inclusion(index ^ 1, size, leaves[at], &proof, roots[of_size.len()]).is_err());
            assert!(check_inclusion(index, size, leaves[at], &proof, roots[of_size.len() - 1]).is_err());
        }
    }
}

#[test]
fn every_consistency_proof_is_the_definition_s_and_holds() {
    let leaves = leaves(ALL);
    let roots = roots(&leaves);
    let levels = Levels::of(&leaves);
    for new in 0..=ALL {
        let at_new = usize::try_from(new).unwrap();
        let tiles = tiles(&leaves[..at_new]);
        for old in 0..=new {
            let at_old = usize::try_from(old).unwrap();
            let proof = consistency(&levels, old, new).unwrap();
            if is_compared(new) {
                assert_eq!(consistency(&leaves[..], old, new).unwrap(), proof, "{old} in {new}");
                assert_eq!(consistency(&nodes(new, &tiles), old, new).unwrap(), proof, "{old} in {new}");
                if old > 0 {
                    assert_eq!(definition::subproof(at_old, &leaves[..at_new], true), proof, "{old} in {new}");
                }
            }
            assert_eq!(check_consistency(old, new, roots[at_old], roots[at_new], &proof), Ok(()), "{old} in {new}");
            assert!(check_consistency(old, new, Hash::ZERO, roots[at_new], &proof).is_err(), "{old} in {new}");
            if old > 0 {
                assert!(check_consistency(old, new, roots[at_old], Hash::ZERO, &proof).is_err(), "{old} in {new}");
            }
        }
    }
}

#[test]
fn a_proof_says_what_is_wrong_with_it() {
    let leaves = leaves(7);
    let roots = roots(&leaves);
    let proof = inclusion(&leaves[..], 2, 7).unwrap();
    let check = |proof: &[Hash]| check_inclusion(2, 7, leaves[2], proof, roots[7]);
    assert_eq!(check(&proof[..2]), Err(ProofError::TooShort));
    assert_eq!(check(&[&proof[..], &[Hash::ZERO]].concat()), Err(ProofError::TooLong));
    assert_eq!(check(&[proof[1], proof[0], proof[2]]), Err(ProofError::Root));
    assert_eq!(check_inclusion(7, 7, leaves[2], &proof, roots[7]), Err(ProofError::NotInTree { index: 7, size: 7 }));
    assert_eq!(check_inclusion(0, 0, leaves[2], &[], roots[0]), Err(ProofError::NotInTree { index: 0, size: 0 }));
    assert_eq!(inclusion(&leaves[..], 7, 7), Err(ProofError::NotInTree { index: 7, size: 7 }));

    let proof = consistency(&leaves[..], 3, 7).unwrap();
    let check = |proof: &[Hash]| check_consistency(3, 7, roots[3], roots[7], proof);
    assert_eq!(check(&[]), Err(ProofError::TooShort));
    assert_eq!(check(&proof[..proof.len() - 1]), Err(ProofError::TooShort));
    assert_eq!(check(&[&proof[..], &[Hash::ZERO]].concat()), Err(ProofError::TooLong));
    assert_eq!(check_consistency(3, 7, roots[4], roots[7], &proof), Err(ProofError::OldRoot));
    assert_eq!(check_consistency(3, 7, roots[3], roots[6], &proof), Err(ProofError::Root));
    assert_eq!(check_consistency(7, 3, roots[7], roots[3], &proof), Err(ProofError::Shrunk { old: 7, new: 3 }));
    assert_eq!(check_consistency(7, 7, roots[7], roots[6], &[]), Err(ProofError::Differ(7)));
    assert_eq!(check_consistency(7, 7, roots[7], roots[7], &proof), Err(ProofError::TooLong));
    assert_eq!(check_consistency(0, 7, roots[1], roots[7], &[]), Err(ProofError::OldRoot));
    assert_eq!(check_consistency(0, 7, roots[0], roots[7], &proof), Err(ProofError::TooLong));
    assert_eq!(consistency(&leaves[..], 7, 3), Err(ProofError::Shrunk { old: 7, new: 3 }));
}

/// Every way of spoiling a proof a little: one bit, one hash less, one more, two that change places.
fn spoiled(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for at in 0..proof.len() {
        for bit in 0..256 {
            let mut bytes = *proof[at].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut other = proof.to_vec();
            other[at] = Hash::from_slice(&bytes).unwrap();
            all.push(other);
        }
        let mut less = proof.to_vec();
        less.remove(at);
        all.push(less);
    }
    for at in 0..=proof.len() {
        for hash in [Hash::ZERO, proof.first().copied().unwrap_or(leaf(0))] {
            let mut more = proof.to_vec();
            more.insert(at, hash);
            all.push(more);
        }
    }
    for a in 0..proof.len() {
        for b in a + 1..proof.len() {
            let mut swapped = proof.to_vec();
            swapped.swap(a, b);
            all.push(swapped);
        }
    }
    all
}

#[test]
fn every_spoiled_proof_is_refused() {
    const TO: u64 = 34;
    let leaves = leaves(TO);
    let roots = roots(&leaves);
    let mut tried = 0_u64;
    for size in 1..=TO {
        let root = roots[usize::try_from(size).unwrap()];
        for index in 0..size {
            let hash = leaf(index);
            for other in spoiled(&inclusion(&leaves[..], index, size).unwrap()) {
                assert!(check_inclusion(index, size, hash, &other, root).is_err(), "{index} of {size}");
                tried += 1;
            }
            let old_root = roots[usize::try_from(index).unwrap()];
            for other in spoiled(&consistency(&leaves[..], index, size).unwrap()) {
                assert!(check_consistency(index, size, old_root, root, &other).is_err(), "{index} in {size}");
                tried += 1;
            }
        }
    }
    assert!(tried > 800_000, "{tried}");
}

#[test]
fn a_missing_tile_is_named_and_a_full_one_serves_for_a_partial_one() {
    let leaves = leaves(600);
    let roots = roots(&leaves);
    let mut tiles = tiles(&leaves[..512]);
    // The log has grown to 512 and has deleted the partial tiles that are full now; the tree of 300 is still provable.
    tiles.insert(TilePath::parse("tile/1/000.p/1").unwrap(), crate::tile::bytes(&[roots[256]]));
    let proof = inclusion(&nodes(300, &tiles), 299, 300).unwrap();
    assert_eq!(check_inclusion(299, 300, leaves[299], &proof, roots[300]), Ok(()));
    assert_eq!(root(&nodes(300, &tiles), 300), Ok(roots[300]));
    let second = TilePath::parse("tile/0/001").unwrap();
    tiles.get_mut(&second).unwrap().push(0);
    let missing = Err(ProofError::Missing { level: 5, index: 8 });
    assert_eq!(inclusion(&nodes(300, &tiles), 299, 300), missing);
    tiles.remove(&second);
    assert_eq!(inclusion(&nodes(300, &tiles), 299, 300), missing);
    assert_eq!(root(&nodes(300, &tiles), 300), Err(ProofError::Missing { level: 5, index: 8 }));
}

#[test]
fn numbers_at_the_end_of_what_64_bits_hold_do_not_panic() {
    let no_tiles = TileNodes::new(u64::MAX, |_| None);
    assert!(inclusion(&no_tiles, u64::MAX - 1, u64::MAX).is_err());
    assert!(consistency(&no_tiles, u64::MAX - 1, u64::MAX).is_err());
    assert!(root(&no_tiles, u64::MAX).is_err());
    assert!(root(&[][..], u64::MAX).is_err());
    let long = vec![Hash::ZERO; 64];
    assert!(check_inclusion(u64::MAX - 1, u64::MAX, Hash::ZERO, &long, Hash::ZERO).is_err());
    assert!(check_consistency(u64::MAX - 1, u64::MAX, Hash::ZERO, Hash::ZERO, &long).is_err());
    assert!(check_consistency(1 << 63, u64::MAX, Hash::ZERO, Hash::ZERO, &long).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn large_trees(new in 1..=1_u64 << 20, index: prop::sample::Index, old: prop::sample::Index, bit in 0..256_usize) {
        let leaves = leaves(new);
        let tiles = tiles(&leaves);
        let from_tiles = nodes(new, &tiles);
        let root_new = root(&leaves[..], new).unwrap();
        prop_assert_eq!(root(&from_tiles, new).unwrap(), root_new);
        let (index, old) = (index.index(leaves.len()) as u64, old.index(leaves.len()) as u64);

        let proof = inclusion(&from_tiles, index, new).unwrap();
        prop_assert_eq!(&proof, &inclusion(&leaves[..], index, new).unwrap());
        prop_assert_eq!(check_inclusion(index, new, leaf(index), &proof, root_new), Ok(()));

        let grown = consistency(&from_tiles, old, new).unwrap();
        prop_assert_eq!(&grown, &consistency(&leaves[..], old, new).unwrap());
        let root_old = root(&leaves[..], old).unwrap();
        prop_assert_eq!(check_consistency(old, new, root_old, root_new, &grown), Ok(()));

        for at in 0..proof.len() {
            let mut bytes = *proof[at].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut other = proof.clone();
            other[at] = Hash::from_slice(&bytes).unwrap();
            prop_assert_eq!(check_inclusion(index, new, leaf(index), &other, root_new), Err(ProofError::Root));
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_proofs_never_panic_and_never_hold(
        a: u64, b: u64, shift in 0..64_u32, count in 0..70_usize, seed: u64,
    ) {
        let hashes: Vec<_> = (0..count as u64).map(|i| leaf(seed.wrapping_add(i))).collect();
        let (a, b) = (a >> shift, b >> shift);
        prop_assert!(check_inclusion(a, b, leaf(seed), &hashes, Hash::ZERO).is_err());
        prop_assert!(check_consistency(a, b, Hash::ZERO, leaf(seed), &hashes).is_err());
    }
}
