//! What the handler works with, built once.

use std::sync::Arc;

use axiru_aws::connect::activation::StarterPlan;
use axiru_aws::connect::developer::Developers;
use axiru_aws::seal::Seal;
use axiru_aws::{Clients, Store};
use axiru_domain::Timestamp;
use axiru_policy::{StarterDocument, starter_documents};
use axiru_runtime::env::{self, EnvError};
use axiru_stripe::transport::{Https, HttpsError, Transport};

use crate::config::{Config, ConfigError};

/// The function's clients, addresses and starter plans.
pub struct App {
    /// Where things are.
    pub config: Config,
    /// The tables.
    pub store: Store,
    /// Seals tokens and signing secrets.
    pub seal: Seal,
    /// The merchant's own Stripe App.
    pub developers: Developers,
    /// The way to Stripe.
    pub stripe: Arc<dyn Transport>,
    /// What every new connection begins with.
    pub plans: Vec<StarterPlan>,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// The function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A setting.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// No HTTPS client.
    #[error("{0}")]
    Https(#[from] HttpsError),
    /// The plans that Axiru was built with are broken.
    #[error("a starter plan is broken: {0}")]
    Plans(#[from] axiru_policy::PlanError),
}

impl From<EnvError> for LoadError {
    fn from(error: EnvError) -> Self {
        Self::Config(error.into())
    }
}

impl App {
    /// From the environment.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn load() -> Result<Self, LoadError> {
        let config = Config::load()?;
        let clients = Clients::load().await;
        let state = env::required("AXIRU_STATE_TABLE")?;
        let ledger = env::required("AXIRU_LEDGER_TABLE")?;
        let seal_key = env::required("AXIRU_SEAL_KEY_ID")?;
        let test = env::required("AXIRU_DEVELOPER_SECRET_TEST")?;
        let live = env::required("AXIRU_DEVELOPER_SECRET_LIVE")?;
        let store = Store::new(clients.dynamodb, state, ledger);
        let stripe = Arc::new(Https::new()?);
        let plans = starter_plans()?;
        store.warm().await;
        Ok(Self {
            config,
            store,
            seal: Seal::new(clients.kms, seal_key),
            developers: Developers::new(clients.secrets, test, live),
            stripe,
            plans,
            now: Timestamp::now,
        })
    }
}

/// The plans that Axiru comes with.
///
/// # Errors
/// Only if Axiru was built from broken plans.
fn starter_plans() -> Result<Vec<StarterPlan>, axiru_policy::PlanError> {
    let plan = |StarterDocument { name, sha256, document }| StarterPlan { name, sha256, document };
    Ok(starter_documents()?.into_iter().map(plan).collect())
}
