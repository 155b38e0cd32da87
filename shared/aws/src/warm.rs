//! A connection to the store that is there before somebody waits for it.
//!
//! A function's first call pays for the resolution of the endpoint, a TCP and a TLS handshake and the pages of the program that they touch.
//! Lambda gives an initialisation more of a processor than a small function has afterwards, and does it ahead of requests where it can; so
//! functions for which a person or an agent waits make that call while they start.

use std::time::Duration;

use crate::Store;

/// Longest time that a start waits for its connection. The first call takes some 50 ms on AWS; a store that needs more than this is not
/// waited for twice, and Lambda's ten seconds for an initialisation stay far away.
const PATIENCE: Duration = Duration::from_millis(500);

/// A row that nobody writes.
const NOBODY: (&str, &str) = ("warm", "warm");

impl Store {
    /// Reads a row of the state table that is never there, so that the connection stands. Never fails: a start without a warm connection is
    /// only slower, and whether the store can be reached is told by the first call that needs it.
    pub async fn warm(&self) {
        let (pk, sk) = NOBODY;
        match tokio::time::timeout(PATIENCE, self.row(pk, sk)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(error = %error, "the store was not reached during the start"),
            Err(_) => tracing::warn!("the store did not answer during the start"),
        }
    }
}
