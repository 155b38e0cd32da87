//! The execute function as a library: its handler, so that tests can call it without Lambda.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use axiru_aws::approval::LinkCaps;
use axiru_aws::cancel::{Cancelled, Canceller};
use axiru_aws::execution::{Beginner, Executor, Worked, Worker};
use axiru_aws::facts::StripeFacts;
use axiru_aws::jobs::Job;
use axiru_aws::reach::Reach;
use axiru_aws::refresh::AskQueue;
use axiru_aws::seal::Seal;
use axiru_aws::tokens::TokenReader;
use axiru_aws::{Clients, Store};
use axiru_domain::Timestamp;
use axiru_runtime::batch::{give_back, guarded};
use axiru_runtime::env;
use axiru_runtime::load::{self, LoadError};
use axiru_runtime::metrics::{self, Metric};
use axiru_stripe::base::ApiBase;
use axiru_stripe::transport::Transport;

/// Name of the function in metrics.
const NAME: &str = "execute";

/// How long Stripe may take to tell what an approved request depends on. Nobody waits for the worker, and what it cannot be told puts the
/// request off.
const FACTS: Duration = Duration::from_secs(8);

/// What the handler works with, built once.
pub struct App {
    worker: Worker,
    canceller: Canceller,
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
        let asks = AskQueue::new(clients.sqs, env::required("AXIRU_REFRESH_QUEUE_URL")?);
        let caps = env::parsed("AXIRU_LINK_CAPS", LinkCaps::default())?;
        let (https, base) = load::stripe()?;
        Ok(Self::new(store, seal, asks, https, base, caps, Timestamp::now))
    }

    /// On that store, opening parameters with that key, with that way to Stripe and that clock.
    #[must_use]
    pub fn new(
        store: Store,
        seal: Seal,
        asks: AskQueue,
        transport: Arc<dyn Transport>,
        base: ApiBase,
        caps: LinkCaps,
        now: fn() -> Timestamp,
    ) -> Self {
        let tokens = Arc::new(TokenReader::new(store.clone(), seal.clone(), asks).with_clock(now));
        let canceller = Canceller::new(store.clone(), Arc::clone(&transport), base.clone(), Arc::clone(&tokens), now);
        let facts = StripeFacts::new(Arc::clone(&transport), base.clone(), Arc::clone(&tokens)).with_deadline(FACTS);
        let beginner = Beginner::new(store.clone(), facts, now).with_link_caps(caps);
        let reach = Arc::new(Reach::new(transport, base, tokens));
        let worker = Worker::new(Executor::new(store, reach, now), seal).with_beginner(beginner);
        Self { worker, canceller }
    }
}

/// Does the jobs of a batch in their order; from the first of a group that fails on, they go back to the queue.
pub async fn handle(app: &App, event: SqsEvent) -> SqsBatchResponse {
    let mut failed = Vec::new();
    for message in event.records {
        let id = message.message_id.unwrap_or_default();
        // First in, first out: what comes behind a job that failed waits for it.
        if !failed.is_empty() || !done(app, &id, message.body.as_deref()).await {
            failed.push(id);
        }
    }
    give_back(failed)
}

/// Does one job; true when its message is done.
async fn done(app: &App, message: &str, body: Option<&str>) -> bool {
    let Some(Ok(job)) = body.map(serde_json::from_str::<Job>) else {
        // Only our own functions write to the queue: this is a fault of ours, and it must not disappear.
        tracing::error!(message.id = %message, "a message is no job");
        metrics::count(NAME, None, Metric::JobsRefused, 1);
        return false;
    };
    let mode = Some(job.scope().mode());
    let outcome = match &job {
        Job::Execute { scope, request } => {
            let worked = guarded(Box::pin(app.worker.execute(scope, request))).await;
            worked.map(|worked| worked.map_err(|error| error.to_string()))
        }
        Job::Cancel { scope, kind, object } => {
            let cancelled = guarded(Box::pin(app.canceller.run(scope, *kind, object))).await;
            cancelled.map(|cancelled| match cancelled {
                Ok(Cancelled::Undone) => Ok(Worked::Done),
                Ok(Cancelled::TooLate) => {
                    metrics::count(NAME, mode, Metric::MovementsUngoverned, 1);
                    Ok(Worked::Done)
                }
                Ok(Cancelled::Nothing) => Ok(Worked::Nothing),
                Err(error) => Err(error.to_string()),
            })
        }
    };
    match outcome {
        Ok(Ok(worked)) => {
            tracing::info!(scope = %job.scope(), worked = ?worked, "a job was done");
            let metric = match worked {
                Worked::Unknown => Metric::OutcomeUnknown,
                Worked::Ended(_) => Metric::ApprovalsCancelled,
                Worked::Done | Worked::Nothing => Metric::JobsDone,
            };
            metrics::count(NAME, mode, metric, 1);
            true
        }
        Ok(Err(error)) => {
            tracing::error!(scope = %job.scope(), error = %error, "a job comes back");
            metrics::count(NAME, mode, Metric::JobsPutOff, 1);
            false
        }
        Err(panicked) => {
            tracing::error!(scope = %job.scope(), error = %panicked, "a job could not be done");
            false
        }
    }
}
