//! Why an operator did something: free text, which the ledger must not hold because it cannot forget.
//!
//! Row: pk `<mode>#<account>#why`, sk `<change id>`, or `<request>#<person>` for what somebody said with their answer; `text`, `salt` (64 hex digits). The entry holds SHA-256(salt LF text): whoever has
//! the row can show that it is the text of that day; once the row is erased nobody can guess it back.

use aws_lc_rs::rand;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use axiru_domain::Scope;
use sha2::{Digest, Sha256};

use crate::admin::act::{ChangeId, put_item};
use crate::admin::refusal::AdminError;
use crate::connect::token::hex;
use crate::error::AwsError;
use crate::item::s;
use crate::store::{Store, StoreError};

/// Longest text, in characters.
const MAX: usize = 500;

/// A reason, with what keeps its hash from being guessed. It has no `Debug`.
pub(crate) struct Why {
    text: String,
    salt: String,
}

impl Why {
    /// The reason in `text`.
    pub(crate) fn new(text: &str) -> Result<Self, AdminError> {
        let length = text.chars().count();
        if text.trim().is_empty() || length > MAX || text.chars().any(char::is_control) {
            return Err(AdminError::form(
                "why_missing",
                format!("`why` says in 1 to {MAX} characters, on one line, why this is done"),
            ));
        }
        let mut salt = [0_u8; 32];
        rand::fill(&mut salt).map_err(|_| AwsError::unexpected("salting a reason", "no random bytes"))?;
        Ok(Self { text: text.to_owned(), salt: hex(&salt) })
    }

    /// What the entry holds of it.
    pub(crate) fn sha256(&self) -> String {
        hex(&Sha256::new().chain_update(&self.salt).chain_update("\n").chain_update(&self.text).finalize())
    }

    /// The write of the text.
    pub(crate) fn row(&self, store: &Store, scope: &Scope, change: &ChangeId) -> Result<TransactWriteItem, AdminError> {
        Ok(self.row_of(store, scope, change.as_str())?)
    }

    /// The write of the text of whatever has that name.
    pub(crate) fn row_of(&self, store: &Store, scope: &Scope, name: &str) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&store.state)
            .item("pk", s(format!("{}#why", scope.key())))
            .item("sk", s(name))
            .item("text", s(&self.text))
            .item("salt", s(&self.salt));
        put_item(put)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_never_have_the_same_hash_and_none_are_refused() {
        let why = |text: &str| Why::new(text);
        assert_ne!(why("ready").ok().map(|why| why.sha256()), why("ready").ok().map(|why| why.sha256()));
        assert!(why(&"é".repeat(MAX)).is_ok());
        for bad in ["", " ", "\n", "a\nb", &"a".repeat(MAX + 1)] {
            assert!(why(bad).is_err(), "{bad:?}");
        }
    }
}
