//! DynamoDB: dynoxide in memory, one database per account, spoken to with the same JSON as over HTTP.
//!
//! The database is synchronous behind one mutex; the connector yields around each call so that tasks interleave.
//! Differences from AWS that a test must not rest on: nothing ever conflicts by itself, a put that changes nothing
//! emits a stream record, and request tokens expire by the machine's clock, not by tokio's.

use std::sync::atomic::{AtomicBool, Ordering};

use dynoxide::actions::scan::ScanRequest;
use dynoxide::{AttributeValue, Database, DynoxideError, Item};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::dump::{Dump, Piece};
use crate::wire::{Reply, WireRequest, set};

/// The tables.
pub(crate) struct DynamoDb {
    database: Database,
    measured: AtomicBool,
}

impl DynamoDb {
    pub(crate) fn new() -> Result<Self, DynoxideError> {
        Ok(Self { database: Database::memory()?, measured: AtomicBool::new(false) })
    }

    /// From now on, asks the database what each call consumes.
    pub(crate) fn measure(&self) {
        self.measured.store(true, Ordering::Relaxed);
    }

    pub(crate) fn answer(&self, request: &WireRequest) -> Reply {
        if !self.measured.load(Ordering::Relaxed) {
            return self.act(request, &request.body);
        }
        let mut body = request.json();
        set(&mut body, "ReturnConsumedCapacity", "TOTAL".into());
        let mut reply = self.act(request, body.to_string().as_bytes());
        reply.capacity_units = consumed(&reply.body);
        reply
    }

    fn act(&self, request: &WireRequest, body: &[u8]) -> Reply {
        let db = &self.database;
        match request.operation.as_str() {
            "CreateTable" => run(body, |asked| db.create_table(asked)),
            "DescribeTable" => run(body, |asked| db.describe_table(asked)),
            "PutItem" => run(body, |asked| db.put_item(asked)),
            "GetItem" => run(body, |asked| db.get_item(asked)),
            "UpdateItem" => run(body, |asked| db.update_item(asked)),
            "DeleteItem" => run(body, |asked| db.delete_item(asked)),
            "Query" => run(body, |asked| db.query(asked)),
            "Scan" => run(body, |asked| db.scan(asked)),
            "BatchGetItem" => run(body, |asked| db.batch_get_item(asked)),
            "TransactGetItems" => run(body, |asked| db.transact_get_items(asked)),
            "TransactWriteItems" => run(body, |asked| db.transact_write_items(asked)),
            "ListStreams" => run(body, |asked| db.list_streams(asked)),
            "DescribeStream" => run(body, |asked| db.describe_stream(asked)),
            "GetShardIterator" => run(body, |asked| db.get_shard_iterator(asked)),
            "GetRecords" => run(body, |asked| db.get_records(asked)),
            _ => Reply::json_error(400, "com.amazon.coral.service#UnknownOperationException", ""),
        }
    }

    pub(crate) fn create_table(&self, definition: &Value) -> Result<(), DynoxideError> {
        let asked = serde_json::from_value(definition.clone())
            .map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
        self.database.create_table(asked).map(|_| ())
    }

    /// Every item of a table, in the database's order.
    pub(crate) fn items(&self, table: &str) -> Result<Vec<Item>, DynoxideError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let page = self.database.scan(ScanRequest {
                table_name: table.to_owned(),
                exclusive_start_key: start.take(),
                ..ScanRequest::default()
            })?;
            items.extend(page.items.unwrap_or_default());
            match page.last_evaluated_key {
                Some(key) => start = Some(key),
                None => return Ok(items),
            }
        }
    }

    pub(crate) fn dump(&self, into: &mut Dump) -> Result<(), DynoxideError> {
        for table in self.database.list_tables(Default::default())?.table_names {
            for (row, item) in self.items(&table)?.into_iter().enumerate() {
                for (name, value) in &item {
                    pieces(&format!("dynamodb {table} row {row} {name}"), value, into);
                }
            }
        }
        Ok(())
    }
}

/// The name and every scalar of a value, so that a search sees binary attributes as their bytes.
fn pieces(place: &str, value: &AttributeValue, into: &mut Dump) {
    let mut push = |bytes: &[u8]| into.pieces.push(Piece { place: place.to_owned(), bytes: bytes.to_vec() });
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => push(text.as_bytes()),
        AttributeValue::B(bytes) => push(bytes),
        AttributeValue::SS(texts) | AttributeValue::NS(texts) => texts.iter().for_each(|text| push(text.as_bytes())),
        AttributeValue::BS(all) => all.iter().for_each(|bytes| push(bytes)),
        AttributeValue::BOOL(flag) => push(flag.to_string().as_bytes()),
        AttributeValue::NULL(_) => {}
        AttributeValue::L(list) => {
            for (index, value) in list.iter().enumerate() {
                pieces(&format!("{place}[{index}]"), value, into);
            }
        }
        AttributeValue::M(map) => {
            for (name, value) in map {
                pieces(&format!("{place}.{name}"), value, into);
            }
        }
    }
}

/// The units in an answer: one object, or a list with one per table.
fn consumed(answer: &[u8]) -> Option<f64> {
    let answer = serde_json::from_slice::<Value>(answer).ok()?;
    let units = |capacity: &Value| capacity["CapacityUnits"].as_f64();
    match answer.get("ConsumedCapacity")? {
        Value::Array(tables) => Some(tables.iter().filter_map(units).sum()),
        one => units(one),
    }
}

fn run<Q: DeserializeOwned, R: Serialize>(body: &[u8], action: impl FnOnce(Q) -> dynoxide::Result<R>) -> Reply {
    let answer = serde_json::from_slice(body)
        .map_err(|error| DynoxideError::SerializationException(error.to_string()))
        .and_then(action)
        .and_then(|answer| {
            serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
        });
    match answer {
        Ok(json) => Reply::raw_json(200, json),
        Err(error) => Reply::raw_json(error.status_code(), error.to_json()),
    }
}
