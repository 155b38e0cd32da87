//! What can go wrong at one HTTP attempt.

use std::fmt;
use std::time::Duration;

use crate::call::{Service, is_read};

/// One thing that goes wrong at one attempt. "Before" means that nothing was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 500 before.
    Fail,
    /// Connection reset before.
    Reset,
    /// Applied, then 500.
    ApplyThenFail,
    /// Applied, then the connection is reset.
    ApplyThenReset,
    /// Connection reset now; applied just before the attempt that comes `after` attempts later: a slow write that
    /// overtakes its own retry or its recovery.
    ApplyLate {
        /// 1 is the very next attempt of any client of the account.
        after: usize,
    },
    /// Before: `TransactionCanceledException` whose reasons are `TransactionConflict` without items,
    /// `TransactionConflictException` for a single write, 409 for a conditional put to S3.
    Conflict,
    /// Before: `TransactionInProgressException`, as for a token whose first attempt has not ended.
    InProgress,
    /// Before: throttled in the service's own words.
    Throttle,
    /// Only part of a batch is done: half of the keys of BatchGetItem come back unprocessed, half of the entries of
    /// SendMessageBatch as failed.
    Partial,
    /// SQS is at least once: a message sent is stored twice; a message received stays visible.
    Duplicate,
    /// Applied after this time and answered without an error (tokio's clock).
    Delay(Duration),
    /// The process dies before the request is applied: the call never answers, nor does any later call of the process.
    Crash,
    /// The process dies after the request was applied.
    ApplyThenCrash,
}

impl Fault {
    /// Every fault that makes sense at an operation, in the order the enumerator tries them. Delays are not among
    /// them: a delay alone changes nothing.
    pub fn applicable(service: Service, operation: &str) -> Vec<Self> {
        let mut faults = vec![Self::Fail, Self::Reset, Self::Throttle, Self::Crash];
        if !is_read(operation) {
            faults.extend([
                Self::ApplyThenFail,
                Self::ApplyThenReset,
                Self::ApplyThenCrash,
                Self::ApplyLate { after: 1 },
                Self::ApplyLate { after: 2 },
            ]);
        }
        let more: &[Self] = match (service, operation) {
            (Service::DynamoDb, "TransactWriteItems") => &[Self::Conflict, Self::InProgress],
            (Service::DynamoDb, "TransactGetItems" | "PutItem" | "UpdateItem" | "DeleteItem") => &[Self::Conflict],
            (Service::DynamoDb, "BatchGetItem") => &[Self::Partial],
            (Service::Sqs, "SendMessageBatch") => &[Self::Partial, Self::Duplicate],
            (Service::Sqs, "SendMessage" | "ReceiveMessage") => &[Self::Duplicate],
            (Service::S3, "PutObject") => &[Self::Conflict],
            _ => &[],
        };
        faults.extend_from_slice(more);
        faults
    }

    /// Whether the process dies of it.
    pub fn is_crash(self) -> bool {
        matches!(self, Self::Crash | Self::ApplyThenCrash)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fail => f.write_str("fail"),
            Self::Reset => f.write_str("reset"),
            Self::ApplyThenFail => f.write_str("apply, then fail"),
            Self::ApplyThenReset => f.write_str("apply, then reset"),
            Self::ApplyLate { after } => write!(f, "apply late, {after} later"),
            Self::Conflict => f.write_str("conflict"),
            Self::InProgress => f.write_str("in progress"),
            Self::Throttle => f.write_str("throttle"),
            Self::Partial => f.write_str("partial batch"),
            Self::Duplicate => f.write_str("duplicate"),
            Self::Delay(time) => write!(f, "delay of {time:?}"),
            Self::Crash => f.write_str("crash"),
            Self::ApplyThenCrash => f.write_str("apply, then crash"),
        }
    }
}
