//! The files of finished days: each must be, to the byte, what the entries make, and be what an entry of later says.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{Date, LogId};
use serde_json::Value;

use super::{Folder, Report};
use crate::daily::{DayFiles, DayWriter};
use crate::entry::Entry;
use crate::hash::Hash;
use crate::layout::{DailyFile, Name};
use crate::types::EntryType;

/// First and last entry of a day, and the hash of its manifest.
type Says = (u64, u64, Hash);

/// The days of one log, while its entries go by.
pub(super) struct Days<'a> {
    folder: &'a dyn Folder,
    log: &'a LogId,
    origin: &'a str,
    /// The files in the copy.
    files: &'a BTreeMap<Date, BTreeSet<DailyFile>>,
    /// The day that is under way.
    day: Option<(Date, DayWriter, u64, u64)>,
    /// Hash of the manifest of the last day that has files.
    before: Option<Hash>,
    /// Days that were compared: first, last, hash of the manifest.
    made: BTreeMap<Date, Says>,
    /// Days behind which others follow and that have no files.
    unsealed: Vec<Date>,
    /// What `export.sealed` says: the entry, and first, last, hash.
    sealed: BTreeMap<Date, (u64, Option<Says>)>,
    /// Days whose files are wrong, which was told.
    faulty: BTreeSet<Date>,
}

impl<'a> Days<'a> {
    pub(super) const fn new(
        folder: &'a dyn Folder,
        log: &'a LogId,
        origin: &'a str,
        files: &'a BTreeMap<Date, BTreeSet<DailyFile>>,
    ) -> Self {
        Self {
            folder,
            log,
            origin,
            files,
            day: None,
            before: None,
            made: BTreeMap::new(),
            unsealed: Vec::new(),
            sealed: BTreeMap::new(),
            faulty: BTreeSet::new(),
        }
    }

    /// The next entry; `root` is the root of the tree before it.
    pub(super) fn push(&mut self, entry: &Entry, root: impl Fn() -> Hash, report: &mut Report) {
        let date = entry.at().date();
        if self.day.as_ref().is_none_or(|(day, ..)| *day != date) {
            self.end_day(&root(), report);
            self.day = Some((date, DayWriter::checking(self.log, date), entry.seq(), entry.seq()));
        }
        if let Some((_, writer, _, last)) = &mut self.day {
            // The walk has checked the order; without files the table need not be made.
            if self.files.contains_key(&date) {
                let _ = writer.push(entry);
            }
            *last = entry.seq();
        }
        if entry.ty() == EntryType::ExportSealed.as_str() {
            self.note(entry);
        }
    }

    fn note(&mut self, entry: &Entry) {
        let fields = entry.fields();
        let number = |name: &str| fields.get(name).and_then(Value::as_u64);
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let Some(day) = text("day").and_then(|day| day.parse().ok()) else { return };
        let hash = text("manifest_sha256").and_then(|hash| hash.parse().ok());
        let says = number("first").zip(number("last")).zip(hash).map(|((first, last), hash)| (first, last, hash));
        self.sealed.insert(day, (entry.seq(), says));
    }

    /// The day under way is over: compares its files. `root` is the root behind its last entry.
    fn end_day(&mut self, root: &Hash, report: &mut Report) {
        let Some((day, writer, first, last)) = self.day.take() else { return };
        let Some(files) = self.files.get(&day) else {
            self.unsealed.push(day);
            return;
        };
        for file in DailyFile::ALL.iter().filter(|file| !files.contains(file)) {
            report.fault(self.name(day, *file), Some(last), "missing");
            self.faulty.insert(day);
        }
        let read = |file| self.folder.read(&self.name(day, file)).map_err(|error| error.to_string());
        let gzip = match read(DailyFile::Gzip) {
            Ok(gzip) => gzip,
            // That it is missing has been told.
            Err(_) if self.faulty.contains(&day) => return,
            Err(error) => return self.wrong(day, DailyFile::Gzip, last, &error, report),
        };
        let made = match writer.finish(self.origin, *root, self.before, Some(gzip)) {
            Ok(made) => made,
            Err(error) => return self.wrong(day, DailyFile::Gzip, first, &error.to_string(), report),
        };
        self.before = Some(made.manifest_sha256());
        let DayFiles { csv, manifest, .. } = &made;
        for (file, wanted) in [(DailyFile::Csv, csv), (DailyFile::Manifest, manifest)] {
            match self.folder.read(&self.name(day, file)) {
                Ok(found) if found == *wanted => {}
                Ok(_) => self.wrong(day, file, first, "it is not what the entries of the day make", report),
                Err(_) if self.faulty.contains(&day) => {}
                Err(error) => self.wrong(day, file, last, &error.to_string(), report),
            }
        }
        self.made.insert(day, (first, last, made.manifest_sha256()));
    }

    /// Behind the last entry. Gives how many days are right, and those that have no files yet.
    pub(super) fn finish(mut self, root: &Hash, report: &mut Report) -> (u64, Vec<Date>) {
        let newest = self.day.as_ref().map(|(day, ..)| *day);
        self.end_day(root, report);
        // The day under way has no files; that is no news.
        self.unsealed.retain(|day| Some(*day) != newest);
        let mut right = 0;
        for (day, made) in &self.made {
            let file = self.name(*day, DailyFile::Manifest);
            match self.sealed.get(day) {
                Some((_, Some(says))) if says == made => right += u64::from(!self.faulty.contains(day)),
                Some((seq, _)) => {
                    report.fault(file, Some(*seq), "the entry that seals the day says another hash or span")
                }
                None if newest == Some(*day) => report.fault(file, Some(made.1), "the day is not over"),
                None => report.unchecked.push(format!("{file}: no entry seals the day yet")),
            }
        }
        for (day, (seq, _)) in self.sealed.iter().filter(|(day, _)| !self.made.contains_key(day)) {
            if !self.faulty.contains(day) {
                report.fault(
                    self.name(*day, DailyFile::Manifest),
                    Some(*seq),
                    "the day is sealed, and its files are missing",
                );
            }
        }
        let known = |day: &Date| self.made.contains_key(day) || self.faulty.contains(day);
        for (day, files) in self.files.iter().filter(|(day, _)| !known(day)) {
            for file in files {
                report.fault(self.name(*day, *file), None, "there are no entries of this day");
            }
        }
        (right, self.unsealed)
    }

    fn wrong(&mut self, day: Date, file: DailyFile, seq: u64, what: &str, report: &mut Report) {
        report.fault(self.name(day, file), Some(seq), what);
        self.faulty.insert(day);
    }

    fn name(&self, day: Date, file: DailyFile) -> String {
        Name::Daily(self.log.clone(), day, file).text()
    }
}
