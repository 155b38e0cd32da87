//! Bringing both tables back after a restore to an earlier moment, so that nothing is made twice and no second history is signed.
//!
//! The sources are tables as they were at a moment, the targets new and empty ones. What is written, in this order:
//!
//! 1. the switches of everything, *stopped*: whatever else comes to life finds them; and in the place of each log's lock a row that holds the
//!    exporter back, which would find entries missing, or entries of no connection;
//! 2. the ledger: every entry that the checked export holds, exactly, then what the source table has beyond it. So the log goes on where it was
//!    signed last, and not where the table was restored to;
//! 3. the rows of the source, with what the ledger tells of the time since: requests that have an outcome, keys that were revoked. What waits is
//!    over, what was under way is looked for at Stripe and never sent;
//! 4. a row for each request that was decided since, so that the same call again is no new one;
//! 5. the connections: before them no function does anything;
//! 6. the locks of the exporter, where the export says they are.
//!
//! Running it again writes what is missing. It changes nothing that is there, and refuses to go on where that is something else.
//! What it cannot know is what neither the export nor the source tells: the last seconds before the loss. Stripe's lists tell the movements
//! among them (`reconcile`); the rest is in no record.

mod copy;
mod entries;
mod later;
mod rows;

use std::collections::BTreeMap;

use axiru_domain::{LogId, Mode, Timestamp};
use axiru_ledger::entry::Entry;

use crate::connection::Connection;
use crate::error::AwsError;
use crate::item::{Item, RowError, key, n, s};
use crate::ledger::CommitError;
use crate::store::{Store, StoreError};
pub use copy::exported;
use later::Later;

/// Entries this much older than the moment count as later: clocks differ, and a restore is exact to a second.
const MARGIN_SECS: i64 = 300;

/// Writes under way at once.
const AT_ONCE: usize = 32;

/// What a checked copy of the export holds of a log.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The log.
    pub log: LogId,
    /// Its entries, from the first on.
    pub entries: Vec<Entry>,
    /// First entry of the last segment.
    pub first: u64,
    /// The newest checkpoint, signed.
    pub note: String,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Entries of the ledger, of the export and beyond it.
    pub entries: u64,
    /// Of them, those that only the export had: the restored table lacked them.
    pub from_export: u64,
    /// Rows of the state table.
    pub rows: u64,
    /// Rows that are not brought back: set-up links and installs under way.
    pub left_out: u64,
    /// Open requests whose outcome the ledger tells.
    pub ended: u64,
    /// Open requests that wait, and are over with the next sweep.
    pub over: u64,
    /// Requests that were under way, to be looked for at Stripe.
    pub looked_for: u64,
    /// Requests that were decided since, and have a row again.
    pub made_known: u64,
    /// Keys that were revoked since.
    pub keys_revoked: u64,
    /// Connections that ended since.
    pub disconnected: u64,
    /// What operators changed since, and have to change again before anything is started.
    pub again: Vec<String>,
}

/// Why a restore does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A table.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The entries of a table.
    #[error("{0}")]
    Ledger(#[from] CommitError),
    /// Two sources tell different things.
    #[error("entry {seq} of {log} is another one in {place} than in the export")]
    Differs {
        /// The log.
        log: LogId,
        /// The entry.
        seq: u64,
        /// Where.
        place: &'static str,
    },
    /// What stands in the source beyond the export does not follow from it.
    #[error("entry {seq} of {log} does not follow from the one before")]
    Chain {
        /// The log.
        log: LogId,
        /// The entry.
        seq: u64,
    },
    /// An entry cannot be read.
    #[error("entry {seq} of {log} lacks what its type has")]
    Entry {
        /// The log.
        log: LogId,
        /// The entry.
        seq: u64,
    },
}

impl From<AwsError> for RestoreError {
    fn from(error: AwsError) -> Self {
        Self::Store(error.into())
    }
}

impl From<RowError> for RestoreError {
    fn from(error: RowError) -> Self {
        Self::Store(error.into())
    }
}

/// Restores from one store into another.
#[derive(Clone, Debug)]
pub struct Restorer {
    source: Store,
    target: Store,
    at: Timestamp,
    now: Timestamp,
    write: bool,
}

impl Restorer {
    /// From the tables as they were at `at`, into new ones.
    #[must_use]
    pub const fn new(source: Store, target: Store, at: Timestamp, now: Timestamp) -> Self {
        Self { source, target, at, now, write: true }
    }

    /// Reading and telling only.
    #[must_use]
    pub const fn looking_only(mut self) -> Self {
        self.write = false;
        self
    }

