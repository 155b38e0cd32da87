//! Following a log: what each entry asks to be mailed, in order, and the cursor behind what was dealt with.

use axiru_aws::mail::Mailer;
use axiru_domain::LogId;
use axiru_ledger::entry::Entry;
use serde_json::Value;

use crate::app::App;
use crate::deadline::Deadline;
use crate::post::PostError;
use crate::{asked, called_in, ended};

/// Deals with what stands behind the cursor of a log. What cannot be dealt with now holds back what is behind it: a person must not hear of
/// the end of what they were never asked about.
pub(crate) async fn follow(app: &App, mailer: &Mailer, log: &LogId, deadline: Deadline) -> Result<(), PostError> {
    let mut cursor = app.store.cursor(log).await?;
    while !deadline.is_over() {
        let entries = app.store.follow(&cursor).await?;
        if entries.is_empty() {
            return Ok(());
        }
        let (mut next, mut outcome) = (cursor.next, Ok(()));
        for entry in &entries {
            outcome = deal(app, mailer, entry).await;
            if outcome.is_err() {
                break;
            }
            next = entry.seq() + 1;
            if deadline.is_over() {
                break;
            }
        }
        let moved = next > cursor.next && app.store.advance(&mut cursor, next).await?;
        match outcome {
            // Whoever is at it moves the cursor, or the next run does.
            Err(PostError::Busy) => return Ok(()),
            Err(error) => return Err(error),
            Ok(()) if !moved => return Ok(()),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// What one entry asks for. Doing it again does no harm.
async fn deal(app: &App, mailer: &Mailer, entry: &Entry) -> Result<(), PostError> {
    let word = |name: &str| entry.fields().get(name).and_then(Value::as_str);
    let scope = &entry.log().scope;
    match entry.ty() {
        "approval.requested" => match word("request").and_then(|id| id.parse().ok()) {
            Some(id) => Box::pin(asked::ask(app, mailer, scope, &id)).await,
            None => Ok(()),
        },
        // An address that bounced may have been repaired, and nothing is remembered of who is gone.
        "person.alias_changed" | "person.removed" => match word("person").and_then(|id| id.parse().ok()) {
            Some(person) => Ok(Box::pin(app.store.forget_returns(scope, &person)).await?),
            None => Ok(()),
        },
        "links.revoked" => Box::pin(called_in::mail_anew(app, mailer, entry)).await,
        _ if ended::may_end(entry) => Box::pin(ended::tell(app, mailer, entry)).await,
        _ => Ok(()),
    }
}
