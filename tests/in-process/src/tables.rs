//! The two tables of Axiru, as `template.yaml` makes them, but without the stream unless a test asks for it: the
//! database slows with every stream record it holds.

use serde_json::{Value, json};

use crate::names::{LEDGER_TABLE, STATE_TABLE};
use crate::wire::set;

/// The bodies of the two CreateTable calls.
pub(crate) fn definitions(ledger_stream: bool) -> [Value; 2] {
    let mut ledger = table(LEDGER_TABLE, ("pk", "S"), ("seq", "N"));
    if ledger_stream {
        let stream = json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" });
        set(&mut ledger, "StreamSpecification", stream);
    }
    let mut state = table(STATE_TABLE, ("pk", "S"), ("sk", "S"));
    for name in ["listed", "listed_at"] {
        if let Some(attributes) = state.get_mut("AttributeDefinitions").and_then(Value::as_array_mut) {
            attributes.push(json!({ "AttributeName": name, "AttributeType": "S" }));
        }
    }
    let requests = json!([{
        "IndexName": "requests",
        "KeySchema": [
            { "AttributeName": "listed", "KeyType": "HASH" },
            { "AttributeName": "listed_at", "KeyType": "RANGE" },
        ],
        "Projection": { "ProjectionType": "ALL" },
    }]);
    set(&mut state, "GlobalSecondaryIndexes", requests);
    [state, ledger]
}

fn table(name: &str, hash: (&str, &str), range: (&str, &str)) -> Value {
    json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            { "AttributeName": hash.0, "AttributeType": hash.1 },
            { "AttributeName": range.0, "AttributeType": range.1 },
        ],
        "KeySchema": [
            { "AttributeName": hash.0, "KeyType": "HASH" },
            { "AttributeName": range.0, "KeyType": "RANGE" },
        ],
    })
}
