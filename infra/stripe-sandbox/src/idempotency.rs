//! `Idempotency-Key`: the first answer to a key is kept for a day and given again, failures included.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::StripeError;
use crate::mode::Scope;
use crate::state::State;

/// Keys are pruned after at least 24 hours; then the same key executes again.
const KEPT_SECS: i64 = 24 * 3600;
/// Stripe's bound on a key.
const MAX_KEY_CHARS: usize = 255;

/// The first answer to a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedAnswer {
    /// What was asked: a hash of method, path and parameters.
    pub fingerprint: String,
    /// HTTP status.
    pub status: u16,
    /// The body's bytes.
    pub body: String,
    /// The first call's `req_…`.
    pub request_id: String,
    /// Unix seconds.
    pub saved_at: i64,
}

/// Hashes what was asked.
pub(crate) fn fingerprint(method: &str, path: &str, query: &str, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in [method.as_bytes(), path.as_bytes()] {
        hash.update(part);
        hash.update([0]);
    }
    // The order of parameters means nothing.
    let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .chain(url::form_urlencoded::parse(body))
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    pairs.sort();
    for (key, value) in pairs {
        for part in [key, value] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl State {
    /// The kept answer to this key, if there is one; an error if the key was used for something else.
    pub(crate) fn recall(
        &mut self,
        scope: &Scope,
        key: &str,
        fingerprint: &str,
    ) -> Result<Option<SavedAnswer>, StripeError> {
        if key.chars().count() > MAX_KEY_CHARS {
            return Err(StripeError::idempotency(format!("Idempotency keys hold at most {MAX_KEY_CHARS} characters.")));
        }
        let now = self.now();
        let answers = &mut self.world_mut(scope).answers;
        answers.retain(|_, answer| answer.saved_at.saturating_add(KEPT_SECS) > now);
        match answers.get(key) {
            None => Ok(None),
            Some(answer) if answer.fingerprint == fingerprint => Ok(Some(answer.clone())),
            Some(_) => Err(StripeError::idempotency(format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '{key}' if you meant to execute a different request."
            ))),
        }
    }

    pub(crate) fn remember(&mut self, scope: &Scope, key: &str, answer: SavedAnswer) {
        self.world_mut(scope).answers.insert(key.to_owned(), answer);
    }
}
