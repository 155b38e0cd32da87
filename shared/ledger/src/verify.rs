//! The check of an exported copy, offline.
//!
//! Trusted: the verifier keys, which the auditor has from elsewhere. Everything in the folder is foreign.
//! Checked for every log: that its segments hold entries 0, 1, 2 … without a gap, each canonical, of this log, chained to
//! the one before, in order of time and in the file of its day, none saying the same thing twice; that every segment ends in a checkpoint
//! signed by the log's key whose root is the root of the Merkle tree over the entries; that the plans which decided are there.
//! Not checkable without an outside memory: that the copy is the newest one. [`Report::newest`] says up to where it goes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use axiru_domain::{Date, LogId, Scope, Timestamp};

use crate::checkpoint::Checkpoint;
use crate::entry::{Entry, Tip};
use crate::hash::Hash;
use crate::layout::Name;
use crate::merkle::CompactRange;
use crate::note::VerifierKey;

/// An exported copy: its files by name.
pub trait Folder {
    /// The names of all files, in any order, with `/` between parts.
    ///
    /// # Errors
    /// Whatever keeps the folder from being listed.
    fn names(&self) -> io::Result<Vec<String>>;

    /// A file's bytes.
    ///
    /// # Errors
    /// Whatever keeps the file from being read.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
}

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
    /// Time of the first and of the last entry.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Root over all its entries.
    pub root: Hash,
    /// Entries of each type.
    pub types: BTreeMap<String, u64>,
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

    fn fault(&mut self, file: impl Into<String>, seq: Option<u64>, what: impl Into<String>) {
        self.faults.push(Fault { file: file.into(), seq, what: what.into() });
    }
}

/// The files of one log.
#[derive(Default)]
struct Files {
    segments: Vec<(u64, u64, Date)>,
    notes: BTreeSet<u64>,
    newest: bool,
    key: bool,
}

/// The plan documents that the entries of a scope name, each with the first entry that does.
type PlansNamed = BTreeMap<(Scope, Hash), (String, u64)>;

/// Checks a copy against `keys`. `progress` is told the number of entries done, about once in a thousand.
///
/// # Errors
/// Only when the folder itself cannot be listed: a file that cannot be read is a fault in the report.
pub fn verify(folder: &dyn Folder, keys: &[VerifierKey], progress: &mut dyn FnMut(u64)) -> io::Result<Report> {
    let mut report = Report::default();
    let mut logs: BTreeMap<LogId, Files> = BTreeMap::new();
    let mut plans = BTreeSet::new();
    for name in folder.names()? {
        match Name::parse(&name) {
            None => report.foreign.push(name),
            Some(Name::AllKeys) => check_all_keys(folder, keys, &mut report),
            Some(Name::Plan(scope, sha256)) => {
                plans.insert((scope, sha256));
            }
            Some(Name::Key(log)) => logs.entry(log).or_default().key = true,
            Some(Name::Segment(log, day, first, last)) => {
                logs.entry(log).or_default().segments.push((first, last, day));
            }
            Some(Name::Note(log, size)) => {
                logs.entry(log).or_default().notes.insert(size);
            }
            Some(Name::Newest(log)) => logs.entry(log).or_default().newest = true,
        }
    }
    report.foreign.sort();
    let mut named = PlansNamed::new();
    for (log, mut files) in logs {
        files.segments.sort_unstable();
        let suffix = format!("/ledger/{}", log.path());
        match keys.iter().find(|key| key.name().ends_with(&suffix)) {
            Some(key) => {
                let mut walk = Walk { folder, key, log: &log, report: &mut report, named: &mut named, progress };
                let found = walk.log(&files);
                report.logs.push(found);
            }
            None => report.fault(Name::Key(log.clone()).text(), None, "no key was given for this log"),
        }
    }
    check_plans(folder, &plans, &named, &mut report);
    Ok(report)
}

