//! Routes: looking changes nothing; answering is a form that a person posts.
//!
//! The link is in the path of a GET, because a mail can hold nothing else, and in a hidden field of a POST. It is in no log: no line here, and
//! no format of the template, holds a path, a query or a header.

use axiru_aws::approval::{Ballot, Cast, Held, LinkToken, OpenError, Opened};
use axiru_aws::execution::enqueue_held;
use axiru_domain::{Choice, Mode, RequestStatus, Timestamp, VoteRefused, Voted};
use axiru_pages::form::{is_form, is_own_post};
use axiru_pages::{Fields, Page, Standing};
use axiru_runtime::metrics::{self, Metric};
use http::Method;
use lambda_http::{Body, Request, RequestExt as _, Response};

use crate::NAME;
use crate::app::App;
use crate::pages::{self, Trouble};
use crate::standing;

/// Where links lead.
const PREFIX: &str = "/approvals/";

/// Longest form that is read: a reason of 500 characters, each of at most four bytes written as three, and the other fields.
const MAX_BYTES: usize = 8_192;

/// Answers one request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    let page = match route(app, request).await {
        Ok(page) => page,
        Err(trouble) => {
            metrics::count(NAME, None, Metric::LinksRefused, 1);
            tracing::info!(trouble = ?trouble, "a request about a link was refused");
            trouble.page()
        }
    };
    page.into_response(&app.public_url)
}

async fn route(app: &App, request: &Request) -> Result<Page, Trouble> {
    // As it was sent: an address parser would walk up dots.
    let path = match request.raw_http_path() {
        "" => request.uri().path(),
        raw => raw,
    };
    let place = path.strip_prefix(PREFIX).ok_or(Trouble::LinkUnknown)?;
    let looks = request.method() == Method::GET || request.method() == Method::HEAD;
    match place {
        "decide" | "resend" if request.method() == Method::POST => {
            let fields = form(app, request)?;
            if place == "decide" { decide(app, &fields).await } else { resend(app, &fields).await }
        }
        "decide" | "resend" => Ok(Trouble::WrongMethod.page().allowing("POST")),
        link if looks => look(app, link).await,
        _ => Ok(Trouble::WrongMethod.page().allowing("GET, HEAD")),
    }
}

fn form(app: &App, request: &Request) -> Result<Fields, Trouble> {
    if !is_form(request.headers()) {
        return Err(Trouble::NotAForm);
    }
    if !is_own_post(request.headers(), &app.public_url) {
        return Err(Trouble::Elsewhere);
    }
    Fields::parse(request.body().as_ref(), MAX_BYTES).map_err(|_| Trouble::Unreadable)
}

/// `GET`: what the link is about, and nothing else happens.
async fn look(app: &App, link: &str) -> Result<Page, Trouble> {
    let token: LinkToken = link.parse().map_err(|_| Trouble::LinkUnknown)?;
    let opened = match app.verifier.open(&token, (app.now)()).await {
        Ok(opened) => opened,
        Err(OpenError::Expired(_)) => return Ok(pages::link_expired(link)),
        Err(error) => return Err(trouble(&error)),
    };
    shown(app, &opened.held, &opened, link)
}

/// The page of a link that opens.
fn shown(app: &App, held: &Held, opened: &Opened, link: &str) -> Result<Page, Trouble> {
    let standing = standing::of(held, (app.now)());
    let sheet = held.sheet().map_err(|_| Trouble::Unavailable)?;
    if let Some(vote) = held.approval().vote_of(&opened.person) {
        let at = Timestamp::from_millis(vote.at).unwrap_or(sheet.asked_at);
        return Ok(pages::voted(&sheet, vote.choice, at, &standing));
    }
    match &standing {
        Standing::Pending if held.approval().requesters.contains(&opened.person) => Err(Trouble::SomeoneElse),
        Standing::Pending if !held.may_answer(&opened.person) => Err(Trouble::NotAnApprover),
        Standing::Pending => Ok(pages::ask(&sheet, link)),
        Standing::Ended(ending) if !standing_is_decided(held) => {
            Ok(pages::ended(&sheet, &standing::answers(held), ending))
        }
        Standing::Approved | Standing::Released | Standing::Ended(_) => {
            Ok(pages::decided(&sheet, &standing::answers(held), &standing))
        }
    }
}

/// Whether people have decided it, rather than time or change.
fn standing_is_decided(held: &Held) -> bool {
    use RequestStatus::{Denied, Failed, Settled, Succeeded, Unknown};
    matches!(held.status(), Denied | Failed | Settled | Succeeded | Unknown)
}

