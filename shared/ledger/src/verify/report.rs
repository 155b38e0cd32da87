//! What a check found.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{Date, LogId, Timestamp};

use crate::hash::Hash;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: String,
    /// The entry, where it is about one.
    pub seq: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// What was found of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// The log.
    pub log: LogId,
    /// Entries that were checked and found right.
    pub entries: u64,
    /// Checkpoints whose signature and root were checked and found right.
    pub checkpoints: u64,
    /// Tiles and bundles that were found to follow from the entries.
    pub tiles: u64,
    /// Days whose files were found to follow from the entries, and to be what `export.sealed` says.
    pub days: u64,
    /// Time of the first and of the last entry.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Root over all its entries.
    pub root: Hash,
    /// Entries of each type.
    pub types: BTreeMap<String, u64>,
    /// Finished days that have no files yet.
    pub unsealed: Vec<Date>,
    /// Roots at the sizes of its checkpoints, and at those that were asked for.
    pub(super) roots: BTreeMap<u64, Hash>,
}

/// A checkpoint that the auditor remembers, and that the copy continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The log.
    pub log: LogId,
    /// Entries that it had then.
    pub size: u64,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Report {
    /// Every log, in order.
    pub logs: Vec<LogReport>,
    /// Everything that is wrong, log by log, in order of entries.
    pub faults: Vec<Fault>,
    /// Files that are not part of an export and were not looked at.
    pub foreign: Vec<String>,
    /// Plan documents checked.
    pub plans: u64,
    /// Reports of comparisons with Stripe, checked to be what entries name.
    pub reconciled: u64,
    /// Checkpoints from earlier that the copy continues.
    pub remembered: Vec<Remembered>,
    /// Entries that say how far every lane goes, compared with the lanes.
    pub heads: u64,
    /// Alarms that entries tell of, in words: nothing is wrong with the copy, but somebody should know.
    pub alarms: Vec<String>,
    /// What could not be checked, and why.
    pub unchecked: Vec<String>,
    /// Types of entries whose meaning this program does not know. Their bytes were checked like all others.
    pub unknown_types: BTreeSet<String>,
}

impl Report {
    /// True when nothing is wrong and something was checked.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.faults.is_empty() && self.logs.iter().any(|log| log.entries > 0)
    }

    /// Number of entries checked.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.logs.iter().map(|log| log.entries).sum()
    }

    /// Time of the newest entry.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.logs.iter().filter_map(|log| log.span.map(|(_, last)| last)).max()
    }

    /// Adds something that is wrong.
    pub fn fault(&mut self, file: impl Into<String>, seq: Option<u64>, what: impl Into<String>) {
        self.faults.push(Fault { file: file.into(), seq, what: what.into() });
    }
}
