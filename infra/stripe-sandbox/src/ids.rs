//! Identifiers and secrets in Stripe's shapes, from a seed: the same seed and the same calls give the same ids.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A deterministic source of ids. Nothing secret may rest on it: the sandbox holds play money.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IdSource {
    seed: u64,
    counter: u64,
}

impl IdSource {
    /// Starts a sequence.
    #[must_use]
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, counter: 0 }
    }

    /// The next id: `prefix` + `_` + 24 letters and digits.
    pub(crate) fn next(&mut self, prefix: &str) -> String {
        format!("{prefix}_{}", self.letters(24))
    }

    /// The next `len` letters and digits.
    pub(crate) fn letters(&mut self, len: usize) -> String {
        let mut out = String::with_capacity(len);
        while out.len() < len {
            self.counter = self.counter.wrapping_add(1);
            let mut hash = Sha256::new();
            hash.update(self.seed.to_be_bytes());
            hash.update(self.counter.to_be_bytes());
            let left = len - out.len();
            // A byte modulo 62 is slightly uneven; nobody has to guess these.
            out.extend(
                hash.finalize()
                    .iter()
                    .take(left)
                    .filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()))
                    .map(|letter| char::from(*letter)),
            );
        }
        out
    }
}
