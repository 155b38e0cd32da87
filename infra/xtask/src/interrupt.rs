//! Ctrl-C and SIGTERM: both mean "stop cleanly".

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

/// Returns when the user or the system asks the command to stop.
pub(crate) async fn asked_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt.context("cannot listen for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}

/// Runs `work` unless the user stops it. What `work` had started ends as it is dropped.
pub(crate) async fn unless_stopped<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        result = work => result,
        stop = asked_to_stop() => {
            stop?;
            bail!("stopped by the user")
        }
    }
}
