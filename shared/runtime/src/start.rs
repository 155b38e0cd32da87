//! How every function starts: logs, then what it works with, then invocations until Lambda ends it.

use std::fmt::Display;
use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::Error;

use crate::metrics::{self, Metric};
use crate::telemetry;

/// Starts logging as the function `name`, awaits `load`, and hands what came of it to `run`, which serves invocations.
///
/// A function that cannot be loaded ends with one line in the log that says why, and with an exit status of 1, which Lambda reports as a
/// failed initialisation.
pub async fn function<A, E, L, R, F>(name: &'static str, load: L, run: R) -> ExitCode
where
    E: Display,
    L: Future<Output = Result<A, E>>,
    R: FnOnce(Arc<A>) -> F,
    F: Future<Output = Result<(), Error>>,
{
    telemetry::start(name);
    let app = match load.await {
        Ok(app) => Arc::new(app),
        Err(error) => {
            tracing::error!(error = %error, "the function cannot start");
            return ExitCode::FAILURE;
        }
    };
    metrics::count(name, None, Metric::ColdStarts, 1);
    match run(app).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = %error, "the function lost Lambda's Runtime API");
            ExitCode::FAILURE
        }
    }
}
