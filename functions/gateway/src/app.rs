//! What the handler works with, built once.

use std::sync::Arc;

use axiru_aws::approval::LinkCaps;
use axiru_aws::decide::Decider;
use axiru_aws::execution::Executor;
use axiru_aws::expire::Expirer;
use axiru_aws::facts::StripeFacts;
use axiru_aws::reach::Reach;
use axiru_aws::refresh::AskQueue;
use axiru_aws::seal::Seal;
use axiru_aws::tokens::TokenReader;
use axiru_aws::{Clients, Store};
use axiru_domain::Timestamp;
use axiru_runtime::env;
use axiru_runtime::load::{self, LoadError};
use axiru_stripe::base::ApiBase;
use axiru_stripe::transport::Transport;

/// The function's tables, its way to Stripe, and what it remembers.
pub struct App {
    pub(crate) decider: Decider,
    pub(crate) executor: Executor,
    pub(crate) expirer: Expirer,
    pub(crate) reach: Arc<Reach>,
    pub(crate) store: Store,
    pub(crate) now: fn() -> Timestamp,
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
        let seal = Seal::new(clients.kms, env::required("AXIRU_SEAL_KEY_ID")?);
        let asks = AskQueue::new(clients.sqs, env::required("AXIRU_REFRESH_QUEUE_URL")?);
        let (https, base) = load::stripe()?;
        let caps = env::parsed("AXIRU_LINK_CAPS", LinkCaps::default())?;
        store.warm().await;
        Ok(Self::new(store, seal, asks, https, base, Timestamp::now).with_link_caps(caps))
    }

    /// On that store, sealing with that key, with that way to Stripe and that clock.
    #[must_use]
    pub fn new(
        store: Store,
        seal: Seal,
        asks: AskQueue,
        transport: Arc<dyn Transport>,
        base: ApiBase,
        now: fn() -> Timestamp,
    ) -> Self {
        let tokens = Arc::new(TokenReader::new(store.clone(), seal.clone(), asks).with_clock(now));
        let facts = StripeFacts::new(Arc::clone(&transport), base.clone(), Arc::clone(&tokens));
        let reach = Arc::new(Reach::new(transport, base, tokens));
        Self {
            decider: Decider::new(store.clone()).with_clock(now).with_facts(facts).with_seal(seal),
            executor: Executor::new(store.clone(), Arc::clone(&reach), now),
            expirer: Expirer::new(store.clone(), now),
            reach,
            store,
            now,
        }
    }

    /// With the most that the link of one person may release.
    #[must_use]
    pub fn with_link_caps(mut self, caps: LinkCaps) -> Self {
        self.decider = self.decider.with_link_caps(caps);
        self
    }
}
