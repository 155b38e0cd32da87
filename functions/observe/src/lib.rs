//! The observe function as a library: its handler, so that tests can call it without Lambda.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use axiru_aws::facts::StripeFacts;
use axiru_aws::jobs::JobQueue;
use axiru_aws::observe::{ObserveError, Observed, Observer};
use axiru_aws::refresh::AskQueue;
use axiru_aws::seal::Seal;
use axiru_aws::tokens::TokenReader;
use axiru_aws::{Clients, Retry, Store};
use axiru_runtime::batch::{give_back, guarded};
use axiru_runtime::env;
use axiru_runtime::load::{self, LoadError};
use axiru_runtime::metrics::{self, Metric};
use axiru_stripe::report::Report;

/// Name of the function in metrics.
const NAME: &str = "observe";

/// What the handler works with, built once.
pub struct App {
    observer: Observer,
}

impl App {
    /// From the environment.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn load() -> Result<Self, LoadError> {
        let clients = Clients::load().await;
        let state = env::required("AXIRU_STATE_TABLE")?;
        let ledger = env::required("AXIRU_LEDGER_TABLE")?;
        let store = Store::new(clients.dynamodb, state, ledger);
        let seal = Seal::new(clients.kms, env::required("AXIRU_SEAL_KEY_ID")?);
        // Without the queue nothing is lost: the sweeper finds what is to be cancelled.
        let jobs = env::optional("AXIRU_EXECUTIONS_QUEUE_URL").map(|url| JobQueue::new(clients.sqs.clone(), url));
        let asks = AskQueue::new(clients.sqs, env::required("AXIRU_REFRESH_QUEUE_URL")?);
        let (https, base) = load::stripe()?;
        let tokens = TokenReader::new(store.clone(), seal, asks);
        let facts = StripeFacts::new(https, base, tokens);
        let observer = Observer::new(store).with_facts(facts);
        Ok(Self::new(match jobs {
            Some(jobs) => observer.with_jobs(jobs),
            None => observer,
        }))
    }

    /// With that observer.
    #[must_use]
    pub const fn new(observer: Observer) -> Self {
        Self { observer }
    }
}

/// Observes a batch; the messages that failed go back to the queue.
pub async fn handle(app: &App, event: SqsEvent) -> SqsBatchResponse {
    let mut failed = Vec::new();
    let mut messages = Vec::new();
    let mut reports = Vec::new();
    for message in event.records {
        let id = message.message_id.unwrap_or_default();
        match message.body.as_deref().map(serde_json::from_str::<Report>) {
            Some(Ok(report)) => {
                messages.push(id);
                reports.push(report);
            }
            _ => {
                // Only `webhook` writes to the queue: this is a fault of ours, and it must not disappear.
                tracing::error!(message.id = %id, "a message is not a report");
                metrics::count(NAME, None, Metric::ReportsRefused, 1);
                failed.push(id);
            }
        }
    }
    let scopes: Vec<_> = reports.iter().map(|report| (report.scope.clone(), report.event.clone())).collect();
    match guarded(app.observer.observe(reports.clone())).await {
        Ok(results) => {
            for ((id, (scope, event)), result) in messages.into_iter().zip(scopes).zip(results) {
                if !settle(&scope, &event, result) {
                    failed.push(id);
                }
            }
        }
        // One of them panics: each by itself, so that it does not hold back the others.
        Err(_) => {
            for ((id, (scope, event)), report) in messages.into_iter().zip(scopes).zip(reports) {
                let result = guarded(app.observer.observe(vec![report])).await.ok().and_then(|mut all| all.pop());
                if !result.is_some_and(|result| settle(&scope, &event, result)) {
                    failed.push(id);
                }
            }
        }
    }
    give_back(failed)
}

/// Logs and counts what became of a report; true when its message is done.
fn settle(scope: &axiru_domain::Scope, event: &axiru_domain::StripeId, result: Result<Observed, ObserveError>) -> bool {
    let mode = Some(scope.mode());
    let ungoverned = result.as_ref().map_or(0, Observed::ungoverned);
    if ungoverned > 0 {
        metrics::count(NAME, mode, Metric::MovementsUngoverned, ungoverned);
    }
    match result {
        Ok(Observed::Recorded(entries)) => {
            for entry in &entries {
                tracing::info!(
                    scope = %scope, event.id = %event, entry.lane = entry.log.lane.number(), entry.seq = entry.seq,
                    entry.kind = %entry.ty, "an entry was appended"
                );
            }
            metrics::count(NAME, mode, Metric::EntriesAppended, entries.len() as u64);
            true
        }
        Ok(Observed::NotConnected) => {
            tracing::warn!(scope = %scope, event.id = %event, "a report of an account that is not connected was dropped");
            metrics::count(NAME, mode, Metric::ReportsNotConnected, 1);
            true
        }
        Err(error) => {
            let retry = error.retry() == Retry::Later;
            tracing::error!(scope = %scope, event.id = %event, error = %error, retry, "a report could not be observed");
            metrics::count(NAME, mode, if retry { Metric::ReportsPutOff } else { Metric::ReportsRefused }, 1);
            false
        }
    }
}
