//! What the handler works with, built once.

use axiru_aws::reconcile::TaskQueue;
use axiru_aws::{Clients, Store};
use axiru_domain::Timestamp;
use axiru_runtime::env::{self, EnvError};
use axiru_stripe::base::{AddressError, trusted_address};
use url::Url;

/// The function's configuration and tables.
pub struct App {
    /// Name of the deployment.
    pub deployment: String,
    /// The address under which browsers reach Axiru, without a path.
    pub public_url: Url,
    /// Whether the deployment sends mail: an address to send from is configured.
    pub mail: bool,
    /// The tables.
    pub store: Store,
    /// Where comparisons wait.
    pub tasks: TaskQueue,
    /// The clock.
    pub now: fn() -> Timestamp,
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
        let deployment = env::required("AXIRU_DEPLOYMENT")?;
        let public_url = trusted_address(&env::required("AXIRU_PUBLIC_URL")?)?;
        let state = env::required("AXIRU_STATE_TABLE")?;
        let ledger = env::required("AXIRU_LEDGER_TABLE")?;
        let mail = env::optional("AXIRU_MAIL_FROM").is_some();
        let queue = env::required("AXIRU_RECONCILE_QUEUE_URL")?;
        let clients = Clients::load().await;
        let store = Store::new(clients.dynamodb, state, ledger);
        store.warm().await;
        Ok(Self { deployment, public_url, mail, store, tasks: TaskQueue::new(clients.sqs, queue), now: Timestamp::now })
    }
}
