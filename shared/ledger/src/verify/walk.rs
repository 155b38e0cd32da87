//! The walk through one log, entry by entry.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{Date, LogId};

use super::across::Across;
use super::days::Days;
use super::files::LogFiles;
use super::tiles::Tiles;
use super::{Folder, LogReport, Report};
use crate::checkpoint::Checkpoint;
use crate::entry::{Entry, Tip};
use crate::layout::Name;
use crate::merkle::CompactRange;
use crate::note::VerifierKey;
use crate::readers;

/// The walk.
pub(super) struct Walk<'a> {
    pub(super) folder: &'a dyn Folder,
    pub(super) key: &'a VerifierKey,
    pub(super) log: &'a LogId,
    pub(super) report: &'a mut Report,
    pub(super) across: &'a mut Across,
    pub(super) progress: &'a mut dyn FnMut(u64),
    /// Sizes at which the root is to be kept.
    pub(super) watched: BTreeSet<u64>,
}

/// What grows with every entry.
struct Grown<'a> {
    tip: Tip,
    tree: CompactRange,
    ids: BTreeSet<String>,
    tiles: Tiles<'a>,
    days: Days<'a>,
}

impl Walk<'_> {
    /// Checks the log.
    pub(super) fn run(mut self, files: &LogFiles) -> LogReport {
        let tree = CompactRange::new();
        let mut found = LogReport {
            log: self.log.clone(),
            entries: 0,
            checkpoints: 0,
            tiles: 0,
            days: 0,
            span: None,
            root: tree.root(),
            types: BTreeMap::new(),
            unsealed: Vec::new(),
            roots: BTreeMap::new(),
        };
        self.helps(files);
        let mut grown = Grown {
            tip: Tip::EMPTY,
            tree,
            ids: BTreeSet::new(),
            tiles: Tiles::new(self.folder, self.log, files.tiles.iter().copied()),
            days: Days::new(self.folder, self.log, self.key.name(), &files.days),
        };
        let mut unmet = files.notes.clone();
        let whole = self.segments(files, &mut grown, &mut unmet, &mut found);
        found.root = grown.tree.root();
        // Behind a broken chain everything would be reported: the first fault is the one that matters.
        if whole {
            for size in unmet {
                let note = Name::Note(self.log.clone(), size).text();
                let what = if size > grown.tip.seq {
                    "entries that it covers are missing"
                } else {
                    "no segment ends at this checkpoint"
                };
                self.report.fault(note, Some(grown.tip.seq.min(size)), what);
            }
            self.newest(files);
            found.tiles = grown.tiles.finish(self.report);
            (found.days, found.unsealed) = grown.days.finish(&found.root, self.report);
        }
        found
    }

    /// Every segment and its checkpoint. False when the chain is broken.
    fn segments(
        &mut self,
        files: &LogFiles,
        grown: &mut Grown<'_>,
        unmet: &mut BTreeSet<u64>,
        found: &mut LogReport,
    ) -> bool {
        let broken = self.gaps(files);
        for &(first, last, day) in &files.segments {
            let file = Name::Segment(self.log.clone(), day, first, last).text();
            // Told with the gaps.
            if broken.is_some_and(|broken| first >= broken) {
                return false;
            }
            if !self.segment(&file, day, grown, found) {
                return false;
            }
            let size = grown.tip.seq;
            if size != last + 1 {
                let what = format!("it ends before entry {last}, which its name promises");
                self.report.fault(file, Some(size), what);
                return false;
            }
            let note = Name::Note(self.log.clone(), size).text();
            if !unmet.remove(&size) {
                self.report.fault(note, Some(last), "the checkpoint of the segment that ends here is missing");
            } else if self.checkpoint(&note, &grown.tree) {
                found.checkpoints += 1;
                found.roots.insert(size, grown.tree.root());
            }
        }
        true
    }

    /// Every place where the names of segments do not follow each other. Gives the first segment behind the first of them.
    fn gaps(&mut self, files: &LogFiles) -> Option<u64> {
        let (mut next, mut broken) = (0, None);
        for &(first, last, day) in &files.segments {
            let what = match first.cmp(&next) {
                Ordering::Equal => None,
                Ordering::Greater if first - next == 1 => Some(format!("entry {next}, before it, is missing")),
                Ordering::Greater => Some(format!("entries {next} to {}, before it, are missing", first - 1)),
                Ordering::Less => Some("it repeats entries".to_owned()),
            };
            if let Some(what) = what {
                let file = Name::Segment(self.log.clone(), day, first, last).text();
                self.report.fault(file, Some(next.min(first)), what);
                broken = broken.or(Some(first));
            }
            next = next.max(last.saturating_add(1));
        }
        broken
    }

    /// The files that help to read and check the folder by other means.
    fn helps(&mut self, files: &LogFiles) {
        let key = format!("{}\n", self.key);
        self.help(files.key, Name::Key(self.log.clone()), "it is not the trusted key", |bytes| bytes == key.as_bytes());
        let what = "it is not one that this program knows: do not rely on it";
        self.help(files.readme, Name::Readme(self.log.clone()), what, readers::is_readme);
        let what = "it is not one that this program knows: do not run it";
        self.help(files.script, Name::Script(self.log.clone()), what, readers::is_script);
    }

    fn help(&mut self, there: bool, name: Name, wrong: &str, right: impl Fn(&[u8]) -> bool) {
        let file = name.text();
        if !there {
            self.report.fault(file, None, "missing");
            return;
        }
        match self.folder.read(&file) {
            Ok(bytes) if right(&bytes) => {}
            Ok(_) => self.report.fault(file, None, wrong),
            Err(error) => self.report.fault(file, None, error.to_string()),
        }
    }

    /// Checks one segment. False when it is broken.
    fn segment(&mut self, file: &str, day: Date, grown: &mut Grown<'_>, found: &mut LogReport) -> bool {
        let bytes = match self.folder.read(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.report.fault(file, Some(grown.tip.seq), error.to_string());
                return false;
            }
        };
        let Some(lines) = bytes.strip_suffix(b"\n") else {
            self.report.fault(file, Some(grown.tip.seq), "its last line is not ended");
            return false;
        };
        for line in lines.split(|byte| *byte == b'\n') {
            let entry = match self.entry(line, day, &grown.tip) {
                Ok(entry) => entry,
                Err(what) => {
                    self.report.fault(file, Some(grown.tip.seq), what);
                    return false;
                }
            };
            if !grown.ids.insert(entry.id().to_owned()) {
                let what = format!("the id `{}` stands twice in the log", entry.id());
                self.report.fault(file, Some(grown.tip.seq), what);
                return false;
            }
            let before = &grown.tree;
            grown.days.push(&entry, || before.root(), self.report);
            grown.tiles.push(&entry, self.report);
            grown.tree.push(entry.leaf_hash());
            if self.watched.contains(&grown.tree.size()) {
                found.roots.insert(grown.tree.size(), grown.tree.root());
            }
            self.count(file, &entry, found);
            grown.tip = entry.next_tip();
        }
        true
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
        self.across.entry(file, entry);
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

    /// The newest checkpoint must be one of the notes, to the byte. One that is not the last is only late: it is written last.
    fn newest(&mut self, files: &LogFiles) {
        let file = Name::Newest(self.log.clone()).text();
        if !files.newest {
            self.report.fault(file, None, "missing");
            return;
        }
        let newest = match self.folder.read(&file) {
            Ok(newest) => newest,
            Err(error) => return self.report.fault(file, None, error.to_string()),
        };
        let size = match Checkpoint::open(&newest, self.key) {
            Ok(checkpoint) => checkpoint.size,
            Err(error) => return self.report.fault(file, None, error.to_string()),
        };
        match self.folder.read(&Name::Note(self.log.clone(), size).text()) {
            Ok(note) if note == newest => {
                if let Some(last) = files.notes.last().filter(|last| **last > size) {
                    let what = format!("{file} is of {size} entries, and the copy goes on to {last}");
                    self.report.unchecked.push(what);
                }
            }
            // That a note is wrong or missing has been reported; that this one has none is news.
            _ => self.report.fault(file, None, "it is none of the checkpoints in the copy"),
        }
    }
}
