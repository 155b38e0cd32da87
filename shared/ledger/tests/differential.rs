//! The tree against two implementations by others, which share no code with ours or with each other:
//!
//! - `ct-merkle`, an RFC 6962 tree in memory, written from the specification;
//! - `tlog_tiles`, Cloudflare's port of the code that the Go checksum database runs on (golang.org/x/mod/sumdb/tlog).
//!
//! Roots at sizes 0 to 2,000 and at random sizes to 2^20; proofs of all pairs up to 300: ours must be the same to the byte, must hold for
//! them, and theirs for us; and both must read our tiles.
// Helpers outside the test functions are test code too.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use axiru_ledger::hash::Hash;
use axiru_ledger::merkle::CompactRange;
use axiru_ledger::proof::{Nodes, TileNodes, check_consistency, check_inclusion, consistency, inclusion, root};
use axiru_ledger::tile::{Edge, Kind, TilePath};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::prelude::*;
use sha2::Sha256;
use tlog_tiles::tlog;
use tlog_tiles::{HashReader, Tile, TileHashReader, TileReader};

fn entry(i: u64) -> Vec<u8> {
    format!("{{\"seq\":{i}}}").into_bytes()
}

fn theirs(hash: Hash) -> tlog::Hash {
    tlog::Hash(*hash.as_bytes())
}

fn ours(hash: &tlog::Hash) -> Hash {
    Hash::from_slice(&hash.0).unwrap()
}

/// The same entries as a tree of each of the three.
#[derive(Default)]
struct Trees {
    edge: Edge,
    tiles: BTreeMap<TilePath, Vec<u8>>,
    ct: MemoryBackedTree<Sha256, Vec<u8>>,
    go: GoStore,
    size: u64,
    root: RefCell<Option<Hash>>,
}

/// Hashes in the order in which `tlog` stores them.
#[derive(Default)]
struct GoStore(RefCell<Vec<tlog::Hash>>);

impl HashReader for GoStore {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes.iter().map(|index| self.0.borrow()[usize::try_from(*index).unwrap()]).collect())
    }
}

impl Trees {
    fn push(&mut self) {
        let entry = entry(self.size);
        for tile in self.edge.push(Hash::leaf(&entry)) {
            self.tiles.insert(tile.path, tile.bytes);
        }
        let stored = tlog::stored_hashes(self.size, &entry, &self.go).unwrap();
        self.go.0.borrow_mut().extend(stored);
        self.ct.push(entry);
        self.size += 1;
        self.root.take();
    }

    fn of(size: u64) -> Self {
        let mut trees = Self::default();
        (0..size).for_each(|_| trees.push());
        trees
    }

    /// Every tile of the tree as it is now.
    fn all_tiles(&self) -> BTreeMap<TilePath, Vec<u8>> {
        let partials = self.edge.partials().into_iter().map(|tile| (tile.path, tile.bytes));
        self.tiles.clone().into_iter().chain(partials).collect()
    }

    fn root(&self) -> Hash {
        *self.root.borrow_mut().get_or_insert_with(|| self.edge.range().root())
    }

    fn check_roots(&self) {
        assert_eq!(theirs(self.root()), tlog::tree_hash(self.size, &self.go).unwrap(), "{}", self.size);
        assert_eq!(self.root().as_bytes()[..], self.ct.root().as_bytes()[..], "{}", self.size);
    }
}

/// Our tiles, as `tlog_tiles` reads them. It names them as Go does, so only the numbers are used.
struct OurTiles(BTreeMap<TilePath, Vec<u8>>);

