//! What a movement at Stripe says of the request that made it. Hints: anybody who may write to the account can write them, and
//! whoever uses one checks it against the request's row and entry.

use std::fmt;
use std::str::FromStr;

use axiru_domain::{LogId, RequestId};
use serde::{Deserialize, Serialize};

/// Name in an object's metadata under which the request's id stands.
pub const REQUEST: &str = "axiru_request";

/// Name in an object's metadata under which the [`Receipt`] stands.
pub const RECEIPT: &str = "axiru_receipt";

/// What an object's metadata names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The request.
    pub request: RequestId,
    /// The entry of its decision.
    pub receipt: Receipt,
}

/// The idempotency key under which Stripe was called, where it has the form of one that Axiru derives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caused {
    /// The request that the key names.
    pub request: RequestId,
    /// The key.
    pub key: String,
}

/// The place and the leaf hash of an entry: `live#acct_1#0:17:` and 64 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Receipt {
    log: LogId,
    seq: u64,
    leaf: String,
}

/// The text is not a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a receipt: expected a log, a number and 64 hex digits, joined by colons")]
pub struct ReceiptError;

impl Receipt {
    /// The receipt of the entry `seq` of `log`, whose leaf hash is written in hex.
    ///
    /// # Errors
    /// [`ReceiptError`] where `leaf` is not 64 lower-case hex digits.
    pub fn new(log: LogId, seq: u64, leaf: &str) -> Result<Self, ReceiptError> {
        let hex = leaf.len() == 64 && leaf.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex { Ok(Self { log, seq, leaf: leaf.to_owned() }) } else { Err(ReceiptError) }
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &LogId {
        &self.log
    }

    /// The number of the entry.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Its leaf hash, in hex.
    #[must_use]
    pub fn leaf(&self) -> &str {
        &self.leaf
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.log.key(), self.seq, self.leaf)
    }
}

impl FromStr for Receipt {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        let mut parts = text.split(':');
        let (Some(log), Some(seq), Some(leaf), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(ReceiptError);
        };
        let receipt =
            Self::new(LogId::from_key(log).map_err(|_| ReceiptError)?, seq.parse().map_err(|_| ReceiptError)?, leaf)?;
        // One text for one receipt: no `+1`, no `01`.
        if receipt.to_string() == text { Ok(receipt) } else { Err(ReceiptError) }
    }
}

impl TryFrom<String> for Receipt {
    type Error = ReceiptError;

    fn try_from(text: String) -> Result<Self, ReceiptError> {
        text.parse()
    }
}

impl From<Receipt> for String {
    fn from(receipt: Receipt) -> Self {
        receipt.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_receipt_has_one_text() {
        let leaf = "0a".repeat(32);
        let text = format!("live#acct_1#0:17:{leaf}");
        let receipt: Receipt = text.parse().unwrap();
        assert_eq!((receipt.log().key().as_str(), receipt.seq(), receipt.leaf()), ("live#acct_1#0", 17, leaf.as_str()));
        assert_eq!(receipt.to_string(), text);
        for bad in [
            String::new(),
            format!("live#acct_1#0:+17:{leaf}"),
            format!("live#acct_1#0:017:{leaf}"),
            format!("live#acct_1#0:-1:{leaf}"),
            format!("live#acct_1:17:{leaf}"),
            format!("dev#acct_1#0:17:{leaf}"),
            format!("live#acct_1#0:17:{}", leaf.to_uppercase()),
            format!("live#acct_1#0:17:{}", &leaf[1..]),
            format!("live#acct_1#0:17:{leaf}:"),
            format!("live#acct_1#0:17:{leaf} "),
        ] {
            assert_eq!(bad.parse::<Receipt>(), Err(ReceiptError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_the_same(text in "(live#acct_1#0:)?[0-9:a-f+]{0,80}") {
            if let Ok(receipt) = text.parse::<Receipt>() {
                prop_assert_eq!(receipt.to_string(), text);
            }
        }
    }
}
