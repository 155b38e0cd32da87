//! What the handler works with, built once.

use std::sync::Arc;

use axiru_aws::approval::LinkCaps;
use axiru_aws::decide::Decider;
use axiru_aws::facts::StripeFacts;
use axiru_aws::jobs::JobQueue;
use axiru_aws::reach::Reach;
use axiru_aws::refresh::AskQueue;
use axiru_aws::seal::Seal;
use axiru_aws::tokens::TokenReader;
use axiru_aws::{Clients, Store};
use axiru_domain::Timestamp;
use axiru_runtime::env;
use axiru_runtime::load::{self, LoadError};

use crate::execute::Executions;

/// The function's tables and what it remembers.
pub struct App {
    pub(crate) decider: Decider,
    pub(crate) executions: Option<Executions>,
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
        let ledger = env::required("AXIRU_LEDGER_TABLE")?;
        let store = Store::new(clients.dynamodb, state, ledger);
        let seal = Seal::new(clients.kms, env::required("AXIRU_SEAL_KEY_ID")?);
        let asks = AskQueue::new(clients.sqs.clone(), env::required("AXIRU_REFRESH_QUEUE_URL")?);
        let (https, base) = load::stripe()?;
        let jobs = JobQueue::new(clients.sqs, env::required("AXIRU_EXECUTIONS_QUEUE_URL")?);
        let tokens = Arc::new(TokenReader::new(store.clone(), seal.clone(), asks));
        let facts = StripeFacts::new(Arc::clone(&https), base.clone(), Arc::clone(&tokens));
        let executions = Executions { reach: Arc::new(Reach::new(https, base, tokens)), jobs };
        let caps = env::parsed("AXIRU_LINK_CAPS", LinkCaps::default())?;
        store.warm().await;
        Ok(Self::new(store, Some(facts), Timestamp::now).with_executions(executions, seal).with_link_caps(caps))
    }

    /// On that store, asking for facts if it is given whom to ask, with that clock.
    #[must_use]
    pub fn new(store: Store, facts: Option<StripeFacts>, now: fn() -> Timestamp) -> Self {
        let decider = Decider::new(store.clone()).with_clock(now);
        let decider = match facts {
            Some(facts) => decider.with_facts(facts),
            None => decider,
        };
        Self { decider, executions: None, store, now }
    }

    /// With the most that the link of one person may release.
    #[must_use]
    pub fn with_link_caps(mut self, caps: LinkCaps) -> Self {
        self.decider = self.decider.with_link_caps(caps);
        self
    }

    /// Having made what is allowed and asked for, with what has to wait sealed under that key.
    #[must_use]
    pub fn with_executions(mut self, executions: Executions, seal: Seal) -> Self {
        self.decider = self.decider.with_seal(seal);
        self.executions = Some(executions);
        self
    }
}
