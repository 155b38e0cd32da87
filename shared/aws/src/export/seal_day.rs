//! The files of finished days.
//!
//! A day is finished when a heartbeat of a later day is signed: time never runs back in a log, so nothing can follow. Its files are written
//! first; then the lock notes that, and `export.sealed` names the manifest, in one transaction. A crash between only repeats the files.

use axiru_domain::{Actor, LogId};
use axiru_ledger::daily::{DayFiles, DayWriter};
use axiru_ledger::entry::{Draft, Entry};
use axiru_ledger::hash::Hash;
use axiru_ledger::layout::{DailyFile, Name};
use axiru_ledger::segment::MAX_ENTRIES;
use axiru_ledger::types::EntryType;
use serde_json::{Value, json};

use super::lock::{Lock, OpenDay, Sealed};
use super::{ExportError, Exporter};
use crate::error::AwsError;
use crate::ledger::Writes;

/// Most days that one run seals for one log: after a long pause more than one is waiting.
const MAX_DAYS: u32 = 8;

impl Exporter {
    /// Writes the files of every day that is finished. Gives how many.
    pub(super) async fn seal_days(&self, log: &LogId) -> Result<u32, ExportError> {
        let mut sealed = 0;
        while sealed < MAX_DAYS {
            let lock = self.store.export_lock(log).await?;
            let Some(open) = lock.finished_day() else { break };
            let files = self.day_files(log, &lock, &open).await?;
            self.write_day(log, &open, &files).await?;
            self.tell_sealed(log, &open, files.manifest_sha256()).await?;
            sealed += 1;
        }
        Ok(sealed)
    }

    /// Makes the files of a day from the table, whose entries must still be those that were signed.
    async fn day_files(&self, log: &LogId, lock: &Lock, open: &OpenDay) -> Result<DayFiles, ExportError> {
        let gone = |seq| ExportError::Chain { log: log.clone(), seq };
        let mut writer = DayWriter::new(log, open.day);
        let mut from = open.first;
        let mut leaf: Option<Hash> = None;
        while from <= open.last {
            let count = usize::try_from(open.last + 1 - from).unwrap_or(usize::MAX).min(MAX_ENTRIES);
            let entries = self.store.entries(log, from, count).await?;
            if entries.is_empty() {
                return Err(ExportError::Gap { log: log.clone(), seq: from });
            }
            for entry in &entries {
                if leaf.is_some_and(|leaf| leaf != entry.prev()) {
                    return Err(gone(entry.seq()));
                }
                writer.push(entry)?;
                leaf = Some(entry.leaf_hash());
            }
            from += entries.len() as u64;
        }
        // The heartbeat that ended the day stands behind it, and pins it.
        let behind = self.store.entry(log, open.last + 1).await?;
        if behind.as_ref().map(Entry::prev) != leaf {
            return Err(gone(open.last));
        }
        let stored = self.bucket.read(&Name::Daily(log.clone(), open.day, DailyFile::Gzip).text()).await?;
        let before = lock.sealed.map(|sealed| sealed.manifest);
        Ok(writer.finish(&self.origin(log), open.root, before, stored.map(|(bytes, _)| bytes))?)
    }

    async fn write_day(&self, log: &LogId, open: &OpenDay, files: &DayFiles) -> Result<(), ExportError> {
        let name = |file| Name::Daily(log.clone(), open.day, file);
        // Another exporter, with another compressor, may have written in between: then the manifest must name its file, which the next run does.
        let gzip = name(DailyFile::Gzip);
        if !self.bucket.put_new(&gzip, &files.gzip).await? {
            let there = self.bucket.read(&gzip.text()).await?;
            if there.is_none_or(|(there, _)| there != files.gzip) {
                return Err(AwsError::busy("writing a file").into());
            }
        }
        self.bucket.put_once(&name(DailyFile::Csv), &files.csv).await?;
        Ok(self.bucket.put_once(&name(DailyFile::Manifest), &files.manifest).await?)
    }

    /// Appends `export.sealed`, once.
    async fn tell_sealed(&self, log: &LogId, open: &OpenDay, manifest: Hash) -> Result<(), ExportError> {
        let Value::Object(fields) = json!({
            "day": open.day.to_string(),
            "first": open.first,
            "last": open.last,
            "manifest_sha256": manifest.to_string(),
        }) else {
            return Ok(());
        };
        let draft = Draft { log: log.clone(), actor: Actor::Axiru, ty: EntryType::ExportSealed, fields };
        let to = Sealed { day: open.day, manifest };
        let plan = || async {
            let lock = self.store.export_lock(log).await?;
            // Told by somebody else, or by an earlier try of ours.
            if lock.sealed.is_some_and(|sealed| sealed.day >= open.day) || lock.alarm.is_some() {
                return Ok::<_, ExportError>(Writes::default());
            }
            Ok(Writes { drafts: vec![draft.clone()], rows: vec![self.store.sealing(log, &lock, &to)?] })
        };
        self.store.commit(log, self.clock, plan).await.map(|_| ())
    }
}
