//! The entries of several logs in one order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use anyhow::{Context, Result};
use axiru_domain::{Lane, LogId, Timestamp};
use axiru_ledger::entry::Entry;
use axiru_ledger::layout::Name;
use axiru_ledger::verify::Folder;

use super::selection::Selection;

/// Entries in order of time, then lane, then number, then account. At most one segment of each log is in memory.
///
/// INVARIANT for the caller: the copy was checked, so each log is in order of time already.
pub(super) struct Merged<'a> {
    folder: &'a dyn Folder,
    selection: &'a Selection,
    logs: BTreeMap<LogId, Source>,
    /// The next entry of each log.
    next: BinaryHeap<Reverse<Place>>,
}

/// Where an entry stands in the list.
type Place = (Timestamp, Lane, u64, LogId);

/// What is left of a log.
#[derive(Default)]
struct Source {
    segments: VecDeque<String>,
    entries: VecDeque<Entry>,
}

impl<'a> Merged<'a> {
    /// The entries that were asked for.
    pub(super) fn of(folder: &'a dyn Folder, selection: &'a Selection) -> Result<Self> {
        let mut names = folder.names()?;
        // The names of a log's segments are in the order of its entries.
        names.sort();
        let mut logs: BTreeMap<LogId, Source> = BTreeMap::new();
        for name in names {
            if let Some(Name::Segment(log, day, ..)) = Name::parse(&name)
                && selection.holds_day(&log, day)
            {
                logs.entry(log).or_default().segments.push_back(name);
            }
        }
        let mut merged = Self { folder, selection, next: BinaryHeap::new(), logs };
        for log in merged.logs.keys().cloned().collect::<Vec<_>>() {
            merged.line_up(log)?;
        }
        Ok(merged)
    }

    /// Puts the next entry of a log in line, if it has one.
    fn line_up(&mut self, log: LogId) -> Result<()> {
        let Some(source) = self.logs.get_mut(&log) else { return Ok(()) };
        while source.entries.is_empty() {
            let Some(name) = source.segments.pop_front() else { return Ok(()) };
            source.entries = read(self.folder, &name, self.selection)?;
        }
        if let Some(entry) = source.entries.front() {
            self.next.push(Reverse((entry.at(), log.lane, entry.seq(), log)));
        }
        Ok(())
    }

    fn take(&mut self) -> Result<Option<Entry>> {
        let Some(Reverse((.., log))) = self.next.pop() else { return Ok(None) };
        let entry = self.logs.get_mut(&log).and_then(|source| source.entries.pop_front());
        self.line_up(log)?;
        Ok(entry)
    }
}

impl Iterator for Merged<'_> {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        self.take().transpose()
    }
}

/// The entries of a segment that were asked for.
fn read(folder: &dyn Folder, name: &str, selection: &Selection) -> Result<VecDeque<Entry>> {
    let bytes = folder.read(name).with_context(|| format!("`{name}` cannot be read"))?;
    let mut entries = VecDeque::new();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let entry = Entry::parse(line.to_vec()).with_context(|| format!("`{name}` holds a line that is no entry"))?;
        if selection.holds(&entry) {
            entries.push_back(entry);
        }
    }
    Ok(entries)
}
