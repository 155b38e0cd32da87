//! The handler: authenticate the raw bytes, project, enqueue, answer.

use axiru_aws::queue::ReportQueue;
use axiru_aws::seal::Seal;
use axiru_aws::{Clients, Store, StoreError};
use axiru_domain::{Mode, Scope, Timestamp};
use axiru_runtime::env::{self, EnvError};
use axiru_runtime::metrics::{self, Metric};
use axiru_runtime::problem::{Problem, empty};
use axiru_stripe::event::{self, EventError, Projected};
use axiru_stripe::signature::{self, SignatureError};
use http::{Method, StatusCode};
use lambda_http::{Body, Request, RequestExt, Response};

use crate::secrets::{Endpoint, Secrets};

/// Name of the function in metrics.
const NAME: &str = "webhook";

/// What the handler works with, built once.
pub struct App {
    secrets: Secrets,
    queue: ReportQueue,
}

impl App {
    /// From the environment.
    ///
    /// # Errors
    /// [`EnvError`] when a setting is missing.
    pub async fn load() -> Result<Self, EnvError> {
        let clients = Clients::load().await;
        Ok(Self::new(
            &clients,
            &env::required("AXIRU_STATE_TABLE")?,
            &env::required("AXIRU_SEAL_KEY_ID")?,
            &env::required("AXIRU_OBSERVATIONS_QUEUE_URL")?,
        ))
    }

    /// With these clients, table, key and queue.
    #[must_use]
    pub fn new(clients: &Clients, state_table: &str, seal_key_id: &str, queue_url: &str) -> Self {
        // The function has no right on the ledger, so it has no name for it.
        let store = Store::new(clients.dynamodb.clone(), state_table, "");
        let seal = Seal::new(clients.kms.clone(), seal_key_id);
        Self { secrets: Secrets::new(store, seal), queue: ReportQueue::new(clients.sqs.clone(), queue_url) }
    }
}

/// Answers one delivery.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let Some(endpoint) = endpoint(&request) else {
        let detail = "the address ends with `test` or `live`, or with one of them and an account";
        return Problem::new(StatusCode::NOT_FOUND, "no_such_endpoint", detail).response();
    };
    if request.method() != Method::POST {
        return Problem::new(StatusCode::METHOD_NOT_ALLOWED, "post_only", "events are posted").response();
    }
    match receive(app, &endpoint, &request).await {
        Ok(()) => empty(StatusCode::OK),
        Err(refusal) => refusal.answer(endpoint.mode()),
    }
}

/// The endpoint that the address names.
fn endpoint(request: &Request) -> Option<Endpoint> {
    let parameters = request.path_parameters();
    let mode = parameters.first("mode")?.parse().ok()?;
    Some(match parameters.first("account") {
        Some(account) => Endpoint::Own(Scope::new(mode, account.parse().ok()?)),
        None => Endpoint::Mode(mode),
    })
}

async fn receive(app: &App, endpoint: &Endpoint, request: &Request) -> Result<(), Refusal> {
    let body: &[u8] = request.body().as_ref();
    if body.len() > event::MAX_BODY {
        return Err(EventError::TooLarge(body.len()).into());
    }
    let mut headers = request.headers().get_all("stripe-signature").iter();
    let header = match (headers.next().map(|header| header.to_str()), headers.next()) {
        (Some(Ok(header)), None) => header,
        (None, _) => return Err(SignatureError::Missing.into()),
        _ => return Err(SignatureError::Form.into()),
    };
    authenticate(app, endpoint, header, body).await?;
    let projected = match endpoint {
        Endpoint::Mode(mode) => event::project(body, *mode)?,
        Endpoint::Own(scope) => event::project_own(body, scope)?,
    };
    match projected {
        Projected::Report(report) => {
            app.queue.send(&report).await.map_err(|error| Refusal::Unavailable(error.to_string()))?;
            metrics::count(NAME, Some(report.scope.mode()), Metric::EventsQueued, 1);
            tracing::info!(
                event.id = %report.event,
                event.kind = %report.event_type,
                scope = %report.scope,
                "an event was queued"
            );
        }
        Projected::Ignored(_) => metrics::count(NAME, Some(endpoint.mode()), Metric::EventsIgnored, 1),
    }
    Ok(())
}

async fn authenticate(app: &App, endpoint: &Endpoint, header: &str, body: &[u8]) -> Result<(), Refusal> {
    let now = Timestamp::now().secs();
    let secrets = app.secrets.of(endpoint).await?;
    match signature::verify(header, body, &secrets, now) {
        // A secret may have been made or rolled since they were read.
        Err(SignatureError::Mismatch | SignatureError::NoSecret) => {
            let secrets = app.secrets.again(endpoint).await?;
            Ok(signature::verify(header, body, &secrets, now)?)
        }
        verified => Ok(verified?),
    }
}

/// Why a delivery is not taken.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{0}")]
    Signature(#[from] SignatureError),
    #[error("{0}")]
    Event(#[from] EventError),
    /// Something of ours is out of reach; Stripe delivers again.
    #[error("{0}")]
    Unavailable(String),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl Refusal {
    fn answer(&self, mode: Mode) -> Response<Body> {
        let (metric, problem) = match self {
            Self::Signature(error) => {
                // What a forger learns is the same whatever is wrong.
                tracing::warn!(mode = %mode, refusal = %error, "a delivery was refused");
                let detail = "the signature does not fit the body, or its time is too far from now";
                (Metric::SignatureRefused, Problem::new(StatusCode::BAD_REQUEST, "signature_refused", detail))
            }
            Self::Event(error) => {
                tracing::warn!(mode = %mode, refusal = %error, "a signed event was refused");
                let metric = if *error == EventError::LiveOnTest {
                    Metric::LiveEventOnTestEndpoint
                } else {
                    Metric::EventRefused
                };
                (metric, Problem::new(StatusCode::BAD_REQUEST, "event_refused", error.to_string()))
            }
            Self::Unavailable(error) => {
                tracing::error!(mode = %mode, refusal = %error, "an event could not be queued");
                let detail = "the event could not be queued; deliver it again";
                (Metric::EventNotQueued, Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail))
            }
        };
        metrics::count(NAME, Some(mode), metric, 1);
        problem.response()
    }
}
