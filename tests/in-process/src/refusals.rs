//! What each service answers when a fault is injected, in its own words.

use serde_json::{Value, json};

use crate::call::Service;
use crate::wire::{Reply, WireRequest, set};

/// 500.
pub(crate) fn failed(service: Service) -> Reply {
    match service {
        Service::S3 => s3(500, "InternalError", "We encountered an internal error. Please try again."),
        Service::DynamoDb => dynamodb(500, "InternalServerError", "Internal server error"),
        Service::Sqs => Reply::json_error(500, "com.amazonaws.sqs#InternalFailure", "internal failure"),
        Service::Kms => Reply::json_error(500, "KMSInternalException", "internal failure"),
        Service::SecretsManager => Reply::json_error(500, "InternalServiceError", "internal failure"),
        Service::Ses => Reply::json_error(500, "InternalServiceErrorException", "internal failure"),
        // Calls to Stripe take another way: see `stripe.rs`.
        Service::Stripe => Reply::json_error(500, "api_error", "internal failure"),
    }
}

/// Throttled.
pub(crate) fn throttled(service: Service) -> Reply {
    match service {
        Service::S3 => s3(503, "SlowDown", "Please reduce your request rate."),
        Service::DynamoDb => dynamodb(
            400,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded.",
        ),
        Service::Sqs => Reply::json_error(400, "com.amazonaws.sqs#RequestThrottled", "the request was throttled"),
        Service::Ses => Reply::json_error(429, "TooManyRequestsException", "Maximum sending rate exceeded."),
        Service::Kms | Service::SecretsManager | Service::Stripe => {
            Reply::json_error(400, "ThrottlingException", "Rate exceeded")
        }
    }
}

/// A conflict with somebody else's write; [`failed`] where the operation knows none.
pub(crate) fn conflicted(request: &WireRequest) -> Reply {
    match (request.service, request.operation.as_str()) {
        (Service::DynamoDb, "TransactWriteItems" | "TransactGetItems") => cancelled_by_conflict(request),
        (Service::DynamoDb, "PutItem" | "UpdateItem" | "DeleteItem") => {
            dynamodb(400, "TransactionConflictException", "Transaction is ongoing for the item")
        }
        (Service::S3, "PutObject") => s3(
            409,
            "ConditionalRequestConflict",
            "A conflicting conditional operation is currently in progress against this resource.",
        ),
        (service, _) => failed(service),
    }
}

/// The first item conflicts, the others have no reason; no reason carries an item, whatever the request asked for.
fn cancelled_by_conflict(request: &WireRequest) -> Reply {
    let count = request.json().get("TransactItems").and_then(Value::as_array).map_or(1, Vec::len).max(1);
    let mut reasons = vec![json!({ "Code": "None" }); count];
    if let Some(first) = reasons.first_mut() {
        *first = json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" });
    }
    let codes = reasons.iter().filter_map(|reason| reason["Code"].as_str()).collect::<Vec<_>>().join(", ");
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"),
        "CancellationReasons": reasons,
    });
    Reply::raw_json(400, body.to_string())
}

/// A token whose first attempt has not ended; [`failed`] where the operation knows no tokens.
pub(crate) fn in_progress(request: &WireRequest) -> Reply {
    if request.operation == "TransactWriteItems" {
        dynamodb(
            400,
            "TransactionInProgressException",
            "The transaction with the given request token is already in progress.",
        )
    } else {
        failed(request.service)
    }
}

/// Splits a batch: what is to be done, and how the answer is completed with what is not.
pub(crate) fn split_batch(request: &WireRequest) -> Option<(WireRequest, Leftover)> {
    let mut body = request.json();
    let leftover = match request.operation.as_str() {
        "BatchGetItem" => {
            let tables = body.get_mut("RequestItems")?.as_object_mut()?;
            let mut unprocessed = serde_json::Map::new();
            for (table, wanted) in tables.iter_mut() {
                let keys = wanted.get_mut("Keys")?.as_array_mut()?;
                let rest = keys.split_off(keys.len().div_ceil(2));
                if !rest.is_empty() {
                    let mut again = wanted.clone();
                    set(&mut again, "Keys", Value::Array(rest));
                    unprocessed.insert(table.clone(), again);
                }
            }
            Leftover { field: "UnprocessedKeys", value: Value::Object(unprocessed) }
        }
        "SendMessageBatch" => {
            let entries = body.get_mut("Entries")?.as_array_mut()?;
            let failed = entries.split_off(entries.len() / 2);
            let failed = failed
                .iter()
                .map(|entry| json!({ "Id": entry["Id"], "SenderFault": false, "Code": "InternalError", "Message": "internal failure" }))
                .collect();
            Leftover { field: "Failed", value: Value::Array(failed) }
        }
        _ => return None,
    };
    let mut part = request.clone();
    part.body = body.to_string().into();
    Some((part, leftover))
}

/// The part of a batch that was not done.
pub(crate) struct Leftover {
    field: &'static str,
    value: Value,
}

impl Leftover {
    /// The answer with this part in it.
    pub(crate) fn complete(self, reply: Reply) -> Reply {
        match serde_json::from_slice::<Value>(&reply.body) {
            Ok(mut body) if reply.status == 200 => {
                set(&mut body, self.field, self.value);
                Reply::json(&body)
            }
            _ => reply,
        }
    }
}

fn dynamodb(status: u16, code: &str, message: &str) -> Reply {
    Reply::json_error(status, &format!("com.amazonaws.dynamodb.v20120810#{code}"), message)
}

fn s3(status: u16, code: &str, message: &str) -> Reply {
    crate::s3_xml::error(status, code, message)
}
