//! Following the ledger: how far somebody who acts on entries has come, log by log.
//!
//! Entries are read from a place that moves on only once what stands before it has been dealt with. So nothing is skipped by a process that
//! dies, and what is done for an entry must do no harm when it is done again.
//!
//! Row: pk `<mode>#<account>#notify`, sk `<lane>`; `next` (number of the first entry that was not dealt with), `version`.

mod digest;

use axiru_domain::{LogId, Scope};
use axiru_ledger::entry::Entry;

use crate::error::AwsError;
use crate::item::{key, n, number};
use crate::ledger::CommitError;
use crate::reads::Version;
use crate::store::{Store, StoreError};

pub use digest::{Digest, Range};

/// Entries that are read at once.
const PAGE: usize = 256;

/// Where somebody stands in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    log: LogId,
    /// Number of the first entry that was not dealt with.
    pub next: u64,
    version: u64,
}

pub(crate) fn pk(scope: &Scope) -> String {
    format!("{}#notify", scope.key())
}

impl Store {
    /// Where `notify` stands in a log: at its first entry, as long as nobody has moved it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cursor(&self, log: &LogId) -> Result<Cursor, StoreError> {
        let row = self.row(&pk(&log.scope), &log.lane.to_string()).await?;
        let next = row.as_ref().map_or(Ok(0), |row| number(row, "next"))?;
        Ok(Cursor { log: log.clone(), next, version: Version::of(row.as_ref())?.0 })
    }

    /// The entries behind a cursor, a page of them.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn follow(&self, cursor: &Cursor) -> Result<Vec<Entry>, CommitError> {
        self.entries(&cursor.log, cursor.next, PAGE).await
    }

    /// Moves a cursor on. False where another process has moved it: then that one is dealing with the log.
    ///
    /// # Errors
    /// [`StoreError`]. It may have moved all the same.
    pub async fn advance(&self, cursor: &mut Cursor, next: u64) -> Result<bool, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.state)
            .set_key(Some(key(pk(&cursor.log.scope), cursor.log.lane.to_string())))
            .update_expression("SET #next = :next, version = :version")
            .expression_attribute_names("#next", "next")
            .expression_attribute_values(":next", n(next))
            .expression_attribute_values(":version", n(cursor.version + 1));
        let update = if cursor.version == 0 {
            update.condition_expression("attribute_not_exists(pk)")
        } else {
            update.condition_expression("version = :seen").expression_attribute_values(":seen", n(cursor.version))
        };
        match update.send().await {
            Ok(_) => {
                (cursor.next, cursor.version) = (next, cursor.version + 1);
                Ok(true)
            }
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                // Ours, of a try whose answer was lost, or another's: read anew, it says which.
                let now = self.cursor(&cursor.log).await?;
                let moved = now.next == next && now.version == cursor.version + 1;
                if moved {
                    *cursor = now;
                }
                Ok(moved)
            }
            Err(error) => Err(AwsError::of("moving a cursor")(error).into()),
        }
    }
}
