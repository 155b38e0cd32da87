//! Calls that move money: priced, decided, and where that allows it, made.

use std::collections::BTreeMap;

use axiru_aws::decide::{Ask, DecideError, Decided, Parameters, Purpose, Remarks, Standing};
use axiru_aws::execution::{Claimed, Performed};
use axiru_aws::requests::RequestRow;
use axiru_domain::{
    Claim, Claimed as Context, Heard, IdempotencyKey, Intent, KeyToken, RequestId, RequestStatus, Starter,
};
use axiru_runtime::metrics::{self, Metric};
use axiru_stripe::gateway::{Call, Incoming, Moves};
use axiru_stripe::permissions::write_permission;
use http::{Response, StatusCode};
use lambda_http::Body;
use tokio::time::{Duration, Instant};

use crate::NAME;
use crate::answer;
use crate::app::App;
use crate::error::Refusal;
use crate::money::{self, Unpriced};
use crate::pass::{self, Raw, Why};
use crate::permission;
use crate::relay::relay;

/// Decides a call, and makes it where that is allowed.
pub(crate) async fn make(
    app: &App,
    token: &KeyToken,
    call: &Call,
    moves: &Moves,
    incoming: &Incoming<'_>,
) -> Result<Response<Body>, Refusal> {
    // Who calls is read again with the decision; this is only so that nothing is asked of Stripe for a stranger.
    let standing = match app.decider.remembered(token, call.account.as_ref()) {
        Some(standing) => standing,
        None => app.decider.standing(token, call.account.as_ref()).await.map_err(|error| Refusal::of(&error))?,
    };
    let raw = Raw::of(incoming);
    let governed = standing.enforces(moves.kind().family());
    let key = key_of(call)?;
    let decided = match price(app, &standing, moves, &key).await {
        Ok(intent) => {
            let ask = ask(token, &standing, moves, intent, key);
            let began = Instant::now();
            let decided = app.decider.decide(&ask).await.map_err(|error| (Refusal::of(&error), Hindrance::of(&error)));
            decided.inspect(|decided| measure(decided, began.elapsed()))
        }
        // Somebody may have enforced something since the standing was read: only the decision itself would know.
        Err(Unpriced::Wrong(refusal)) => Err((refusal, Hindrance::Call)),
        Err(Unpriced::Unavailable) => Err((Refusal::unavailable(), Hindrance::Call)),
    };
    match decided {
        Ok(decided) => answer_of(app, &standing, decided, call, moves, &raw).await,
        Err((refusal, hindrance)) if governed || hindrance == Hindrance::Caller => Err(refusal),
        Err((refusal, hindrance)) => {
            let fresh = app.decider.standing(token, call.account.as_ref()).await;
            let fresh = fresh.map_err(|error| Refusal::of(&error))?;
            let family = moves.kind().family();
            if fresh.enforces(family) {
                return Err(Refusal::unavailable());
            }
            let why = Why::Undecided(call.route.name, refusal.code());
            if hindrance == Hindrance::Store {
                // It would not take the note either, and the caller has waited for it once.
                metrics::count(NAME, Some(fresh.scope.mode()), Metric::ShadowUnrecorded, 1);
                return pass::send_raw(app, &fresh, &raw, why, family).await;
            }
            pass::unenforced(app, &fresh, &raw, why, family).await
        }
    }
}

/// What kept a call from being decided.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hindrance {
    /// Nobody knows for whom it would be sent: it is kept back even in shadow.
    Caller,
    /// What it says.
    Call,
    /// Our own trouble.
    Store,
}

impl Hindrance {
    const fn of(error: &DecideError) -> Self {
        match error {
            DecideError::Key | DecideError::Account | DecideError::NotConnected | DecideError::Stopped(_) => {
                Self::Caller
            }
            DecideError::OtherContent | DecideError::RateLimited(_) | DecideError::Object(_) => Self::Call,
            DecideError::Undecided(_) => Self::Store,
        }
    }
}

