//! The sweep function as a library: its handler, so that tests can call it without Lambda.

use std::sync::Arc;

use axiru_aws::cancel::Canceller;
use axiru_aws::execution::{Executor, Recoverer};
use axiru_aws::expire::Expirer;
use axiru_aws::heartbeat::Heart;
use axiru_aws::jobs::JobQueue;
use axiru_aws::reach::Reach;
use axiru_aws::refresh::AskQueue;
use axiru_aws::seal::Seal;
use axiru_aws::tokens::TokenReader;
use axiru_aws::{Clients, Store, StoreError};
use axiru_domain::{Mode, Timestamp};
use axiru_runtime::env;
use axiru_runtime::load::{self, LoadError};
use axiru_runtime::metrics::{self, Metric};
use serde_json::{Value, json};

/// Name of the function in metrics.
const NAME: &str = "sweep";

/// What the handler works with, built once.
pub struct App {
    expirer: Expirer,
    recoverer: Option<Recoverer>,
    heart: Option<Heart>,
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
        let asks = AskQueue::new(clients.sqs.clone(), env::required("AXIRU_REFRESH_QUEUE_URL")?);
        let jobs = JobQueue::new(clients.sqs, env::required("AXIRU_EXECUTIONS_QUEUE_URL")?);
        let (https, base) = load::stripe()?;
        let tokens = Arc::new(TokenReader::new(store.clone(), seal, asks));
        let canceller =
            Canceller::new(store.clone(), Arc::clone(&https), base.clone(), Arc::clone(&tokens), Timestamp::now);
        let reach = Reach::new(https, base, tokens);
        let executor = Executor::new(store.clone(), Arc::new(reach), Timestamp::now);
        let recoverer = Recoverer::new(executor, jobs).with_canceller(canceller);
        let heart = Heart::new(store.clone(), Timestamp::now);
        Ok(Self::new(Expirer::new(store, Timestamp::now)).with_recoverer(recoverer).with_heart(heart))
    }

    /// With that expirer.
    #[must_use]
    pub const fn new(expirer: Expirer) -> Self {
        Self { expirer, recoverer: None, heart: None }
    }

    /// Looking after what is under way, too.
    #[must_use]
    pub fn with_recoverer(mut self, recoverer: Recoverer) -> Self {
        self.recoverer = Some(recoverer);
        self
    }

    /// Appending heartbeats, too.
    #[must_use]
    pub fn with_heart(mut self, heart: Heart) -> Self {
        self.heart = Some(heart);
        self
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
        metrics::several(
            NAME,
            mode,
            &[
                (Metric::DecisionsExpired, swept.ended),
                (Metric::DecisionsOpen, swept.open),
                (Metric::ApprovalsPending, swept.pending),
                (Metric::ApprovalsExpired, swept.unanswered),
            ],
        );
        tracing::info!(mode = %mode, decisions.ended = swept.ended, decisions.open = swept.open, "a mode was swept");
        let mut told = json!({"ended": swept.ended, "failed": swept.failed, "open": swept.open});
        if let Some(recoverer) = &app.recoverer {
            let recovered = recoverer.run(mode).await?;
            failed += recovered.failed;
            metrics::several(
                NAME,
                mode,
                &[
                    (Metric::ExecutionsSettled, recovered.settled),
                    (Metric::ExecutionsUnknown, recovered.unknown),
                    (Metric::ExecutionsQueued, recovered.queued),
                    (Metric::UnknownSeconds, recovered.oldest_unknown_secs),
                ],
            );
            if let Some(told) = told.as_object_mut() {
                told.insert("settled".into(), recovered.settled.into());
                told.insert("queued".into(), recovered.queued.into());
                told.insert("unknown".into(), recovered.unknown.into());
                told.insert("failed".into(), (swept.failed + recovered.failed).into());
            }
        }
        if let Some(heart) = &app.heart {
            let beaten = heart.run(mode).await?;
            failed += beaten.failed;
            metrics::count(NAME, Some(mode), Metric::Heartbeats, beaten.beats);
            if let Some(told) = told.as_object_mut() {
                let before = told.get("failed").and_then(Value::as_u64).unwrap_or_default();
                told.insert("heartbeats".into(), beaten.beats.into());
                told.insert("failed".into(), (before + beaten.failed).into());
            }
        }
        if let Some(answer) = answer.as_object_mut() {
            answer.insert(mode.to_string(), told);
        }
    }
    if failed > 0 { Err(SweepFailed::Some(failed)) } else { Ok(answer) }
}
