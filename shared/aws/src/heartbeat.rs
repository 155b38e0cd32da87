//! One entry a day in every lane, and in lane 0 how far every lane is signed.
//!
//! A heartbeat says that Axiru was there, ends the day before, and makes sure that every log has a checkpoint each day. Row: pk `<log>`,
//! sk `heartbeat`; `day`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use axiru_domain::{Actor, Date, Lane, LogId, Mode, Timestamp};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use serde_json::{Map, Value, json};

use crate::connection::Connection;
use crate::error::AwsError;
use crate::item::{key, parse, s};
use crate::ledger::{CommitError, Writes};
use crate::store::{Store, StoreError};

const SK: &str = "heartbeat";

/// What one run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beaten {
    /// Heartbeats appended.
    pub beats: u64,
    /// Lanes where that did not succeed; the next run tries again.
    pub failed: u64,
}

/// Appends heartbeats.
pub struct Heart {
    store: Store,
    clock: fn() -> Timestamp,
    /// The day of each lane's last heartbeat, so that a warm process asks for none twice.
    known: Mutex<HashMap<LogId, Date>>,
}

impl Heart {
    /// In that store, by that clock.
    #[must_use]
    pub fn new(store: Store, clock: fn() -> Timestamp) -> Self {
        Self { store, clock, known: Mutex::default() }
    }

    /// Appends today's heartbeat to every lane of the mode that has none yet: also of revoked connections, whose logs remain.
    ///
    /// # Errors
    /// [`StoreError`] when the connections cannot be read.
    pub async fn run(&self, mode: Mode) -> Result<Beaten, StoreError> {
        let mut done = Beaten::default();
        for connection in self.store.connections(mode).await? {
            for log in connection.logs() {
                let today = (self.clock)().date();
                if self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&log) == Some(&today) {
                    continue;
                }
                match self.beat(&connection, &log, today).await {
                    Ok(beats) => {
                        done.beats += u64::from(beats);
                        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(log, today);
                    }
                    Err(error) => {
                        tracing::error!(log = %log, error = %error, "a heartbeat was not appended");
                        done.failed += 1;
                    }
                }
            }
        }
        Ok(done)
    }

    /// True when it was appended now.
    async fn beat(&self, connection: &Connection, log: &LogId, today: Date) -> Result<bool, CommitError> {
        let plan = || async {
            let row = self.store.row(&log.key(), SK).await.map_err(StoreError::from)?;
            let last: Option<Date> = row.map(|row| parse(&row, "day")).transpose().map_err(StoreError::from)?;
            if last >= Some(today) {
                return Ok::<_, CommitError>(Writes::default());
            }
            let day = || ("day".to_owned(), Value::from(today.to_string()));
            let draft = |ty, fields: Map<String, Value>| Draft { log: log.clone(), actor: Actor::Axiru, ty, fields };
            let mut drafts = vec![draft(EntryType::Heartbeat, Map::from_iter([day()]))];
            if log.lane == Lane::ZERO {
                let heads = ("heads".to_owned(), self.heads(connection).await?);
                drafts.push(draft(EntryType::LanesHeads, Map::from_iter([day(), heads])));
            }
            Ok(Writes { drafts, rows: vec![self.row(log, last, today)?] })
        };
        Ok(!self.store.commit(log, self.clock, plan).await?.is_empty())
    }

    async fn heads(&self, connection: &Connection) -> Result<Value, StoreError> {
        let mut heads = Vec::new();
        for log in connection.logs() {
            let (size, root) = self.store.head(&log).await?;
            heads.push(json!({"lane": log.lane.number(), "root": root.to_string(), "size": size}));
        }
        Ok(heads.into())
    }

    fn row(&self, log: &LogId, last: Option<Date>, today: Date) -> Result<TransactWriteItem, AwsError> {
        let put = Put::builder().table_name(&self.store.state);
        let put = key(log.key(), SK).into_iter().fold(put, |put, (name, value)| put.item(name, value));
        let put = put.item("day", s(today.to_string()));
        let put = match last {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(last) => put
                .condition_expression("#day = :last")
                .expression_attribute_names("#day", "day")
                .expression_attribute_values(":last", s(last.to_string())),
        };
        let put = put.build().map_err(|_| AwsError::unexpected("appending a heartbeat", "request not built"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
