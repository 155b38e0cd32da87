//! The export function as a library: its handler, so that tests can call it without Lambda.

mod doorbell;

use std::collections::BTreeSet;

use axiru_aws::export::{Bucket, ExportError, Exporter, Retention, Signer};
use axiru_aws::{Clients, Store, StoreError};
use axiru_domain::{LogId, Mode};
use axiru_runtime::env::{self, EnvError};
use axiru_runtime::metrics::{self, Metric};
use doorbell::Rung;
use serde_json::{Value, json};

/// Name of the function in metrics.
const NAME: &str = "export";

/// Seconds between two checkpoints of a log, unless the deployment says otherwise.
const CHECKPOINT_SECS: i64 = 60;

/// What the handler works with, built once.
pub struct App {
    exporter: Exporter,
}

impl App {
    /// From the environment.
    ///
    /// # Errors
    /// [`EnvError`] when a setting is missing.
    pub async fn load() -> Result<Self, EnvError> {
        let clients = Clients::load().await;
        let state = env::required("AXIRU_STATE_TABLE")?;
        let store = Store::new(clients.dynamodb.clone(), state, env::required("AXIRU_LEDGER_TABLE")?);
        let lock = env::required("AXIRU_OBJECT_LOCK_MODE")?;
        let days = env::required("AXIRU_OBJECT_LOCK_DAYS")?.parse();
        let retention = Retention::parse(&lock, days.map_err(|_| EnvError::Form("AXIRU_OBJECT_LOCK_DAYS"))?);
        let retention = retention.ok_or(EnvError::Form("AXIRU_OBJECT_LOCK_MODE"))?;
        let bucket = Bucket::new(clients.s3.clone(), env::required("AXIRU_EXPORT_BUCKET")?);
        let bucket = bucket.with_live_retention(retention);
        let signer = Signer::new(clients.kms.clone(), env::required("AXIRU_SIGNING_KEY_ID")?);
        let deployment = env::required("AXIRU_DEPLOYMENT")?;
        let secs = env::parsed("AXIRU_CHECKPOINT_SECONDS", CHECKPOINT_SECS)?;
        Ok(Self::new(Exporter::new(store, bucket, signer, &deployment, secs)))
    }

    /// With that exporter.
    #[must_use]
    pub const fn new(exporter: Exporter) -> Self {
        Self { exporter }
    }
}

/// Some log could not be exported. The invocation fails, so that its doorbell rings again.
#[derive(Debug, thiserror::Error)]
pub enum ExportFailed {
    /// The logs could not be listed.
    #[error("{0}")]
    Logs(#[from] StoreError),
    /// How many logs failed; why is in the log.
    #[error("{0} logs could not be exported")]
    Some(usize),
}

/// Exports the logs that a stream batch names, or all of them for any other event. Answers the size of each.
///
/// The batch is only a doorbell: what is exported is read from the table. But a record that says that an entry was overwritten or removed,
/// or that names a log of no connection, raises an alarm: no part of Axiru does that.
///
/// # Errors
/// [`ExportFailed`] when any log could not be exported; the others were.
pub async fn handle(app: &App, event: &Value) -> Result<Value, lambda_runtime::Error> {
    let known: BTreeSet<LogId> = app.exporter.logs().await.map_err(ExportFailed::Logs)?.into_iter().collect();
    let rung = Rung::of(event);
    let mut told = Told::default();
    for damage in &rung.damage {
        let error = app.exporter.tampered(&damage.log, damage.seq, damage.kind).await;
        told.failure(&damage.log, &error);
    }
    for key in &rung.unreadable {
        // The key itself is foreign text, and is not logged.
        tracing::error!(bytes = key.len(), alarm = true, "the ledger table holds a key that is no log's");
        // Whose it is nobody can say.
        for mode in Mode::ALL {
            metrics::count(NAME, Some(mode), Metric::ExportAlarm, 1);
        }
        told.failed += 1;
    }
    for log in rung.logs.difference(&known) {
        if app.exporter.is_held_back(log).await.map_err(ExportFailed::Logs)? {
            continue;
        }
        let error = app.exporter.foreign(log).await;
        told.failure(log, &error);
    }
    let logs = if rung.is_silent() { known } else { rung.logs.intersection(&known).cloned().collect() };
    let damaged = |log: &LogId| rung.damage.iter().any(|damage| damage.log == *log);
    for log in logs.iter().filter(|log| !damaged(log)) {
        match app.exporter.export(log).await {
            Ok(done) => {
                if done.segments > 0 || done.days > 0 {
                    let (segments, days) = (done.segments, done.days);
                    tracing::info!(log = %log, log.size = done.size, segments, days, "a log was exported");
                    metrics::several(
                        NAME,
                        log.scope.mode(),
                        &[
                            (Metric::SegmentsWritten, u64::from(segments)),
                            (Metric::DaysSealed, u64::from(days)),
                            (Metric::LedgerLagSeconds, done.waited_secs),
                        ],
                    );
                }
                told.sizes.insert(log.to_string(), done.size.into());
            }
            Err(error) => told.failure(log, &error),
        }
    }
    if told.failed > 0 {
        Err(ExportFailed::Some(told.failed).into())
    } else {
        // The stream's mapping reports failures by item; this one either fails as a whole or not at all.
        Ok(json!({ "sizes": told.sizes, "batchItemFailures": [] }))
    }
}

/// What a run has to tell.
#[derive(Default)]
struct Told {
    sizes: serde_json::Map<String, Value>,
    failed: usize,
}

impl Told {
    fn failure(&mut self, log: &LogId, error: &ExportError) {
        let alarm = error.is_alarm();
        tracing::error!(log = %log, error = %error, alarm, "a log could not be exported");
        metrics::count(NAME, Some(log.scope.mode()), if alarm { Metric::ExportAlarm } else { Metric::ExportPutOff }, 1);
        self.failed += 1;
    }
}
