//! What rang: the ledger's stream, the schedule, or the queue of mails that came back.

use std::collections::BTreeSet;

use axiru_aws::StoreError;
use axiru_aws::mail::Mailer;
use axiru_domain::{LogId, Mode, Scope};
use axiru_runtime::metrics::{self, Metric};
use serde_json::{Value, json};

use crate::app::App;
use crate::deadline::Deadline;
use crate::post::PostError;
use crate::{NAME, follow, operators, reminders, resend, returns};

/// Something was not mailed. The next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum NotifyFailed {
    /// The connections could not be listed.
    #[error("{0}")]
    List(#[from] StoreError),
    /// How much was left; why is in the log.
    #[error("{0} pieces of work are left for the next run")]
    Some(usize),
}

/// Deals with what rang. Answers which messages come back, where it was the queue.
///
/// # Errors
/// [`NotifyFailed`], after everything that could be mailed was.
pub async fn handle(app: &App, event: &Value) -> Result<Value, lambda_runtime::Error> {
    let records = event.get("Records").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if records.iter().any(|record| record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs")) {
        return Ok(Box::pin(returns::note(app, records)).await);
    }
    let Some(mailer) = &app.mailer else {
        tracing::info!("no mail is sent: the deployment has no address to mail from");
        return Ok(json!({ "batchItemFailures": [] }));
    };
    let rung = logs_of(records);
    let left = if rung.is_empty() { Box::pin(everything(app, mailer)).await? } else { logs(app, mailer, rung).await };
    if left > 0 {
        Err(NotifyFailed::Some(left).into())
    } else {
        // The stream's mapping reports failures by item; this one either fails as a whole or not at all.
        Ok(json!({ "batchItemFailures": [] }))
    }
}

/// The logs whose keys stand in a batch of the ledger table's stream.
fn logs_of(records: &[Value]) -> BTreeSet<LogId> {
    let keys = records.iter().filter_map(|record| record.pointer("/dynamodb/Keys/pk/S"));
    keys.filter_map(|key| LogId::from_key(key.as_str()?).ok()).collect()
}

/// Follows logs; how many could not be followed to their end.
async fn logs(app: &App, mailer: &Mailer, logs: impl IntoIterator<Item = LogId>) -> usize {
    let deadline = Deadline::start();
    let mut left = 0;
    for log in logs {
        // Boxed, here and below: the compiler gives up on a future that nests this deep.
        if let Err(error) = Box::pin(follow::follow(app, mailer, &log, deadline)).await {
            tracing::error!(log = %log, error = %error, "what a log says could not be mailed");
            metrics::count(NAME, Some(log.scope.mode()), Metric::MailPutOff, 1);
            left += 1;
        }
    }
    left
}

/// What the schedule does, in every scope: what a doorbell did not ring for or could not do, new links, reminders, and the digest.
async fn everything(app: &App, mailer: &Mailer) -> Result<usize, StoreError> {
    let deadline = Deadline::start();
    let mut left = 0;
    for mode in Mode::ALL {
        for connection in app.store.connections(mode).await? {
            left += logs(app, mailer, connection.logs()).await;
            let scope = &connection.scope;
            let links = Box::pin(resend::resend(app, mailer, scope, deadline)).await;
            let reminders = Box::pin(reminders::remind(app, mailer, scope, deadline)).await;
            let operators = Box::pin(operators::tell(app, mailer, &connection)).await;
            for (part, outcome) in [("links", links), ("reminders", reminders), ("operators", operators)] {
                left += usize::from(!done(scope, part, outcome));
            }
        }
    }
    Ok(left)
}

/// Whether a part of a run succeeded; logs it where it did not. One part does not hold back the others.
fn done(scope: &Scope, part: &'static str, outcome: Result<(), PostError>) -> bool {
    match outcome {
        // Whoever is at it does it.
        Ok(()) | Err(PostError::Busy) => true,
        Err(error) => {
            tracing::error!(scope = %scope, part, error = %error, "mail could not be sent");
            metrics::count(NAME, Some(scope.mode()), Metric::MailPutOff, 1);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_only_a_doorbell() {
        let batch = json!([
            {"eventSource": "aws:dynamodb", "dynamodb": {"Keys": {"pk": {"S": "test#acct_1#0"}, "seq": {"N": "3"}}}},
            {"eventSource": "aws:dynamodb", "dynamodb": {"Keys": {"pk": {"S": "test#acct_1#0"}, "seq": {"N": "2"}}}},
            {"eventSource": "aws:dynamodb", "dynamodb": {"Keys": {"pk": {"S": "../x"}}}},
            {},
        ]);
        let logs = logs_of(batch.as_array().unwrap());
        assert_eq!(logs.into_iter().map(|log| log.key()).collect::<Vec<_>>(), ["test#acct_1#0"]);
        assert!(logs_of(&[]).is_empty());
    }
}
