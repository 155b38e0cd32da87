//! When a run takes up nothing new: a lease that is held as the process ends keeps others waiting.

use std::time::Duration;

use tokio::time::Instant;

/// How long a run takes up new work. The function ends after 60 s, and what is begun needs some seconds.
const RUN: Duration = Duration::from_secs(40);

/// The end of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// Of a run that begins now.
    pub(crate) fn start() -> Self {
        Self(Instant::now() + RUN)
    }

    /// Whether nothing new is taken up.
    pub(crate) fn is_over(self) -> bool {
        Instant::now() >= self.0
    }
}
