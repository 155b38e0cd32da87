//! The files of a copy, sorted by what their names say.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{Date, LogId, Scope};

use crate::hash::Hash;
use crate::layout::{DailyFile, Name};
use crate::tile::TilePath;

use super::report::Report;

/// The files of one log.
#[derive(Default)]
pub(super) struct LogFiles {
    /// First, last, day.
    pub(super) segments: BTreeSet<(u64, u64, Date)>,
    pub(super) notes: BTreeSet<u64>,
    pub(super) tiles: BTreeSet<TilePath>,
    pub(super) days: BTreeMap<Date, BTreeSet<DailyFile>>,
    pub(super) newest: bool,
    pub(super) key: bool,
    pub(super) readme: bool,
    pub(super) script: bool,
}

/// The files of a copy.
#[derive(Default)]
pub(super) struct Files {
    pub(super) logs: BTreeMap<LogId, LogFiles>,
    pub(super) plans: BTreeSet<(Scope, Hash)>,
    pub(super) reconciled: BTreeSet<(Scope, String, Hash)>,
    pub(super) all_keys: bool,
}

impl Files {
    /// Sorts names; those that are not part of an export go into the report.
    pub(super) fn of(names: Vec<String>, report: &mut Report) -> Self {
        let mut files = Self::default();
        for text in names {
            match Name::parse(&text) {
                None => report.foreign.push(text),
                Some(Name::AllKeys) => files.all_keys = true,
                Some(Name::Plan(scope, sha256)) => {
                    files.plans.insert((scope, sha256));
                }
                Some(Name::Reconciled(scope, period, sha256)) => {
                    files.reconciled.insert((scope, period, sha256));
                }
                Some(Name::Key(log)) => files.log(log).key = true,
                Some(Name::Newest(log)) => files.log(log).newest = true,
                Some(Name::Readme(log)) => files.log(log).readme = true,
                Some(Name::Script(log)) => files.log(log).script = true,
                Some(Name::Segment(log, day, first, last)) => {
                    files.log(log).segments.insert((first, last, day));
                }
                Some(Name::Note(log, size)) => {
                    files.log(log).notes.insert(size);
                }
                Some(Name::Tile(log, path)) => {
                    files.log(log).tiles.insert(path);
                }
                Some(Name::Daily(log, day, file)) => {
                    files.log(log).days.entry(day).or_default().insert(file);
                }
            }
        }
        report.foreign.sort();
        files
    }

    fn log(&mut self, log: LogId) -> &mut LogFiles {
        self.logs.entry(log).or_default()
    }
}
