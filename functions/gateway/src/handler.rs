//! One call: read, authenticated, then decided, passed, read through or refused.

use axiru_domain::{Family, KeyToken};
use axiru_runtime::key;
use axiru_runtime::metrics::{self, Metric};
use axiru_stripe::gateway::{self, Call, Doing, Incoming, Reads};
use http::Response;
use lambda_http::{Body, Request, RequestExt};

use crate::NAME;
use crate::app::App;
use crate::error::Refusal;
use crate::pass::{Raw, Why};
use crate::relay::relay;
use crate::{moves, pass, permission};

/// Answers one call.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    match route(app, request).await {
        Ok(response) => response,
        Err(refusal) => {
            metrics::count(NAME, None, Metric::CallsRefused, 1);
            tracing::info!(refusal.code = refusal.code(), "a call was refused");
            refusal.response()
        }
    }
}

async fn route(app: &App, request: &Request) -> Result<Response<Body>, Refusal> {
    let token = key::presented(request.headers()).ok_or_else(Refusal::key)?;
    let body: &[u8] = request.body().as_ref();
    let incoming = Incoming {
        method: request.method(),
        path: path(request),
        query: request.uri().query().unwrap_or_default(),
        headers: request.headers(),
        body,
    };
    let call = match gateway::parse(&incoming) {
        Ok(call) => call,
        Err(refused) => {
            let refusal = Refusal::from(&refused);
            let Some(family) = refused.family else {
                // Nobody is told what is wrong with a call before their key is accepted.
                app.decider.standing(&token, None).await.map_err(|error| first(&error, &refusal))?;
                return Err(refusal);
            };
            return unread(app, &token, &incoming, family, refusal).await;
        }
    };
    match call.doing {
        Doing::Moves(ref moves) => moves::make(app, &token, &call, moves, &incoming).await,
        Doing::Passes(ref passes) => pass::recorded(app, &token, &call, passes, &incoming).await,
        Doing::SideDoor(ref door) => {
            let standing = app.decider.standing(&token, call.account.as_ref()).await;
            let standing = standing.map_err(|error| Refusal::of(&error))?;
            match door.family() {
                Some(family) if !standing.enforces(family) => {
                    let raw = Raw::of(&incoming);
                    pass::unenforced(app, &standing, &raw, Why::SideDoor(door.name()), family).await
                }
                _ => Err(Refusal::from(&door.refusal())),
            }
        }
        Doing::Reads(ref reads) => read(app, &token, &call, reads).await,
    }
}

/// The path as it was sent: in the request's address dots are resolved already, and other paths would look like ours.
fn path(request: &Request) -> &str {
    match request.raw_http_path() {
        "" => request.uri().path(),
        raw => raw,
    }
}

/// A write of a family that could not be read: while nothing of the family is enforced, it is Stripe's to say what is wrong with it.
async fn unread(
    app: &App,
    token: &KeyToken,
    incoming: &Incoming<'_>,
    family: Family,
    refusal: Refusal,
) -> Result<Response<Body>, Refusal> {
    let account = pass::account(incoming)?;
    let standing = app.decider.standing(token, account.as_ref()).await.map_err(|error| Refusal::of(&error))?;
    if standing.enforces(family) {
        return Err(refusal);
    }
    pass::unenforced(app, &standing, &Raw::of(incoming), Why::Unread(refusal.code()), family).await
}

/// What is told to somebody whose call is refused anyway: whether their key is accepted, before anything else. An account that is not
/// named does not matter then.
fn first(error: &axiru_aws::decide::DecideError, refusal: &Refusal) -> Refusal {
    match error {
        axiru_aws::decide::DecideError::Key | axiru_aws::decide::DecideError::Undecided(_) => Refusal::of(error),
        _ => refusal.clone(),
    }
}

/// A read, passed through with what may be expanded.
async fn read(app: &App, token: &KeyToken, call: &Call, reads: &Reads) -> Result<Response<Body>, Refusal> {
    let standing = app.decider.standing(token, call.account.as_ref()).await.map_err(|error| Refusal::of(&error))?;
    let letter = axiru_aws::reach::Letter {
        method: &http::Method::GET,
        path: &reads.path(),
        query: &reads.query(),
        body: None,
        idempotency_key: None,
        version: Some(call.version.as_deref().unwrap_or(axiru_stripe::API_VERSION)),
    };
    let answer = app.reach.send(&standing.scope, &letter).await;
    let answer = answer.map_err(|error| pass::unreached(&standing.scope, &error))?;
    metrics::count(NAME, Some(standing.scope.mode()), Metric::Reads, 1);
    permission::read(reads, &answer).map_or_else(|| Ok(relay(answer)), Err)
}
