//! The sweep function as a library: its handler, so that tests can call it without Lambda.

use axiru_aws::expire::Expirer;
use axiru_aws::{Clients, Store, StoreError};
use axiru_domain::{Mode, Timestamp};
use axiru_runtime::env::{self, EnvError};
use axiru_runtime::metrics;
use serde_json::{Value, json};

/// Name of the function in metrics.
const NAME: &str = "sweep";

/// What the handler works with, built once.
pub struct App {
    expirer: Expirer,
}

impl App {
    /// From the environment.
    ///
    /// # Errors
    /// [`EnvError`] when a setting is missing.
    pub async fn load() -> Result<Self, EnvError> {
        let clients = Clients::load().await;
        let state = env::required("AXIRU_STATE_TABLE")?;
        let store = Store::new(clients.dynamodb, state, env::required("AXIRU_LEDGER_TABLE")?);
        Ok(Self::new(Expirer::new(store, Timestamp::now)))
    }

    /// With that expirer.
    #[must_use]
    pub const fn new(expirer: Expirer) -> Self {
        Self { expirer }
    }
}

/// Some request could not be ended, or the requests could not be listed. The next run tries again.
#[derive(Debug, thiserror::Error)]
pub enum SweepFailed {
    /// They could not be listed.
    #[error("{0}")]
    List(#[from] StoreError),
    /// How many could not be ended; why is in the log.
    #[error("{0} decisions could not be ended")]
    Some(u64),
}

/// Sweeps both modes and answers what was done.
///
/// # Errors
/// [`SweepFailed`], after everything that could be ended was.
pub async fn handle(app: &App) -> Result<Value, SweepFailed> {
    let mut answer = json!({});
    let mut failed = 0;
    for mode in Mode::ALL {
        let swept = app.expirer.run(mode).await?;
        failed += swept.failed;
        metrics::count(NAME, Some(mode), "DecisionsExpired", swept.ended);
        metrics::count(NAME, Some(mode), "DecisionsOpen", swept.open);
        tracing::info!(mode = %mode, decisions.ended = swept.ended, decisions.open = swept.open, "a mode was swept");
        if let Some(answer) = answer.as_object_mut() {
            answer.insert(mode.to_string(), json!({"ended": swept.ended, "failed": swept.failed, "open": swept.open}));
        }
    }
    if failed > 0 { Err(SweepFailed::Some(failed)) } else { Ok(answer) }
}
