//! Export: from the ledger table to files in S3 that strangers can check.
//!
//! The protocol is Sunlight's, with the entries already durable: read the lock; derive the next segment from the table; sign its
//! checkpoint; move the lock from the old size and root to the new with one conditional write, which is the commit point; only then write the
//! files. Every file is a pure function of the lock and the entries, so a crash anywhere only repeats work: the next run
//! first writes the files of the lock it finds, then goes on. Files are written where none is (`If-None-Match: *`);
//! one that is there already must be the same to the byte, otherwise nothing more is signed.
//!
//! Before the first signature of a run the bucket is asked, too, how far the log was signed ([`ahead`]): both tables may have been restored.
//!
//! Anything that no part of Axiru does to a log closes it for signing ([`alarm`]); nothing is ever repaired by signing anew.
//!
//! Lock row: pk `<log>`, sk `export`; `size`, `root`, `peaks` (the tree's right edge), `last_leaf`, `first` (first entry of the last segment),
//! `note` (its signed checkpoint), `published` and `published_root` (up to where files are written), `signed_at`, `days` (signed, without daily
//! files), `heartbeat` (day of the last one that is signed), `sealed` (last day with files, and hash of its manifest), `alarm`, `told_*`.

mod ahead;
mod alarm;
mod bucket;
mod lock;
mod next;
mod rebuilt;
mod seal_day;
mod signer;
mod write;

pub use alarm::{Alarm, AlarmKind};
pub use bucket::{Bucket, PutError, Retention, Versions};
pub(crate) use rebuilt::{HELD_BACK, LOCK, rebuilt};
pub use signer::Signer;

use axiru_domain::{LogId, Mode, Timestamp};
use axiru_ledger::checkpoint::{Checkpoint, origin};
use axiru_ledger::daily::DayError;
use axiru_ledger::growth::GrowthError;

