//! How often each key of an actor has asked in the current minute.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Length of the window, in milliseconds.
const MINUTE_MS: i64 = 60_000;

/// Requests of the current minute, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rates(BTreeMap<String, (i64, u32)>);

/// The key has used up its minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key has used up its {per_minute} requests of this minute")]
pub struct RateLimited {
    /// What it may ask in a minute.
    pub per_minute: u32,
    /// Whole seconds until the next minute begins, at least 1.
    pub retry_after_secs: i64,
}

impl Rates {
    /// Counts a request of `key` at `at`. What other keys asked in minutes gone by is forgotten.
    ///
    /// # Errors
    /// [`RateLimited`] where the key has none left; nothing is counted then.
    pub fn count(&mut self, key: &str, at: Timestamp, per_minute: u32) -> Result<(), RateLimited> {
        let minute = at.millis().div_euclid(MINUTE_MS);
        let used = self.0.get(key).filter(|(of, _)| *of == minute).map_or(0, |(_, used)| *used);
        if used >= per_minute {
            let left_ms = MINUTE_MS - at.millis().rem_euclid(MINUTE_MS);
            return Err(RateLimited { per_minute, retry_after_secs: (left_ms + 999).div_euclid(1_000).max(1) });
        }
        self.0.retain(|_, (of, _)| *of == minute);
        self.0.insert(key.to_owned(), (minute, used.saturating_add(1)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_used_up_and_begins_anew() {
        let at = |ms| Timestamp::from_millis(ms).unwrap();
        let mut rates = Rates::default();
        assert!(rates.count("a", at(60_000), 2).is_ok() && rates.count("a", at(61_500), 2).is_ok());
        let full = rates.clone();
        let refused = rates.count("a", at(61_500), 2).unwrap_err();
        assert_eq!((refused.retry_after_secs, &rates), (59, &full));
        assert!(rates.count("b", at(61_500), 1).is_ok());
        assert!(rates.count("a", at(120_000), 2).is_ok());
        // A clock that runs back begins a minute of its own: stricter than none, and it mends itself.
        assert!(rates.count("a", at(119_999), 1).is_ok());
        assert_eq!(serde_json::to_string(&rates).unwrap(), r#"{"a":[1,1]}"#);
    }
}
