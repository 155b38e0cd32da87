//! An administrative act: who, where, under which change id. Done at most once, and answered again as often as it is asked.
//!
//! Row: pk `<mode>#<account>#change#<change id>`, sk `change`; `digest` (of what was asked), `answer` (JSON), `expires_at`. It is
//! written in the act's own transaction, so whoever lost the answer asks again with the same change id and is told it.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use axiru_domain::{Actor, Lane, LogId, Scope, Timestamp};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use serde_json::{Map, Value};

use crate::admin::refusal::AdminError;
use crate::connect::operator::Operator;
use crate::connection::Connection;
use crate::error::AwsError;
use crate::item::{n, s, text};
use crate::ledger::Writes;
use crate::store::{Store, StoreError};

/// How long an answer is kept: a month, far longer than anybody asks again for one.
const KEPT_SECS: i64 = 31 * 86_400;

/// The id of one administrative act, `chg_` and 32 lower-case hex digits, made by whoever asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeId(String);

/// The text is not a change id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a change id: expected `chg_` and 32 lower-case hex digits")]
pub struct ChangeIdError;

impl ChangeId {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn random() -> Result<Self, crate::connect::token::RandomError> {
        crate::connect::token::random_id("chg_").map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ChangeId {
    type Err = ChangeIdError;

    fn from_str(text: &str) -> Result<Self, ChangeIdError> {
        let fits = text
            .strip_prefix("chg_")
            .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        if fits { Ok(Self(text.to_owned())) } else { Err(ChangeIdError) }
    }
}

/// An act that is asked for.
#[derive(Clone, Debug)]
pub struct Act {
    /// Where.
    pub scope: Scope,
    /// Under which id.
    pub change: ChangeId,
    /// SHA-256 of all that was asked, so that another request cannot take over the id.
    pub digest: String,
    /// The verified caller.
    pub operator: Operator,
}

/// What follows from an act, from the rows as they stand.
#[derive(Debug)]
pub(crate) enum Effect {
    /// The rows and the entry to be written; the entry's `change` is added.
    Change { ty: EntryType, fields: Value, rows: Vec<TransactWriteItem>, answer: Value },
    /// Writes with entries of their own, which are a request's and hold no change id.
    Ended { writes: Writes, answer: Value },
    /// Things are so already.
    Nothing(Value),
}

impl Act {
    /// The operator as the entry's actor.
    fn draft(&self, log: &LogId, ty: EntryType, fields: Value) -> Draft {
        draft(log, self.operator.actor(), &self.change, ty, fields)
    }

    fn pk(&self) -> String {
        format!("{}#change#{}", self.scope.key(), self.change)
    }