use crate::error::{AwsError, Retry};
use crate::ledger::CommitError;
use crate::store::{Store, StoreError};
use lock::Lock;
use next::Next;
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
    /// The log is not one of a connection's: nobody here writes it.
    #[error("{0} is the log of no connection")]
    Foreign(LogId),
    /// The clock is before the last signature, or entries are from the future.
    #[error("the clock says {now}, and {log} has something of {seen}")]
    Clock {
        /// The log.
        log: LogId,
        /// What the clock says.
        now: Timestamp,
        /// What was seen.
        seen: Timestamp,
    },
    /// An entry was overwritten or removed, as the table's stream told.
    #[error("entry {seq} of {log} was {kind}")]
    Tampered {
        /// The log.
        log: LogId,
        /// The entry.
        seq: u64,
        /// What was done to it.
        kind: AlarmKind,
    },
    /// An earlier alarm closed the log.
    #[error("{log} is closed for signing since `{alarm}`")]
    Closed {
        /// The log.
        log: LogId,
        /// What closed it.
        alarm: String,
    },
    /// The tree's files do not follow from what is signed and written.
    #[error("the tree's files cannot be made: {0}")]
    Growth(#[from] GrowthError),
    /// The files of a day cannot be made.
    #[error("the files of a day cannot be made: {0}")]
    Day(#[from] DayError),
}

impl ExportError {
    /// True when this can only be tampering, a restore, a wrong clock or a fault of ours: nothing more of the log is signed.
    #[must_use]
    pub const fn is_alarm(&self) -> bool {
        self.alarm().is_some() || matches!(self, Self::Closed { .. } | Self::Growth(_) | Self::Day(_))
    }

    /// The alarm that it raises.
    #[must_use]
    pub const fn alarm(&self) -> Option<Alarm> {
        let (kind, seq) = match self {
            Self::Rollback { found, .. } => (AlarmKind::Rollback, Some(*found)),
            Self::Chain { seq, .. } => (AlarmKind::Chain, Some(*seq)),
            Self::Gap { seq, .. } => (AlarmKind::Gap, Some(*seq)),
            Self::Tampered { seq, kind, .. } => (*kind, Some(*seq)),
            Self::Overwrite(_) | Self::Day(DayError::Stored | DayError::Gzip(_)) => (AlarmKind::Overwrite, None),
            Self::Foreign(_) => (AlarmKind::Foreign, None),
            Self::Ledger(CommitError::Tip(_)) => (AlarmKind::Unreadable, None),
            Self::Clock { .. } => (AlarmKind::Clock, None),
            _ => return None,
        };
        Some(Alarm { kind, seq })
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
    /// Days whose files were written.
    pub days: u32,
    /// How long the oldest entry that was signed now had waited for it, in seconds.
    pub waited_secs: u64,
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

/// How far two clocks may be apart, in seconds: those of Lambda's hosts are within milliseconds of each other.
const CLOCK_SECS: i64 = 300;

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

    /// Brings the export of one log up to its tip, unless a checkpoint was signed only just now, and writes the files of finished days.
    /// What cannot be but tampering closes the log and is told in another one.
    ///
    /// # Errors
    /// [`ExportError`]. Nothing is lost or half done: another run goes on from there.
    pub async fn export(&self, log: &LogId) -> Result<Exported, ExportError> {
        match self.run(log).await {
            Err(error) if error.alarm().is_some() => Err(self.alarmed(log, error).await),
            done => done,
        }
    }

    /// An entry of a log was overwritten or removed: its table's stream says so. Gives [`ExportError::Tampered`] when the alarm is raised,
    /// otherwise why it could not be.
    pub async fn tampered(&self, log: &LogId, seq: u64, kind: AlarmKind) -> ExportError {
        self.alarmed(log, ExportError::Tampered { log: log.clone(), seq, kind }).await
    }

    /// Whether the tables are being restored: then the log's entries come before its connection, and nothing is exported.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_held_back(&self, log: &LogId) -> Result<bool, StoreError> {
        Ok(self.store.export_lock(log).await?.restoring)
    }

    /// The log is none of a connection's. Gives what [`Self::tampered`] does.
    pub async fn foreign(&self, log: &LogId) -> ExportError {
        self.alarmed(log, ExportError::Foreign(log.clone())).await
    }

    async fn alarmed(&self, log: &LogId, error: ExportError) -> ExportError {
        let Some(alarm) = error.alarm() else { return error };
        match self.store.raise(log, alarm, self.clock).await {
            Ok(()) => error,
            // The alarm must not be lost: what keeps it from being raised is told, and the next run finds it again.
            Err(raising) => {
                tracing::error!(log = %log, error = %error, "an alarm could not be raised");
                raising.into()
            }
        }
    }

    async fn run(&self, log: &LogId) -> Result<Exported, ExportError> {
        let mut lock = self.store.export_lock(log).await?;
        if lock.restoring {
            return Ok(Exported { segments: 0, size: 0, days: 0, waited_secs: 0 });
        }
        self.check_open(log, &lock)?;
        if let Some(unwritten) = self.again(log, &lock).await? {
            self.write(log, &mut lock, &unwritten).await?;
        }
        let (mut segments, mut waited_secs) = (0, 0);
        while segments < MAX_SEGMENTS {
            // One checkpoint per log and interval; what one read finds beyond a day's end or a full segment follows at once.
            if segments == 0 && lock.signed_at.is_some_and(|at| at.plus_secs(self.checkpoint_secs) > (self.clock)()) {
                break;
            }
            let Some(next) = self.next(log, &lock).await? else {
                break;
            };
            if segments == 0 {
                self.check_bucket(log, &lock).await?;
            }
            let waited = next.first_at().map_or(0, |at| (self.clock)().millis() - at.millis()) / 1_000;
            waited_secs = waited_secs.max(u64::try_from(waited).unwrap_or_default());
            if let Some(moved) = self.sign(log, &lock, &next).await? {
                lock = moved;
                self.write(log, &mut lock, &next).await?;
            } else {
                // Another exporter was faster, or a write of ours whose answer was lost came late: its files are ours to write.
                lock = self.store.export_lock(log).await?;
                self.check_open(log, &lock)?;
                if let Some(unwritten) = self.again(log, &lock).await? {
                    self.write(log, &mut lock, &unwritten).await?;
                }
            }
            segments += 1;
        }
        let days = if lock.finished_day().is_some() { self.seal_days(log).await? } else { 0 };
        Ok(Exported { segments, size: lock.published, days, waited_secs })
    }

    /// Nothing is signed of a closed log, nor while the clock is before the last signature.
    fn check_open(&self, log: &LogId, lock: &Lock) -> Result<(), ExportError> {
        if let Some(alarm) = &lock.alarm {
            return Err(ExportError::Closed { log: log.clone(), alarm: alarm.clone() });
        }
        let now = (self.clock)();
        match lock.signed_at.filter(|at| *at > now.plus_secs(CLOCK_SECS)) {
            Some(seen) => Err(ExportError::Clock { log: log.clone(), now, seen }),
            None => Ok(()),
        }
    }

    /// Signs the checkpoint that ends in `next` and moves the lock; none when another exporter was faster.
    async fn sign(&self, log: &LogId, lock: &Lock, next: &Next) -> Result<Option<Lock>, ExportError> {
        let tree = next.growth.edge.range();
        let origin = self.origin(log);
        let text = Checkpoint { origin: origin.clone(), size: tree.size(), root: tree.root() }.text();
        let note = self.signer.sign(&origin, &text).await?;
        let moved = Lock {
            last_leaf: next.last_leaf(),
            first: next.segment.first,
            note: Some(note),
            signed_at: Some((self.clock)()),
            days: next.days(&lock.days, tree.root()),
            heartbeat: next.heartbeat().max(lock.heartbeat),
            tree,
            ..lock.clone()
        };
        if self.store.move_export_lock(log, lock, &moved).await? { Ok(Some(moved)) } else { Ok(None) }
    }

    fn origin(&self, log: &LogId) -> String {
        origin(&self.deployment, log)
    }
}
