//! Export: from the ledger table to files in S3 that strangers can check.
//!
//! The protocol is Sunlight's, with the entries already durable: read the lock; derive the next segment from the table; sign its
//! checkpoint; move the lock from the old size and root to the new with one conditional write, which is the commit point; only then write the
//! files. Every file is a pure function of the lock and the entries, so a crash anywhere only repeats work: the next run
//! first writes the files of the lock it finds, then goes on. Files are written where none is (`If-None-Match: *`);
//! one that is there already must be the same to the byte, otherwise nothing more is signed.
//!
//! Lock row: pk `<log>`, sk `export`; `size`, `root`, `peaks` (the tree's right edge), `at` (of the last entry), `first`
//! (first entry of the last segment), `note` (its signed checkpoint), `published` (size up to which files are written), `signed_at`.

mod bucket;
mod lock;
mod signer;

pub use bucket::{Bucket, PutError};
pub use signer::Signer;

use axiru_domain::{LogId, Mode, Scope, Timestamp};
use axiru_ledger::checkpoint::Checkpoint;
use axiru_ledger::entry::Entry;
use axiru_ledger::hash::Hash;
use axiru_ledger::layout::Name;
use axiru_ledger::segment::{self, Segment};

use crate::error::{AwsError, Retry};
use crate::ledger::CommitError;
use crate::store::{Store, StoreError};
use lock::Lock;
use signer::SignError;

