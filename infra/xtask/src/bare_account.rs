//! AWS as an account in which nothing is: every call is answered, and no row, message or object is there. Counts what it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Such an account, on the loopback address. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct BareAccount {
    /// What `AWS_ENDPOINT_URL` must be.
    pub(crate) url: String,
    calls: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl BareAccount {
    /// On any free port.
    pub(crate) async fn start() -> Result<Self> {
        let (listener, url) = listen().await?;
        let calls = Arc::new(AtomicUsize::new(0));
        let router = Router::new().fallback(nothing).with_state(Arc::clone(&calls));
        let server = tokio::spawn(async move {
            // It ends by being dropped.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, calls, server })
    }

    /// One that takes connections and never answers.
    pub(crate) async fn silent() -> Result<Self> {
        let (listener, url) = listen().await?;
        let calls = Arc::new(AtomicUsize::new(0));
        let server = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                held.push(connection);
            }
        });
        Ok(Self { url, calls, server })
    }

    /// Calls since this was asked last.
    pub(crate) fn calls(&self) -> usize {
        self.calls.swap(0, Ordering::Relaxed)
    }
}

impl Drop for BareAccount {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn listen() -> Result<(TcpListener, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for AWS")?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok((listener, url))
}

/// No row (DynamoDB), no message (SQS).
async fn nothing(State(calls): State<Arc<AtomicUsize>>) -> impl IntoResponse {
    calls.fetch_add(1, Ordering::Relaxed);
    (AppendHeaders([("content-type", "application/x-amz-json-1.0")]), "{}")
}
