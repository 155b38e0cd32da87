//! The lock of a log as its export says, for tables that were restored to an earlier moment.

use axiru_domain::LogId;
use axiru_ledger::entry::Entry;
use axiru_ledger::hash::Hash;
use axiru_ledger::merkle::CompactRange;
use axiru_ledger::types::EntryType;

use super::lock::{ALARM, Lock, OpenDay, RESTORING, SK, Sealed, TOLD};
use crate::item::Item;

/// Sort key of a lock's row, whose partition is the log's.
pub(crate) const LOCK: &str = SK;

/// The attribute of a lock that holds the exporter back.
pub(crate) const HELD_BACK: &str = RESTORING;

/// The row of the lock of a log of which `entries` are signed by `note`, the last segment beginning with entry `first`. `all` are these
/// entries and those that follow them. What closed the log, or was told of it, stays: `before` is the row as it was.
pub(crate) fn rebuilt(
    log: &LogId,
    signed: usize,
    all: &[Entry],
    first: u64,
    note: &str,
    before: Option<&Item>,
) -> Item {
    let entries = all.get(..signed).unwrap_or_default();
    let sealed = all.iter().rev().find_map(sealed);
    let mut tree = CompactRange::new();
    let mut days: Vec<OpenDay> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        tree.push(entry.leaf_hash());
        let (day, seq) = (entry.at().date(), entry.seq());
        let ends = entries.get(index + 1).is_none_or(|next| next.at().date() != day);
        match days.last_mut().filter(|open| open.day == day) {
            Some(open) => open.last = seq,
            None => days.push(OpenDay { day, first: seq, last: seq, root: Hash::ZERO }),
        }
        if let (true, Some(open)) = (ends, days.last_mut()) {
            open.root = tree.root();
        }
    }
    days.retain(|open| sealed.as_ref().is_none_or(|sealed: &Sealed| open.day > sealed.day));
    let beats = entries.iter().rev().filter(|entry| entry.ty() == EntryType::Heartbeat.as_str());
    let heartbeat = beats.filter_map(|entry| entry.fields().get("day")?.as_str()?.parse().ok()).next();
    let lock = Lock {
        last_leaf: entries.last().map(Entry::leaf_hash),
        first,
        note: Some(note.to_owned()),
        published: tree.size(),
        published_root: tree.root(),
        signed_at: entries.last().map(Entry::at),
        days,
        heartbeat,
        sealed,
        alarm: None,
        restoring: false,
        told: std::collections::BTreeMap::new(),
        tree,
    };
    let mut item = lock.item(log);
    let kept = before.into_iter().flatten().filter(|(name, _)| *name == ALARM || name.starts_with(TOLD));
    item.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
    item
}

/// The day that an entry seals.
fn sealed(entry: &Entry) -> Option<Sealed> {
    if entry.ty() != EntryType::ExportSealed.as_str() {
        return None;
    }
    let text = |name: &str| entry.fields().get(name)?.as_str();
    Some(Sealed { day: text("day")?.parse().ok()?, manifest: text("manifest_sha256")?.parse().ok()? })
}
