//! One mail to one person about one request, under the right to mail about it: sent, then marked; not sent where it was before.

use axiru_aws::approval::{Held, HeldError};
use axiru_aws::ledger::CommitError;
use axiru_aws::mail::event::{Return, Returned};
use axiru_aws::mail::{Mail, Mailer, Mailing, Silenced};
use axiru_aws::{AwsError, Retry, StoreError};
use axiru_domain::{PersonId, RequestId, Scope};
use axiru_pages::mail::Letter;
use axiru_runtime::metrics::{self, Metric};

use crate::NAME;
use crate::app::App;

/// Why something was not mailed. Everything here can be tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    /// The tables.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The ledger.
    #[error("{0}")]
    Commit(#[from] CommitError),
    /// What people are asked about.
    #[error("{0}")]
    Held(#[from] HeldError),
    /// SES.
    #[error("{0}")]
    Mail(#[from] AwsError),
    /// A link has no address.
    #[error("the deployment's address takes no path")]
    Address,
    /// Another process mails about it, or has taken over from this one.
    #[error("another process is at it")]
    Busy,
}

/// The persons' addresses that get no more mail, by person, as they were read.
pub(crate) type Silences = std::collections::BTreeMap<PersonId, Silenced>;

/// The address that a person is mailed at: the first on file that takes mail. None where all of them came back.
pub(crate) fn address<'a>(
    scope: &Scope,
    person: &PersonId,
    on_file: &'a [String],
    silences: &Silences,
) -> Option<&'a String> {
    let silenced = silences.get(person);
    on_file.iter().find(|address| !silenced.is_some_and(|silenced| silenced.covers(scope, address)))
}

/// Reads a request that people were asked about; none where there is none, or where its rows do not belong together, which no later try
/// can change: then nobody is shown anything.
pub(crate) async fn held(app: &App, scope: &Scope, id: &RequestId) -> Result<Option<Held>, PostError> {
    match app.store.held(scope, id).await {
        Ok(held) => Ok(held),
        Err(error) if error.retry() == Retry::Later => Err(error.into()),
        Err(error) => {
            tracing::error!(scope = %scope, decision.id = %id, error = %error, "nothing is mailed about a request that is not as it was written");
            metrics::count(NAME, Some(scope.mode()), Metric::HeldAltered, 1);
            Ok(None)
        }
    }
}

/// Sends a letter to a person and marks it, unless it was sent for that reason before.
pub(crate) async fn send(
    app: &App,
    mailer: &Mailer,
    mailing: &mut Mailing,
    held: &Held,
    (person, to): (&PersonId, &str),
    turn: &str,
    letter: &Letter,
) -> Result<(), PostError> {
    let (scope, id) = (held.scope(), held.id());
    let Letter { subject, text, html } = letter;
    let mail = Mail { to, subject, text, html, scope, person, request: Some(id) };
    match mailer.send(&mail).await {
        Ok(message) => {
            tracing::info!(scope = %scope, decision.id = %id, person.id = %person, turn, message.id = message, "a person was mailed");
            metrics::count(NAME, Some(scope.mode()), Metric::MailsSent, 1);
        }
        Err(error) if error.retry() == Retry::Later => return Err(error.into()),
        Err(error) => {
            tracing::error!(scope = %scope, decision.id = %id, person.id = %person, turn, error = %error, "a mail was refused for good");
            refused(app, scope, person, Some(id), &format!("{id}.{person}.{turn}")).await?;
        }
    }
    if mailing.mark(person, turn, (app.now)()).await? { Ok(()) } else { Err(PostError::Busy) }
}

/// Notes that SES does not take a mail to a person.
pub(crate) async fn refused(
    app: &App,
    scope: &Scope,
    person: &PersonId,
    request: Option<&RequestId>,
    report: &str,
) -> Result<(), PostError> {
    metrics::count(NAME, Some(scope.mode()), Metric::MailRefused, 1);
    let returned = Returned {
        scope: scope.clone(),
        person: person.clone(),
        request: request.cloned(),
        kind: Return::Refused,
        report: report.to_owned(),
        addresses: Vec::new(),
    };
    app.store.mail_returned(&returned, app.now).await?;
    Ok(())
}

/// Gives the right to mail back after work under it, whatever came of that. A right that cannot be given back ends by itself.
pub(crate) async fn release(mailing: Mailing, outcome: Result<(), PostError>) -> Result<(), PostError> {
    if let Err(error) = mailing.release().await {
        tracing::warn!(error = %error, "the right to mail could not be given back");
    }
    outcome
}