    fn row(&self, store: &Store, answer: &Value, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&store.state)
            .item("pk", s(self.pk()))
            .item("sk", s("change"))
            .item("digest", s(&self.digest))
            .item("answer", s(answer.to_string()))
            .item("expires_at", n(now.plus_secs(KEPT_SECS).secs()))
            .condition_expression("attribute_not_exists(pk)");
        put_item(put)
    }
}

/// The entry of a change.
pub(crate) fn draft(log: &LogId, actor: Actor, change: &ChangeId, ty: EntryType, fields: Value) -> Draft {
    let mut fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
    fields.insert("change".to_owned(), change.as_str().into());
    Draft { log: log.clone(), actor, ty, fields }
}

/// A put, ready for a transaction.
pub(crate) fn put_item(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<TransactWriteItem, StoreError> {
    let put = put.build().map_err(|_| AwsError::unexpected("an administrative act", "request not built"))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// An update, ready for a transaction.
pub(crate) fn update_item(
    update: aws_sdk_dynamodb::types::builders::UpdateBuilder,
) -> Result<TransactWriteItem, StoreError> {
    let update = update.build().map_err(|_| AwsError::unexpected("an administrative act", "request not built"))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

impl Store {
    /// The connection of a scope that is administered.
    ///
    /// # Errors
    /// Refused where the scope was never connected.
    pub async fn administered(&self, scope: &Scope) -> Result<Connection, AdminError> {
        self.connection(scope).await?.ok_or_else(|| {
            AdminError::missing(
                "not_connected",
                format!(
                    "{scope} is not connected to this deployment; connect it with `axiru connect --mode {}`, or list what is with \
                     `axiru status`",
                    scope.mode()
                ),
            )
        })
    }

    /// Does what `plan` says, once; asked again with the same change id, gives the first answer.
    pub(crate) async fn act<F>(
        &self,
        act: &Act,
        now: fn() -> Timestamp,
        plan: impl Fn() -> F,
    ) -> Result<Value, AdminError>
    where
        F: Future<Output = Result<Effect, AdminError>>,
    {
        let log = LogId { scope: act.scope.clone(), lane: Lane::ZERO };
        self.act_in(&log, act, now, plan).await
    }

    /// The same where the scope need not be connected: the act connects it.
    pub(crate) async fn first_act<F>(
        &self,
        act: &Act,
        now: fn() -> Timestamp,
        plan: impl Fn() -> F,
    ) -> Result<Value, AdminError>
    where
        F: Future<Output = Result<Effect, AdminError>>,
    {
        let log = LogId { scope: act.scope.clone(), lane: Lane::ZERO };
        self.once(&log, act, now, plan).await
    }

    /// The same with its entry in another lane of the scope: that of the request which it is about.
    pub(crate) async fn act_in<F>(
        &self,
        log: &LogId,
        act: &Act,
        now: fn() -> Timestamp,
        plan: impl Fn() -> F,
    ) -> Result<Value, AdminError>
    where
        F: Future<Output = Result<Effect, AdminError>>,
    {
        let in_connected = || async {
            self.administered(&act.scope).await?;
            plan().await
        };
        self.once(log, act, now, in_connected).await
    }

    async fn once<F>(
        &self,
        log: &LogId,
        act: &Act,
        now: fn() -> Timestamp,
        plan: impl Fn() -> F,
    ) -> Result<Value, AdminError>
    where
        F: Future<Output = Result<Effect, AdminError>>,
    {
        let answer = Mutex::new(Value::Null);
        let say = |value: Value| *answer.lock().unwrap_or_else(PoisonError::into_inner) = value;
        let step = || async {
            if let Some(row) = self.row(&act.pk(), "change").await? {
                if text(&row, "digest")? != act.digest {
                    return Err(AdminError::conflict(
                        "change_reused",
                        "this change id was used for another request; leave `--change` away to have a new one made",
                    ));
                }
                say(serde_json::from_str(text(&row, "answer")?).map_err(|_| crate::item::RowError("answer"))?);
                return Ok(Writes::default());
            }
            match plan().await? {
                Effect::Nothing(value) => {
                    say(value);
                    Ok(Writes::default())
                }
                Effect::Change { ty, fields, mut rows, answer } => {
                    rows.push(act.row(self, &answer, now())?);
                    rows.push(act.operator.row(self, act.scope.mode(), now())?);
                    say(answer);
                    Ok(Writes { drafts: vec![act.draft(log, ty, fields)], rows })
                }
                Effect::Ended { mut writes, answer } => {
                    writes.rows.push(act.row(self, &answer, now())?);
                    writes.rows.push(act.operator.row(self, act.scope.mode(), now())?);
                    say(answer);
                    Ok(writes)
                }
            }
        };
        let entries = self.commit(log, now, step).await?;
        if let Some(entry) = entries.first() {
            tracing::info!(
                scope = %act.scope,
                change.id = %act.change,
                operator.id = act.operator.id(),
                entry.type = entry.ty(),
                entry.seq = entry.seq(),
                "an operator changed something"
            );
        }
        Ok(answer.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_ids_have_one_form() {
        let id = ChangeId::random().unwrap();
        assert_eq!(id.as_str().parse(), Ok(id));
        for bad in ["", "chg_", "chg_0", &format!("chg_{}", "A".repeat(32)), &format!("chg_{}", "a".repeat(33))] {
            assert!(bad.parse::<ChangeId>().is_err(), "{bad}");
        }
    }
}
