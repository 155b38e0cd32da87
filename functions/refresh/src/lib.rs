//! The refresh function as a library: its handler, so that tests can call it without Lambda.

use axiru_aws::connect::developer::Developers;
use axiru_aws::refresh::{Ask, RefreshError, Refreshed, Refresher};
use axiru_aws::seal::Seal;
use axiru_aws::{Clients, Retry, Store, StoreError};
use axiru_domain::{Mode, Scope};
use axiru_runtime::batch::guarded;
use axiru_runtime::env;
use axiru_runtime::load::{self, LoadError};
use axiru_runtime::metrics::{self, Metric};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// Name of the function in metrics.
const NAME: &str = "refresh";

/// Renewals at the same time: each is one call to Stripe, which allows 25 a second.
const AT_ONCE: usize = 8;

/// What the handler works with, built once.
pub struct App {
    refresher: Refresher,
}

impl App {
    /// From the environment.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn load() -> Result<Self, LoadError> {
        let clients = Clients::load().await;
        let state = env::required("AXIRU_STATE_TABLE")?;
        let store = Store::new(clients.dynamodb, state, env::required("AXIRU_LEDGER_TABLE")?);
        let seal = Seal::new(clients.kms, env::required("AXIRU_SEAL_KEY_ID")?);
        let test = env::required("AXIRU_DEVELOPER_SECRET_TEST")?;
        let live = env::required("AXIRU_DEVELOPER_SECRET_LIVE")?;
        let developers = Developers::new(clients.secrets, test, live);
        let (https, base) = load::stripe()?;
        Ok(Self::new(Refresher::new(store, seal, developers, https, base)))
    }

    /// With that refresher.
    #[must_use]
    pub const fn new(refresher: Refresher) -> Self {
        Self { refresher }
    }
}

/// The connections of a mode could not be read. The next run comes within minutes.
#[derive(Debug, thiserror::Error)]
#[error("the connections cannot be listed: {0}")]
pub struct RefreshFailed(#[from] StoreError);

/// Renews what the messages of a batch ask for, or everything that is due for any other event. Answers which messages come back.
///
/// # Errors
/// [`RefreshFailed`] when the connections could not be listed.
pub async fn handle(app: &App, event: &Value) -> Result<Value, lambda_runtime::Error> {
    match event.get("Records").and_then(Value::as_array) {
        Some(records) => Ok(asked(app, records).await),
        None => Ok(due(app).await?),
    }
}

/// Everything that is due. What fails is tried again at the next run.
async fn due(app: &App) -> Result<Value, RefreshFailed> {
    let mut asks = Vec::new();
    for mode in Mode::ALL {
        let scopes = app.refresher.due(mode).await?;
        asks.extend(scopes.into_iter().map(|scope| Ask { scope, refused: None }));
    }
    let mut done = 0;
    for some in asks.chunks(AT_ONCE) {
        done += join_all(some.iter().map(|ask| renew(app, ask))).await.into_iter().filter(|done| *done).count();
    }
    Ok(json!({ "due": asks.len(), "done": done }))
}

/// What messages ask for. The same ask is done once.
async fn asked(app: &App, records: &[Value]) -> Value {
    let mut asks: Vec<(Ask, Vec<&str>)> = Vec::new();
    let mut failed: Vec<&str> = Vec::new();
    for record in records {
        let id = record.get("messageId").and_then(Value::as_str).unwrap_or_default();
        let body = record.get("body").and_then(Value::as_str).unwrap_or_default();
        let Ok(ask) = serde_json::from_str::<Ask>(body) else {
            // Only readers write to the queue: this is a fault of ours, and it must not disappear.
            tracing::error!(message.id = %id, "a message asks for no tokens");
            metrics::count(NAME, None, Metric::AsksRefused, 1);
            failed.push(id);
            continue;
        };
        match asks.iter_mut().find(|(known, _)| *known == ask) {
            Some((_, ids)) => ids.push(id),
            None => asks.push((ask, vec![id])),
        }
    }
    for some in asks.chunks(AT_ONCE) {
        let done = join_all(some.iter().map(|(ask, _)| renew(app, ask))).await;
        failed.extend(some.iter().zip(done).filter(|(_, done)| !done).flat_map(|((_, ids), _)| ids));
    }
    let failures: Vec<Value> = failed.into_iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": failures })
}

/// One renewal; true when nothing is left to do for it.
async fn renew(app: &App, ask: &Ask) -> bool {
    match guarded(app.refresher.refresh(ask)).await {
        Ok(outcome) => settle(&ask.scope, outcome),
        Err(panicked) => {
            tracing::error!(scope = %ask.scope, error = %panicked, "tokens could not be renewed");
            false
        }
    }
}

/// Logs and counts what became of a renewal; true when nothing is left to do.
fn settle(scope: &Scope, outcome: Result<Refreshed, RefreshError>) -> bool {
    let mode = Some(scope.mode());
    match outcome {
        Ok(Refreshed::Renewed(version)) => {
            tracing::info!(scope = %scope, tokens.version = version, "tokens were renewed");
            metrics::count(NAME, mode, Metric::TokensRenewed, 1);
        }
        Ok(Refreshed::ReauthRequired) => {
            tracing::error!(scope = %scope, "an account must be connected again: its tokens are dead");
            metrics::count(NAME, mode, Metric::ReauthRequired, 1);
        }
        Ok(Refreshed::Fresh | Refreshed::Busy | Refreshed::NotActive) => {}
        Err(error) => {
            let retry = error.retry() == Retry::Later;
            tracing::error!(scope = %scope, error = %error, retry, "tokens could not be renewed");
            metrics::count(NAME, mode, if retry { Metric::TokensPutOff } else { Metric::TokensRefused }, 1);
            return false;
        }
    }
    true
}
