//! What a caller is told who may not, or not yet, or not again.

use axiru_aws::decide::Decided;
use axiru_aws::requests::RequestRow;
use axiru_domain::{StripeId, Timestamp};
use http::StatusCode;
use serde_json::{Value, json};

use crate::error::{Again, Refusal};

/// The verdicts of the entry whose outcome decided: plan and reasons.
fn reasons(decided: &Decided) -> Vec<Value> {
    let decision = decided.entry.fields().get("decision");
    let outcome = decision.and_then(|decision| decision.get("outcome"));
    let verdicts = decision.and_then(|decision| decision.get("verdicts")).and_then(Value::as_array);
    let deciding = verdicts.into_iter().flatten().filter(|verdict| {
        verdict.get("outcome") == outcome && verdict.get("policy_mode").and_then(Value::as_str) == Some("enforce")
    });
    deciding.map(|verdict| json!({"plan": verdict.get("plan"), "reasons": verdict.get("reasons")})).collect()
}

/// The reasons as words for a person: `policy:block-huge of plan refunds`.
fn said(reasons: &[Value]) -> String {
    let words = reasons.iter().flat_map(|verdict| {
        let plan = verdict.get("plan").and_then(Value::as_str).unwrap_or_default();
        let all = verdict.get("reasons").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(Value::as_str).map(move |reason| format!("{reason} (plan {plan})"))
    });
    words.take(4).collect::<Vec<_>>().join(", ")
}

fn about(decided: &Decided, reasons: Vec<Value>) -> Value {
    json!({"decision_id": decided.row.id.as_str(), "ledger_id": decided.entry.id(), "verdicts": reasons})
}

/// A policy or limit forbids it.
pub(crate) fn blocked(decided: &Decided) -> Refusal {
    let reasons = reasons(decided);
    let message = format!(
        "Blocked before it reached Stripe: {}. Decision {}. Nothing was moved.",
        said(&reasons),
        decided.row.id
    );
    Refusal::new(StatusCode::FORBIDDEN, "axiru_blocked", message).with("axiru", about(decided, reasons))
}

/// People decide. The shape is Stripe's own for a call that waits for its approval.
pub(crate) fn held(decided: &Decided) -> Refusal {
    let row = &decided.row;
    let reasons = reasons(decided);
    let message = format!(
        "Waits for approval: {}. Decision {}. Do not send it again: it is made once it is approved.",
        said(&reasons),
        row.id
    );
    let request = json!({
        "id": row.id.as_str(),
        "object": "approval_request",
        "action": format!("{}.create", row.kind),
        "status": "pending",
        "dashboard_url": Value::Null,
        "expires_at": row.open_until.map(Timestamp::secs),
    });
    Refusal::new(StatusCode::BAD_REQUEST, "approval_required", message)
        .with("approval_request", request)
        .with("axiru", about(decided, reasons))
}

/// It is approved, and made without its caller: the same call again gets Stripe's answer.
pub(crate) fn approved(row: &RequestRow) -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "idempotency_key_in_use",
        "This call was approved and is being made. Send it again in a moment to get its answer.",
    )
    .of_type("idempotency_error")
    .again(Again::Yes)
    .with("axiru", json!({"decision_id": row.id.as_str()}))
}

/// One of those who were asked said no.
pub(crate) fn denied(row: &RequestRow) -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "approval_denied",
        "The people who were asked have denied this call, and it was not made. Do not send it again.",
    )
    .with("axiru", json!({"decision_id": row.id.as_str()}))
}

/// It was held or approved, and things are no longer as they were.
pub(crate) fn cancelled(row: &RequestRow) -> Refusal {
    let reason = row.failure.as_ref().map_or("changed", |failure| failure.reason.as_str());
    Refusal::new(
        StatusCode::BAD_REQUEST,
        "approval_cancelled",
        format!("This call was held, and is not made because things have changed since ({reason}). Send it with a new idempotency key to ask anew."),
    )
    .with("axiru", json!({"decision_id": row.id.as_str(), "reason": reason}))
}

/// Nobody approved it in time.
pub(crate) fn expired(row: &RequestRow) -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        "approval_expired",
        "Nobody approved this call in time, and it was not made. Send it with a new idempotency key to ask again.",
    )
    .with("axiru", json!({"decision_id": row.id.as_str()}))
}

/// It failed, and will not be made any more.
pub(crate) fn failed(row: &RequestRow) -> Refusal {
    let failure = row.failure.as_ref();
    let status = failure.and_then(|failure| failure.status).and_then(|status| StatusCode::from_u16(status).ok());
    let code = failure.and_then(|failure| failure.code.clone());
    let reason = failure.map_or("not_executed", |failure| failure.reason.as_str());
    let message = match reason {
        "not_executed" => {
            "This call was never made at Stripe and will not be. Send it with a new idempotency key to make it."
        }
        "stopped" => "An operator had stopped this call before it was made, and it will not be made.",
        _ => "Stripe refused this call, and it will not be made. Send it with a new idempotency key to try again.",
    };
    let status = status.filter(|status| status.is_client_error()).unwrap_or(StatusCode::BAD_REQUEST);
    Refusal::new(status, code.unwrap_or_else(|| format!("axiru_{reason}")), message)
        .with("axiru", json!({"decision_id": row.id.as_str(), "reason": reason}))
}

/// It was made, and Stripe cannot be asked for it now.
pub(crate) fn made(row: &RequestRow) -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "axiru_made_already",
        "This call was made. Stripe cannot be asked for its answer now; send it again with the same idempotency key.",
    )
    .again(Again::Yes)
    .with("axiru", json!({"decision_id": row.id.as_str(), "object": row.object.as_ref().map(StripeId::as_str)}))
}

/// It was decided when nothing was enforced, or asked for as advice: that decision makes nothing under enforcement.
pub(crate) fn decided_otherwise() -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        "axiru_decided_in_shadow",
        "This idempotency key belongs to a call from before enforcement. Send a new call with a new key.",
    )
    .of_type("idempotency_error")
}
