//! Asking approvers: a mail to each of them, with a link of their own.

use axiru_aws::approval::Held;
use axiru_aws::mail::{Mailer, Mailing};
use axiru_domain::{PersonId, RequestId, RequestStatus, Scope};
use axiru_pages::mail::{self, Letter};
use axiru_runtime::metrics::{self, Metric};
use url::Url;

use crate::NAME;
use crate::app::App;
use crate::post::{self, PostError, Silences};

/// The turn of the first mail.
pub(crate) const ASKED: &str = "asked";

/// Whether people can still answer.
pub(crate) fn is_open(app: &App, held: &Held) -> bool {
    held.status() == RequestStatus::Pending && (app.now)().millis() < held.approval().until
}

/// Mails everybody who was asked and may still answer, unless they were mailed before.
pub(crate) async fn ask(app: &App, mailer: &Mailer, scope: &Scope, id: &RequestId) -> Result<(), PostError> {
    let Some(held) = post::held(app, scope, id).await?.filter(|held| is_open(app, held)) else { return Ok(()) };
    let silences = app.store.silenced(scope).await?;
    let mut mailing = app.store.mailing(scope, id, (app.now)()).await?.ok_or(PostError::Busy)?;
    let outcome = ask_all(app, mailer, &held, &silences, &mut mailing).await;
    post::release(mailing, outcome).await
}

async fn ask_all(
    app: &App,
    mailer: &Mailer,
    held: &Held,
    silences: &Silences,
    mailing: &mut Mailing,
) -> Result<(), PostError> {
    for (person, on_file) in held.asked() {
        if mailing.mailed().at(&person, ASKED).is_none() {
            link(app, mailer, held, (&person, &on_file), silences, mailing, ASKED, mail::asked).await?;
        }
    }
    Ok(())
}

/// Mails one person a link for a turn, unless they have answered.
#[expect(clippy::too_many_arguments, reason = "what a mail is made of, and the right to send it")]
pub(crate) async fn link(
    app: &App,
    mailer: &Mailer,
    held: &Held,
    (person, on_file): (&PersonId, &[String]),
    silences: &Silences,
    mailing: &mut Mailing,
    turn: &str,
    write: fn(&axiru_domain::Sheet, &Url) -> Letter,
) -> Result<(), PostError> {
    if held.approval().vote_of(person).is_some() {
        return Ok(());
    }
    let Some(to) = post::address(held.scope(), person, on_file, silences) else {
        tracing::warn!(scope = %held.scope(), decision.id = %held.id(), person.id = %person, "an approver has no address that takes mail");
        metrics::count(NAME, Some(held.scope().mode()), Metric::ApproverUnreachable, 1);
        return Ok(());
    };
    let token = app.minter.link(held, person, turn, (app.now)()).await?;
    let link = address_of(&app.public_url, &token).ok_or(PostError::Address)?;
    post::send(app, mailer, mailing, held, (person, to), turn, &write(&held.sheet()?, &link)).await
}

/// The address of a link.
fn address_of(public_url: &Url, token: &str) -> Option<Url> {
    let mut url = public_url.clone();
    url.path_segments_mut().ok()?.pop_if_empty().push("approvals").push(token);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_holds_the_token_and_nothing_else() {
        for base in ["https://axiru.example", "https://axiru.example/"] {
            let url = address_of(&base.parse().unwrap(), "Ab-_9").unwrap();
            assert_eq!(url.as_str(), "https://axiru.example/approvals/Ab-_9");
        }
        assert!(address_of(&"mailto:x@example.com".parse().unwrap(), "x").is_none());
    }
}
