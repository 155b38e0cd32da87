//! Appending to the ledger, and reading it.
//!
//! INVARIANT: an entry is put only where no entry is (`attribute_not_exists`), at the number behind one that was read
//! consistently; so the log has no gap and no fork, and each entry names the hash of the one before.

use std::time::Duration;

use aws_lc_rs::rand;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use axiru_domain::{LogId, Timestamp};
use axiru_ledger::entry::{Draft, Entry, EntryError, Tip};

use crate::error::{AwsError, Retry};
use crate::item::{Item, b, bytes, n, s};
use crate::store::{Store, StoreError};

/// Tries of one commit before it is given up. With 64 appenders on one tip each try wins one place, and the wait grows,
/// so 20 tries cover what one lane is meant to hold many times over.
pub(crate) const TRIES: u32 = 20;

/// First wait after a conflict, in milliseconds; it doubles up to [`MAX_WAIT_MS`], and is drawn evenly from zero to that.
const FIRST_WAIT_MS: u32 = 8;

/// Longest wait between two tries, in milliseconds.
const MAX_WAIT_MS: u32 = 250;

/// DynamoDB's bound on the items of a transaction.
pub const MAX_ITEMS: usize = 100;

/// What one try of a commit writes: entries for one log, and rows beside them.
#[derive(Debug, Default)]
pub struct Writes {
    /// The entries, in order.
    pub drafts: Vec<Draft>,
    /// The rows, each with the condition that it is as it was read.
    pub rows: Vec<TransactWriteItem>,
}

impl Writes {
    /// True when there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty() && self.rows.is_empty()
    }
}

/// A commit that did not happen, or of which nobody can say.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// DynamoDB did not do it.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The entries cannot be written.
    #[error("an entry cannot be written: {0}")]
    Entry(#[from] EntryError),
    /// What the newest entry says is not an entry of the log.
    #[error("the newest entry of {0} is not readable")]
    Tip(LogId),
    /// Others were always faster.
    #[error("given up after {TRIES} conflicts")]
    Contended,
    /// More than a transaction holds.
    #[error("{0} items do not fit into one transaction")]
    TooMany(usize),
}

impl From<AwsError> for CommitError {
    fn from(error: AwsError) -> Self {
        Self::Store(error.into())
    }
}

impl CommitError {
    /// Whether trying again later can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Store(StoreError::Aws(error)) => error.retry(),
            Self::Contended => Retry::Later,
            Self::Store(StoreError::Row(_)) | Self::Entry(_) | Self::Tip(_) | Self::TooMany(_) => Retry::Never,
        }
    }
}

impl Store {
    /// The tip of a log: where the next entry goes.
    ///
    /// # Errors
    /// [`CommitError`] when the table cannot be read or its newest entry is not one.
    pub async fn tip(&self, log: &LogId) -> Result<Tip, CommitError> {
        Ok(self.newest(log).await?.map_or(Tip::EMPTY, |entry| entry.next_tip()))
    }

    /// The newest entry of a log.
    ///
    /// # Errors
    /// [`CommitError`], as of [`Store::tip`].
    pub async fn newest(&self, log: &LogId) -> Result<Option<Entry>, CommitError> {
        let page = self
            .client
            .query()
            .table_name(&self.ledger)
            .key_condition_expression("pk = :log")
            .expression_attribute_values(":log", s(log.key()))
            .scan_index_forward(false)
            .limit(1)
            .consistent_read(true)
            .send()
            .await
            .map_err(AwsError::of("reading the tip of a log"))?;
        page.items.unwrap_or_default().first().map(|item| entry_of(item, log)).transpose()
    }

    /// One entry of a log; none where there is none of that number.
    ///
    /// # Errors
    /// [`CommitError`] when the table cannot be read or holds something that is not an entry of the log.
    pub async fn entry(&self, log: &LogId, seq: u64) -> Result<Option<Entry>, CommitError> {
        let key = std::collections::HashMap::from([("pk".to_owned(), s(log.key())), ("seq".to_owned(), n(seq))]);
        let request = self.client.get_item().table_name(&self.ledger).set_key(Some(key)).consistent_read(true);
        let item = request.send().await.map_err(AwsError::of("reading an entry"))?.item;
        item.map(|item| entry_of(&item, log)).transpose()
    }

    /// Entries of a log from number `from` on, at most `limit`, as they follow each other without a gap.
    ///
    /// # Errors
    /// [`CommitError`] when the table cannot be read or holds something that is not an entry of the log.
    pub async fn entries(&self, log: &LogId, from: u64, limit: usize) -> Result<Vec<Entry>, CommitError> {
        let mut entries: Vec<Entry> = Vec::new();
        while entries.len() < limit {
            let next = from + entries.len() as u64;
            let page = self
                .client
                .query()
                .table_name(&self.ledger)
                .key_condition_expression("pk = :log AND seq >= :from")
                .expression_attribute_values(":log", s(log.key()))
                .expression_attribute_values(":from", n(next))
                .limit(i32::try_from(limit - entries.len()).unwrap_or(i32::MAX))
                .consistent_read(true)
                .send()
                .await
                .map_err(AwsError::of("reading a log"))?;
            let items = page.items.unwrap_or_default();
            let before = entries.len();
            for item in &items {
                let entry = entry_of(item, log)?;
                if entry.seq() != from + entries.len() as u64 {
                    return Ok(entries);
                }
                entries.push(entry);
            }
            if entries.len() == before || page.last_evaluated_key.is_none() {
                break;
            }
        }
        Ok(entries)
    }