/// `POST /approvals/decide`: the answer.
async fn decide(app: &App, fields: &Fields) -> Result<Page, Trouble> {
    let link = fields.get("link").ok_or(Trouble::Unreadable)?;
    let token: LinkToken = link.parse().map_err(|_| Trouble::LinkUnknown)?;
    let choice: Choice = fields.get("decision").and_then(|text| text.parse().ok()).ok_or(Trouble::Unreadable)?;
    let digest = fields.get("digest").ok_or(Trouble::Unreadable)?;
    // Lines of a text area end in CR LF; the reason is kept as one line.
    let why = fields.get("reason").map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let why = why.filter(|text| !text.is_empty());
    let opened = match app.verifier.open(&token, (app.now)()).await {
        Ok(opened) => opened,
        Err(OpenError::Expired(_)) => return Ok(pages::link_expired(link)),
        Err(error) => return Err(trouble(&error)),
    };
    if opened.held.digest() != digest {
        return Err(Trouble::DigestDiffers);
    }
    let ballot = Ballot { choice, digest, why: why.as_deref() };
    let cast = app.store.cast(&opened, &ballot, app.now).await.map_err(|error| {
        tracing::error!(scope = %opened.held.scope(), decision.id = %opened.held.id(), error = %error, "an answer could not be recorded");
        if error.retry() == axiru_aws::Retry::Later { Trouble::Unavailable } else { Trouble::Unreadable }
    })?;
    told(app, &opened, choice, cast).await
}

/// What the person is told of their answer.
async fn told(app: &App, opened: &Opened, choice: Choice, cast: Cast) -> Result<Page, Trouble> {
    let now = (app.now)();
    let mode = Some(opened.held.scope().mode());
    let (held, refused): (Box<Held>, _) = match cast {
        Cast::Stale => return Err(Trouble::Changed),
        Cast::Voted(voted, held) => {
            note(mode, &held, opened, choice, voted);
            if voted == Voted::Approved || voted == Voted::Before {
                begin(app, &held).await;
            }
            (held, None)
        }
        Cast::Refused(refused, held) => (held, Some(refused)),
    };
    let sheet = held.sheet().map_err(|_| Trouble::Unavailable)?;
    let standing = standing::of(&held, now);
    let first = held.approval().vote_of(&opened.person);
    match (refused, first) {
        (None, _) => Ok(pages::recorded(&sheet, choice, &standing)),
        (Some(VoteRefused::Opposite), Some(first)) => {
            let at = Timestamp::from_millis(first.at).unwrap_or(now);
            Ok(pages::opposite(&sheet, first.choice, at, &standing))
        }
        (Some(VoteRefused::Own), _) => Err(Trouble::SomeoneElse),
        (Some(VoteRefused::NotAsked | VoteRefused::Opposite), _) => Err(Trouble::NotAnApprover),
        (Some(VoteRefused::TooLate | VoteRefused::NotHeld), _) => shown(app, &held, opened, ""),
    }
}

fn note(mode: Option<Mode>, held: &Held, opened: &Opened, choice: Choice, voted: Voted) {
    if voted == Voted::Before {
        return;
    }
    metrics::count(NAME, mode, Metric::Votes, 1);
    tracing::info!(
        scope = %held.scope(), decision.id = %held.id(), person.id = %opened.person, vote = %choice, voted = ?voted,
        "somebody has answered"
    );
}

/// Has the worker begin what was just approved. A job that is lost is found by the next sweep.
async fn begin(app: &App, held: &Held) {
    if held.status() != RequestStatus::Approved {
        return;
    }
    if let Err(error) = enqueue_held(&app.jobs, held).await {
        metrics::count(NAME, Some(held.scope().mode()), Metric::JobsLost, 1);
        tracing::warn!(scope = %held.scope(), decision.id = %held.id(), error = %error, "a job was not queued: the next sweep does it");
    }
}

/// `POST /approvals/resend`: a new link is wanted. It goes to the address on file, and what is answered here tells nothing.
async fn resend(app: &App, fields: &Fields) -> Result<Page, Trouble> {
    let link = fields.get("link").ok_or(Trouble::Unreadable)?;
    let token: LinkToken = link.parse().map_err(|_| Trouble::LinkUnknown)?;
    let opened = match app.verifier.open(&token, (app.now)()).await {
        Err(OpenError::Expired(opened)) => *opened,
        Ok(opened) => return shown(app, &opened.held, &opened, link),
        Err(error) => return Err(trouble(&error)),
    };
    let (scope, id) = (opened.held.scope(), opened.held.id());
    let asked = app.store.ask_for_link(scope, id, &opened.person, (app.now)()).await;
    asked.map_err(|error| {
        tracing::error!(scope = %scope, decision.id = %id, error = %error, "a new link could not be asked for");
        Trouble::Unavailable
    })?;
    Ok(pages::new_link_sent())
}

/// What a person is told of a link that does not open.
fn trouble(error: &OpenError) -> Trouble {
    match error {
        OpenError::Unknown => Trouble::LinkUnknown,
        OpenError::Stale | OpenError::Expired(_) => Trouble::Changed,
        OpenError::Held(error) => {
            tracing::error!(error = %error, "a link could not be opened");
            Trouble::Unavailable
        }
    }
}
