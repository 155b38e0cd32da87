//! Tiles and bundles beside the entries: each must be, to the byte, what the entries make.

use std::collections::BTreeMap;

use axiru_domain::LogId;

use super::{Folder, Report};
use crate::entry::Entry;
use crate::layout::Name;
use crate::tile::{Edge, Kind, Tile, TilePath, WIDTH};

/// The tiles of one log, while its entries go by.
pub(super) struct Tiles<'a> {
    folder: &'a dyn Folder,
    log: &'a LogId,
    /// Those in the copy that were not compared yet, by what they are a part of: their widths.
    unmet: BTreeMap<(Kind, u64), Vec<u16>>,
    edge: Edge,
    bundle: Vec<u8>,
    /// Where each entry of the bundle ends.
    ends: Vec<usize>,
    checked: u64,
}

impl<'a> Tiles<'a> {
    pub(super) fn new(folder: &'a dyn Folder, log: &'a LogId, tiles: impl Iterator<Item = TilePath>) -> Self {
        let mut unmet: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for path in tiles {
            unmet.entry((path.kind(), path.index())).or_default().push(path.width());
        }
        let (bundle, ends) = (Vec::new(), Vec::new());
        Self { folder, log, unmet, edge: Edge::new(), bundle, ends, checked: 0 }
    }

    /// The next entry.
    pub(super) fn push(&mut self, entry: &Entry, report: &mut Report) {
        let bytes = entry.bytes();
        // An entry is at most 16 KiB.
        self.bundle.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.bundle.extend_from_slice(bytes);
        self.ends.push(self.bundle.len());
        for Tile { path, bytes } in self.edge.push(entry.leaf_hash()) {
            self.compare(path, &bytes, |width| usize::from(width) * 32, report);
        }
        if self.ends.len() == usize::from(WIDTH) {
            self.end_bundle(report);
        }
    }

    /// Compares the bundle that ends here. Its name follows from where the edge is.
    fn end_bundle(&mut self, report: &mut Report) {
        let (bundle, ends) = (std::mem::take(&mut self.bundle), std::mem::take(&mut self.ends));
        if let Some(path) = TilePath::last_bundle(self.edge.size()) {
            let end = |width: u16| ends.get(usize::from(width).saturating_sub(1)).copied().unwrap_or(usize::MAX);
            self.compare(path, &bundle, end, report);
        }
    }

    /// Behind the last entry: the partial ones of the right edge, and everything that has no entry. Gives how many were right.
    pub(super) fn finish(mut self, report: &mut Report) -> u64 {
        for Tile { path, bytes } in self.edge.partials() {
            self.compare(path, &bytes, |width| usize::from(width) * 32, report);
        }
        if !self.ends.is_empty() {
            self.end_bundle(report);
        }
        for ((kind, index), widths) in std::mem::take(&mut self.unmet) {
            for path in widths.iter().filter_map(|width| TilePath::new(kind, index, *width)) {
                report.fault(self.name(path), None, "there are no entries for it");
            }
        }
        self.checked
    }

    /// Compares the tile at `path`, which must be there, and every smaller one of its place. `end` gives the length of a smaller one.
    fn compare(&mut self, path: TilePath, bytes: &[u8], end: impl Fn(u16) -> usize, report: &mut Report) {
        let mut widths = self.unmet.remove(&(path.kind(), path.index())).unwrap_or_default();
        if !widths.contains(&path.width()) {
            report.fault(self.name(path), self.edge.size().checked_sub(1), "missing");
        }
        widths.sort_unstable();
        for width in widths {
            let Some(part) = TilePath::new(path.kind(), path.index(), width) else { continue };
            let name = self.name(part);
            // What is wider than the entries there are has no place in the tree.
            let wanted = if width <= path.width() { bytes.get(..end(width)) } else { None };
            match (self.folder.read(&name), wanted) {
                (Err(error), _) => report.fault(name, None, error.to_string()),
                (Ok(_), None) => report.fault(name, None, "there are no entries for it"),
                (Ok(found), Some(wanted)) if found == wanted => self.checked += 1,
                (Ok(_), Some(_)) => {
                    let first = path.index().saturating_mul(match path.kind() {
                        Kind::Hashes(level) => u64::from(WIDTH).checked_pow(u32::from(level) + 1).unwrap_or(u64::MAX),
                        Kind::Entries => u64::from(WIDTH),
                    });
                    report.fault(name, Some(first), "it is not what the entries from this one on make");
                }
            }
        }
    }

    fn name(&self, path: TilePath) -> String {
        Name::Tile(self.log.clone(), path).text()
    }
}
