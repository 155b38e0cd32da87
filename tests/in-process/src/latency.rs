//! How long each operation takes, on tokio's clock, so that contention can be simulated in virtual time.

use std::collections::HashMap;
use std::time::Duration;

use crate::call::is_read;

/// Latency per operation. Half is spent on the way in, half on the way back.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    read: Duration,
    write: Duration,
    by_operation: HashMap<String, Duration>,
}

impl Latencies {
    /// None at all: what a new account has.
    pub fn none() -> Self {
        Self::default()
    }

    /// The figures that the design is computed with: 3.5 ms for a read, 5 ms for a single write, 14 ms for a transaction.
    pub fn simulated() -> Self {
        Self { read: Duration::from_micros(3_500), write: Duration::from_millis(5), by_operation: HashMap::new() }
            .with("TransactWriteItems", Duration::from_millis(14))
            .with("TransactGetItems", Duration::from_millis(7))
    }

    /// The same, but for one operation.
    #[must_use]
    pub fn with(mut self, operation: &str, latency: Duration) -> Self {
        self.by_operation.insert(operation.to_owned(), latency);
        self
    }

    pub(crate) fn of(&self, operation: &str) -> Duration {
        let usual = if is_read(operation) { self.read } else { self.write };
        self.by_operation.get(operation).copied().unwrap_or(usual)
    }
}
