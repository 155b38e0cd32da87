//! Keeping below Stripe's rate limits: one bucket of calls for each account and mode.
//!
//! Stripe allows 25 calls a second to an endpoint unless it says otherwise (Stripe docs, "Rate limits"); a process stays at 80 % of that. Other
//! processes and the merchant's own software share the limit, so a 429 empties the bucket for a second.

use axiru_domain::Timestamp;

/// Calls a second.
pub const PER_SECOND: i64 = 20;

/// A bucket of calls. Pure: the caller keeps time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// When the bucket would be full, in milliseconds since 1970: each call moves it on.
    full_at: i64,
}

/// Time that one call takes of the bucket, in milliseconds.
const SLICE_MS: i64 = 1_000 / PER_SECOND;

/// A full bucket lets a second's calls through at once.
const DEPTH_MS: i64 = 1_000;

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub const fn full(now: Timestamp) -> Self {
        Self { full_at: now.millis() }
    }

    /// Takes a call; gives how long to wait before making it, in milliseconds.
    pub fn take(&mut self, now: Timestamp) -> u64 {
        self.full_at = self.full_at.max(now.millis()).saturating_add(SLICE_MS);
        u64::try_from(self.full_at.saturating_sub(now.millis()).saturating_sub(DEPTH_MS)).unwrap_or(0)
    }

    /// Stripe says that there were too many: the bucket is empty, and stays so for a second.
    pub fn empty(&mut self, now: Timestamp) {
        self.full_at = self.full_at.max(now.millis().saturating_add(2 * DEPTH_MS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seconds_calls_at_once_then_twenty_a_second() {
        let start = Timestamp::from_secs(1_000).unwrap();
        let mut bucket = Bucket::full(start);
        let waits: Vec<u64> = (0..60).map(|_| bucket.take(start)).collect();
        assert!(waits.iter().take(20).all(|wait| *wait == 0), "{waits:?}");
        assert_eq!((waits[20], waits[39], waits[59]), (50, 1_000, 2_000));
        // Two seconds after the last of them everything is as at the start.
        let later = start.plus_secs(4);
        assert_eq!(bucket.take(later), 0);
        bucket.empty(later);
        assert_eq!(bucket.take(later), 1_050);
    }
}
