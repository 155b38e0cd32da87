//! Mails that came back, as the queue has them.

use axiru_aws::Retry;
use axiru_aws::mail::Noted;
use axiru_aws::mail::event::Event;
use axiru_runtime::batch::guarded;
use axiru_runtime::metrics::{self, Metric};
use serde_json::{Value, json};

use crate::NAME;
use crate::app::App;

/// Notes what the messages of a batch tell. Answers which of them come back.
pub(crate) async fn note(app: &App, records: &[Value]) -> Value {
    let mut failed = Vec::new();
    for record in records {
        let id = record.get("messageId").and_then(Value::as_str).unwrap_or_default();
        let body = record.get("body").and_then(Value::as_str).unwrap_or_default();
        let done = guarded(one(app, body)).await.unwrap_or_else(|panicked| {
            tracing::error!(message.id = %id, error = %panicked, "a return could not be noted");
            false
        });
        if !done {
            failed.push(json!({ "itemIdentifier": id }));
        }
    }
    json!({ "batchItemFailures": failed })
}

/// One message; true when nothing is left to do for it.
async fn one(app: &App, body: &str) -> bool {
    let returned = match Event::parse(body) {
        Ok(Event::Returned(returned)) => returned,
        Ok(Event::Delayed) => {
            metrics::count(NAME, None, Metric::MailsDelayed, 1);
            return true;
        }
        Ok(Event::Foreign) => {
            metrics::count(NAME, None, Metric::ReturnsForeign, 1);
            return true;
        }
        Err(error) => {
            // It ends in the dead-letter queue, where somebody can look at it.
            tracing::error!(error = %error, "a message of the queue of returns cannot be read");
            metrics::count(NAME, None, Metric::ReturnsUnreadable, 1);
            return false;
        }
    };
    let (scope, person, kind) = (&returned.scope, &returned.person, returned.kind);
    match app.store.mail_returned(&returned, app.now).await {
        Ok(Noted::Noted) => {
            tracing::warn!(scope = %scope, person.id = %person, kind = %kind, "a mail came back");
            metrics::count(NAME, Some(scope.mode()), Metric::MailsReturned, 1);
            true
        }
        Ok(Noted::Before) => true,
        Ok(Noted::Nobody) => {
            metrics::count(NAME, Some(scope.mode()), Metric::ReturnsForeign, 1);
            true
        }
        Err(error) => {
            let retry = error.retry() == Retry::Later;
            tracing::error!(scope = %scope, person.id = %person, error = %error, retry, "a return could not be noted");
            false
        }
    }
}
