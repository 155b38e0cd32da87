//! The reconcile function as a library: its handler, so that tests can call it without Lambda.

use std::sync::Arc;
use std::time::Duration;

use axiru_aws::connection::ConnectionState;
use axiru_aws::export::{Bucket, Retention};
use axiru_aws::facts::StripeFacts;
use axiru_aws::jobs::JobQueue;
use axiru_aws::observe::Observer;
use axiru_aws::reach::Reach;
use axiru_aws::reconcile::{Done, Healed, Healer, Reconciled, Reconciler, RunError, Runner, Task, TaskQueue};
use axiru_aws::refresh::AskQueue;
use axiru_aws::seal::Seal;
use axiru_aws::tokens::TokenReader;
use axiru_aws::{AwsError, Clients, Retry, Store, StoreError};
use axiru_domain::{Mode, Period, Timestamp};
use axiru_runtime::batch::guarded;
use axiru_runtime::env;
use axiru_runtime::env::EnvError;
use axiru_runtime::load::{self, LoadError};
use axiru_runtime::metrics::{self, Metric};
use serde_json::{Value, json};

/// Name of the function in metrics.
const NAME: &str = "reconcile";

/// Longest time for one task: the function's 15 minutes less one, in which its end is noted.
const BUDGET: Duration = Duration::from_secs(14 * 60);

/// What the handler works with, built once.
pub struct App {
    store: Store,
    tasks: TaskQueue,
    runner: Runner,
    clock: fn() -> Timestamp,
    budget: Duration,
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
        let lock = env::required("AXIRU_OBJECT_LOCK_MODE")?;
        let days = env::required("AXIRU_OBJECT_LOCK_DAYS")?.parse();
        let retention = Retention::parse(&lock, days.map_err(|_| EnvError::Form("AXIRU_OBJECT_LOCK_DAYS"))?);
        let retention = retention.ok_or(EnvError::Form("AXIRU_OBJECT_LOCK_MODE"))?;
        let bucket = Bucket::new(clients.s3, env::required("AXIRU_EXPORT_BUCKET")?).with_live_retention(retention);
        let asks = AskQueue::new(clients.sqs.clone(), env::required("AXIRU_REFRESH_QUEUE_URL")?);
        let jobs = JobQueue::new(clients.sqs.clone(), env::required("AXIRU_EXECUTIONS_QUEUE_URL")?);
        let tasks = TaskQueue::new(clients.sqs, env::required("AXIRU_RECONCILE_QUEUE_URL")?);
        let (https, base) = load::stripe()?;
        let tokens = Arc::new(TokenReader::new(store.clone(), seal, asks));
        // The same observer as that of `observe`: facts, plans and what follows from blocks are the same for late news.
        let facts = StripeFacts::new(Arc::clone(&https), base.clone(), Arc::clone(&tokens));
        let observer = Observer::new(store.clone()).with_facts(facts).with_jobs(jobs);
        let reach = Arc::new(Reach::new(https, base, tokens));
        Ok(Self::new(store, tasks, reach, bucket, observer, Timestamp::now))
    }

    /// With these.
    #[must_use]
    pub fn new(
        store: Store,
        tasks: TaskQueue,
        reach: Arc<Reach>,
        bucket: Bucket,
        observer: Observer,
        clock: fn() -> Timestamp,
    ) -> Self {
        let healer = Healer::new(store.clone(), Arc::clone(&reach), observer, clock);
        let reconciler = Reconciler::new(store.clone(), reach, bucket, clock);
        let runner = Runner::new(store.clone(), healer, reconciler);
        Self { store, tasks, runner, clock, budget: BUDGET }
    }

    /// With another time for one task.
    #[must_use]
    pub const fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }
}

