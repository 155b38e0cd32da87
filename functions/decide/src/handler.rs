//! Routes: first who, then what.

use axiru_aws::decide::{Ask, DecideError, Decided, Purpose, Remarks};
use axiru_domain::{KeyToken, RequestId, RequestStatus};
use axiru_runtime::metrics::{self, Metric};
use http::{HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use tokio::time::{Duration, Instant};

use crate::NAME;
use crate::app::App;
use crate::refusal::Refusal;
use crate::wire::DecisionAnswer;
use crate::{ask, caller, list, openapi};

/// Where decisions are.
const DECISIONS: &str = "/api/v1/decisions";

/// Answers one request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    match route(app, request).await {
        Ok(response) => response,
        Err(refusal) => {
            metrics::count(NAME, None, Metric::RequestsRefused, 1);
            tracing::info!(refusal.code = refusal.code(), "a request was refused");
            refusal.response()
        }
    }
}

async fn route(app: &App, request: &Request) -> Result<Response<Body>, Refusal> {
    let path = request.uri().path();
    let only = |allowed: &'static str| Err(Refusal::method(allowed));
    match (path, request.method()) {
        ("/api/v1/openapi.json", &Method::GET) => Ok(json(StatusCode::OK, &openapi::document())),
        ("/api/v1/openapi.json", _) => only("GET"),
        (DECISIONS, &Method::POST) => decide(app, request).await,
        (DECISIONS, &Method::GET) => list::list(app, &caller::token(request.headers())?, request).await,
        (DECISIONS, _) => only("GET, POST"),
        (path, method) => match (path.strip_prefix("/api/v1/decisions/"), method) {
            (Some(id), &Method::GET) => one(app, &caller::token(request.headers())?, id, request).await,
            (Some(_), _) => only("GET"),
            (None, _) => Err(Refusal::other(StatusCode::NOT_FOUND, "no_such_route", "there is no such route")),
        },
    }
}

async fn decide(app: &App, request: &Request) -> Result<Response<Body>, Refusal> {
    let token = caller::token(request.headers())?;
    is_json(request)?;
    let mode = token.mode();
    let ask = ask::parse(token, request.headers(), request.body().as_ref())?;
    let began = Instant::now();
    let decided = decided(app, &ask).await?;
    let outcome = decided.row.outcome.as_str();
    metrics::decided(NAME, mode, decided.row.outcome, began.elapsed(), looked_at(&decided));
    tracing::info!(
        scope = %decided.row.scope, decision.id = %decided.row.id, decision.outcome = outcome, cached = decided.cached,
        entry.lane = decided.row.lane.number(), entry.seq = decided.row.seq, "a decision was answered"
    );
    let mut response = answer(&decided)?;
    if decided.cached {
        // Stripe's own header for the same.
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// What of a new decision people should look at.
fn looked_at(decided: &Decided) -> [u64; 3] {
    if decided.cached { [0; 3] } else { Remarks::of(&decided.entry).numbers() }
}

/// Decides, and has made what is allowed and asked for.
async fn decided(app: &App, ask: &Ask) -> Result<Decided, Refusal> {
    let told = |error: DecideError| {
        note(ask.token.mode(), &error);
        Refusal::of(&error)
    };
    if ask.purpose == Purpose::Advise {
        return app.decider.decide(ask).await.map_err(told);
    }
    let Some(executions) = &app.executions else {
        return Err(Refusal::field("execute", "nothing can be made here: leave it out"));
    };
    // Who asks is read again with the decision; this is only so that nothing is asked of Stripe for a stranger.
    let standing = match app.decider.remembered(&ask.token, Some(&ask.account)) {
        Some(standing) => standing,
        None => app.decider.standing(&ask.token, Some(&ask.account)).await.map_err(told)?,
    };
    executions.check(&standing.scope, ask).await?;
    let decided = app.decider.decide(ask).await.map_err(told)?;
    executions.begin(&decided).await;
    Ok(decided)
}

/// Counts and logs what kept a request from being decided.
fn note(mode: axiru_domain::Mode, error: &DecideError) {
    match error {
        DecideError::Undecided(error) => {
            metrics::count(NAME, Some(mode), Metric::Undecided, 1);
            tracing::error!(error = %error, "a request could not be decided");
        }
        DecideError::RateLimited(_) => metrics::count(NAME, Some(mode), Metric::RateLimited, 1),
        DecideError::Key
        | DecideError::Account
        | DecideError::NotConnected
        | DecideError::Stopped(_)
        | DecideError::OtherContent
        | DecideError::Object(_) => {}
    }
}

/// Longest that a caller may have us wait for news, in seconds: the function's own time is 29.
const MAX_WAIT_SECS: u64 = 20;

/// Time between two looks while a caller waits. Each reads two rows.
const LOOK: Duration = Duration::from_secs(1);

/// One decision; with `wait`, as soon as it is no longer the same, or that many seconds later.
async fn one(app: &App, token: &KeyToken, id: &str, request: &Request) -> Result<Response<Body>, Refusal> {
    let unknown = || Refusal::other(StatusCode::NOT_FOUND, "no_such_decision", "the key's actor has no such decision");
    let id: RequestId = id.parse().map_err(|_| unknown())?;
    let began = Instant::now();
    let mut first = None;
    loop {
        // The key's row is read each time: one that is revoked hears nothing more.
        let found = app.store.decision(token, &id, (app.now)()).await.map_err(|error| Refusal::of(&error))?;
        let found = found.ok_or_else(unknown)?;
        let until = began + wait(request.uri().query().unwrap_or_default())?;
        let status = found.row.status;
        let as_before = *first.get_or_insert(status) == status;
        // Of what is allowed only the caller, or Stripe, makes something.
        let waits = status.is_open() && status != RequestStatus::Allowed;
        if !waits || !as_before || Instant::now() + LOOK > until {
            return answer(&found);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The query of one decision: `wait=<seconds>`, or nothing.
fn wait(query: &str) -> Result<Duration, Refusal> {
    let refuse =
        || Refusal::field("wait", format!("a number of seconds, 0 to {MAX_WAIT_SECS}, and no other parameter"));
    if query.is_empty() {
        return Ok(Duration::ZERO);
    }
    let secs = query.strip_prefix("wait=").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let secs = secs.and_then(|digits| digits.parse().ok()).filter(|secs| *secs <= MAX_WAIT_SECS);
    secs.map(Duration::from_secs).ok_or_else(refuse)
}

fn answer(decided: &Decided) -> Result<Response<Body>, Refusal> {
    let answer = DecisionAnswer::of(decided).map_err(|error| {
        tracing::error!(decision.id = %decided.row.id, error = %error, "a decision could not be answered");
        Refusal::other(StatusCode::INTERNAL_SERVER_ERROR, "entry_unreadable", "the decision's entry is not readable")
    })?;
    Ok(json(StatusCode::OK, &answer))
}

fn is_json(request: &Request) -> Result<(), Refusal> {
    let said = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = said.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = "send JSON, with the header Content-Type: application/json";
    Err(Refusal::other(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail))
}

/// An answer in JSON. Nobody may keep it: it tells what somebody is about to do.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    // Strings, numbers and lists of our own: writing them to memory cannot fail.
    let text = serde_json::to_string(body).unwrap_or_default();
    let mut response = Response::new(Body::Text(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