    /// Restores.
    ///
    /// # Errors
    /// [`RestoreError`]. What was written stands, stopped; running it again goes on.
    pub async fn run(&self, exported: Vec<Exported>) -> Result<Restored, RestoreError> {
        let mut done = Restored::default();
        self.stop().await?;
        let mut logs: BTreeMap<LogId, Exported> = exported.into_iter().map(|log| (log.log.clone(), log)).collect();
        for connection in self.connections().await? {
            for log in connection.logs() {
                let empty = Exported { log: log.clone(), entries: Vec::new(), first: 0, note: String::new() };
                logs.entry(log).or_insert(empty);
            }
        }
        for log in logs.keys() {
            let mut item = key(log.key(), crate::export::LOCK);
            item.insert(crate::export::HELD_BACK.to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(true));
            self.put_new(&self.target.state, item).await?;
        }
        let mut later = Later::since(self.at, self.at.plus_secs(-MARGIN_SECS));
        let mut locks: BTreeMap<LogId, Option<Item>> = BTreeMap::new();
        for (log, exported) in logs {
            let signed = exported.entries.len();
            let all = self.entries(&log, exported.entries, &mut done).await?;
            later.read(&all)?;
            let before = self.source.row(&log.key(), crate::export::LOCK).await?;
            let lock = |note: &str| crate::export::rebuilt(&log, signed, &all, exported.first, note, before.as_ref());
            locks.insert(log.clone(), (signed > 0).then(|| lock(&exported.note)));
            self.move_cursor(&log, all.len()).await?;
        }
        self.rows(&mut later, &mut done).await?;
        for (log, lock) in locks {
            self.let_go(&log, lock, &mut done).await?;
        }
        done.again = later.again;
        Ok(done)
    }

    /// Every connection of the source.
    async fn connections(&self) -> Result<Vec<Connection>, StoreError> {
        let mut all = Vec::new();
        for mode in Mode::ALL {
            all.extend(self.source.connections(mode).await?);
        }
        Ok(all)
    }

    /// Turns the switches of everything off.
    async fn stop(&self) -> Result<(), AwsError> {
        for mode in Mode::ALL {
            let mut item = key(format!("{mode}#switches"), "*");
            item.insert("stopped".to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(true));
            item.insert("since".to_owned(), s(self.now.to_string()));
            item.insert("version".to_owned(), n(1));
            self.put_new(&self.target.state, item).await?;
        }
        Ok(())
    }

    /// Nobody is mailed again about what they were mailed of.
    async fn move_cursor(&self, log: &LogId, next: usize) -> Result<(), AwsError> {
        let mut item = key(crate::follow::pk(&log.scope), log.lane.to_string());
        item.insert("next".to_owned(), n(next));
        item.insert("version".to_owned(), n(1));
        self.put_new(&self.target.state, item).await.map(drop)
    }

    /// Puts a log's lock in the place of what holds the exporter back; of a log that was never signed, none.
    async fn let_go(&self, log: &LogId, lock: Option<Item>, done: &mut Restored) -> Result<(), AwsError> {
        const HELD: &str = "attribute_exists(restoring)";
        done.rows += u64::from(lock.is_some());
        if !self.write {
            return Ok(());
        }
        let (client, table) = (&self.target.client, &self.target.state);
        let gone = match lock {
            Some(lock) => {
                let put =
                    client.put_item().table_name(table).set_item(Some(lock)).condition_expression(HELD).send().await;
                put.map(drop).map_err(|error| {
                    let done = error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception());
                    (done, AwsError::of("restoring")(error))
                })
            }
            None => {
                let row = key(log.key(), crate::export::LOCK);
                let delete = client.delete_item().table_name(table).set_key(Some(row)).condition_expression(HELD);
                delete.send().await.map(drop).map_err(|error| {
                    let done = error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception());
                    (done, AwsError::of("restoring")(error))
                })
            }
        };
        match gone {
            // An earlier run did it.
            Ok(()) | Err((true, _)) => Ok(()),
            Err((false, error)) => Err(error),
        }
    }

    /// Writes a row of the state table where none is.
    async fn put_row(&self, item: Item, done: &mut Restored) -> Result<(), AwsError> {
        done.rows += 1;
        self.put_new(&self.target.state, item).await.map(drop)
    }

    /// Writes an item where none is; false where one is.
    async fn put_new(&self, table: &str, item: Item) -> Result<bool, AwsError> {
        if !self.write {
            return Ok(true);
        }
        let put = self.target.client.put_item().table_name(table).set_item(Some(item));
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Ok(false)
            }
            Err(error) => Err(AwsError::of("restoring")(error)),
        }
    }
}
