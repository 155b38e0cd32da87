//! From the body to a question: strict, bounded, every refusal with its field.

use std::collections::BTreeMap;

use axiru_aws::decide::{Ask, Purpose};
use axiru_domain::{AccountId, Claimed, IdempotencyKey, Intent, KeyToken, Kind, Money, ObjectRole};
use http::HeaderMap;
use serde_json::{Map, Value};

use crate::refusal::Refusal;
use crate::wire::{DecisionRequest, IntentBody};
use crate::{caller, execute};

/// Largest body. Metadata may be 50 times 540 characters, of up to four bytes and JSON's escapes; an honest body is below 1 KiB.
const MAX_BYTES: usize = 128 * 1_024;

/// Most members of `context`, the rationale among them.
const MAX_CONTEXT: usize = 16;

/// The member of `context` that may be free text.
const RATIONALE: &str = "rationale";

/// Longest rationale, in characters.
const MAX_RATIONALE: usize = 500;

/// Stripe's reasons of a refund, and methods of a payout (Stripe API reference).
pub(crate) const REASONS: [&str; 3] = ["duplicate", "fraudulent", "requested_by_customer"];
pub(crate) const METHODS: [&str; 2] = ["standard", "instant"];

/// Stripe's own bounds of metadata (Stripe docs, "Metadata").
const MAX_METADATA: (usize, usize, usize) = (50, 40, 500);

/// The question that a request asks.
pub(crate) fn parse(token: KeyToken, headers: &HeaderMap, body: &[u8]) -> Result<Ask, Refusal> {
    if body.len() > MAX_BYTES {
        let detail = format!("the body is longer than {MAX_BYTES} bytes");
        return Err(Refusal::other(http::StatusCode::PAYLOAD_TOO_LARGE, "body_too_long", detail));
    }
    let request: DecisionRequest = read(body)?;
    let account = account(&request.intent, caller::account(headers)?)?;
    let idempotency_key = idempotency_key(request.idempotency_key.as_deref(), headers)?;
    let metadata = metadata(request.intent.metadata.clone())?;
    let (claimed, rationale) = context(request.context)?;
    let intent = intent(&request.intent)?;
    let reason = word(&request.intent.reason, "reason", intent.kind() == Kind::Refund, &REASONS)?;
    let method = word(&request.intent.method, "method", intent.kind() == Kind::Payout, &METHODS)?;
    let call = request.execute.then(|| execute::call(&intent, reason.as_deref(), method.as_deref(), &metadata));
    let parameters = call.transpose()?;
    let purpose = if request.execute { Purpose::Queue } else { Purpose::Advise };
    Ok(Ask {
        token,
        account,
        intent,
        reason,
        method,
        claimed,
        rationale,
        metadata,
        idempotency_key,
        purpose,
        parameters,
    })
}

/// One of Stripe's words, where the kind has one.
fn word(given: &Option<String>, name: &str, has_one: bool, words: &[&str]) -> Result<Option<String>, Refusal> {
    match given {
        None => Ok(None),
        Some(_) if !has_one => Err(Refusal::field(format!("intent.{name}"), "a movement of this kind has none")),
        Some(word) if words.contains(&word.as_str()) => Ok(Some(word.clone())),
        Some(_) => Err(Refusal::field(format!("intent.{name}"), format!("expected one of {}", words.join(", ")))),
    }
}

/// Reads JSON strictly. A JSON object has no member twice.
fn read(body: &[u8]) -> Result<DecisionRequest, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| Refusal::field("body", "the body is not UTF-8"))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let request = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "body".to_owned() } else { path };
        // Without "at line 1 column 7": the field says where.
        let detail = error.inner().to_string();
        let detail = detail.split(" at line ").next().unwrap_or_default().to_owned();
        Refusal::field(field, detail.chars().take(300).collect::<String>())
    })?;
    deserializer.end().map_err(|_| Refusal::field("body", "there is something after the JSON object"))?;
    Ok(request)
}