impl TileReader for OurTiles {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog::Error> {
        let read = |tile: &Tile| {
            let path =
                TilePath::new(Kind::Hashes(tile.level()), tile.level_index(), u16::try_from(tile.width()).unwrap());
            self.0[&path.unwrap()].clone()
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// Nodes that are asked for once: a tile folds hundreds of hashes for one node.
struct Once<N>(N, RefCell<HashMap<(u8, u64), Option<Hash>>>);

impl<N: Nodes> Nodes for Once<N> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        *self.1.borrow_mut().entry((level, index)).or_insert_with(|| self.0.node(level, index))
    }
}

/// A proof as `ct-merkle` takes it.
fn concatenated(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Ours and theirs of one leaf, each checked by the other.
fn exchange_inclusion(trees: &Trees, nodes: &impl Nodes, index: u64) {
    let (size, at) = (trees.size, usize::try_from(index).unwrap());
    let hash = Hash::leaf(&entry(index));
    let proof = inclusion(nodes, index, size).unwrap();

    let from_ct = trees.ct.prove_inclusion(at);
    assert_eq!(from_ct.as_bytes(), concatenated(&proof), "{index} of {size}");
    let to_ct = InclusionProof::try_from_bytes(concatenated(&proof)).unwrap();
    trees.ct.root().verify_inclusion(&entry(index), index, &to_ct).unwrap();

    let from_go = tlog::prove_record(size, index, &trees.go).unwrap();
    assert_eq!(from_go, proof.iter().map(|hash| theirs(*hash)).collect::<Vec<_>>(), "{index} of {size}");
    tlog::check_record(&from_go, size, theirs(trees.root()), index, theirs(hash)).unwrap();
    let from_go: Vec<_> = from_go.iter().map(ours).collect();
    assert_eq!(check_inclusion(index, size, hash, &from_go, trees.root()), Ok(()), "{index} of {size}");
}

/// Ours and theirs from one size, each checked by the other.
fn exchange_consistency(trees: &Trees, nodes: &impl Nodes, old: u64, old_root: Hash) {
    let new = trees.size;
    let proof = consistency(nodes, old, new).unwrap();

    let from_go = tlog::prove_tree(new, old, &trees.go).unwrap();
    assert_eq!(from_go, proof.iter().map(|hash| theirs(*hash)).collect::<Vec<_>>(), "{old} in {new}");
    tlog::check_tree(&from_go, new, theirs(trees.root()), old, theirs(old_root)).unwrap();
    let from_go: Vec<_> = from_go.iter().map(ours).collect();
    assert_eq!(check_consistency(old, new, old_root, trees.root(), &from_go), Ok(()), "{old} in {new}");

    let from_ct = trees.ct.prove_consistency(usize::try_from(new - old).unwrap());
    assert_eq!(from_ct.as_bytes(), concatenated(&proof), "{old} in {new}");
    let to_ct = ConsistencyProof::try_from_bytes(concatenated(&proof)).unwrap();
    let old_root = RootHash::<Sha256>::new((*old_root.as_bytes()).into(), old);
    trees.ct.root().verify_consistency(&old_root, &to_ct).unwrap();
}

#[test]
fn roots_up_to_2_000() {
    let mut trees = Trees::default();
    let mut range = CompactRange::new();
    for size in 0..=2_000 {
        trees.check_roots();
        assert_eq!(range.root(), trees.root(), "{size}");
        range.push(Hash::leaf(&entry(size)));
        trees.push();
    }
}

#[test]
fn proofs_of_all_pairs_up_to_300() {
    let mut trees = Trees::default();
    let mut roots = vec![trees.root()];
    for size in 1..=300 {
        trees.push();
        let tiles = trees.all_tiles();
        let nodes = Once(TileNodes::new(size, |path| tiles.get(&path).cloned()), RefCell::default());
        for other in 0..size {
            exchange_inclusion(&trees, &nodes, other);
            if other > 0 {
                exchange_consistency(&trees, &nodes, other, roots[usize::try_from(other).unwrap()]);
            }
        }
        roots.push(trees.root());
    }
}

#[test]
fn a_proof_that_they_refuse_is_refused_by_ours() {
    // One bit of each hash, one hash less and one more, for every leaf and every older size of some trees.
    for size in [1, 2, 3, 7, 8, 21] {
        let trees = Trees::of(size);
        let tiles = trees.all_tiles();
        let nodes = TileNodes::new(size, |path| tiles.get(&path).cloned());
        for other in 0..size {
            let proof = inclusion(&nodes, other, size).unwrap();
            let mut spoiled: Vec<Vec<Hash>> = (0..proof.len())
                .map(|at| {
                    let mut bytes = *proof[at].as_bytes();
                    bytes[31] ^= 1;
                    let mut spoiled = proof.clone();
                    spoiled[at] = Hash::from_slice(&bytes).unwrap();
                    spoiled
                })
                .collect();
            spoiled.push([&proof[..], &[Hash::ZERO]].concat());
            if let Some((_, less)) = proof.split_last() {
                spoiled.push(less.to_vec());
            }
            for proof in spoiled {
                let hash = Hash::leaf(&entry(other));
                let as_theirs = proof.iter().map(|hash| theirs(*hash)).collect();
                assert!(tlog::check_record(&as_theirs, size, theirs(trees.root()), other, theirs(hash)).is_err());
                assert!(check_inclusion(other, size, hash, &proof, trees.root()).is_err());
            }
        }
    }
}

#[test]
fn theirs_reads_our_tiles() {
    for size in [1, 2, 255, 256, 257, 511, 512, 513, 1_000, 65_535, 65_536, 65_537, 70_000] {
        let trees = Trees::of(size);
        let tiles = OurTiles(trees.all_tiles());
        let reader = TileHashReader::new(size, theirs(trees.root()), &tiles);
        // The reader checks every tile that it needs against the root by itself.
        assert_eq!(tlog::tree_hash(size, &reader).unwrap(), theirs(trees.root()));
        for index in [0, size / 3, size / 2, size - 1] {
            let proof = tlog::prove_record(size, index, &reader).unwrap();
            let proof: Vec<_> = proof.iter().map(ours).collect();
            assert_eq!(check_inclusion(index, size, Hash::leaf(&entry(index)), &proof, trees.root()), Ok(()));
        }
        // The tiles that it says a tree of that size has are the ones that we make.
        let listed: BTreeSet<_> = Tile::new_tiles(8, 0, size)
            .iter()
            .map(|tile| {
                let width = u16::try_from(tile.width()).unwrap();
                TilePath::new(Kind::Hashes(tile.level()), tile.level_index(), width).unwrap()
            })
            .collect();
        assert_eq!(listed, tiles.0.keys().copied().collect(), "{size}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn random_sizes_to_a_million(size in 2..=1_u64 << 20, index: prop::sample::Index, old: prop::sample::Index) {
        let trees = Trees::of(size);
        trees.check_roots();
        let tiles = trees.all_tiles();
        let nodes = TileNodes::new(size, |path| tiles.get(&path).cloned());
        let below = usize::try_from(size).unwrap() - 1;
        exchange_inclusion(&trees, &nodes, index.index(below + 1) as u64);
        let old = old.index(below) as u64 + 1;
        let old_root = root(&nodes, old).unwrap();
        prop_assert_eq!(theirs(old_root), tlog::tree_hash(old, &trees.go).unwrap());
        exchange_consistency(&trees, &nodes, old.min(size - 1), root(&nodes, old.min(size - 1)).unwrap());
    }
}
