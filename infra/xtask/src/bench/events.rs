//! A first event for each function: the shortest that is understood and leads to the store, where it finds nothing.

use serde_json::{Value, json};

/// A key that nobody has; its checksum is right, so that its row is looked for.
const KEY: &str = "axk_test_aaaaaaaaaaaa_00000000000000000000000000000000000000000004dKlw5";

/// The event of a function; a scheduled one for those that are not told here.
pub(super) fn of(function: &str) -> Value {
    match function {
        "admin" => http("GET", "/admin/status", "", json!({}), ""),
        "approve" => http("GET", &format!("/approvals/{}", "A".repeat(64)), "", json!({}), ""),
        "connect" => http("GET", "/stripe/install", &format!("link={}", "A".repeat(43)), json!({}), ""),
        "decide" => http("POST", "/api/v1/decisions", "", bearer(), r#"{"intent":{},"idempotency_key":"bench"}"#),
        "gateway" => http("POST", "/v1/refunds", "", bearer(), "charge=ch_1&amount=1"),
        "webhook" => {
            let signature = json!({"stripe-signature": format!("t=1,v1={}", "0".repeat(64))});
            http("POST", "/stripe/webhooks/test", "", signature, "{}")
        }
        "observe" => message(&json!({
            "scope": "test/acct_1", "event": "evt_1", "event_type": "account.application.deauthorized",
            "event_at": "2026-01-01T00:00:00Z", "stripe_request": null, "news": [{"news": "uninstalled"}],
        })),
        "execute" => message(&json!({"job": "cancel", "scope": "test/acct_1", "kind": "payout", "object": "po_1"})),
        _ => json!({"version": "0", "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}}),
    }
}

fn bearer() -> Value {
    json!({"authorization": format!("Bearer {KEY}"), "content-type": "application/x-www-form-urlencoded"})
}

/// What an HTTP API sends, format 2.0.
fn http(method: &str, path: &str, query: &str, headers: Value, body: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query, "headers": headers,
        "pathParameters": {"mode": "test"},
        "requestContext": {
            "http": {"method": method, "path": path},
            "authorizer": {"iam": {"userArn": "arn:aws:iam::111122223333:user/bench"}},
        },
        "body": body, "isBase64Encoded": false,
    })
}

/// What a queue sends.
fn message(body: &Value) -> Value {
    json!({"Records": [{"messageId": "m0", "body": body.to_string()}]})
}