/// The nightly tasks could not all be put on the queue.
#[derive(Debug, thiserror::Error)]
pub enum NightFailed {
    /// The connections cannot be listed.
    #[error("the connections cannot be listed: {0}")]
    List(#[from] StoreError),
    /// A task cannot be queued.
    #[error("a task cannot be queued: {0}")]
    Queue(#[from] AwsError),
}

/// Does what the messages of a batch ask for. For any other event, which is the nightly one, puts yesterday of every scope in use on the
/// queue. Answers which messages come back.
///
/// # Errors
/// [`NightFailed`]; a task that is queued twice is done twice, which leaves the same.
pub async fn handle(app: &App, event: &Value) -> Result<Value, lambda_runtime::Error> {
    match event.get("Records").and_then(Value::as_array) {
        Some(records) => Ok(Box::pin(asked(app, records)).await),
        None => Ok(Box::pin(night(app)).await?),
    }
}

/// Yesterday of every scope in use. Each is a task of its own, so that a slow one holds up no other.
async fn night(app: &App) -> Result<Value, NightFailed> {
    let period = Period::yesterday((app.clock)());
    let mut queued = 0_u64;
    for mode in Mode::ALL {
        for connection in app.store.connections(mode).await? {
            if connection.state == ConnectionState::Active {
                app.tasks.send(&Task { scope: connection.scope, period, run: None }).await?;
                queued += 1;
            }
        }
    }
    tracing::info!(period = %period, tasks = queued, "the night's tasks were queued");
    Ok(json!({ "queued": queued }))
}

async fn asked(app: &App, records: &[Value]) -> Value {
    let mut failed = Vec::new();
    for record in records {
        let id = record.get("messageId").and_then(Value::as_str).unwrap_or_default();
        let body = record.get("body").and_then(Value::as_str).unwrap_or_default();
        let done = match serde_json::from_str::<Task>(body) {
            Ok(task) => work(app, &task).await,
            Err(_) => {
                // Only `admin` and this function write to the queue: this is a fault of ours, and it must not disappear.
                tracing::error!(message.id = %id, "a message is no task");
                metrics::count(NAME, None, Metric::TasksRefused, 1);
                false
            }
        };
        if !done {
            failed.push(json!({ "itemIdentifier": id }));
        }
    }
    json!({ "batchItemFailures": failed })
}

/// One task; true when nothing is left to do for it.
async fn work(app: &App, task: &Task) -> bool {
    let outcome = guarded(tokio::time::timeout(app.budget, Box::pin(app.runner.run(task)))).await;
    match outcome {
        Ok(Ok(outcome)) => settle(task, outcome),
        Ok(Err(_)) => {
            give_up(app, task, "it took longer than a function may run; ask for a day instead of a month").await
        }
        Err(panicked) => {
            tracing::error!(scope = %task.scope, period = %task.period, error = %panicked, "a task panicked");
            give_up(app, task, "it ended with a fault; the function's log says which").await
        }
    }
}

/// Ends a task that somebody waits for, and puts off one of the night.
async fn give_up(app: &App, task: &Task, reason: &str) -> bool {
    tracing::error!(scope = %task.scope, period = %task.period, reason, "a task was given up");
    metrics::count(NAME, Some(task.scope.mode()), Metric::TasksPutOff, 1);
    let noted = app.runner.give_up(task, reason).await;
    task.run.is_some() && noted.is_ok()
}

/// Logs and counts what became of a task; true when nothing is left to do.
fn settle(task: &Task, outcome: Result<Done, RunError>) -> bool {
    let (scope, period, mode) = (&task.scope, task.period, Some(task.scope.mode()));
    let done = match outcome {
        Ok(done) => done,
        Err(error) => {
            let retry = error.retry() == Retry::Later;
            tracing::error!(scope = %scope, period = %period, error = %error, retry, "a task could not be done");
            metrics::count(NAME, mode, if retry { Metric::TasksPutOff } else { Metric::TasksRefused }, 1);
            return false;
        }
    };
    if let Some(healed) = done.healed {
        tell_healed(task, healed);
    }
    if let Some(reconciled) = &done.reconciled {
        tell_reconciled(task, reconciled);
    }
    if let Some(reason) = &done.reason {
        tracing::warn!(scope = %scope, period = %period, reason, "there is nothing to compare");
    }
    true
}

fn tell_healed(task: &Task, healed: Healed) {
    let Healed { listed, untold, entries, ungoverned, failed } = healed;
    tracing::info!(
        scope = %task.scope, events.listed = listed, events.recovered = untold, events.failed = failed, entries,
        "a scope was healed"
    );
    let mode = Some(task.scope.mode());
    metrics::count(NAME, mode, Metric::EventsRecovered, untold);
    metrics::count(NAME, mode, Metric::EventsNotRecovered, failed);
    metrics::count(NAME, mode, Metric::EntriesAppended, entries);
    if ungoverned > 0 {
        metrics::count(NAME, mode, Metric::MovementsUngoverned, ungoverned);
    }
}

fn tell_reconciled(task: &Task, reconciled: &Reconciled) {
    let tally = reconciled.tally;
    tracing::info!(
        scope = %task.scope, period = %task.period, complete = reconciled.complete, matched = tally.matched,
        only_stripe = tally.only_stripe, only_ledger = tally.only_ledger, different = tally.different,
        report = %reconciled.file, is_new = reconciled.is_new, "a period was compared"
    );
    // The alarm is about the night: what an operator asks for, they are told.
    if task.run.is_none() {
        metrics::count(NAME, Some(task.scope.mode()), Metric::ReconcileUnmatched, tally.unmatched());
        let whole = u64::from(!reconciled.complete && tally.unmatched() == 0);
        metrics::count(NAME, Some(task.scope.mode()), Metric::ReconcileNotCompared, whole);
    }
}