    /// Appends to `log` what `plan` says, together with its rows, in one transaction.
    ///
    /// `plan` reads the rows it depends on, consistently, and says what follows from them; it is asked anew for every
    /// try, so a write of an earlier try, of which the answer was lost, is seen by it as done. It writes nothing itself.
    /// The entries written are given back; none when there was nothing to write.
    ///
    /// # Errors
    /// [`CommitError`]. With [`Retry::Later`] it may have happened: asking again finds out.
    // A closure that gives a future, and not `AsyncFnMut`: the compiler cannot tell of the latter's future that it may change threads,
    // which Lambda's runtime asks for.
    pub async fn commit<E, F>(
        &self,
        log: &LogId,
        now: impl Fn() -> Timestamp,
        mut plan: impl FnMut() -> F,
    ) -> Result<Vec<Entry>, E>
    where
        E: From<CommitError>,
        F: Future<Output = Result<Writes, E>>,
    {
        let mut last = CommitError::Contended;
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(wait(attempt)).await;
            }
            // Beside each other: every row that the plan depends on is written on the condition that it is as it was read,
            // so whatever lands between the reads costs another try, never a wrong entry.
            let (writes, tip) = tokio::join!(plan(), self.tip(log));
            let writes = writes?;
            if writes.is_empty() {
                return Ok(Vec::new());
            }
            let tried = match tip {
                Ok(tip) => self.append_at(log, &tip, now(), writes).await,
                Err(error) => Err(error),
            };
            match tried {
                Ok(entries) => return Ok(entries),
                Err(error) if error.retry() == Retry::Never => return Err(error.into()),
                Err(error) => last = error,
            }
        }
        Err(last.into())
    }

    /// One try to append at `tip`, with its rows. [`CommitError::Contended`] where somebody else was there first: then everything must be
    /// read anew.
    pub(crate) async fn append_at(
        &self,
        log: &LogId,
        tip: &Tip,
        now: Timestamp,
        writes: Writes,
    ) -> Result<Vec<Entry>, CommitError> {
        let (items, entries) = self.prepare(log, tip, now, writes)?;
        match self.client.transact_write_items().set_transact_items(Some(items)).send().await {
            Ok(_) => Ok(entries),
            Err(error) if lost_race(error.as_service_error()) => {
                tracing::info!(target: "axiru::measured", metric = "Conflicts", value = 1_u64);
                Err(CommitError::Contended)
            }
            Err(error) => Err(AwsError::of("committing")(error).into()),
        }
    }

    fn prepare(
        &self,
        log: &LogId,
        tip: &Tip,
        now: Timestamp,
        writes: Writes,
    ) -> Result<(Vec<TransactWriteItem>, Vec<Entry>), CommitError> {
        let mut tip = *tip;
        let mut items = writes.rows;
        let mut entries = Vec::with_capacity(writes.drafts.len());
        for draft in &writes.drafts {
            let entry = draft.at_tip(&tip, now)?;
            tip = entry.next_tip();
            items.push(TransactWriteItem::builder().put(self.append(log, &entry)?).build());
            entries.push(entry);
        }
        if items.len() > MAX_ITEMS {
            return Err(CommitError::TooMany(items.len()));
        }
        Ok((items, entries))
    }

    fn append(&self, log: &LogId, entry: &Entry) -> Result<Put, CommitError> {
        Put::builder()
            .table_name(&self.ledger)
            .item("pk", s(log.key()))
            .item("seq", n(entry.seq()))
            .item("entry", b(entry.bytes()))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|_| AwsError::unexpected("committing", "request not built").into())
    }
}

/// The entry in an item of the ledger table, which must say of itself what its key says.
fn entry_of(item: &Item, log: &LogId) -> Result<Entry, CommitError> {
    let tip = || CommitError::Tip(log.clone());
    let entry = Entry::parse(bytes(item, "entry").map_err(|_| tip())?.to_vec()).map_err(|_| tip())?;
    let seq: u64 = crate::item::number(item, "seq").map_err(|_| tip())?;
    if entry.log() == log && entry.seq() == seq { Ok(entry) } else { Err(tip()) }
}

/// True when the transaction was cancelled because somebody else was there first, or at the same time.
fn lost_race(error: Option<&TransactWriteItemsError>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error else {
        return false;
    };
    // Every reason but these is a fault of the request itself and would come back each time.
    const RACES: [&str; 6] = [
        "None",
        "ConditionalCheckFailed",
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
        "DuplicateItem",
    ];
    cancelled.cancellation_reasons().iter().all(|reason| RACES.contains(&reason.code().unwrap_or("None")))
}

/// A wait drawn evenly between zero and the attempt's bound ("full jitter": AWS Architecture Blog, "Exponential Backoff And Jitter").
pub(crate) fn wait(attempt: u32) -> Duration {
    let bound = FIRST_WAIT_MS.saturating_mul(1 << attempt.min(10)).min(MAX_WAIT_MS);
    let mut random = [0_u8; 4];
    // Without random bytes the wait is the whole bound.
    let drawn = match rand::fill(&mut random) {
        Ok(()) => u32::from_be_bytes(random) % (bound + 1),
        Err(_) => bound,
    };
    Duration::from_millis(u64::from(drawn))
}
