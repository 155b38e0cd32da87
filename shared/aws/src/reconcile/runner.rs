//! One task: heal, then compare; and tell whoever waits for it.

use axiru_domain::Actor;
use serde_json::{Value, json};

use super::heal::{HealError, Healed, Healer};
use super::reconciler::{ReconcileError, Reconciled, Reconciler};
use super::run::Note;
use super::task::Task;
use crate::error::{AwsError, Retry};
use crate::store::{Store, StoreError};

/// Unmatched things that the row of a run names; all are in the report.
const NAMED: usize = 100;

/// Why a task is not done.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Healing.
    #[error("healing: {0}")]
    Heal(#[from] HealError),
    /// Comparing.
    #[error("comparing: {0}")]
    Reconcile(#[from] ReconcileError),
    /// The run's row.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl From<AwsError> for RunError {
    fn from(error: AwsError) -> Self {
        Self::Store(error.into())
    }
}

impl RunError {
    /// Whether doing it later can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Heal(error) => error.retry(),
            Self::Reconcile(error) => error.retry(),
            Self::Store(StoreError::Aws(error)) => error.retry(),
            Self::Store(StoreError::Row(_)) => Retry::Never,
        }
    }
}

/// What became of a task.
#[derive(Debug, Default)]
pub struct Done {
    /// What was healed; none where that could not be done.
    pub healed: Option<Healed>,
    /// Why nothing was healed.
    pub unhealed: Option<String>,
    /// The report; none where there is nothing to compare.
    pub reconciled: Option<Reconciled>,
    /// Why there is none.
    pub reason: Option<String>,
}

/// Does tasks.
pub struct Runner {
    store: Store,
    healer: Healer,
    reconciler: Reconciler,
}

impl Runner {
    /// With that healer and reconciler.
    #[must_use]
    pub const fn new(store: Store, healer: Healer, reconciler: Reconciler) -> Self {
        Self { store, healer, reconciler }
    }

    /// Does a task. One that somebody waits for is told its end, whatever it is; a nightly one that can be done later is an error.
    ///
    /// # Errors
    /// [`RunError`]. Doing the task again goes on where it stopped.
    pub async fn run(&self, task: &Task) -> Result<Done, RunError> {
        let Some(run) = &task.run else {
            return self.work(task, &Actor::Axiru).await;
        };
        // A message without its row is of long ago.
        let Some(row) = self.store.reconcile_run(&task.scope, run).await?.filter(|row| !row.status.is_final()) else {
            return Ok(Done::default());
        };
        let outcome = self.work(task, &row.actor).await;
        let done = match outcome {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(scope = %task.scope, period = %task.period, error = %error, "a comparison could not be made");
                // A person waits: they are told, and ask again, rather than that a message comes back in an hour.
                Done { reason: Some(error.to_string()), ..Done::default() }
            }
        };
        let told = outcome_of(&done);
        let note = match (&told, &done.reason) {
            (Some(outcome), _) => Note::Done(outcome),
            (None, reason) => Note::Failed(reason.as_deref().unwrap_or("there is nothing to compare")),
        };
        self.store.note_run(&task.scope, run, note).await?;
        Ok(done)
    }

    /// Notes that a run was given up, because its time was over or it panicked.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn give_up(&self, task: &Task, reason: &str) -> Result<(), AwsError> {
        match &task.run {
            Some(run) => self.store.note_run(&task.scope, run, Note::Failed(reason)).await,
            None => Ok(()),
        }
    }

    async fn work(&self, task: &Task, actor: &Actor) -> Result<Done, RunError> {
        let mut done = Done::default();
        self.stage(task, "healing from Stripe's list of events").await?;
        // A period that was asked for is healed as far back as Stripe lists events.
        let since = task.run.as_ref().map(|_| task.period.from());
        match Box::pin(self.healer.heal(&task.scope, since)).await {
            Ok(healed) => done.healed = Some(healed),
            Err(error) if error.retry() == Retry::Never => {
                tracing::error!(scope = %task.scope, error = %error, "nothing could be healed");
                done.unhealed = Some(error.to_string());
            }
            Err(error) => return Err(error.into()),
        }
        self.stage(task, "comparing Stripe's lists with the ledger").await?;
        match Box::pin(self.reconciler.reconcile(&task.scope, task.period, actor)).await {
            Ok(reconciled) => done.reconciled = Some(reconciled),
            Err(
                error @ (ReconcileError::NotConnected
                | ReconcileError::ReauthRequired
                | ReconcileError::NotOver
                | ReconcileError::BeforeConnection),
            ) => done.reason = Some(error.to_string()),
            Err(error) => return Err(error.into()),
        }
        Ok(done)
    }

    async fn stage(&self, task: &Task, stage: &str) -> Result<(), RunError> {
        if let Some(run) = &task.run {
            self.store.note_run(&task.scope, run, Note::Stage(stage)).await?;
        }
        Ok(())
    }
}

/// What the person who asked is told of a report: its numbers, what is not compared, and the first hundred of what is unmatched.
fn outcome_of(done: &Done) -> Option<Value> {
    let reconciled = done.reconciled.as_ref()?;
    let document = &reconciled.document;
    let get = |name: &str| document.get(name).cloned().unwrap_or(Value::Null);
    let mut named = Vec::new();
    for side in ["only_stripe", "only_ledger", "different"] {
        named
            .extend(document.get(side).and_then(Value::as_array).into_iter().flatten().map(|item| of_side(side, item)));
    }
    let lines = document.get("balance").and_then(|balance| balance.get("unmatched")).and_then(Value::as_array);
    named.extend(lines.into_iter().flatten().map(|line| of_side("balance", line)));
    let more = named.len().saturating_sub(NAMED);
    named.truncate(NAMED);
    let healed = done.healed.map(|healed| {
        json!({"listed": healed.listed, "untold": healed.untold, "entries": healed.entries, "failed": healed.failed})
    });
    Some(json!({
        "complete": reconciled.complete,
        "from": get("from"), "until": get("until"), "not_compared": get("not_compared"), "totals": get("totals"),
        "recovered": get("recovered"),
        "matched": reconciled.tally.matched, "only_stripe": reconciled.tally.only_stripe,
        "only_ledger": reconciled.tally.only_ledger, "different": reconciled.tally.different,
        "unmatched": named, "more": more,
        "file": reconciled.file, "report_sha256": reconciled.sha256.to_string(), "entry": reconciled.entry,
        "healed": healed, "unhealed": done.unhealed,
    }))
}

fn of_side(side: &str, item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(item) = item.as_object_mut() {
        item.insert("side".to_owned(), side.into());
    }
    item
}