/// The list of keys in the copy must not differ from the trusted one where both name a log.
fn check_all_keys(folder: &dyn Folder, keys: &[VerifierKey], report: &mut Report) {
    let file = Name::AllKeys.text();
    let exact = |bytes: Vec<u8>| {
        let listed = parse_keys(&bytes)?;
        let text: String = listed.iter().map(|key| format!("{key}\n")).collect();
        if text.into_bytes() == bytes { Ok(listed) } else { Err("not one key a line".to_owned()) }
    };
    match folder.read(&file).map_err(|error| error.to_string()).and_then(exact) {
        Ok(listed) => {
            for key in listed.iter().filter(|key| !keys.contains(key)) {
                let what = if keys.iter().any(|trusted| trusted.name() == key.name()) {
                    format!("the key of `{}` is not the trusted one", key.name())
                } else {
                    format!("`{}` is not among the trusted keys", key.name())
                };
                report.fault(&file, None, what);
            }
        }
        Err(what) => report.fault(&file, None, what),
    }
}

/// Reads a file of verifier keys, one a line.
///
/// # Errors
/// What is wrong, in words, with the number of the line.
pub fn parse_keys(bytes: &[u8]) -> Result<Vec<VerifierKey>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the keys are not UTF-8".to_owned())?;
    let mut keys = Vec::new();
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        keys.push(line.trim().parse().map_err(|error| format!("line {}: {error}", i + 1))?);
    }
    if keys.is_empty() { Err("no key in it".to_owned()) } else { Ok(keys) }
}

fn check_plans(folder: &dyn Folder, plans: &BTreeSet<(Scope, Hash)>, named: &PlansNamed, report: &mut Report) {
    for (scope, sha256) in plans {
        let file = Name::Plan(scope.clone(), *sha256).text();
        match folder.read(&file) {
            Ok(bytes) if Hash::of(&bytes) == *sha256 => report.plans += 1,
            Ok(_) => report.fault(file, None, "the plan's bytes do not have the hash of its name"),
            Err(error) => report.fault(file, None, error.to_string()),
        }
    }
    for (plan, (file, seq)) in named.iter().filter(|(plan, _)| !plans.contains(*plan)) {
        report.fault(file, Some(*seq), format!("the plan `{}` it names is not in the copy", plan.1));
    }
}

/// The walk through one log.
struct Walk<'a> {
    folder: &'a dyn Folder,
    key: &'a VerifierKey,
    log: &'a LogId,
    report: &'a mut Report,
    named: &'a mut PlansNamed,
    progress: &'a mut dyn FnMut(u64),
}

