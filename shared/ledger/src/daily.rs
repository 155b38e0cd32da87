//! The files of a finished day: the entries once more, as people open them.
//!
//! `ledger.ndjson.gz` is the day's lines as they are, `ledger.csv` the same as a table, `manifest.json` says what both hold and names the
//! manifest before. All three follow from the entries, so a check makes them anew and compares; the convenient file cannot
//! drift from the proven one. The hash of the manifest is appended to the log (`export.sealed`), so the tree covers it.

pub mod csv;
pub mod gzip;
pub mod manifest;

use std::io;

use axiru_domain::{Date, LogId};
use sha2::{Digest, Sha256};

use crate::canonical::CanonicalError;
use crate::entry::Entry;
use crate::hash::Hash;
use crate::layout::{DailyFile, Name};
use manifest::{File, Manifest, Totals};

/// The files of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayFiles {
    /// `ledger.ndjson.gz`.
    pub gzip: Vec<u8>,
    /// `ledger.csv`.
    pub csv: Vec<u8>,
    /// `manifest.json`.
    pub manifest: Vec<u8>,
}

impl DayFiles {
    /// The hash that `export.sealed` names.
    #[must_use]
    pub fn manifest_sha256(&self) -> Hash {
        Hash::of(&self.manifest)
    }
}

/// Why the files of a day cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum DayError {
    /// A day without entries, or without a compressed file, has no files.
    #[error("there is no entry of the day")]
    Empty,
    /// The compressed file that is there holds something else.
    #[error("the compressed file does not hold the lines of the day")]
    Stored,
    /// The entry is of another log or day, or does not follow the one before.
    #[error("entry {0} is not the next one of the day")]
    Order(u64),
    /// The compressor, or a compressed file that is none.
    #[error("the compressed file is not right: {0}")]
    Gzip(#[from] io::Error),
    /// A sum beyond what every JSON reader keeps exactly.
    #[error("the manifest cannot be written: {0}")]
    Manifest(#[from] CanonicalError),
}

/// Makes the files of a day from its entries, one after the other: only the files are kept in memory, not the entries.
pub struct DayWriter {
    log: LogId,
    day: Date,
    span: Option<(u64, u64)>,
    gzip: Option<gzip::Writer>,
    plain: Sha256,
    plain_bytes: u64,
    csv: Vec<u8>,
    totals: Totals,
}

impl DayWriter {
    /// For a day of a log.
    #[must_use]
    pub fn new(log: &LogId, day: Date) -> Self {
        Self { gzip: Some(gzip::Writer::new()), ..Self::checking(log, day) }
    }

    /// For a day whose compressed file is there: it is not made again.
    #[must_use]
    pub fn checking(log: &LogId, day: Date) -> Self {
        let (csv, gzip, plain) = (csv::head(), None, Sha256::new());
        Self { log: log.clone(), day, span: None, gzip, plain, plain_bytes: 0, csv, totals: Totals::default() }
    }

    /// Adds the next entry of the day.
    ///
    /// # Errors
    /// [`DayError::Order`] for one that is not, and [`DayError::Gzip`].
    pub fn push(&mut self, entry: &Entry) -> Result<(), DayError> {
        let follows = self.span.is_none_or(|(_, last)| entry.seq() == last + 1);
        if entry.log() != &self.log || entry.at().date() != self.day || !follows {
            return Err(DayError::Order(entry.seq()));
        }
        let first = self.span.map_or(entry.seq(), |(first, _)| first);
        self.span = Some((first, entry.seq()));
        for part in [entry.bytes(), b"\n"] {
            if let Some(gzip) = &mut self.gzip {
                gzip.write(part)?;
            }
            self.plain.update(part);
            self.plain_bytes += part.len() as u64;
        }
        csv::row(&mut self.csv, entry);
        self.totals.add(entry);
        Ok(())
    }

    /// The files, given the root of the tree that ends with the day's last entry, and the hash of the manifest of the last sealed day before.
    /// `stored` is the compressed file as it is there already, possibly from another compressor: its content must be the day's, and the
    /// manifest names its bytes.
    ///
    /// # Errors
    /// [`DayError`].
    pub fn finish(
        self,
        origin: &str,
        root: Hash,
        before: Option<Hash>,
        stored: Option<Vec<u8>>,
    ) -> Result<DayFiles, DayError> {
        let (first, last) = self.span.ok_or(DayError::Empty)?;
        let plain_sha256 = Hash::from(self.plain);
        let gzip = match (stored, self.gzip) {
            (Some(stored), _) if gzip::digest(&stored, self.plain_bytes)? == plain_sha256 => stored,
            (Some(_), _) => return Err(DayError::Stored),
            (None, Some(gzip)) => gzip.finish()?,
            (None, None) => return Err(DayError::Empty),
        };
        let file = |file, bytes: &[u8]| File { file, sha256: Hash::of(bytes), bytes: bytes.len() as u64 };
        let manifest = Manifest {
            origin,
            day: self.day,
            first,
            last,
            root,
            before,
            plain_sha256,
            plain_bytes: self.plain_bytes,
            files: [file(DailyFile::Csv, &self.csv), file(DailyFile::Gzip, &gzip)],
            totals: &self.totals,
        };
        let manifest = manifest.text()?.into_bytes();
        Ok(DayFiles { gzip, csv: self.csv, manifest })
    }
}

/// The name of a day's file.
#[must_use]
pub fn name(log: &LogId, day: Date, file: DailyFile) -> Name {
    Name::Daily(log.clone(), day, file)
}

#[cfg(test)]
mod tests;
