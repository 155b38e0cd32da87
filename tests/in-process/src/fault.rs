//! What can go wrong at one HTTP attempt.

use std::fmt;
use std::time::Duration;

use crate::call::{Service, is_read};

/// One thing that goes wrong at one attempt. "Before" means that nothing was applied.
///
/// At a call to Stripe, a 500 is remembered under the call's idempotency key (Stripe's own words for that are in the sandbox's
/// `Mishap`), so [`Fault::Fail`] is not mended by a retry with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 500 before.
    Fail,
    /// Connection reset before.
    Reset,
    /// Stripe only: the request did not leave.
    NotSent,
    /// Stripe only: no answer in time, before.
    TimeOut,
    /// Applied, then 500.
    ApplyThenFail,
    /// Applied, then the connection is reset.
    ApplyThenReset,
    /// Stripe only: applied, then no answer in time.
    ApplyThenTimeOut,
    /// Connection reset (by Stripe: no answer in time) now; applied just before the attempt that comes `after` attempts later: a slow write that
    /// overtakes its own retry or its recovery.
    ApplyLate {
        /// 1 is the very next attempt of any client of the account.
        after: usize,
    },
    /// Before: `TransactionCanceledException` whose reasons are `TransactionConflict` without items,
    /// `TransactionConflictException` for a single write, 409 for a conditional put to S3, 429 `lock_timeout` from Stripe.
    Conflict,
    /// Before: `TransactionInProgressException`, as for a token whose first attempt has not ended; from Stripe 409
    /// `idempotency_key_in_use`.
    InProgress,
    /// Before: throttled in the service's own words; by Stripe for `global-rate`.
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
        if service == Service::Stripe {
            return Self::applicable_at_stripe(operation);
        }
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

    fn applicable_at_stripe(operation: &str) -> Vec<Self> {
        let mut faults = vec![
            Self::NotSent,
            Self::Reset,
            Self::TimeOut,
            Self::ApplyThenTimeOut,
            Self::ApplyThenReset,
            Self::Fail,
            Self::Throttle,
            Self::Crash,
            Self::ApplyThenCrash,
        ];
        if !is_read(operation) {
            faults.extend([
                Self::ApplyThenFail,
                Self::InProgress,
                Self::Conflict,
                Self::ApplyLate { after: 1 },
                Self::ApplyLate { after: 2 },
            ]);
        }
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
            Self::NotSent => f.write_str("not sent"),
            Self::TimeOut => f.write_str("time out"),
            Self::ApplyThenTimeOut => f.write_str("apply, then time out"),
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
