//! What the handler works with, built once.

use axiru_aws::approval::{LinkKeys, Verifier};
use axiru_aws::jobs::JobQueue;
use axiru_aws::{Clients, Store};
use axiru_domain::Timestamp;
use axiru_runtime::env::{self, EnvError};
use axiru_stripe::base::{AddressError, trusted_address};
use url::Url;

/// The function's tables and keys. It can verify links and make none.
pub struct App {
    pub(crate) store: Store,
    pub(crate) verifier: Verifier,
    pub(crate) jobs: JobQueue,
    pub(crate) public_url: Url,
    pub(crate) now: fn() -> Timestamp,
}

/// The function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A setting is missing or wrong.
    #[error("{0}")]
    Env(#[from] EnvError),
    /// The public address is none that people may be sent to.
    #[error("the setting `AXIRU_PUBLIC_URL` is {0}")]
    Address(#[from] AddressError),
}

impl App {
    /// From the environment.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn load() -> Result<Self, LoadError> {
        let clients = Clients::load().await;
        let state = env::required("AXIRU_STATE_TABLE")?;
        let store = Store::new(clients.dynamodb, state, env::required("AXIRU_LEDGER_TABLE")?);
        let keys = [
            ("one".to_owned(), env::required("AXIRU_LINK_KEY_ONE")?),
            ("two".to_owned(), env::required("AXIRU_LINK_KEY_TWO")?),
        ];
        let keys = LinkKeys::new(clients.kms, keys);
        let verifier = Verifier::new(store.clone(), keys, env::required("AXIRU_DEPLOYMENT")?);
        let jobs = JobQueue::new(clients.sqs, env::required("AXIRU_EXECUTIONS_QUEUE_URL")?);
        let public_url = trusted_address(&env::required("AXIRU_PUBLIC_URL")?)?;
        store.warm().await;
        Ok(Self::new(store, verifier, jobs, public_url, Timestamp::now))
    }

    /// On that store, with that verifier, the worker's queue, the address of its own pages, and that clock.
    #[must_use]
    pub const fn new(
        store: Store,
        verifier: Verifier,
        jobs: JobQueue,
        public_url: Url,
        now: fn() -> Timestamp,
    ) -> Self {
        Self { store, verifier, jobs, public_url, now }
    }
}
