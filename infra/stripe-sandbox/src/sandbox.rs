//! The handle that the router, the courier and tests share: one state behind one lock, and a bell for changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::api::{ApiAnswer, ApiRequest};
use crate::config::SandboxConfig;
use crate::control::{self, ControlError};
use crate::delivery::SignedDelivery;
use crate::mishap::Mishap;
use crate::sender::DeliverySender;
use crate::state::State;

/// How long a waiter sleeps at most before it looks again: retries come due without anybody ringing.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A running sandbox. Clones share it.
#[derive(Clone, Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new(SandboxConfig::default())
    }
}

impl Sandbox {
    /// Starts an empty sandbox: a developer with two apps, no merchants.
    #[must_use]
    pub fn new(config: SandboxConfig) -> Self {
        Self::from_state(State::new(config))
    }

    pub(crate) fn from_state(mut state: State) -> Self {
        state.deliveries.requeue_in_flight();
        Self { shared: Arc::new(Shared { state: Mutex::new(state), changed: Notify::new() }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere must not take the sandbox down with it; the state is changed in whole steps.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the state.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.lock())
    }

    /// Changes the state and rings the bell.
    pub(crate) fn write<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.lock());
        self.shared.changed.notify_waiters();
        result
    }

    /// Answers one API call without HTTP.
    #[must_use]
    pub fn api(&self, request: &ApiRequest) -> ApiAnswer {
        self.write(|state| state.answer(request, None))
    }

    /// The same, but the call fails as told. After [`Mishap::DropAfterEffect`] the answer must not reach the caller.
    #[must_use]
    pub fn api_with(&self, request: &ApiRequest, mishap: Mishap) -> ApiAnswer {
        self.write(|state| state.answer(request, Some(mishap)))
    }

    /// One call of the control API without HTTP: `control("POST", "accounts", json!({…}))`.
    ///
    /// # Errors
    /// What the HTTP form would answer with 4xx.
    pub fn control(&self, method: &str, path: &str, body: Value) -> Result<Value, ControlError> {
        self.write(|state| control::run(state, method, path, body))
    }

    /// The sandbox's now, in Unix seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.read(State::now)
    }

    /// Takes up to `limit` due deliveries in order, signed. Each must be [reported](Self::report).
    #[must_use]
    pub fn take_due(&self, limit: usize) -> Vec<SignedDelivery> {
        let due = self.lock().take_due(limit);
        if !due.is_empty() {
            self.shared.changed.notify_waiters();
        }
        due
    }

    /// Tells what became of a delivery: the endpoint's status, or why there is none.
    pub fn report(&self, delivery: &str, outcome: Result<u16, String>) {
        self.write(|state| state.report(delivery, outcome));
    }

    /// Takes every due delivery and counts it as accepted: the outbox for tests that only want the bytes.
    #[must_use]
    pub fn drain_outbox(&self) -> Vec<SignedDelivery> {
        let due = self.take_due(usize::MAX);
        for delivery in &due {
            self.report(&delivery.id, Ok(200));
        }
        due
    }

    /// Sends everything that is due, one after the other, until nothing is; answers how many attempts were made.
    pub async fn deliver_due<S: DeliverySender>(&self, sender: &S) -> usize {
        let mut attempts = 0;
        while let Some(delivery) = self.take_due(1).pop() {
            let outcome = sender.send(&delivery).await.map_err(|error| error.to_string());
            self.report(&delivery.id, outcome);
            attempts += 1;
        }
        attempts
    }

    /// Waits until everything that is not held or delayed has been attempted; false if `limit` passed first.
    pub async fn settled(&self, limit: Duration) -> bool {
        self.wait_for(limit, |state| state.deliveries.settled()).await
    }

    /// Waits until, beyond that, nothing is left to be tried again; false if `limit` passed first.
    pub async fn finished(&self, limit: Duration) -> bool {
        self.wait_for(limit, |state| state.deliveries.finished()).await
    }

    async fn wait_for(&self, limit: Duration, is_so: fn(&State) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            if self.read(is_so) {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            self.changed(LOOK_AGAIN).await;
        }
    }

    /// Waits for a change, or at most this long.
    pub async fn changed(&self, limit: Duration) {
        // Whether it rang or the time passed makes no difference: the caller looks again.
        timeout_at(Instant::now() + limit, self.shared.changed.notified()).await.ok();
    }
}
