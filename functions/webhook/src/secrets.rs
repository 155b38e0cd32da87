//! The signing secrets of each mode, kept for a short time: opening them costs a call to KMS.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axiru_aws::seal::Seal;
use axiru_aws::{Store, StoreError};
use axiru_domain::Mode;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// How long opened secrets are used. A rolled secret stays valid for up to a day at Stripe's side.
const KEPT: Duration = Duration::from_secs(60);

/// How soon secrets may be read again after a signature that none of them made: a flood of forgeries must not become a
/// flood of calls to KMS.
const AGAIN: Duration = Duration::from_secs(5);

/// Secrets of one mode.
pub(crate) type Opened = Arc<Vec<Zeroizing<Vec<u8>>>>;

/// The secrets, as far as they have been read.
pub(crate) struct Secrets {
    store: Store,
    seal: Seal,
    kept: Mutex<HashMap<Mode, (Instant, Opened)>>,
}

impl Secrets {
    pub(crate) fn new(store: Store, seal: Seal) -> Self {
        Self { store, seal, kept: Mutex::new(HashMap::new()) }
    }

    /// The secrets of a mode, at most [`KEPT`] old.
    pub(crate) async fn of(&self, mode: Mode) -> Result<Opened, StoreError> {
        self.younger_than(mode, KEPT).await
    }

    /// The secrets of a mode after none of the kept ones fitted: read again unless that was just done.
    pub(crate) async fn again(&self, mode: Mode) -> Result<Opened, StoreError> {
        self.younger_than(mode, AGAIN).await
    }

    async fn younger_than(&self, mode: Mode, age: Duration) -> Result<Opened, StoreError> {
        // Held across the read: callers at the same time share one.
        let mut kept = self.kept.lock().await;
        if let Some((read, opened)) = kept.get(&mode)
            && read.elapsed() < age
        {
            return Ok(Arc::clone(opened));
        }
        let opened = Arc::new(self.store.signing_secrets(&self.seal, mode).await?);
        kept.insert(mode, (Instant::now(), Arc::clone(&opened)));
        Ok(opened)
    }
}
