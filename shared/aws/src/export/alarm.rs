//! What must not happen to a log, and what is done when it did: the log is closed for signing, and another log of the account tells of it.
//!
//! The closing mark is the attribute `alarm` of the lock's row. It is set in the same transaction as the entry in the other log, and every
//! move of the lock asks for its absence; so nothing is signed behind an alarm, and each is told once. Nothing ever takes it away:
//! `docs/operations.md` says what a person does. What passes by itself (a wrong clock) sets `told_<kind>` instead: it is told once for a log.

use std::fmt;

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use axiru_domain::{Actor, LogId, Mode, Scope, Timestamp};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use serde_json::{Value, json};

use crate::error::AwsError;
use crate::item::{key, s};
use crate::ledger::{CommitError, Writes};
use crate::store::{Store, StoreError};

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmKind {
    /// An entry was overwritten in the table.
    Modified,
    /// An entry was removed from the table.
    Removed,
    /// An entry is missing, and later ones are there.
    Gap,
    /// An entry does not follow from the one before, or is not the one that was signed.
    Chain,
    /// The table has fewer entries than were signed.
    Rollback,
    /// A file is there already with other bytes.
    Overwrite,
    /// The log is none of a connection's.
    Foreign,
    /// Something that this program cannot read as an entry of the log stands among its entries.
    Unreadable,
    /// The clock went back, or entries are from the future.
    Clock,
}

impl AlarmKind {
    /// The word in the entry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Modified => "modified",
            Self::Removed => "removed",
            Self::Gap => "gap",
            Self::Chain => "chain",
            Self::Rollback => "rollback",
            Self::Overwrite => "overwrite",
            Self::Foreign => "foreign",
            Self::Unreadable => "unreadable",
            Self::Clock => "clock",
        }
    }

    /// Whether the log stays closed when the cause is gone. A wrong clock is set right, and an entry that an older version of this program
    /// cannot read is read by the newer one that wrote it: nothing can be signed past either while it lasts. Nothing else is undone.
    #[must_use]
    pub const fn closes(self) -> bool {
        !matches!(self, Self::Clock | Self::Unreadable)
    }
}

impl fmt::Display for AlarmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that happened to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What.
    pub kind: AlarmKind,
    /// The first entry that it is about, where it is about one.
    pub seq: Option<u64>,
}

impl Alarm {
    /// The attribute that notes it: the one that closes the log, or one that only remembers that it was told.
    pub(super) fn attribute(self) -> String {
        if self.kind.closes() { super::lock::ALARM.to_owned() } else { format!("{}{}", super::lock::TOLD, self.kind) }
    }

    /// The text in the row.
    pub(super) fn to_mark(self) -> String {
        self.seq.map_or_else(|| self.kind.to_string(), |seq| format!("{} {seq}", self.kind))
    }
}

impl Store {
    /// Closes `log` for signing and tells of it in another log of the account, once.
    ///
    /// # Errors
    /// [`CommitError`]. Then raising it again does what is missing.
    pub(super) async fn raise(&self, log: &LogId, alarm: Alarm, now: fn() -> Timestamp) -> Result<(), CommitError> {
        let Some(other) = self.other_log(log).await? else {
            return Ok(self.mark_alarm(log, alarm).await?);
        };
        let Value::Object(fields) = json!({
            "alarm": alarm.kind.as_str(),
            "of_mode": log.scope.mode().as_str(),
            "of_lane": log.lane.number(),
            "of_seq": alarm.seq,
        }) else {
            return Ok(());
        };
        let draft = Draft { log: other.clone(), actor: Actor::Axiru, ty: EntryType::AlarmRaised, fields };
        let plan = || async {
            if self.export_lock(log).await?.has_told(alarm) {
                return Ok::<_, CommitError>(Writes::default());
            }
            let row = TransactWriteItem::builder().update(self.marking(log, alarm)?).build();
            Ok(Writes { drafts: vec![draft.clone()], rows: vec![row] })
        };
        self.commit(&other, now, plan).await.map(|_| ())
    }

    /// The log that tells of an alarm in `log`: another lane of its scope, otherwise the account's log of the other mode; none where there is
    /// neither.
    async fn other_log(&self, log: &LogId) -> Result<Option<LogId>, StoreError> {
        let mut lanes = Vec::new();
        for mode in [log.scope.mode(), other_mode(log.scope.mode())] {
            let scope = Scope::new(mode, log.scope.account().clone());
            if let Some(connection) = self.connection(&scope).await? {
                lanes.extend(connection.logs().filter(|found| found != log));
            }
        }
        // Lanes of the own scope come first, the lowest first of all.
        Ok(lanes.into_iter().next())
    }

    /// Sets the mark, unless there is one.
    async fn mark_alarm(&self, log: &LogId, alarm: Alarm) -> Result<(), StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.state)
            .set_key(Some(key(log.key(), super::lock::SK)))
            .update_expression("SET #mark = :alarm")
            .condition_expression("attribute_not_exists(#mark)")
            .expression_attribute_names("#mark", alarm.attribute())
            .expression_attribute_values(":alarm", s(alarm.to_mark()));
        match update.send().await {
            Err(error) if !error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Err(AwsError::of("closing a log")(error).into())
            }
            _ => Ok(()),
        }
    }

    fn marking(&self, log: &LogId, alarm: Alarm) -> Result<Update, AwsError> {
        Update::builder()
            .table_name(&self.state)
            .set_key(Some(key(log.key(), super::lock::SK)))
            .update_expression("SET #mark = :alarm")
            .condition_expression("attribute_not_exists(#mark)")
            .expression_attribute_names("#mark", alarm.attribute())
            .expression_attribute_values(":alarm", s(alarm.to_mark()))
            .build()
            .map_err(|_| AwsError::unexpected("closing a log", "request not built"))
    }
}

const fn other_mode(mode: Mode) -> Mode {
    match mode {
        Mode::Test => Mode::Live,
        Mode::Live => Mode::Test,
    }
}
