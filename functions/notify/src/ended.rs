//! Telling those who were asked how it ended.

use axiru_aws::approval::Held;
use axiru_aws::mail::Mailer;
use axiru_domain::{Choice, StripeId};
use axiru_ledger::entry::Entry;
use axiru_pages::{Answered, Ending, mail, reason};
use serde_json::Value;

use crate::app::App;
use crate::post::{self, PostError};

fn word<'a>(entry: &'a Entry, name: &str) -> Option<&'a str> {
    entry.fields().get(name).and_then(Value::as_str)
}

/// Whether an entry may be about the end of what people were asked about. Whether they were, only the request's row knows.
pub(crate) fn may_end(entry: &Entry) -> bool {
    match entry.ty() {
        "decision.expired" => matches!(word(entry, "before"), Some("pending" | "approved")),
        "approval.denied" | "approval.cancelled" | "decision.settled" => true,
        "execution.succeeded" | "execution.failed" | "execution.unknown" => true,
        _ => false,
    }
}

/// How it ended, as the entry says.
fn ending(entry: &Entry, held: &Held) -> Option<Ending> {
    let object = || word(entry, "object").and_then(|object| object.parse::<StripeId>().ok());
    Some(match entry.ty() {
        "approval.denied" => {
            let person = word(entry, "person")?.parse().ok()?;
            Ending::Denied(Answered { by: held.name_of(&person), choice: Choice::Deny, at: entry.at() })
        }
        "decision.expired" if word(entry, "before") == Some("pending") => Ending::Expired,
        "decision.expired" => Ending::NotBegun,
        "approval.cancelled" => Ending::Cancelled { why: reason::sentence(word(entry, "reason")?) },
        "execution.succeeded" | "decision.settled" => Ending::Made { object: object() },
        "execution.failed" if word(entry, "reason") == Some("stripe_refused") => {
            Ending::Refused { code: word(entry, "stripe_code").map(str::to_owned) }
        }
        "execution.failed" => Ending::Cancelled { why: reason::sentence(word(entry, "reason")?) },
        "execution.unknown" => Ending::Unknown,
        _ => return None,
    })
}

/// Mails everybody who was mailed about a request, and may still see it, what an entry says of its end.
pub(crate) async fn tell(app: &App, mailer: &Mailer, entry: &Entry) -> Result<(), PostError> {
    let scope = &entry.log().scope;
    let Some(id) = word(entry, "request").and_then(|id| id.parse().ok()) else { return Ok(()) };
    let Some(held) = post::held(app, scope, &id).await? else { return Ok(()) };
    let Some(ending) = ending(entry, &held) else { return Ok(()) };
    // Nobody was mailed about it.
    if app.store.mailed(scope, &id).await?.is_none() {
        return Ok(());
    }
    let letter = mail::ended(&held.sheet()?, &ending);
    let silences = app.store.silenced(scope).await?;
    let mut mailing = app.store.mailing(scope, &id, (app.now)()).await?.ok_or(PostError::Busy)?;
    let mut outcome = Ok(());
    for (person, on_file) in held.asked() {
        if !mailing.mailed().knows(&person) || mailing.mailed().at(&person, entry.ty()).is_some() {
            continue;
        }
        let Some(to) = post::address(scope, &person, &on_file, &silences) else { continue };
        outcome = post::send(app, mailer, &mut mailing, &held, (&person, to), entry.ty(), &letter).await;
        if outcome.is_err() {
            break;
        }
    }
    post::release(mailing, outcome).await
}
