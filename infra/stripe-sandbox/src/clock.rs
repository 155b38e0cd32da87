//! The sandbox's time: the machine's clock moved by an offset, or a time that stands still until it is set.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Where `created`, expiries and retries get their time from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    fixed: Option<i64>,
    offset_secs: i64,
}

impl Clock {
    /// Follows the machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self { fixed: None, offset_secs: 0 }
    }

    /// Stands at this Unix second until it is advanced or set.
    #[must_use]
    pub const fn fixed(now: i64) -> Self {
        Self { fixed: Some(now), offset_secs: 0 }
    }

    /// The sandbox's now, in Unix seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.fixed.unwrap_or_else(|| machine_now().saturating_add(self.offset_secs))
    }

    /// The now that signatures carry: receivers compare it with their own clock, so an offset must not reach it.
    #[must_use]
    pub fn signing_now(&self) -> i64 {
        self.fixed.unwrap_or_else(machine_now)
    }

    /// Moves time forward (or back) by this many seconds.
    pub fn advance(&mut self, secs: i64) {
        match &mut self.fixed {
            Some(now) => *now = now.saturating_add(secs),
            None => self.offset_secs = self.offset_secs.saturating_add(secs),
        }
    }

    /// Stops the clock at this Unix second; `None` returns to the machine's clock.
    pub const fn set(&mut self, now: Option<i64>) {
        self.fixed = now;
        self.offset_secs = 0;
    }
}

fn machine_now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|elapsed| i64::try_from(elapsed.as_secs()).ok())
        .unwrap_or(0)
}
