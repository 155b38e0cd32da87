//! What is to be signed and written next: a segment, and the tree's files that grow with it.
//!
//! Everything here is read, nothing written. It follows from the lock and the entries alone; only the hashes above the leaves are read from S3,
//! where they were written, and compared with the lock before they are used.

use axiru_domain::{Date, LogId, Timestamp};
use axiru_ledger::entry::Entry;
use axiru_ledger::growth::{self, Growth, bundle_start};
use axiru_ledger::hash::Hash;
use axiru_ledger::layout::Name;
use axiru_ledger::segment::{self, Segment};
use axiru_ledger::tile::{self, Kind, TilePath, WIDTH};
use axiru_ledger::types::EntryType;

use super::lock::{Lock, OpenDay};
use super::{CLOCK_SECS, ExportError, Exporter};
use crate::item::RowError;
use crate::store::StoreError;

/// A segment, and what grows with it.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) segment: Segment,
    /// Its entries.
    pub(super) entries: Vec<Entry>,
    pub(super) growth: Growth,
}

impl Next {
    pub(super) fn last_leaf(&self) -> Option<Hash> {
        self.entries.last().map(Entry::leaf_hash)
    }

    /// When the first entry of the segment was made.
    pub(super) fn first_at(&self) -> Option<Timestamp> {
        self.entries.iter().find(|entry| entry.seq() == self.segment.first).map(Entry::at)
    }

    /// The open days behind this segment: `before`, and the one it is of. `root` is the root behind its last entry.
    pub(super) fn days(&self, before: &[OpenDay], root: Hash) -> Vec<OpenDay> {
        let mut days = before.to_vec();
        let Segment { day, first, last, .. } = self.segment;
        match days.last_mut().filter(|open| open.day == day) {
            Some(open) => (open.last, open.root) = (last, root),
            None => days.push(OpenDay { day, first, last, root }),
        }
        days
    }

    /// The day of the last heartbeat among its entries.
    pub(super) fn heartbeat(&self) -> Option<Date> {
        let beats = self.entries.iter().rev().filter(|entry| entry.ty() == EntryType::Heartbeat.as_str());
        let day = |entry: &Entry| entry.fields().get("day")?.as_str()?.parse().ok();
        beats.filter_map(day).next()
    }
}

impl Exporter {
    /// The entries behind the lock, as the next segment; none where nothing follows, or nothing but `export.sealed`, which alone is no reason
    /// for a checkpoint.
    pub(super) async fn next(&self, log: &LogId, lock: &Lock) -> Result<Option<Next>, ExportError> {
        let from = lock.size();
        // The entries of the last bundle, and the one before the first, come along.
        let start = bundle_start(from).min(from.saturating_sub(1));
        let extra = usize::try_from(from - start).unwrap_or(usize::MAX);
        let entries = self.store.entries(log, start, segment::MAX_ENTRIES + extra).await?;
        let Some((before, added)) = entries.split_at_checked(extra) else {
            return Err(self.missing(log, lock, start + entries.len() as u64).await);
        };
        if before.last().map(Entry::leaf_hash) != lock.last_leaf {
            return Err(ExportError::Chain { log: log.clone(), seq: from.saturating_sub(1) });
        }
        if added.iter().all(|entry| entry.ty() == EntryType::ExportSealed.as_str()) {
            self.check_tip(log, from + added.len() as u64).await?;
            return Ok(None);
        }
        self.check_order(log, &entries, start)?;
        let Some(segment) = segment::cut(added) else { return Ok(None) };
        self.grown(log, lock, segment, entries).await.map(Some)
    }

    /// The segment of a lock whose files are not all written; none where they are.
    pub(super) async fn again(&self, log: &LogId, lock: &Lock) -> Result<Option<Next>, ExportError> {
        let size = lock.size();
        if lock.published >= size {
            return Ok(None);
        }
        let start = bundle_start(lock.first);
        let count = usize::try_from(size - start).unwrap_or(usize::MAX);
        let entries = self.store.entries(log, start, count).await?;
        if entries.len() < count {
            return Err(self.missing(log, lock, start + entries.len() as u64).await);
        }
        self.check_order(log, &entries, start)?;
        let added = usize::try_from(lock.first - start).unwrap_or(usize::MAX);
        let cut = entries.get(added..).and_then(segment::cut);
        let Some(segment) = cut.filter(|segment| segment.last + 1 == size) else {
            return Err(ExportError::Chain { log: log.clone(), seq: lock.first });
        };
        let next = self.grown(log, lock, segment, entries).await?;
        // What is written is what was signed.
        if next.growth.edge.range() == lock.tree {
            Ok(Some(next))
        } else {
            Err(ExportError::Chain { log: log.clone(), seq: lock.first })
        }
    }