/// Why a log could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A call to AWS, of the bucket or the key.
    #[error("{0}")]
    Aws(#[from] AwsError),
    /// The lock's row.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The entries.
    #[error("{0}")]
    Ledger(#[from] CommitError),
    /// The checkpoint could not be signed.
    #[error("{0}")]
    Sign(#[from] SignError),
    /// The table has fewer entries than have been signed: it was restored to an earlier point, or entries were removed.
    #[error("{log} has {found} entries, but {signed} have been signed")]
    Rollback {
        /// The log.
        log: LogId,
        /// Entries found.
        found: u64,
        /// Entries signed.
        signed: u64,
    },
    /// An entry does not follow from the one before, or the one that was signed is not the one in the table.
    #[error("entry {seq} of {log} does not follow from the one before")]
    Chain {
        /// The log.
        log: LogId,
        /// The entry.
        seq: u64,
    },
    /// Entries exist beyond a number that has none.
    #[error("entry {seq} of {log} is missing")]
    Gap {
        /// The log.
        log: LogId,
        /// The missing entry.
        seq: u64,
    },
    /// A file is there already with other bytes.
    #[error("`{0}` is there already with other bytes")]
    Overwrite(String),
}

impl ExportError {
    /// True when this can only be tampering, a restore or a fault of ours: nothing more of the log is signed.
    #[must_use]
    pub const fn is_alarm(&self) -> bool {
        matches!(
            self,
            Self::Rollback { .. }
                | Self::Chain { .. }
                | Self::Gap { .. }
                | Self::Overwrite(_)
                | Self::Ledger(CommitError::Tip(_))
        )
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Aws(error) | Self::Store(StoreError::Aws(error)) | Self::Sign(SignError::Aws(error)) => error.retry(),
            Self::Ledger(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}

impl From<PutError> for ExportError {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Aws(error) => Self::Aws(error),
            PutError::Different(name) => Self::Overwrite(name),
        }
    }
}

/// What one run did for one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Segments written.
    pub segments: u32,
    /// Entries that are signed and written now.
    pub size: u64,
}

/// Exports logs.
pub struct Exporter {
    store: Store,
    bucket: Bucket,
    signer: Signer,
    deployment: String,
    checkpoint_secs: i64,
    clock: fn() -> Timestamp,
}

/// Most segments that one run writes for one log: 32 of 4,096 entries are more than a day's at full speed.
const MAX_SEGMENTS: u32 = 32;

impl Exporter {
    /// For a deployment, with at most one checkpoint per log every `checkpoint_secs`.
    #[must_use]
    pub fn new(store: Store, bucket: Bucket, signer: Signer, deployment: &str, checkpoint_secs: i64) -> Self {
        Self { store, bucket, signer, deployment: deployment.to_owned(), checkpoint_secs, clock: Timestamp::now }
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> Timestamp) -> Self {
        self.clock = clock;
        self
    }

    /// Every log that may have entries: the lanes of every connection.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn logs(&self) -> Result<Vec<LogId>, StoreError> {
        let mut logs = Vec::new();
        for mode in Mode::ALL {
            for connection in self.store.connections(mode).await? {
                logs.extend(connection.logs());
            }
        }
        Ok(logs)
    }

    /// Brings the export of one log up to its tip, unless a checkpoint was signed only just now.
    ///
    /// # Errors
    /// [`ExportError`]. Nothing is lost or half done: another run goes on from there.
    pub async fn export(&self, log: &LogId) -> Result<Exported, ExportError> {
        let mut lock = self.store.export_lock(log).await?;
        self.publish(log, &mut lock).await?;
        let mut segments = 0;
        while segments < MAX_SEGMENTS {
            // One checkpoint per log and interval; what one read finds beyond a day's end or a full segment follows at once.
            if segments == 0 && lock.signed_at.is_some_and(|at| at.plus_secs(self.checkpoint_secs) > (self.clock)()) {
                break;
            }
            let Some(segment) = self.next_segment(log, &lock).await? else {
                break;
            };
            lock = match self.sign(log, &lock, &segment).await? {
                Some(moved) => moved,
                // Another exporter was faster, or a write of ours whose answer was lost came late: its files are ours to write.
                None => self.store.export_lock(log).await?,
            };
            self.publish(log, &mut lock).await?;
            segments += 1;
        }
        Ok(Exported { segments, size: lock.published })
    }

    /// The entries behind the lock, as the next segment.
    async fn next_segment(&self, log: &LogId, lock: &Lock) -> Result<Option<(Segment, Vec<Entry>)>, ExportError> {
        let entries = self.store.entries(log, lock.size(), segment::MAX_ENTRIES).await?;
        if entries.is_empty() {
            self.check_tip(log, lock).await?;
            return Ok(None);
        }
        let mut before = self.entry_before(log, lock).await?;
        for entry in &entries {
            let follows = match &before {
                Some(before) => entry.prev() == before.leaf_hash() && entry.at() >= before.at(),
                None => entry.prev() == Hash::ZERO,
            };
            if !follows {
                return Err(ExportError::Chain { log: log.clone(), seq: entry.seq() });
            }
            before = Some(entry.clone());
        }
        Ok(segment::cut(&entries).map(|segment| (segment, entries)))
    }

    /// Nothing follows the lock: the tip must be exactly there.
    async fn check_tip(&self, log: &LogId, lock: &Lock) -> Result<(), ExportError> {
        let tip = self.store.tip(log).await?;
        match tip.seq.cmp(&lock.size()) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Less => {
                Err(ExportError::Rollback { log: log.clone(), found: tip.seq, signed: lock.size() })
            }
            // An entry may have landed since the read: only one that is still missing on a second look is a gap.
            std::cmp::Ordering::Greater if self.store.entries(log, lock.size(), 1).await?.is_empty() => {
                Err(ExportError::Gap { log: log.clone(), seq: lock.size() })
            }
            std::cmp::Ordering::Greater => Ok(()),
        }
    }

    /// The last entry that was signed, as it stands in the table now; it must still be the leaf it was.
    async fn entry_before(&self, log: &LogId, lock: &Lock) -> Result<Option<Entry>, ExportError> {
        let Some(last) = lock.size().checked_sub(1) else {
            return Ok(None);
        };
        let entry = self.store.entries(log, last, 1).await?.into_iter().next();
        match entry {
            Some(entry) if lock.last_leaf == Some(entry.leaf_hash()) => Ok(Some(entry)),
            Some(_) => Err(ExportError::Chain { log: log.clone(), seq: last }),
            None => Err(ExportError::Gap { log: log.clone(), seq: last }),
        }
    }

    /// Signs the checkpoint that ends in `segment` and moves the lock; none when another exporter was faster.
    async fn sign(
        &self,
        log: &LogId,
        lock: &Lock,
        (segment, entries): &(Segment, Vec<Entry>),
    ) -> Result<Option<Lock>, ExportError> {
        let mut tree = lock.tree.clone();
        let mut last_leaf = lock.last_leaf;
        for entry in entries.iter().take_while(|entry| entry.seq() <= segment.last) {
            let leaf = entry.leaf_hash();
            tree.push(leaf);
            last_leaf = Some(leaf);
        }
        let origin = axiru_ledger::checkpoint::origin(&self.deployment, log);
        let text = Checkpoint { origin: origin.clone(), size: tree.size(), root: tree.root() }.text();
        let note = self.signer.sign(&origin, &text).await?;
        let moved = Lock {
            tree,
            last_leaf,
            first: segment.first,
            note: Some(note),
            published: lock.published,
            signed_at: Some((self.clock)()),
        };
        if self.store.move_export_lock(log, lock, &moved).await? { Ok(Some(moved)) } else { Ok(None) }
    }

    /// Writes the files of the lock's last segment, unless that was done.
    async fn publish(&self, log: &LogId, lock: &mut Lock) -> Result<(), ExportError> {
        let size = lock.size();
        let Some(note) = lock.note.clone().filter(|_| lock.published < size) else {
            return Ok(());
        };
        let count = usize::try_from(size - lock.first).unwrap_or(usize::MAX);
        let entries = self.store.entries(log, lock.first, count).await?;
        let Some(segment) = segment::cut(&entries).filter(|segment| segment.last + 1 == size) else {
            return Err(ExportError::Gap { log: log.clone(), seq: lock.first + entries.len() as u64 });
        };
        // What is written is what was signed: the last leaf pins the chain of the whole segment.
        if entries.last().map(Entry::leaf_hash) != lock.last_leaf {
            return Err(ExportError::Chain { log: log.clone(), seq: segment.last });
        }
        for sha256 in plans_named(&entries) {
            self.publish_plan(&log.scope, &sha256).await?;
        }
        let key = self.signer.verifier_key(&axiru_ledger::checkpoint::origin(&self.deployment, log)).await?;
        let line = format!("{key}\n");
        self.bucket.put_once(&Name::Key(log.clone()).text(), line.as_bytes()).await?;
        self.bucket.put_once(&segment.name().text(), &segment.bytes).await?;
        self.bucket.put_once(&Name::Note(log.clone(), size).text(), note.as_bytes()).await?;
        if segment.first == 0 {
            self.bucket.add_line(&Name::AllKeys.text(), &line).await?;
        }
        self.bucket.put(&Name::Newest(log.clone()).text(), note.as_bytes()).await?;
        self.store.mark_published(log, size).await?;
        lock.published = size;
        Ok(())
    }

    async fn publish_plan(&self, scope: &Scope, sha256: &str) -> Result<(), ExportError> {
        let (Ok(hash), Some(document)) = (sha256.parse(), self.store.plan_document(scope, sha256).await?) else {
            // The plan was unusable when it was asked, and the entry says so; `verify` will name it.
            return Ok(());
        };
        Ok(self.bucket.put_once(&Name::Plan(scope.clone(), hash).text(), &document).await?)
    }
}

/// The plan documents that entries name, none twice.
fn plans_named(entries: &[Entry]) -> std::collections::BTreeSet<String> {
    entries.iter().flat_map(axiru_ledger::entry::Entry::plans).map(|hash| hash.to_string()).collect()
}
