//! What the handler works with, built once.

use std::sync::Arc;

use axiru_aws::decide::Decider;
use axiru_aws::facts::StripeFacts;
use axiru_aws::refresh::AskQueue;
use axiru_aws::seal::Seal;
use axiru_aws::tokens::TokenReader;
use axiru_aws::{Clients, Store};
use axiru_domain::Timestamp;
use axiru_runtime::env::{self, EnvError};
use axiru_stripe::base::STRIPE;
use axiru_stripe::transport::{Https, HttpsError};

/// The function's tables and what it remembers.
pub struct App {
    pub(crate) decider: Decider,
    pub(crate) store: Store,
    pub(crate) now: fn() -> Timestamp,
}

/// The function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A setting.
    #[error("{0}")]
    Env(#[from] EnvError),
    /// No HTTPS client.
    #[error("{0}")]
    Https(#[from] HttpsError),
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
        let asks = AskQueue::new(clients.sqs, env::required("AXIRU_REFRESH_QUEUE_URL")?);
        let base = env::optional("AXIRU_STRIPE_API_BASE").unwrap_or_else(|| STRIPE.to_owned());
        let base = base.parse().map_err(|_| EnvError::Form("AXIRU_STRIPE_API_BASE"))?;
        let tokens = TokenReader::new(store.clone(), seal, asks);
        let facts = StripeFacts::new(Arc::new(Https::new()?), base, tokens);
        Ok(Self::new(store, Some(facts), Timestamp::now))
    }

    /// On that store, asking for facts if it is given whom to ask, with that clock.
    #[must_use]
    pub fn new(store: Store, facts: Option<StripeFacts>, now: fn() -> Timestamp) -> Self {
        let decider = Decider::new(store.clone()).with_clock(now);
        let decider = match facts {
            Some(facts) => decider.with_facts(facts),
            None => decider,
        };
        Self { decider, store, now }
    }
}