    /// Adds a segment to the tree. `entries` ends with or behind it.
    async fn grown(
        &self,
        log: &LogId,
        lock: &Lock,
        segment: Segment,
        mut entries: Vec<Entry>,
    ) -> Result<Next, ExportError> {
        entries.retain(|entry| entry.seq() <= segment.last);
        let from = segment.first;
        let above = self.above(log, from).await?;
        let behind = entries.iter().position(|entry| entry.seq() == bundle_start(from)).unwrap_or(entries.len());
        // Before anything is made of them: the hashes that were read must be those that were signed (bits have flipped in logs before).
        let old = entries.iter().filter(|entry| entry.seq() < from).skip(behind).cloned().collect::<Vec<_>>();
        if from == lock.size() && growth::grow(from, &above, &old)?.edge.range() != lock.tree {
            return Err(ExportError::Overwrite(format!("a tile of {log} at {from} entries")));
        }
        let growth = growth::grow(from, &above, entries.get(behind..).unwrap_or_default())?;
        entries.retain(|entry| entry.seq() >= from);
        Ok(Next { segment, entries, growth })
    }

    /// The hashes of the partial tiles of level 1 and higher of a tree of `size` entries. One that is gone (partial tiles expire) is made from the
    /// full tiles below it.
    async fn above(&self, log: &LogId, size: u64) -> Result<Vec<Vec<Hash>>, ExportError> {
        let mut above = Vec::new();
        for level in 1_u8.. {
            let full = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
            if full == 0 {
                break;
            }
            let (index, width) = (full / u64::from(WIDTH), u16::try_from(full % u64::from(WIDTH)).unwrap_or(0));
            let hashes = match TilePath::new(Kind::Hashes(level), index, width) {
                // A width of 0.
                None => Vec::new(),
                Some(path) => match self.tile(log, path).await? {
                    Some(hashes) => hashes,
                    None => self.roots_below(log, level - 1, index * u64::from(WIDTH), width).await?,
                },
            };
            above.push(hashes);
        }
        Ok(above)
    }

    /// The roots of `width` full tiles of a level, from number `first` on.
    async fn roots_below(&self, log: &LogId, level: u8, first: u64, width: u16) -> Result<Vec<Hash>, ExportError> {
        let mut roots = Vec::new();
        for index in first..first + u64::from(width) {
            let path = TilePath::new(Kind::Hashes(level), index, WIDTH).ok_or(StoreError::Row(RowError("size")))?;
            let full = self.tile(log, path).await?;
            let full = full.ok_or_else(|| ExportError::Overwrite(Name::Tile(log.clone(), path).text()))?;
            roots.push(tile::root_of_full_tile(&full));
        }
        Ok(roots)
    }

    /// The hashes of a tile; none where it is not there, or is not of its length.
    async fn tile(&self, log: &LogId, path: TilePath) -> Result<Option<Vec<Hash>>, ExportError> {
        let read = self.bucket.read(&Name::Tile(log.clone(), path).text()).await?;
        Ok(read.and_then(|(bytes, _)| tile::hashes(&bytes, path.width()).ok()))
    }

    /// Each entry names the one before, time does not run back, and none is of a day that has not come.
    fn check_order(&self, log: &LogId, entries: &[Entry], start: u64) -> Result<(), ExportError> {
        let mut before: Option<&Entry> = None;
        for entry in entries {
            let follows = match before {
                Some(before) => entry.prev() == before.leaf_hash() && entry.at() >= before.at(),
                None => start > 0 || entry.prev() == Hash::ZERO,
            };
            if !follows {
                return Err(ExportError::Chain { log: log.clone(), seq: entry.seq() });
            }
            before = Some(entry);
        }
        let now: Timestamp = (self.clock)();
        match before.map(Entry::at).filter(|at| *at > now.plus_secs(CLOCK_SECS)) {
            Some(seen) => Err(ExportError::Clock { log: log.clone(), now, seen }),
            None => Ok(()),
        }
    }

    /// Nothing follows entry `size - 1`: the tip must be exactly there.
    async fn check_tip(&self, log: &LogId, size: u64) -> Result<(), ExportError> {
        let tip = self.store.tip(log).await?;
        // An entry may have landed since the read: only one that is still missing on a second look is a gap.
        if tip.seq > size && self.store.entry(log, size).await?.is_none() {
            return Err(ExportError::Gap { log: log.clone(), seq: size });
        }
        if tip.seq < size {
            return Err(ExportError::Rollback { log: log.clone(), found: tip.seq, signed: size });
        }
        Ok(())
    }

    /// Why entry `seq`, which was signed, is not there.
    async fn missing(&self, log: &LogId, lock: &Lock, seq: u64) -> ExportError {
        match self.store.tip(log).await {
            Ok(tip) if tip.seq <= seq => {
                ExportError::Rollback { log: log.clone(), found: tip.seq, signed: lock.size() }
            }
            Ok(_) => ExportError::Gap { log: log.clone(), seq },
            Err(error) => error.into(),
        }
    }
}