fn account(intent: &IntentBody, header: Option<AccountId>) -> Result<AccountId, Refusal> {
    const FIELD: &str = "intent.stripe_connection_id";
    let own = match &intent.stripe_connection_id {
        None => None,
        Some(text) => {
            Some(text.parse().map_err(|_| Refusal::field(FIELD, "not the id of an account: expected `acct_…`"))?)
        }
    };
    match (own, header) {
        (Some(own), Some(header)) if own != header => {
            Err(Refusal::field(FIELD, "the header Stripe-Account names another account"))
        }
        (Some(account), _) | (None, Some(account)) => Ok(account),
        (None, None) => Err(Refusal::field(FIELD, "name the account, here or in the header Stripe-Account")),
    }
}

fn idempotency_key(body: Option<&str>, headers: &HeaderMap) -> Result<IdempotencyKey, Refusal> {
    const FIELD: &str = "idempotency_key";
    let mut values = headers.get_all("idempotency-key").iter();
    let header = values.next().map(|value| value.to_str().map_err(|_| Refusal::field(FIELD, "not printable ASCII")));
    if values.next().is_some() {
        return Err(Refusal::field(FIELD, "the header Idempotency-Key was sent more than once"));
    }
    let text = match (body, header.transpose()?) {
        (Some(body), Some(header)) if body != header => {
            return Err(Refusal::field(FIELD, "the header Idempotency-Key says another key"));
        }
        (Some(text), _) | (None, Some(text)) => text,
        (None, None) => {
            return Err(Refusal::field(
                FIELD,
                "make a key for this request and keep it: asking again is safe only with it",
            ));
        }
    };
    text.parse().map_err(|error: axiru_domain::IdempotencyKeyError| Refusal::field(FIELD, error.to_string()))
}

fn metadata(metadata: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Refusal> {
    let (most, name_chars, value_chars) = MAX_METADATA;
    let refuse = |detail: &str| Err(Refusal::field("intent.metadata", detail));
    if metadata.len() > most {
        return refuse("more than 50 names");
    }
    for (name, value) in &metadata {
        if name.is_empty() || name.chars().count() > name_chars || name.contains(['[', ']']) {
            return refuse("a name has 1 to 40 characters and no square brackets");
        }
        if name.starts_with("axiru_") {
            return refuse("names that begin with `axiru_` are Axiru's own");
        }
        if value.chars().count() > value_chars {
            return refuse("a value is longer than 500 characters");
        }
    }
    Ok(metadata)
}

fn context(mut context: Map<String, Value>) -> Result<(Claimed, Option<String>), Refusal> {
    if context.len() > MAX_CONTEXT {
        return Err(Refusal::field("context", "more than 16 names"));
    }
    let rationale = match context.remove(RATIONALE) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.chars().count() <= MAX_RATIONALE => Some(text),
        Some(_) => return Err(Refusal::field("context.rationale", "expected text of at most 500 characters")),
    };
    let claimed = Claimed::from_json(&Value::Object(context));
    Ok((claimed.map_err(|error| Refusal::field("context", error.to_string()))?, rationale))
}

fn intent(body: &IntentBody) -> Result<Intent, Refusal> {
    let at = |field: &str| format!("intent.{field}");
    let kind: Kind = body.kind.parse().map_err(|_| {
        let words: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        Refusal::field(at("kind"), format!("not a kind of movement: expected one of {}", words.join(", ")))
    })?;
    let currency = body.currency.parse().map_err(|_| {
        Refusal::field(
            at("currency"),
            "not a currency that Stripe moves: expected three lower-case letters such as `usd`",
        )
    })?;
    let money = Money::new(body.amount_cents, currency)
        .map_err(|error| Refusal::field(at("amount_cents"), error.to_string()))?;
    let given = [
        (ObjectRole::Charge, &body.charge),
        (ObjectRole::PaymentIntent, &body.payment_intent),
        (ObjectRole::Transfer, &body.transfer),
        (ObjectRole::Dispute, &body.dispute),
        (ObjectRole::Destination, &body.destination),
        (ObjectRole::SourceTransaction, &body.source_transaction),
    ];
    let mut objects = BTreeMap::new();
    for (role, id) in given {
        if let Some(id) = id {
            let id = id.parse().map_err(|_| Refusal::field(at(role.as_str()), "not the id of a Stripe object"))?;
            objects.insert(role, id);
        }
    }
    Intent::new(kind, money, objects).map_err(|error| Refusal::field(at(error.field()), error.to_string()))
}
