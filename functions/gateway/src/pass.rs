//! Calls that are passed on: those that bring money back or note something, and whatever belongs to a family of which nothing is enforced.

use axiru_aws::decide::Standing;
use axiru_aws::reach::{Letter, ReachError};
use axiru_domain::{AccountId, Family, KeyToken, Scope, StripeId};
use axiru_runtime::metrics::{self, Metric};
use axiru_stripe::gateway::{Call, Incoming, Passes};
use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use lambda_http::Body;

use crate::NAME;
use crate::app::App;
use crate::error::Refusal;
use crate::permission;
use crate::relay::relay;

/// A call as it came.
#[derive(Clone, Copy)]
pub(crate) struct Raw<'a> {
    method: &'a Method,
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

/// Why a call is passed on: words of the ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Why<'a> {
    /// It leads around what would be decided.
    SideDoor(&'a str),
    /// It could not be read, for that reason.
    Unread(&'a str),
    /// It brings money back, or notes something.
    Passes(&'a str),
    /// It would be decided, and could not be, for that reason.
    Undecided(&'a str, &'a str),
}

impl<'a> Raw<'a> {
    pub(crate) const fn of(incoming: &Incoming<'a>) -> Self {
        Self {
            method: incoming.method,
            path: incoming.path,
            query: incoming.query,
            headers: incoming.headers,
            body: incoming.body,
        }
    }

    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Sends it as it came, with the account's token in the place of the key. The account header is not forwarded.
    pub(crate) async fn send(&self, app: &App, scope: &Scope) -> Result<Response<Bytes>, ReachError> {
        let what = self.header("content-type").unwrap_or("application/x-www-form-urlencoded");
        let letter = Letter {
            method: self.method,
            path: self.path,
            query: self.query,
            body: (!self.body.is_empty()).then_some((self.body, what)),
            idempotency_key: self.header("idempotency-key"),
            version: self.header("stripe-version"),
        };
        app.reach.send(scope, &letter).await
    }
}

/// The account that a call names in its header.
pub(crate) fn account(incoming: &Incoming<'_>) -> Result<Option<AccountId>, Refusal> {
    let wrong = || Refusal::of(&axiru_aws::decide::DecideError::Account);
    let mut values = incoming.headers.get_all("stripe-account").iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().ok().and_then(|text| text.parse().ok()).map(Some).ok_or_else(wrong),
        (Some(_), Some(_)) => Err(wrong()),
    }
}

/// What the caller is told where Stripe gave no answer to something that moves nothing, or that Axiru does not answer for.
pub(crate) fn unreached(scope: &Scope, error: &ReachError) -> Refusal {
    tracing::warn!(scope = %scope, error = %error, "Stripe gave no answer");
    metrics::count(NAME, Some(scope.mode()), Metric::StripeUnanswered, 1);
    match error {
        ReachError::Transport(error) if error.may_have_acted() => Refusal::new(
            http::StatusCode::BAD_GATEWAY,
            "axiru_no_answer",
            "Stripe gave no answer. Send the same call with the same idempotency key again.",
        ),
        _ => Refusal::unavailable(),
    }
}

/// Refuses what is stopped, in shadow too: it is an operator's own word, and no plan's. What moves nothing out goes on.
fn not_stopped(standing: &Standing, why: Why<'_>) -> Result<(), Refusal> {
    match (&standing.stopped, why) {
        (None, _) | (Some(_), Why::Passes(_)) => Ok(()),
        (Some(stopped), Why::SideDoor(_) | Why::Unread(_) | Why::Undecided(..)) => Err(Refusal::stopped(stopped)),
    }
}

/// A call of a family of which nothing is enforced: recorded if that can be done, and passed on in any case.
pub(crate) async fn unenforced(
    app: &App,
    standing: &Standing,
    raw: &Raw<'_>,
    why: Why<'_>,
    family: Family,
) -> Result<Response<Body>, Refusal> {
    not_stopped(standing, why)?;
    if let Err(error) = note(app, standing, why, family, None).await {
        // Shadow must not interfere: what is missing is said by the metric.
        metrics::count(NAME, Some(standing.scope.mode()), Metric::ShadowUnrecorded, 1);
        tracing::error!(scope = %standing.scope, error = %error, "a call in shadow could not be recorded");
    }
    send_raw(app, standing, raw, why, family).await
}

/// Sends a call as it came.
pub(crate) async fn send_raw(
    app: &App,
    standing: &Standing,
    raw: &Raw<'_>,
    why: Why<'_>,
    family: Family,
) -> Result<Response<Body>, Refusal> {
    not_stopped(standing, why)?;
    let scope = &standing.scope;
    let answer = raw.send(app, scope).await.map_err(|error| unreached(scope, &error))?;
    match why {
        Why::SideDoor(_) if permission::is_missing(&answer) => Err(permission::never_asked_for()),
        _ => permission::written(app, scope, family, &answer).await.map_or_else(|| Ok(relay(answer)), Err),
    }
}

/// A call that brings money back, or notes something: recorded, then passed on. Under enforcement nothing is sent without its entry.
pub(crate) async fn recorded(
    app: &App,
    token: &KeyToken,
    call: &Call,
    passes: &Passes,
    incoming: &Incoming<'_>,
) -> Result<Response<Body>, Refusal> {
    let standing = app.decider.standing(token, call.account.as_ref()).await.map_err(|error| Refusal::of(&error))?;
    let family = passes.family().ok_or_else(Refusal::unavailable)?;
    let raw = Raw::of(incoming);
    if !standing.enforces(family) {
        return unenforced(app, &standing, &raw, Why::Passes(passes.kind()), family).await;
    }
    if let Err(error) = note(app, &standing, Why::Passes(passes.kind()), family, passes.object()).await {
        tracing::error!(scope = %standing.scope, error = %error, "a call could not be recorded, and was not sent");
        return Err(Refusal::unavailable());
    }
    let outgoing = passes.outgoing();
    let letter = Letter {
        method: &outgoing.method,
        path: &outgoing.path,
        query: "",
        body: Some((&outgoing.body, "application/x-www-form-urlencoded")),
        // The caller's own: what it does twice is done once, as without Axiru.
        idempotency_key: raw.header("idempotency-key"),
        version: Some(call.version.as_deref().unwrap_or(axiru_stripe::API_VERSION)),
    };
    let answer = app.reach.send(&standing.scope, &letter).await;
    let answer = answer.map_err(|error| unreached(&standing.scope, &error))?;
    permission::written(app, &standing.scope, family, &answer).await.map_or_else(|| Ok(relay(answer)), Err)
}

/// Writes down that a call is passed on.
async fn note(
    app: &App,
    standing: &Standing,
    why: Why<'_>,
    family: Family,
    object: Option<&StripeId>,
) -> Result<(), axiru_aws::ledger::CommitError> {
    let (route, why) = match why {
        Why::SideDoor(name) => (name, "side_door"),
        Why::Unread(code) => ("unread", code),
        Why::Passes(kind) => (kind, "moves_nothing_out"),
        Why::Undecided(route, code) => (route, code),
    };
    let passed = axiru_aws::passed::Passed { standing, route, family, object, why };
    app.store.note_passed(&passed, app.now).await
}