impl Walk<'_> {
    fn log(&mut self, files: &Files) -> LogReport {
        let mut found = LogReport {
            log: self.log.clone(),
            entries: 0,
            checkpoints: 0,
            span: None,
            root: CompactRange::new().root(),
            types: BTreeMap::new(),
        };
        self.key_file(files);
        let mut tree = CompactRange::new();
        let mut tip = Tip::EMPTY;
        let mut ids = BTreeSet::new();
        let mut unmet = files.notes.clone();
        for &(first, last, day) in &files.segments {
            let file = Name::Segment(self.log.clone(), day, first, last).text();
            if first != tip.seq {
                let what = if first > tip.seq { "entries before it are missing" } else { "it repeats entries" };
                self.report.fault(file, Some(tip.seq.min(first)), what);
                return found;
            }
            // Once the chain is broken, everything behind it would be reported too: the first fault is the one that matters.
            let Some(after) = self.segment(&file, day, tip, &mut tree, &mut ids, &mut found) else {
                return found;
            };
            tip = after;
            if tip.seq != last + 1 {
                self.report.fault(file, Some(tip.seq), format!("it ends before entry {last}, which its name promises"));
                return found;
            }
            found.root = tree.root();
            let note = Name::Note(self.log.clone(), tip.seq).text();
            if !unmet.remove(&tip.seq) {
                self.report.fault(note, Some(last), "the checkpoint of the segment that ends here is missing");
            } else if self.checkpoint(&note, &tree) {
                found.checkpoints += 1;
            }
        }
        for size in unmet {
            let note = Name::Note(self.log.clone(), size).text();
            let what = if size > tip.seq {
                "entries that it covers are missing"
            } else {
                "no segment ends at this checkpoint"
            };
            self.report.fault(note, Some(tip.seq.min(size)), what);
        }
        self.newest(files, tip.seq);
        found
    }

    fn key_file(&mut self, files: &Files) {
        let file = Name::Key(self.log.clone()).text();
        if !files.key {
            self.report.fault(file, None, "missing");
            return;
        }
        match self.folder.read(&file) {
            Ok(bytes) if bytes == format!("{}\n", self.key).into_bytes() => {}
            Ok(_) => self.report.fault(file, None, "it is not the trusted key"),
            Err(error) => self.report.fault(file, None, error.to_string()),
        }
    }

    /// Checks one segment; the tip behind it, or nothing when it is broken.
    fn segment(
        &mut self,
        file: &str,
        day: Date,
        mut tip: Tip,
        tree: &mut CompactRange,
        ids: &mut BTreeSet<String>,
        found: &mut LogReport,
    ) -> Option<Tip> {
        let bytes = match self.folder.read(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.report.fault(file, Some(tip.seq), error.to_string());
                return None;
            }
        };
        let Some(lines) = bytes.strip_suffix(b"\n") else {
            self.report.fault(file, Some(tip.seq), "its last line is not ended");
            return None;
        };
        for line in lines.split(|byte| *byte == b'\n') {
            match self.entry(line, day, &tip) {
                Ok(entry) => {
                    if !ids.insert(entry.id().to_owned()) {
                        self.report.fault(
                            file,
                            Some(tip.seq),
                            format!("the id `{}` stands twice in the log", entry.id()),
                        );
                        return None;
                    }
                    tree.push(entry.leaf_hash());
                    self.count(file, &entry, found);
                    tip = entry.next_tip();
                }
                Err(what) => {
                    self.report.fault(file, Some(tip.seq), what);
                    return None;
                }
            }
        }
        Some(tip)
    }

    fn entry(&self, line: &[u8], day: Date, tip: &Tip) -> Result<Entry, String> {
        let entry = Entry::parse(line.to_vec()).map_err(|error| error.to_string())?;
        if entry.log() != self.log {
            return Err(format!("it is an entry of {}", entry.log()));
        }
        if entry.seq() != tip.seq {
            return Err(format!("it is entry {}, expected {}", entry.seq(), tip.seq));
        }
        if entry.prev() != tip.prev {
            return Err("`prev` is not the hash of the entry before".to_owned());
        }
        if tip.at.is_some_and(|before| entry.at() < before) {
            return Err("its time is before that of the entry before".to_owned());
        }
        if entry.at().date() != day {
            return Err(format!("it is of {}, in a file of {day}", entry.at().date()));
        }
        Ok(entry)
    }

    fn count(&mut self, file: &str, entry: &Entry, found: &mut LogReport) {
        found.entries += 1;
        let first = found.span.map_or(entry.at(), |(first, _)| first);
        found.span = Some((first, entry.at()));
        *found.types.entry(entry.ty().to_owned()).or_default() += 1;
        if entry.ty().parse::<crate::types::EntryType>().is_err() {
            self.report.unknown_types.insert(entry.ty().to_owned());
        }
        for sha256 in entry.plans() {
            let plan = (self.log.scope.clone(), sha256);
            self.named.entry(plan).or_insert_with(|| (file.to_owned(), entry.seq()));
        }
        if found.entries.is_multiple_of(1_000) {
            (self.progress)(self.report.entries() + found.entries);
        }
    }

    /// True when the checkpoint is signed and fits the tree.
    fn checkpoint(&mut self, file: &str, tree: &CompactRange) -> bool {
        let opened = self.folder.read(file).map_err(|error| error.to_string());
        let opened = opened.and_then(|note| Checkpoint::open(&note, self.key).map_err(|error| error.to_string()));
        let what = match opened {
            Err(what) => what,
            Ok(checkpoint) if checkpoint.size != tree.size() => format!("it is of size {}", checkpoint.size),
            Ok(checkpoint) if checkpoint.root != tree.root() => "its root is not the root of the entries".to_owned(),
            Ok(_) => return true,
        };
        self.report.fault(file, tree.size().checked_sub(1), what);
        false
    }

    /// The newest checkpoint must be the note of the last segment, to the byte.
    fn newest(&mut self, files: &Files, size: u64) {
        let file = Name::Newest(self.log.clone()).text();
        if !files.newest {
            self.report.fault(file, None, "missing");
            return;
        }
        let last = self.folder.read(&Name::Note(self.log.clone(), size).text());
        match (self.folder.read(&file), last) {
            (Ok(newest), Ok(last)) if newest == last => {}
            (Ok(_), Ok(_)) => self.report.fault(file, None, "it is not the checkpoint of the last segment"),
            (Err(error), _) => self.report.fault(file, None, error.to_string()),
            // The missing note has been reported.
            (Ok(_), Err(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests;
