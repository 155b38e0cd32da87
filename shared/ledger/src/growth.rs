//! How the tree's files grow: from the right edge and the next entries to the tiles and bundles that change.
//!
//! A pure function: the same edge and entries make the same files, whoever computes them, and however often.

use crate::entry::Entry;
use crate::tile::{self, Edge, EdgeError, Kind, Tile, TileError, TilePath, WIDTH};

/// What adding entries to a tree makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The edge behind them.
    pub edge: Edge,
    /// Files that are full and never change again.
    pub full: Vec<Tile>,
    /// Files of the new right edge, which larger ones replace.
    pub partial: Vec<Tile>,
}

/// Why the files cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrowthError {
    /// The edge.
    #[error("{0}")]
    Edge(#[from] EdgeError),
    /// A bundle.
    #[error("{0}")]
    Tile(#[from] TileError),
    /// The entries do not begin at the start of the last bundle, or are not behind each other.
    #[error("entry {0} is not the next one")]
    Order(u64),
}

/// The first entry of the bundle in which entry `seq` stands: from there on a growth needs the entries.
#[must_use]
pub const fn bundle_start(seq: u64) -> u64 {
    seq - seq % WIDTH as u64
}

/// Adds the entries from number `from` on. `entries` begins at [`bundle_start`] of `from`, for the last bundle and the last tile of
/// leaves are made anew. `above` are the hashes of the partial tiles at `from` of level 1 and higher, level 1 first.
///
/// # Errors
/// [`GrowthError`]. That the hashes are the right ones only shows in the edge's range.
pub fn grow(from: u64, above: &[Vec<crate::hash::Hash>], entries: &[Entry]) -> Result<Growth, GrowthError> {
    let start = bundle_start(from);
    if let Some((_, entry)) = (start..).zip(entries).find(|(seq, entry)| entry.seq() != *seq) {
        return Err(GrowthError::Order(entry.seq()));
    }
    let old = usize::try_from(from - start).unwrap_or(usize::MAX);
    let (before, added) = entries.split_at_checked(old).ok_or(GrowthError::Order(from))?;
    let mut levels = vec![before.iter().map(Entry::leaf_hash).collect::<Vec<_>>()];
    levels.extend_from_slice(above);
    if from == 0 {
        levels.clear();
    }
    let mut edge = Edge::from_levels(from, levels)?;
    let (mut full, mut partial) = (Vec::new(), Vec::new());
    for entry in added {
        full.extend(edge.push(entry.leaf_hash()));
    }
    for (index, entries) in (start / u64::from(WIDTH)..).zip(entries.chunks(usize::from(WIDTH))) {
        let bytes = tile::bundle(entries.iter().map(Entry::bytes))?;
        let width = u16::try_from(entries.len()).unwrap_or(WIDTH);
        let Some(path) = TilePath::new(Kind::Entries, index, width) else { continue };
        // A bundle that was whole before has been written.
        if index * u64::from(WIDTH) + u64::from(width) > from {
            if path.is_full() { full.push(Tile { path, bytes }) } else { partial.push(Tile { path, bytes }) }
        }
    }
    partial.extend(edge.partials());
    Ok(Growth { edge, full, partial })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use axiru_domain::Timestamp;

    use super::*;
    use crate::entry::Tip;
    use crate::entry::tests::changed;
    use crate::hash::Hash;
    use crate::merkle::CompactRange;

    fn entries(count: usize) -> Vec<Entry> {
        let mut tip = Tip::EMPTY;
        let at = Timestamp::from_millis(0).unwrap();
        let entry = |i| {
            let entry = changed("live#acct_1#0", &format!("re_{i}"), "failed").at_tip(&tip, at).unwrap();
            tip = entry.next_tip();
            entry
        };
        (0..count).map(entry).collect()
    }

    /// The files after growing to each of `sizes` in turn, and the last edge.
    fn grown(entries: &[Entry], sizes: &[usize]) -> (BTreeMap<String, Vec<u8>>, Edge) {
        let mut files = BTreeMap::new();
        let mut edge = Edge::new();
        for &size in sizes {
            let from = edge.size();
            let above = edge.levels().get(1..).unwrap_or_default().to_vec();
            let start = usize::try_from(bundle_start(from)).unwrap();
            let growth = grow(from, &above, &entries[start..size]).unwrap();
            for Tile { path, bytes } in growth.full.into_iter().chain(growth.partial) {
                let before = files.insert(path.text(), bytes.clone());
                assert!(before.is_none_or(|before| before == bytes), "{} changed", path.text());
            }
            edge = growth.edge;
        }
        (files, edge)
    }

    #[test]
    fn however_it_is_cut_the_full_files_are_the_same() {
        let entries = entries(1_030);
        let (whole, edge) = grown(&entries, &[1_030]);
        let mut range = CompactRange::new();
        entries.iter().for_each(|entry| range.push(entry.leaf_hash()));
        assert_eq!(edge.range(), range);
        // Four full tiles of leaves and bundles, and the edge: six leaves, and the four as one tile of level 1.
        let names: Vec<_> = whole.keys().map(String::as_str).collect();
        assert_eq!(names.len(), 4 + 4 + 3, "{names:?}");
        for sizes in [
            &[1, 2, 3, 255, 256, 257, 258, 511, 512, 513, 1_030][..],
            &[255, 1_030],
            &[256, 512, 768, 1_024, 1_030],
            &(1..=1_030).collect::<Vec<_>>(),
        ] {
            let (files, last) = grown(&entries, sizes);
            assert_eq!(last, edge);
            assert!(whole.iter().all(|(name, bytes)| files.get(name) == Some(bytes)), "{sizes:?}");
        }
    }

    #[test]
    fn wrong_edges_and_entries_are_refused_or_seen() {
        let entries = entries(600);
        let (_, edge) = grown(&entries, &[520]);
        let above = edge.levels()[1..].to_vec();
        assert!(grow(520, &[], &entries[512..600]).is_err());
        assert!(matches!(grow(520, &above, &entries[513..600]), Err(GrowthError::Order(513))));
        assert!(matches!(grow(520, &above, &entries[512..515]), Err(GrowthError::Order(520))));
        let mut flipped = above.clone();
        flipped[0][0] = Hash::of(b"x");
        let right = grow(520, &above, &entries[512..600]).unwrap().edge.range();
        assert_ne!(grow(520, &flipped, &entries[512..600]).unwrap().edge.range(), right);
    }
}
