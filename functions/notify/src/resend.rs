//! New links for those who asked for one: `approve` has noted it, because the link they had is over.

use axiru_aws::mail::{Mailer, Wanted};
use axiru_domain::Scope;
use axiru_pages::mail;

use crate::app::App;
use crate::asked;
use crate::deadline::Deadline;
use crate::post::{self, PostError};

/// Mails the new links that a scope's approvers wait for.
pub(crate) async fn resend(app: &App, mailer: &Mailer, scope: &Scope, deadline: Deadline) -> Result<(), PostError> {
    let mut outcome = Ok(());
    for wanted in app.store.links_wanted(scope).await? {
        if deadline.is_over() {
            break;
        }
        // One that fails does not hold back the others.
        match Box::pin(one(app, mailer, scope, &wanted)).await {
            Ok(()) | Err(PostError::Busy) => {}
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

async fn one(app: &App, mailer: &Mailer, scope: &Scope, wanted: &Wanted) -> Result<(), PostError> {
    let id = &wanted.request;
    // Whoever may not answer any more gets nothing, and nobody is told.
    if let Some(held) = post::held(app, scope, id).await?.filter(|held| asked::is_open(app, held))
        && let Some((person, on_file)) = held.asked().into_iter().find(|(person, _)| *person == wanted.person)
    {
        let silences = app.store.silenced(scope).await?;
        let turn = format!("resend-{}", wanted.asked);
        let mut mailing = app.store.mailing(scope, id, (app.now)()).await?.ok_or(PostError::Busy)?;
        let outcome = if mailing.mailed().at(&person, &turn).is_some() {
            Ok(())
        } else {
            let to = (&person, on_file.as_slice());
            asked::link(app, mailer, &held, to, &silences, &mut mailing, &turn, mail::asked).await
        };
        post::release(mailing, outcome).await?;
    }
    Ok(app.store.link_resent(scope, wanted).await?)
}
