use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|i| Hash::leaf(&i.to_be_bytes())).collect()
}

/// MTH of RFC 6962 §2.1, as it is written there.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of(b""),
        [one] => *one,
        many => {
            let k = many.len().next_power_of_two() / 2;
            Hash::node(mth(&many[..k]), mth(&many[k..]))
        }
    }
}

/// Every tile of the tree, by the formula of tlog-tiles: tile `n` of level `l` is
/// `MTH(D[(n * 256 + i) * 256**l : (n * 256 + i + 1) * 256**l])` for each `i`.
fn by_definition(leaves: &[Hash]) -> BTreeMap<String, Vec<u8>> {
    let mut tiles = BTreeMap::new();
    for level in 0..8_u8 {
        let span = 256_usize.pow(u32::from(level));
        let hashes: Vec<_> = leaves.chunks_exact(span).map(mth).collect();
        if hashes.is_empty() {
            break;
        }
        for (n, tile) in (0..).zip(hashes.chunks(256)) {
            let width = u16::try_from(tile.len()).unwrap();
            tiles.insert(TilePath::new(Kind::Hashes(level), n, width).unwrap().text(), bytes(tile));
        }
    }
    tiles
}

/// Grows a tree leaf by leaf and keeps its full tiles.
fn grow(leaves: &[Hash], mut each: impl FnMut(&Edge, &BTreeMap<String, Vec<u8>>)) {
    let mut edge = Edge::new();
    let mut full = BTreeMap::new();
    each(&edge, &full);
    for leaf in leaves {
        let mut below = None;
        for tile in edge.push(*leaf) {
            assert!(tile.path.is_full() && Some(tile.path.kind()) > below, "lowest level first");
            below = Some(tile.path.kind());
            assert_eq!(full.insert(tile.path.text(), tile.bytes), None, "a full tile is made once");
        }
        each(&edge, &full);
    }
}

fn all_tiles(edge: &Edge, full: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let mut tiles = full.clone();
    for tile in edge.partials() {
        assert!(!tile.path.is_full());
        assert_eq!(tiles.insert(tile.path.text(), tile.bytes), None);
    }
    tiles
}

#[test]
fn tiles_are_those_of_the_definition_at_every_size() {
    let leaves = leaves(1_100);
    let mut range = CompactRange::new();
    grow(&leaves, |edge, full| {
        let size = usize::try_from(edge.size()).unwrap();
        assert_eq!(all_tiles(edge, full), by_definition(&leaves[..size]), "{size}");
        if let Some(last) = size.checked_sub(1) {
            range.push(leaves[last]);
        }
        assert_eq!(edge.range(), range, "{size}");
        assert_eq!(Edge::from_levels(edge.size(), edge.levels().to_vec()).as_ref(), Ok(edge));
    });
}

#[test]
fn tiles_are_those_of_the_definition_around_the_third_level_and_beyond() {
    let leaves = leaves(70_000);
    let at = [65_279, 65_280, 65_281, 65_534, 65_535, 65_536, 65_537, 65_792, 70_000];
    let mut range = CompactRange::new();
    grow(&leaves, |edge, full| {
        let size = usize::try_from(edge.size()).unwrap();
        if let Some(last) = size.checked_sub(1) {
            range.push(leaves[last]);
        }
        if at.contains(&size) {
            assert_eq!(all_tiles(edge, full), by_definition(&leaves[..size]), "{size}");
            assert_eq!(edge.range(), range, "{size}");
        }
    });
}

#[test]
fn the_example_of_the_specification() {
    // tlog-tiles, "Partial Tiles": 273 full tiles of level 0, one of level 1; partial ones of width 112, 17 and 1.
    let mut count = 0;
    grow(&leaves(70_000), |edge, full| {
        count += 1;
        if edge.size() == 70_000 {
            let of_level = |level: &str| full.keys().filter(|name| name.starts_with(level)).count();
            assert_eq!((of_level("tile/0/"), of_level("tile/1/"), full.len()), (273, 1, 274));
            let partials: Vec<_> = edge.partials().iter().map(|tile| tile.path.text()).collect();
            assert_eq!(partials, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
        }
        if edge.size() == 256 {
            let partials: Vec<_> = edge.partials().iter().map(|tile| tile.path.text()).collect();
            assert_eq!(partials, ["tile/1/000.p/1"]);
        }
    });
    assert_eq!(count, 70_001);
}

#[test]
fn an_edge_of_another_shape_is_refused() {
    let some = |count: usize| vec![Hash::ZERO; count];
    assert!(Edge::from_levels(0, vec![]).is_ok());
    assert!(Edge::from_levels(256, vec![some(0), some(1)]).is_ok());
    assert!(Edge::from_levels(u64::MAX, vec![some(255); 8]).is_ok());
    for (size, levels) in [
        (0, vec![some(0)]),
        (0, vec![some(1)]),
        (1, vec![]),
        (1, vec![some(2)]),
        (1, vec![some(1), some(0)]),
        (256, vec![some(256)]),
        (256, vec![some(0), some(2)]),
        (257, vec![some(0), some(1)]),
        (u64::MAX, vec![some(255); 7]),
    ] {
        let error = Edge::from_levels(size, levels).unwrap_err();
        assert!(!error.to_string().is_empty());
    }
    let error = Edge::from_levels(257, vec![some(0), some(1)]).unwrap_err();
    assert_eq!(error.to_string(), "level 0 of the edge of a tree of 257 leaves has 1 hashes, not 0");
}

#[test]
fn a_changed_hash_of_the_edge_changes_the_root() {
    let mut edge = Edge::new();
    leaves(66_000).into_iter().for_each(|leaf| drop(edge.push(leaf)));
    let root = edge.range().root();
    for (level, hashes) in edge.levels().iter().enumerate() {
        for at in 0..hashes.len() {
            let mut levels = edge.levels().to_vec();
            levels[level][at] = Hash::ZERO;
            let other = Edge::from_levels(edge.size(), levels).unwrap();
            assert_ne!(other.range().root(), root, "level {level} hash {at}");
        }
    }
}

#[test]
fn the_length_of_a_tile_must_be_exact() {
    let two = leaves(2);
    let file = bytes(&two);
    assert_eq!(hashes(&file, 2), Ok(two));
    for (file, width) in
        [(&file[..63], 2), (&file[..], 1), (&file[..], 3), (&file[..], 256), (&[&file[..], &[0]].concat()[..], 2)]
    {
        assert_eq!(hashes(file, width), Err(TileError::Length { width, bytes: file.len() }));
    }
    assert_eq!(hashes(b"", 256).unwrap_err().to_string(), "a tile of 256 hashes has 8192 bytes, not 0");
}

#[test]
fn a_full_tile_s_root_is_that_of_the_tree_over_it() {
    let tile = leaves(256);
    assert_eq!(root_of_full_tile(&tile), mth(&tile));
}

proptest! {
    #[test]
    fn a_tree_resumed_from_its_edge_goes_on_the_same(size in 0..3_000_u64, more in 0..600_usize) {
        let all = leaves(3_600);
        let at = usize::try_from(size).unwrap();
        let mut edge = Edge::new();
        all[..at].iter().for_each(|leaf| drop(edge.push(*leaf)));
        let mut resumed = Edge::from_levels(size, edge.levels().to_vec()).unwrap();
        for leaf in &all[at..at + more] {
            prop_assert_eq!(edge.push(*leaf), resumed.push(*leaf));
        }
        prop_assert_eq!(edge, resumed);
    }
}
