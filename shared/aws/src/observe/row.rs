//! The rows that observing depends on, and writing them back.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use axiru_domain::{MovementKey, Scope};
use axiru_stripe::report::{News, Sighting};

use super::plan::Told;
use crate::connection::Connection;
use crate::error::AwsError;
use crate::item::{Item, RowError, key, n, number, s, text, texts};
use crate::store::{Store, StoreError};

/// How long it is remembered that an event was taken as a fact, in seconds: Stripe delivers for 3 days, and by hand for 30.
const EVENT_KEPT_SECS: i64 = 40 * 86_400;

/// What is recorded of a movement.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct MovementRow {
    /// Statuses that an entry tells, in the order they were recorded.
    pub(super) statuses: Vec<String>,
    /// The latest of them in the life of the object.
    pub(super) current: Option<String>,
    /// How often the row was written; 0 for one that is not there yet.
    pub(super) version: u64,
}

/// Rows by partition key, as read, and as the news so far would leave them.
#[derive(Debug, Default)]
pub(super) struct Rows {
    movements: BTreeMap<String, MovementRow>,
    touched: BTreeSet<String>,
    events: BTreeSet<String>,
    new_events: BTreeSet<String>,
    /// The connection's state; revoked by the news of its end.
    pub(super) revoked: bool,
}

pub(super) fn movement_key(sighting: &Sighting) -> MovementKey {
    MovementKey { kind: sighting.kind, object: sighting.object.clone(), ordinal: sighting.ordinal }
}

fn movement_pk(scope: &Scope, sighting: &Sighting) -> String {
    format!("{}#{}", scope.key(), movement_key(sighting).text())
}

fn event_pk(scope: &Scope, told: &Told) -> String {
    format!("{}#{}", scope.key(), told.event)
}

const MOVEMENT_SK: &str = "movement";
const EVENT_SK: &str = "event";

impl Rows {
    /// Reads the rows of all `news`, consistently.
    pub(super) async fn read(
        store: &Store,
        connection: &Connection,
        news: &[(&Told, &News)],
    ) -> Result<Self, StoreError> {
        let scope = &connection.scope;
        let mut keys = BTreeSet::new();
        for (told, news) in news {
            match news {
                News::Movement(sighting) => keys.insert((movement_pk(scope, sighting), MOVEMENT_SK)),
                News::Fact(_) => keys.insert((event_pk(scope, told), EVENT_SK)),
                News::Uninstalled => false,
            };
        }
        let mut rows = Self::default();
        for item in store.rows(keys.into_iter().map(|(pk, sk)| key(pk, sk)).collect()).await? {
            let pk = text(&item, "pk")?.to_owned();
            if text(&item, "sk")? == EVENT_SK {
                rows.events.insert(pk);
            } else {
                rows.movements.insert(pk, MovementRow::of(&item)?);
            }
        }
        Ok(rows)
    }

    /// What is recorded of a movement; none where nothing is.
    pub(super) fn movement(&self, scope: &Scope, sighting: &Sighting) -> Option<&MovementRow> {
        self.movements.get(&movement_pk(scope, sighting))
    }

    /// Notes what a movement's row is to become.
    pub(super) fn set_movement(&mut self, scope: &Scope, sighting: &Sighting, row: MovementRow) {
        let pk = movement_pk(scope, sighting);
        self.touched.insert(pk.clone());
        self.movements.insert(pk, row);
    }

    /// True the first time that an event is taken as a fact.
    pub(super) fn take_event(&mut self, scope: &Scope, told: &Told) -> bool {
        let pk = event_pk(scope, told);
        self.events.insert(pk.clone()) && self.new_events.insert(pk)
    }

    /// The writes of everything that was noted, each on the condition that the row is as it was read.
    pub(super) fn writes(self, store: &Store, told: &[(&Told, &News)]) -> Result<Vec<TransactWriteItem>, AwsError> {
        let mut items = Vec::new();
        for pk in self.touched {
            if let Some(row) = self.movements.get(&pk) {
                items.push(row.put(store, &pk)?);
            }
        }
        let newest = told.iter().map(|(told, _)| told.event_at.secs()).max().unwrap_or(0);
        for pk in self.new_events {
            let put = Put::builder()
                .table_name(&store.state)
                .set_item(Some(key(pk, EVENT_SK)))
                .item("expires_at", n(newest + EVENT_KEPT_SECS))
                .condition_expression("attribute_not_exists(pk)");
            items.push(write(put.build())?);
        }
        Ok(items)
    }
}

impl MovementRow {
    fn of(item: &Item) -> Result<Self, RowError> {
        let current = item.contains_key("current").then(|| text(item, "current").map(str::to_owned)).transpose()?;
        Ok(Self { statuses: texts(item, "statuses")?, current, version: number(item, "version")? })
    }

    fn put(&self, store: &Store, pk: &str) -> Result<TransactWriteItem, AwsError> {
        let statuses = self.statuses.iter().map(s).collect();
        let put = Put::builder()
            .table_name(&store.state)
            .set_item(Some(key(pk, MOVEMENT_SK)))
            .item("statuses", aws_sdk_dynamodb::types::AttributeValue::L(statuses))
            .item("version", n(self.version + 1));
        let put = match &self.current {
            Some(current) => put.item("current", s(current)),
            None => put,
        };
        let put = if self.version == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("version = :version").expression_attribute_values(":version", n(self.version))
        };
        write(put.build())
    }
}

fn write<E>(put: Result<Put, E>) -> Result<TransactWriteItem, AwsError> {
    let put = put.map_err(|_| AwsError::unexpected("committing", "request not built"))?;
    Ok(TransactWriteItem::builder().put(put).build())
}
