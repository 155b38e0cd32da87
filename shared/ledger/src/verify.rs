//! The check of an exported copy, offline.
//!
//! Trusted: the verifier keys, which the auditor has from elsewhere, and checkpoints that they remember. Everything in the folder is foreign.
//! Checked for every log: that its segments hold entries 0, 1, 2 … without a gap, each canonical, of this log, chained to
//! the one before, in order of time and in the file of its day, none saying the same thing twice; that every segment ends in a checkpoint
//! signed by the log's key whose root is the root of the Merkle tree over the entries; that tiles and bundles, and the files of every sealed
//! day, follow from the entries to the byte; that no lane is missing or short; that the plans which decided and the reports which
//! entries name are there; and that the log is a continuation of every checkpoint that is remembered.
//! Not checkable without an outside memory: that the copy is the newest one, and that its history was not written anew as a whole.

mod across;
mod days;
mod files;
mod report;
mod tiles;
mod walk;

use std::io;

use axiru_domain::LogId;

use crate::checkpoint::Checkpoint;
use crate::note::VerifierKey;
use across::Across;
use files::Files;
pub use report::{Fault, LogReport, Remembered, Report};
use walk::Walk;

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

/// What the auditor brings along.
#[derive(Clone, Debug, Default)]
pub struct Trusted {
    /// The verifier keys, one for each log.
    pub keys: Vec<VerifierKey>,
    /// Checkpoints seen earlier.
    pub since: Vec<(LogId, Checkpoint)>,
}

impl Trusted {
    /// With these keys, and nothing remembered.
    #[must_use]
    pub const fn keys(keys: Vec<VerifierKey>) -> Self {
        Self { keys, since: Vec::new() }
    }

    /// Remembers a checkpoint seen earlier: a note that one of the keys has signed.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn remember(&mut self, note: &[u8]) -> Result<(), String> {
        let origin = note.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let key = self.keys.iter().find(|key| key.name().as_bytes() == origin);
        let key = key.ok_or_else(|| {
            format!("no trusted key is named `{}`, its first line", String::from_utf8_lossy(origin).escape_debug())
        })?;
        let checkpoint = Checkpoint::open(note, key).map_err(|error| error.to_string())?;
        let log = log_of(key).ok_or("its first line does not end in a log's `mode/account/lane`")?;
        self.since.push((log, checkpoint));
        Ok(())
    }

    /// The key of a log.
    fn key(&self, log: &LogId) -> Option<&VerifierKey> {
        self.keys.iter().find(|key| log_of(key).as_ref() == Some(log))
    }
}

/// The log that a key is for: what stands behind `/ledger/` in its name.
#[must_use]
pub fn log_of(key: &VerifierKey) -> Option<LogId> {
    let (_, path) = key.name().split_once("/ledger/")?;
    LogId::from_key(&path.replace('/', "#")).ok()
}

/// Checks a copy. `progress` is told the number of entries done, about once in a thousand.
///
/// # Errors
/// Only when the folder itself cannot be listed: a file that cannot be read is a fault in the report.
pub fn verify(folder: &dyn Folder, trusted: &Trusted, progress: &mut dyn FnMut(u64)) -> io::Result<Report> {
    let mut report = Report::default();
    let files = Files::of(folder.names()?, &mut report);
    let mut across = Across::default();
    across.keys(folder, &files, trusted, &mut report);
    for (log, of_log) in &files.logs {
        let Some(key) = trusted.key(log) else {
            report.fault(crate::layout::Name::Key(log.clone()).text(), None, "no key was given for this log");
            continue;
        };
        let watched = trusted.since.iter().filter(|(of, _)| of == log).map(|(_, checkpoint)| checkpoint.size).collect();
        let walk = Walk { folder, key, log, report: &mut report, across: &mut across, progress, watched };
        let found = walk.run(of_log);
        report.logs.push(found);
    }
    across.finish(folder, &files, trusted, &mut report);
    Ok(report)
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

#[cfg(test)]
mod tests;
