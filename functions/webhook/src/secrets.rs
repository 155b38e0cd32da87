//! The signing secrets of each endpoint, kept for a short time: opening them costs a call to KMS.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axiru_aws::seal::Seal;
use axiru_aws::{Store, StoreError};
use axiru_domain::{Mode, Scope};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// How long opened secrets are used. A rolled secret stays valid for up to a day at Stripe's side.
const KEPT: Duration = Duration::from_secs(60);

/// How soon secrets may be read again after a signature that none of them made: a flood of forgeries must not become a
/// flood of calls to KMS.
const AGAIN: Duration = Duration::from_secs(5);

/// Secrets of one endpoint.
pub(crate) type Opened = Arc<Vec<Zeroizing<Vec<u8>>>>;

/// Most endpoints whose secrets are kept; anybody may name an account that is none.
const MOST: usize = 256;

/// An endpoint: the mode's, for all accounts with the app, or an account's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    /// Of a mode.
    Mode(Mode),
    /// Of an account.
    Own(Scope),
}

impl Endpoint {
    pub(crate) const fn mode(&self) -> Mode {
        match self {
            Self::Mode(mode) => *mode,
            Self::Own(scope) => scope.mode(),
        }
    }
}

/// The secrets, as far as they have been read.
pub(crate) struct Secrets {
    store: Store,
    seal: Seal,
    kept: Mutex<HashMap<Endpoint, (Instant, Opened)>>,
}

impl Secrets {
    pub(crate) fn new(store: Store, seal: Seal) -> Self {
        Self { store, seal, kept: Mutex::new(HashMap::new()) }
    }

    /// The secrets of an endpoint, at most [`KEPT`] old.
    pub(crate) async fn of(&self, endpoint: &Endpoint) -> Result<Opened, StoreError> {
        self.younger_than(endpoint, KEPT).await
    }

    /// The secrets of an endpoint after none of the kept ones fitted: read again unless that was just done.
    pub(crate) async fn again(&self, endpoint: &Endpoint) -> Result<Opened, StoreError> {
        self.younger_than(endpoint, AGAIN).await
    }

    async fn younger_than(&self, endpoint: &Endpoint, age: Duration) -> Result<Opened, StoreError> {
        // Held across the read: callers at the same time share one.
        let mut kept = self.kept.lock().await;
        if let Some((read, opened)) = kept.get(endpoint)
            && read.elapsed() < age
        {
            return Ok(Arc::clone(opened));
        }
        let opened = Arc::new(match endpoint {
            Endpoint::Mode(mode) => self.store.signing_secrets(&self.seal, *mode).await?,
            Endpoint::Own(scope) => self.store.own_signing_secrets(&self.seal, scope).await?,
        });
        // Whoever invents accounts fills the memory up to here, and drives nobody out of it for longer than KEPT.
        if kept.len() >= MOST {
            kept.retain(|_, (read, _)| read.elapsed() < KEPT);
        }
        if kept.len() < MOST {
            kept.insert(endpoint.clone(), (Instant::now(), Arc::clone(&opened)));
        }
        Ok(opened)
    }
}
