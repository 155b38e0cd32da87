//! Lambda's Runtime API on the loopback address, for one function: says when the function asks for work, gives it events, and takes its
//! answers.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::{get, post};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// Longest time for one invocation, and what the function is told of it.
const INVOCATION: Duration = Duration::from_secs(15);

/// What a function says to one event.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// False for the report of an error.
    pub(crate) done: bool,
    /// Its body.
    pub(crate) body: String,
}

/// A Runtime API. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    /// What `AWS_LAMBDA_RUNTIME_API` must be.
    pub(crate) address: String,
    asked: mpsc::UnboundedReceiver<()>,
    events: mpsc::UnboundedSender<String>,
    answers: mpsc::UnboundedReceiver<Answer>,
    server: JoinHandle<std::io::Result<()>>,
}

/// What the server's routes share.
struct Desk {
    asked: mpsc::UnboundedSender<()>,
    events: Mutex<mpsc::UnboundedReceiver<String>>,
    answers: mpsc::UnboundedSender<Answer>,
    given: AtomicUsize,
}

impl RuntimeApi {
    /// On any free port.
    pub(crate) async fn start() -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("no port for the Runtime API")?;
        let address = listener.local_addr()?.to_string();
        let (asks, asked) = mpsc::unbounded_channel();
        let (events, given) = mpsc::unbounded_channel();
        let (told, answers) = mpsc::unbounded_channel();
        let desk = Desk { asked: asks, events: Mutex::new(given), answers: told, given: AtomicUsize::new(0) };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{answer}", post(answer))
            .with_state(Arc::new(desk));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, asked, events, answers, server })
    }

    /// Waits until the function asks for work: it is ready.
    pub(crate) async fn ready(&mut self) {
        if self.asked.recv().await.is_none() {
            // The server is gone, and so nobody ever asks.
            std::future::pending::<()>().await;
        }
    }

    /// Gives the function an event, and waits for its answer.
    pub(crate) async fn invoke(&mut self, event: &str) -> Result<Answer> {
        self.events.send(event.to_owned()).context("the Runtime API has ended")?;
        let answer = tokio::time::timeout(INVOCATION, self.answers.recv()).await;
        answer
            .with_context(|| format!("no answer within {} s", INVOCATION.as_secs()))?
            .context("the Runtime API has ended")
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// `GET …/invocation/next`: the next event, once there is one.
async fn next(State(desk): State<Arc<Desk>>) -> Result<impl IntoResponse, StatusCode> {
    let _ = desk.asked.send(());
    let event = desk.events.lock().await.recv().await.ok_or(StatusCode::GONE)?;
    let number = desk.given.fetch_add(1, Ordering::Relaxed);
    let until = SystemTime::now() + INVOCATION;
    let until = until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let headers = AppendHeaders([
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", format!("00000000-0000-4000-8000-{number:012}")),
        ("lambda-runtime-deadline-ms", until.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:111122223333:function:bench".to_owned()),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".to_owned()),
    ]);
    Ok((headers, event))
}

/// `POST …/invocation/{id}/response` and `…/error`.
async fn answer(State(desk): State<Arc<Desk>>, Path((_, answer)): Path<(String, String)>, body: String) -> StatusCode {
    let _ = desk.answers.send(Answer { done: answer == "response", body });
    StatusCode::ACCEPTED
}
