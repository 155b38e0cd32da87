//! Links that were called in: whoever still has to answer gets another, at the address on file.

use axiru_aws::mail::Mailer;
use axiru_domain::{PersonId, RequestId};
use axiru_ledger::entry::Entry;
use axiru_pages::mail;
use serde_json::Value;

use crate::app::App;
use crate::asked;
use crate::post::{self, PostError, Silences};

/// Mails anew what an entry `links.revoked` has made useless.
pub(crate) async fn mail_anew(app: &App, mailer: &Mailer, entry: &Entry) -> Result<(), PostError> {
    let word = |name: &str| entry.fields().get(name).and_then(Value::as_str);
    let scope = &entry.log().scope;
    let Some(change) = word("change") else { return Ok(()) };
    let (requests, only) = match (word("request"), word("person"), word("link")) {
        (Some(id), ..) => (id.parse().into_iter().collect(), None),
        (_, _, Some(link)) => match app.store.whose_link(scope, link).await? {
            Some((request, person)) => (vec![request], Some(person)),
            None => return Ok(()),
        },
        (_, person, _) => {
            let waiting = app.store.waiting(scope).await?.rows.into_iter().map(|row| row.id);
            (waiting.collect::<Vec<RequestId>>(), person.and_then(|id| id.parse().ok()))
        }
    };
    if requests.is_empty() {
        return Ok(());
    }
    // Once for each time that links are called in.
    let turn = format!("anew-{change}");
    let silences = app.store.silenced(scope).await?;
    for id in requests {
        Box::pin(one(app, mailer, entry, &id, only.as_ref(), &silences, &turn)).await?;
    }
    Ok(())
}

async fn one(
    app: &App,
    mailer: &Mailer,
    entry: &Entry,
    id: &RequestId,
    only: Option<&PersonId>,
    silences: &Silences,
    turn: &str,
) -> Result<(), PostError> {
    let scope = &entry.log().scope;
    let Some(held) = post::held(app, scope, id).await?.filter(|held| asked::is_open(app, held)) else { return Ok(()) };
    let mut mailing = app.store.mailing(scope, id, (app.now)()).await?.ok_or(PostError::Busy)?;
    let mut outcome = Ok(());
    for (person, on_file) in held.asked() {
        let mailed = mailing.mailed();
        // Who was not asked yet is asked with a link that counts, by the entry that asks for it.
        let lost = mailed.at(&person, asked::ASKED).is_some() && mailed.at(&person, turn).is_none();
        if lost && only.is_none_or(|only| *only == person) && outcome.is_ok() {
            let to = (&person, on_file.as_slice());
            outcome = asked::link(app, mailer, &held, to, silences, &mut mailing, turn, mail::asked).await;
        }
    }
    post::release(mailing, outcome).await
}
