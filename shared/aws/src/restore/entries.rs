//! The ledger: what is signed comes from the export, what is not from the source.

use axiru_domain::LogId;
use axiru_ledger::entry::Entry;
use futures_util::future::try_join_all;

use super::{AT_ONCE, RestoreError, Restored, Restorer};
use crate::item::{b, n, s};

/// Entries that are read at once.
const PAGE: usize = 1_000;

impl Restorer {
    /// Writes the entries of a log to the target, and gives all of them. `exported` is checked already, and chained.
    pub(super) async fn entries(
        &self,
        log: &LogId,
        exported: Vec<Entry>,
        done: &mut Restored,
    ) -> Result<Vec<Entry>, RestoreError> {
        let mut all = exported;
        let signed = all.len();
        let mut from = 0;
        loop {
            let page = self.source.entries(log, from as u64, PAGE).await?;
            let read = page.len();
            for entry in page {
                match all.get(from) {
                    Some(known) if known.bytes() == entry.bytes() => {}
                    Some(_) => {
                        return Err(RestoreError::Differs { log: log.clone(), seq: entry.seq(), place: "the source" });
                    }
                    None if all.last().map(Entry::leaf_hash).is_none_or(|leaf| leaf == entry.prev()) => all.push(entry),
                    None => return Err(RestoreError::Chain { log: log.clone(), seq: entry.seq() }),
                }
                from += 1;
            }
            if read < PAGE {
                break;
            }
        }
        done.from_export += signed.saturating_sub(from) as u64;
        done.entries += all.len() as u64;
        if self.source.ledger == self.target.ledger {
            // The ledger is sound, and only the state is restored: but what it lacks it must not lack.
            return match from < signed {
                true => Err(RestoreError::Chain { log: log.clone(), seq: from as u64 }),
                false => Ok(all),
            };
        }
        for entries in all.chunks(AT_ONCE) {
            try_join_all(entries.iter().map(|entry| self.entry(log, entry))).await?;
        }
        Ok(all)
    }

    /// Writes one entry, unless it is there.
    async fn entry(&self, log: &LogId, entry: &Entry) -> Result<(), RestoreError> {
        let mut item = std::collections::HashMap::new();
        item.insert("pk".to_owned(), s(log.key()));
        item.insert("seq".to_owned(), n(entry.seq()));
        item.insert("entry".to_owned(), b(entry.bytes()));
        if self.put_new(&self.target.ledger, item).await? {
            return Ok(());
        }
        let there = self.target.entry(log, entry.seq()).await?;
        if there.is_some_and(|there| there.bytes() == entry.bytes()) {
            return Ok(());
        }
        Err(RestoreError::Differs { log: log.clone(), seq: entry.seq(), place: "the target" })
    }
}
