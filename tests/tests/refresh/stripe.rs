//! Stripe in this process: the way through the account's gate to the sandbox, which also counts, loses and delays.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axiru_in_process::{InProcess, sandbox_config};
use axiru_stripe::transport::{Answering, Transport, TransportError};
use axiru_stripe_sandbox::{Sandbox, SandboxConfig};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::ground::now;

/// What goes wrong with one call to Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StripeFault {
    /// The request does not leave.
    Unreached,
    /// No answer, and Stripe never saw it.
    Lost,
    /// Stripe acts, and no answer comes.
    AppliedThenLost,
    /// Stripe answers this status and does nothing.
    Status(u16),
    /// Stripe acts, and answers 500.
    AppliedThenFailed,
    /// Stripe acts, and answers what is no token.
    AppliedThenGarbage,
    /// The answer takes this long.
    Late(Duration),
}

/// Stripe, as one process of a deployment reaches it.
pub(crate) struct Stripe {
    pub(crate) sandbox: Sandbox,
    way: axiru_in_process::Stripe,
    told: Arc<Told>,
}

/// What is told to Stripe, and what it counts.
#[derive(Default)]
struct Told {
    faults: Mutex<VecDeque<StripeFault>>,
    latency: Mutex<Duration>,
    renewed: AtomicUsize,
    failed: AtomicUsize,
    paths: Mutex<Vec<String>>,
}

impl Stripe {
    pub(crate) fn new(account: &InProcess, replays_tokens: bool) -> Self {
        let config = SandboxConfig { replays_tokens, ..sandbox_config() };
        Self::of(account, Sandbox::new(config), Arc::default())
    }

    fn of(account: &InProcess, sandbox: Sandbox, told: Arc<Told>) -> Self {
        Self { way: account.stripe(&sandbox).at(|| now().secs()), sandbox, told }
    }

    /// The same Stripe, as another process reaches it.
    pub(crate) fn another(&self, account: &InProcess) -> Self {
        Self::of(account, self.sandbox.clone(), Arc::clone(&self.told))
    }

    /// A call of the sandbox's control API, at the time of the test's clock.
    pub(crate) fn control(&self, method: &str, path: &str, body: Value) -> Value {
        self.sandbox.control("POST", "clock", json!({"set": now().secs()})).unwrap();
        self.sandbox.control(method, path, body).unwrap()
    }

    /// The next calls go wrong like this, one each.
    pub(crate) fn fail(&self, faults: &[StripeFault]) {
        self.told.faults.lock().unwrap().extend(faults);
    }

    /// Every answer takes this long.
    pub(crate) fn slow_down(&self, latency: Duration) {
        *self.told.latency.lock().unwrap() = latency;
    }

    /// How often a refresh token was spent.
    pub(crate) fn renewed(&self) -> usize {
        self.told.renewed.load(Ordering::SeqCst)
    }

    /// How often a renewal was answered with a failure, which Stripe keeps under the key.
    pub(crate) fn failed(&self) -> usize {
        self.told.failed.load(Ordering::SeqCst)
    }

    /// Method and address of every call since the last look.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.told.paths.lock().unwrap())
    }

    async fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let address = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        self.told.paths.lock().unwrap().push(format!("{} {address}", request.method()));
        let fault = self.told.faults.lock().unwrap().pop_front();
        let latency = *self.told.latency.lock().unwrap();
        tokio::time::sleep(latency).await;
        match fault {
            Some(StripeFault::Unreached) => Err(TransportError::Unreached),
            Some(StripeFault::Lost) => Err(TransportError::TimedOut),
            Some(StripeFault::Status(status)) => Ok(failed(status)),
            Some(StripeFault::AppliedThenLost) => {
                self.apply(request).await?;
                Err(TransportError::Broken)
            }
            Some(StripeFault::AppliedThenFailed) => self.apply(request).await.map(|_| failed(500)),
            Some(StripeFault::AppliedThenGarbage) => {
                self.apply(request).await?;
                Ok(Response::new(Bytes::from_static(b"{\"access_token\":7}")))
            }
            Some(StripeFault::Late(time)) => {
                tokio::time::sleep(time).await;
                self.apply(request).await
            }
            None => self.apply(request).await,
        }
    }

    async fn apply(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let renewal = request.body().windows(24).any(|part| part == b"grant_type=refresh_token");
        let answer = self.way.send(request).await?;
        if renewal && answer.status() == 200 && !answer.headers().contains_key("idempotent-replayed") {
            self.told.renewed.fetch_add(1, Ordering::SeqCst);
        }
        if renewal && answer.status().is_server_error() {
            self.told.failed.fetch_add(1, Ordering::SeqCst);
        }
        Ok(answer)
    }
}

impl Transport for Stripe {
    fn send(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(self.answer(request))
    }
}

fn failed(status: u16) -> Response<Bytes> {
    let kind = if status == 429 { "invalid_request_error" } else { "api_error" };
    let body = json!({"error": {"type": kind, "message": "canary"}}).to_string();
    Response::builder().status(status).body(body.into()).unwrap()
}
