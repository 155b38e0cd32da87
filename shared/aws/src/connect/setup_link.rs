//! Set-up links: the only way in. An operator mints one; a stranger without one cannot connect an account to this deployment.
//!
//! Row, one for each mode the link allows: pk `<mode>#setup_link#<hash>`, sk `link`; `created_at`, `created_by` (the operator's
//! pseudonym), `valid_until` (epoch seconds), `expires_at`, and once it is used `used_at`, `account`, `attempt`.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use axiru_domain::{AccountId, Mode, Timestamp};

use crate::connect::operator::Operator;
use crate::connect::token::TokenHash;
use crate::error::AwsError;
use crate::item::{Item, key, n, number, s, text};
use crate::store::{Store, StoreError};

/// How long a used or expired link's row is kept, so that a late visitor is told what became of it: 30 days.
const KEPT_SECS: i64 = 30 * 86_400;

/// A link in one mode, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// No such link was ever minted for the mode.
    Unknown,
    /// It may be used until then.
    Open(Timestamp),
    /// Its time is over.
    Expired,
    /// An account was connected with it.
    Used,
}

/// A link's row.
#[derive(Clone, Debug)]
pub(crate) struct LinkRow {
    pub(crate) created_by: String,
    pub(crate) valid_until: i64,
    pub(crate) used_by_attempt: Option<String>,
}

fn pk(mode: Mode, hash: &TokenHash) -> String {
    format!("{mode}#setup_link#{}", hash.as_str())
}

const SK: &str = "link";

impl LinkRow {
    fn read(row: &Item) -> Result<Self, StoreError> {
        Ok(Self {
            created_by: text(row, "created_by")?.to_owned(),
            valid_until: number(row, "valid_until")?,
            used_by_attempt: row.get("attempt").map(|_| text(row, "attempt").map(str::to_owned)).transpose()?,
        })
    }

    fn state(&self, now: Timestamp) -> LinkState {
        match Timestamp::from_secs(self.valid_until) {
            _ if self.used_by_attempt.is_some() => LinkState::Used,
            Ok(until) if now < until => LinkState::Open(until),
            _ => LinkState::Expired,
        }
    }
}

impl Store {
    /// Mints a link for `modes`, valid until `valid_until`. Only the hash of its token is written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mint_setup_link(
        &self,
        hash: &TokenHash,
        modes: &[Mode],
        operator: &Operator,
        valid_until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writes = Vec::new();
        for mode in modes {
            // No condition: 256 random bits meet no other row, and an SDK's retry meets its own.
            let put = Put::builder()
                .table_name(&self.state)
                .item("pk", s(pk(*mode, hash)))
                .item("sk", s(SK))
                .item("created_at", s(now.to_string()))
                .item("created_by", s(operator.id()))
                .item("valid_until", n(valid_until.secs()))
                .item("expires_at", n(valid_until.plus_secs(KEPT_SECS).secs()))
                .build()
                .map_err(|_| AwsError::unexpected("minting a set-up link", "request not built"))?;
            writes.push(TransactWriteItem::builder().put(put).build());
            writes.push(operator.row(self, *mode, now)?);
        }
        let call = self.client.transact_write_items().set_transact_items(Some(writes));
        call.send().await.map_err(AwsError::of("minting a set-up link"))?;
        Ok(())
    }

    /// How a link stands in a mode.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn setup_link(&self, mode: Mode, hash: &TokenHash, now: Timestamp) -> Result<LinkState, StoreError> {
        let row = self.link_row(mode, hash).await?;
        Ok(row.map_or(LinkState::Unknown, |row| row.state(now)))
    }

    pub(crate) async fn link_row(&self, mode: Mode, hash: &TokenHash) -> Result<Option<LinkRow>, StoreError> {
        self.row(&pk(mode, hash), SK).await?.as_ref().map(LinkRow::read).transpose()
    }

    /// The write that uses a link up, once.
    pub(crate) fn use_link(
        &self,
        mode: Mode,
        hash: &TokenHash,
        account: &AccountId,
        attempt: &str,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.state)
            .set_key(Some(key(pk(mode, hash), SK)))
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(attempt)")
            .update_expression("SET attempt = :attempt, account = :account, used_at = :now")
            .expression_attribute_values(":attempt", s(attempt))
            .expression_attribute_values(":account", s(account.as_str()))
            .expression_attribute_values(":now", s(now.to_string()))
            .build()
            .map_err(|_| AwsError::unexpected("using a set-up link", "request not built"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_open_only_before_its_end_and_before_its_use() {
        let row = |used: Option<&str>| LinkRow {
            created_by: "op_1".into(),
            valid_until: 100,
            used_by_attempt: used.map(str::to_owned),
        };
        let at = |secs| Timestamp::from_secs(secs).unwrap();
        assert_eq!(row(None).state(at(99)), LinkState::Open(at(100)));
        assert_eq!(row(None).state(at(100)), LinkState::Expired);
        assert_eq!(row(Some("att_1")).state(at(99)), LinkState::Used);
        assert_eq!(row(Some("att_1")).state(at(101)), LinkState::Used);
    }
}