/// What the call asks for, with the money that it leaves out.
async fn price(app: &App, standing: &Standing, moves: &Moves, key: &IdempotencyKey) -> Result<Intent, Unpriced> {
    let scope = &standing.scope;
    let before = if moves.amount_minor().is_none() && moves.route().param("amount").is_some() {
        // All that is left: of the first time that this was sent.
        let id = RequestId::of(scope, &standing.actor, key);
        app.store.decided_money(scope, &id).await.map_err(|_| Unpriced::Unavailable)?
    } else {
        None
    };
    let money = match before {
        Some(money) => money,
        None => money::of(&app.reach, scope, moves).await?,
    };
    Intent::new(moves.kind(), money, moves.objects().clone()).map_err(|error| {
        let refusal = Refusal::new(StatusCode::BAD_REQUEST, "axiru_value", error.to_string());
        Unpriced::Wrong(refusal.with("param", error.field().into()))
    })
}

fn ask(token: &KeyToken, standing: &Standing, moves: &Moves, intent: Intent, idempotency_key: IdempotencyKey) -> Ask {
    Ask {
        token: token.clone(),
        account: standing.scope.account().clone(),
        intent,
        reason: moves.reason().map(str::to_owned),
        method: moves.method().map(str::to_owned),
        claimed: Context::nothing(),
        rationale: None,
        // All of it is in the parameters.
        metadata: BTreeMap::new(),
        idempotency_key,
        purpose: Purpose::Send,
        parameters: Some(Parameters { canonical: moves.canonical(), stored: moves.to_stored() }),
    }
}

/// The caller's key for the call. Stripe's libraries always send one; without one, every call is another.
fn key_of(call: &Call) -> Result<IdempotencyKey, Refusal> {
    match &call.idempotency_key {
        Some(key) => Ok(key.clone()),
        None => axiru_aws::random_key().ok_or_else(Refusal::unavailable),
    }
}

/// Counts a decision, and what of a new one people should look at.
fn measure(decided: &Decided, took: Duration) {
    let looked_at = if decided.cached { [0; 3] } else { Remarks::of(&decided.entry).numbers() };
    metrics::decided(NAME, decided.row.scope.mode(), decided.row.outcome, took, looked_at);
}

/// What follows from the decision.
async fn answer_of(
    app: &App,
    standing: &Standing,
    decided: Decided,
    call: &Call,
    moves: &Moves,
    raw: &Raw<'_>,
) -> Result<Response<Body>, Refusal> {
    let row = &decided.row;
    tracing::info!(
        scope = %row.scope, decision.id = %row.id, decision.outcome = row.outcome.as_str(), cached = decided.cached,
        governed = decided.governed, "a call was decided"
    );
    match row.status {
        RequestStatus::Denied if row.approval.is_some() => Err(answer::denied(row)),
        RequestStatus::Denied => Err(answer::blocked(&decided)),
        RequestStatus::Pending => Err(answer::held(&decided)),
        RequestStatus::Approved => Err(answer::approved(row)),
        RequestStatus::Executing if is_workers(row) => Err(answer::approved(row)),
        RequestStatus::Executing | RequestStatus::Unknown => under_way(app, decided, call, moves).await,
        RequestStatus::Succeeded => made_before(app, decided, call, moves).await,
        RequestStatus::Failed => Err(answer::failed(row)),
        // Decided in shadow, or advised: passed on while nothing is enforced, and never after.
        RequestStatus::Allowed | RequestStatus::Settled | RequestStatus::Expired if !decided.governed => {
            in_shadow(app, standing, &decided, raw).await
        }
        RequestStatus::Expired => Err(answer::expired(row)),
        RequestStatus::Cancelled => Err(answer::cancelled(row)),
        RequestStatus::Allowed | RequestStatus::Settled => Err(answer::decided_otherwise()),
    }
}

/// Whether it is made by the worker, and not by a caller who waits.
fn is_workers(row: &RequestRow) -> bool {
    row.execution.as_ref().is_some_and(|made| made.starter == Starter::Worker)
}

