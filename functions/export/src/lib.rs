//! The export function as a library: its handler, so that tests can call it without Lambda.

use std::collections::BTreeSet;

use axiru_aws::export::{Bucket, Exporter, Signer};
use axiru_aws::{Clients, Store, StoreError};
use axiru_domain::LogId;
use axiru_runtime::env::{self, EnvError};
use axiru_runtime::metrics;
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
        let bucket = Bucket::new(clients.s3.clone(), env::required("AXIRU_EXPORT_BUCKET")?);
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
/// # Errors
/// [`ExportFailed`] when any log could not be exported; the others were.
pub async fn handle(app: &App, event: &Value) -> Result<Value, lambda_runtime::Error> {
    let rung = logs_of(event);
    let logs = if rung.is_empty() {
        app.exporter.logs().await.map_err(ExportFailed::Logs)?.into_iter().collect()
    } else {
        rung
    };
    let mut sizes = serde_json::Map::new();
    let mut failed = 0;
    for log in logs {
        match app.exporter.export(&log).await {
            Ok(done) => {
                if done.segments > 0 {
                    tracing::info!(log = %log, log.size = done.size, segments = done.segments, "a log was exported");
                    metrics::count(NAME, Some(log.scope.mode()), "SegmentsWritten", u64::from(done.segments));
                }
                sizes.insert(log.to_string(), done.size.into());
            }
            Err(error) => {
                let alarm = error.is_alarm();
                tracing::error!(log = %log, error = %error, alarm, "a log could not be exported");
                metrics::count(NAME, Some(log.scope.mode()), if alarm { "ExportAlarm" } else { "ExportPutOff" }, 1);
                failed += 1;
            }
        }
    }
    if failed > 0 {
        Err(ExportFailed::Some(failed).into())
    } else {
        // The stream's mapping reports failures by item; this one either fails as a whole or not at all.
        Ok(json!({ "sizes": sizes, "batchItemFailures": [] }))
    }
}

/// The logs whose keys stand in a batch of the ledger table's stream.
fn logs_of(event: &Value) -> BTreeSet<LogId> {
    let records = event.get("Records").and_then(Value::as_array);
    let keys = records.into_iter().flatten().filter_map(|record| record.pointer("/dynamodb/Keys/pk/S"));
    keys.filter_map(|key| LogId::from_key(key.as_str()?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_only_a_doorbell() {
        let batch = json!({"Records": [
            {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": "test#acct_1#0"}, "seq": {"N": "3"}}}},
            {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": "test#acct_1#0"}, "seq": {"N": "2"}}}},
            {"eventName": "REMOVE", "dynamodb": {"Keys": {"pk": {"S": "../x"}}}},
            {},
        ]});
        assert_eq!(logs_of(&batch).into_iter().map(|log| log.key()).collect::<Vec<_>>(), ["test#acct_1#0"]);
        assert!(logs_of(&json!({"source": "aws.events"})).is_empty());
        assert!(logs_of(&json!(null)).is_empty());
    }
}
