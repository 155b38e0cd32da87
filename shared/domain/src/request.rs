//! Requests: what makes two of them the same, and what names them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Actor, Intent, Scope};

/// The caller's own name for a request: made and kept by the caller before it asks, so that asking again is safe for ever.
///
/// 1 to 255 printable ASCII characters, as Stripe's own keys may be.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// The key may name an order or a customer: it is not shown in logs.
impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(..)")
    }
}

/// The text is not an idempotency key. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an idempotency key: expected 1 to 255 printable ASCII characters")]
pub struct IdempotencyKeyError;

impl FromStr for IdempotencyKey {
    type Err = IdempotencyKeyError;

    fn from_str(text: &str) -> Result<Self, IdempotencyKeyError> {
        let fits = (1..=255).contains(&text.len()) && text.bytes().all(|b| (0x20..0x7f).contains(&b));
        // A key of blanks only, or with blanks around it, is a mistake that a proxy may "repair".
        if fits && text.trim() == text { Ok(Self(text.to_owned())) } else { Err(IdempotencyKeyError) }
    }
}

/// The id of a request, `dec_` and 32 hex digits: derived from scope, actor and idempotency key, so a retry *is* the same request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestId(String);

impl RequestId {
    /// The id of the request that `actor` calls `key` in `scope`.
    #[must_use]
    pub fn of(scope: &Scope, actor: &Actor, key: &IdempotencyKey) -> Self {
        // The key comes last and is the only part that could hold a line feed (it cannot): no two triples have one text.
        let digest = Sha256::digest(format!("axiru/request/v1\n{scope}\n{actor}\n{}", key.0));
        let mut hex = hex(&digest);
        hex.truncate(32);
        Self(format!("dec_{hex}"))
    }

    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RequestId {
    type Error = RequestIdError;

    fn try_from(text: String) -> Result<Self, RequestIdError> {
        text.parse()
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not the id of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a decision: expected `dec_` and 32 hex digits")]
pub struct RequestIdError;

impl FromStr for RequestId {
    type Err = RequestIdError;

    fn from_str(text: &str) -> Result<Self, RequestIdError> {
        let tail = text.strip_prefix("dec_").ok_or(RequestIdError)?;
        let fits = tail.len() == 32 && tail.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if fits { Ok(Self(text.to_owned())) } else { Err(RequestIdError) }
    }
}

/// The hash that names movements which are the same for all that counts: scope, kind, parent, amount and currency. The
/// parent is the object of the intent, or of the observed movement; none where nobody named one.
#[must_use]
pub fn sameness(scope: &Scope, kind: crate::Kind, parent: Option<&str>, money: crate::Money) -> String {
    let (amount, currency) = (money.amount_minor(), money.currency());
    let parent = parent.unwrap_or("-");
    let digest = Sha256::digest(format!("axiru/similar/v1\n{scope}\n{kind}\n{parent}\n{amount}\n{currency}"));
    let mut hex = hex(&digest);
    hex.truncate(32);
    hex
}

impl Intent {
    /// The object that says what the movement is about, for [`sameness`].
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        self.objects().values().next().map(crate::StripeId::as_str)
    }
}

/// Lower-case hex digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_id_is_fixed_for_ever() {
        let scope: Scope = "live/acct_1".parse().unwrap();
        let key: IdempotencyKey = "order-1".parse().unwrap();
        let id = RequestId::of(&scope, &"agent:ag_1".parse().unwrap(), &key);
        // printf 'axiru/request/v1\nlive/acct_1\nagent:ag_1\norder-1' | sha256sum
        assert_eq!(id.as_str(), "dec_cdc866b17fed81f5e37dc3078d81a5d8");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        let others = [("test/acct_1", "agent:ag_1"), ("live/acct_2", "agent:ag_1"), ("live/acct_1", "staff:ag_1")];
        for (scope, actor) in others {
            assert_ne!(RequestId::of(&scope.parse().unwrap(), &actor.parse().unwrap(), &key), id);
        }
        assert!(!format!("{key:?}").contains("order"));
    }

    #[test]
    fn other_texts_are_no_keys_and_no_ids() {
        let long = "a".repeat(256);
        for bad in ["", " ", " a", "a ", "a\n", "é", "a\tb", &long] {
            assert!(bad.parse::<IdempotencyKey>().is_err(), "{bad:?}");
        }
        for bad in ["", "dec_", "dec_1", "req_00000000000000000000000000000000", "dec_0000000000000000000000000000000G"]
        {
            assert!(bad.parse::<RequestId>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in ".{0,300}") {
            let _ = text.parse::<IdempotencyKey>();
            let _ = text.parse::<RequestId>();
        }
    }
}
