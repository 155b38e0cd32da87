//! What the handler works with, built once.

use axiru_aws::decide::Decider;
use axiru_aws::{Clients, Store};
use axiru_domain::Timestamp;
use axiru_runtime::env::{self, EnvError};

/// The function's tables and what it remembers.
pub struct App {
    pub(crate) decider: Decider,
    pub(crate) store: Store,
    pub(crate) now: fn() -> Timestamp,
}

impl App {
    /// From the environment.
    ///
    /// # Errors
    /// [`EnvError`] when a setting is missing.
    pub async fn load() -> Result<Self, EnvError> {
        let clients = Clients::load().await;
        let state = env::required("AXIRU_STATE_TABLE")?;
        let ledger = env::required("AXIRU_LEDGER_TABLE")?;
        Ok(Self::new(Store::new(clients.dynamodb, state, ledger), Timestamp::now))
    }

    /// On that store, with that clock.
    #[must_use]
    pub fn new(store: Store, now: fn() -> Timestamp) -> Self {
        Self { decider: Decider::new(store.clone()).with_clock(now), store, now }
    }
}