/// A call that is passed on as it came. Where Stripe refuses it, what was held for it is free again.
async fn in_shadow(
    app: &App,
    standing: &Standing,
    decided: &Decided,
    raw: &Raw<'_>,
) -> Result<Response<Body>, Refusal> {
    let answer = raw.send(app, &standing.scope).await.map_err(|error| pass::unreached(&standing.scope, &error))?;
    if answer.status().is_client_error()
        && !decided.cached
        && let Err(error) = app.expirer.release(&decided.row).await
    {
        // It expires by itself within the hour.
        tracing::warn!(scope = %standing.scope, decision.id = %decided.row.id, error = %error, "a hold in shadow is kept");
    }
    let refusal = permission::written(app, &standing.scope, decided.row.kind.family(), &answer).await;
    refusal.map_or_else(|| Ok(relay(answer)), Err)
}

/// A request that is under way: this call's own, which is sent now; or an earlier one's, if nobody is at it.
async fn under_way(app: &App, decided: Decided, call: &Call, moves: &Moves) -> Result<Response<Body>, Refusal> {
    let Decided { row, entry, cached, exact, attempt, stopped, .. } = decided;
    let (row, attempt) = if cached {
        // It may have been sent before it was stopped, and is not sent again: the sweeper finds out.
        if stopped.is_some() {
            return Err(Refusal::unknown());
        }
        // The same call under another key is this one too: its caller waits as well, and the key at Stripe is the same. One that differs
        // in a parameter would send what was not decided.
        if !exact {
            return Err(Refusal::in_use());
        }
        let claimed = app.executor.claim(&row.scope, &row.id, Starter::Caller).await;
        match claimed.map_err(|_| Refusal::unavailable())? {
            Claimed::Send { row, attempt } => (*row, attempt),
            Claimed::Not(Claim::Busy, _) => return Err(Refusal::in_use()),
            // It has an outcome now: the same call again is told it.
            Claimed::Not(Claim::Ended, _) => return Err(Refusal::in_use()),
            Claimed::Not(..) | Claimed::Unknown => return Err(Refusal::unknown()),
        }
    } else {
        (row, attempt)
    };
    let version = call.version.as_deref().unwrap_or(axiru_stripe::API_VERSION);
    let performed = app.executor.perform(row, &attempt, &entry, moves, version).await;
    told(performed.map_err(|_| Refusal::unavailable())?)
}

/// What the caller is told of a send.
fn told(performed: Performed) -> Result<Response<Body>, Refusal> {
    let Performed { answer, heard, row, unrecorded, .. } = performed;
    let mode = Some(row.scope.mode());
    match (heard, answer) {
        // It was made: that is so whether or not it could be recorded yet.
        (Heard::Made, Ok(answer)) => {
            metrics::count(NAME, mode, Metric::Made, 1);
            Ok(relay(answer))
        }
        // Made, and shown in a way that does not say what was made: the sweeper finds it.
        (Heard::Unclear, Ok(answer)) if answer.status().is_success() => Ok(relay(answer)),
        // Only what is recorded as failed is told as failed: nothing of it happens any more.
        (Heard::Refused, Ok(answer)) if unrecorded.is_none() && row.status == RequestStatus::Failed => {
            metrics::count(NAME, mode, Metric::StripeRefused, 1);
            if answer.status() == StatusCode::FORBIDDEN {
                return Err(permission::missing(write_permission(row.kind.family())));
            }
            Ok(relay(answer))
        }
        // Stripe took nothing: the same call again is sent again.
        (Heard::NotTaken, Ok(answer)) if answer.status() == StatusCode::TOO_MANY_REQUESTS => Ok(relay(answer)),
        (Heard::NotTaken, _) => Err(Refusal::unavailable()),
        (Heard::Made | Heard::Refused | Heard::Unclear, _) => {
            metrics::count(NAME, mode, Metric::OutcomeUnknown, 1);
            Err(Refusal::unknown())
        }
    }
}

/// A request that was made before: Stripe gives its answer again, and later shows the object.
async fn made_before(app: &App, decided: Decided, call: &Call, moves: &Moves) -> Result<Response<Body>, Refusal> {
    let version = call.version.as_deref().unwrap_or(axiru_stripe::API_VERSION);
    let answer = app.executor.answer_again(&decided.row, &decided.entry, moves, version).await;
    match answer {
        Ok(answer) => Ok(relay(answer)),
        Err(error) => {
            tracing::warn!(scope = %decided.row.scope, decision.id = %decided.row.id, error = %error, "an answer could not be had again");
            Err(answer::made(&decided.row))
        }
    }
}
