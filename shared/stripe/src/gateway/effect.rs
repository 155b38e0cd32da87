//! What Stripe did for a call: read from its own answer.

use axiru_domain::{Currency, Kind, MAX_SAFE_INTEGER, ObjectRole, StripeId, Timestamp};
use serde_json::{Map, Value};

use super::moves::Moves;
use crate::error::StripeError;
use crate::event::is_word;

/// The effect of a call that moved money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The object that is the movement: `re_…`, `po_…`, `tr_…`, `trr_…`, or the dispute.
    pub object: StripeId,
    /// Its status; none where it has none, or where it is none of Stripe's words.
    pub status: Option<String>,
    /// Its amount, in minor units.
    pub amount_minor: i64,
    /// Its currency.
    pub currency: Currency,
    /// When it was made; none for the answer to a dispute.
    pub created: Option<Timestamp>,
    /// Which movement of the object: the count of submissions of a dispute, as events number them; otherwise 0.
    pub ordinal: u32,
}

/// What Stripe calls the object that a movement of this kind is, and how its ids begin.
const fn object_of(kind: Kind) -> (&'static str, &'static [&'static str]) {
    match kind {
        Kind::Refund => ("refund", &["re", "pyr"]),
        Kind::Payout => ("payout", &["po"]),
        Kind::Transfer => ("transfer", &["tr"]),
        Kind::TransferReversal => ("transfer_reversal", &["trr"]),
        Kind::DisputeAccept | Kind::DisputeSubmit => ("dispute", &["dp", "du"]),
    }
}

const fn wrong(at: &'static str, what: &'static str) -> StripeError {
    StripeError::Answer { at, what }
}

impl Effect {
    /// Reads Stripe's answer of success: it must be of the object that such a call makes, about what the call was about, with the amount
    /// and currency that the call said.
    ///
    /// `POST /v1/charges/{charge}/refund` answers with the charge, which does not say which refund was made: that is an error here,
    /// and the refund is found with [`super::look::find`].
    ///
    /// # Errors
    /// [`StripeError::Answer`], naming the field.
    pub fn of(moves: &Moves, body: &[u8]) -> Result<Self, StripeError> {
        let value: Value = serde_json::from_slice(body).map_err(|_| wrong("body", "not the JSON it should be"))?;
        Self::read(moves, &value)
    }

    pub(super) fn read(moves: &Moves, value: &Value) -> Result<Self, StripeError> {
        let map = value.as_object().ok_or(wrong("body", "not an object"))?;
        let (name, prefixes) = object_of(moves.kind());
        if map.get("object").and_then(Value::as_str) != Some(name) {
            return Err(wrong("object", "not the kind of object that the call makes"));
        }
        let object = id(map, "id")?.ok_or(wrong("id", "missing"))?;
        if !prefixes.contains(&object.prefix()) {
            return Err(wrong("id", "not the id of such an object"));
        }
        about(moves, map, &object)?;
        let amount_minor = map.get("amount").and_then(Value::as_i64);
        let amount_minor = amount_minor.filter(|amount| (0..=MAX_SAFE_INTEGER).contains(amount));
        let amount_minor = amount_minor.ok_or(wrong("amount", "missing, or not an amount"))?;
        if moves.amount_minor().is_some_and(|asked| asked != amount_minor) {
            return Err(wrong("amount", "not what was asked for"));
        }
        let currency = map.get("currency").and_then(Value::as_str).and_then(|text| text.parse().ok());
        let currency: Currency = currency.ok_or(wrong("currency", "missing, or not a currency"))?;
        if moves.currency().is_some_and(|asked| asked != currency) {
            return Err(wrong("currency", "not what was asked for"));
        }
        let is_dispute = matches!(moves.kind(), Kind::DisputeAccept | Kind::DisputeSubmit);
        let created = if is_dispute { None } else { Some(moment(map)?) };
        let ordinal = if moves.kind() == Kind::DisputeSubmit { submissions(map)? } else { 0 };
        let status = map.get("status").and_then(Value::as_str).filter(|word| is_word(word)).map(str::to_owned);
        Ok(Self { object, status, amount_minor, currency, created, ordinal })
    }
}

/// Checks that the object is about what the call was about.
fn about(moves: &Moves, map: &Map<String, Value>, object: &StripeId) -> Result<(), StripeError> {
    for (role, asked) in moves.objects() {
        let (at, theirs) = match role {
            ObjectRole::Dispute => ("id", Some(object.clone())),
            ObjectRole::Charge => ("charge", id(map, "charge")?),
            ObjectRole::PaymentIntent => ("payment_intent", id(map, "payment_intent")?),
            ObjectRole::Transfer => ("transfer", id(map, "transfer")?),
            ObjectRole::Destination => ("destination", id(map, "destination")?),
            ObjectRole::SourceTransaction => ("source_transaction", id(map, "source_transaction")?),
        };
        if theirs.as_ref() != Some(asked) {
            return Err(wrong(at, "not what the call was about"));
        }
    }
    Ok(())
}

/// An id, which may stand in the object itself where that is expanded; none where it is missing or null.
fn id(map: &Map<String, Value>, at: &'static str) -> Result<Option<StripeId>, StripeError> {
    let Some(value) = map.get(at).filter(|value| !value.is_null()) else { return Ok(None) };
    let text = value.as_str().or_else(|| value.get("id").and_then(Value::as_str));
    text.and_then(|text| text.parse().ok()).map(Some).ok_or(wrong(at, "not an id"))
}

fn moment(map: &Map<String, Value>) -> Result<Timestamp, StripeError> {
    let secs = map.get("created").and_then(Value::as_i64);
    secs.and_then(|secs| Timestamp::from_secs(secs).ok()).ok_or(wrong("created", "missing, or not a time"))
}

/// How often evidence has been submitted: at least once, where a submission succeeded.
fn submissions(map: &Map<String, Value>) -> Result<u32, StripeError> {
    let count = map.get("evidence_details").and_then(|details| details.get("submission_count")).and_then(Value::as_u64);
    count
        .and_then(|count| u32::try_from(count).ok())
        .filter(|count| *count > 0)
        .ok_or(wrong("evidence_details.submission_count", "missing, or not a count of submissions"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::moves;
    use super::*;

    fn of(path: &str, body: &str, answer: &Value) -> Result<Effect, StripeError> {
        Effect::of(&moves(path, body), answer.to_string().as_bytes())
    }

    fn refund() -> Value {
        json!({"id": "re_1", "object": "refund", "amount": 500, "currency": "usd", "charge": "ch_1", "payment_intent": "pi_1",
            "created": 1_793_404_800, "status": "succeeded", "metadata": {}})
    }

    #[test]
    fn each_kind_from_its_own_answer() {
        let effect = of("/v1/refunds", "charge=ch_1&amount=500", &refund()).unwrap();
        assert_eq!((effect.object.as_str(), effect.amount_minor, effect.ordinal), ("re_1", 500, 0));
        assert_eq!(effect.status.as_deref(), Some("succeeded"));
        assert!(of("/v1/refunds", "payment_intent=pi_1", &refund()).is_ok());
        let payout = json!({"id": "po_1", "object": "payout", "amount": 5, "currency": "usd", "destination": "ba_9", "created": 1, "status": "pending"});
        assert_eq!(of("/v1/payouts", "amount=5&currency=usd", &payout).unwrap().object.as_str(), "po_1");
        let transfer = json!({"id": "tr_1", "object": "transfer", "amount": 5, "currency": "usd", "destination": "acct_2", "created": 1});
        assert_eq!(of("/v1/transfers", "amount=5&currency=usd&destination=acct_2", &transfer).unwrap().status, None);
        let reversal = json!({"id": "trr_1", "object": "transfer_reversal", "amount": 5, "currency": "usd", "transfer": {"id": "tr_1"}, "created": 1});
        assert_eq!(of("/v1/transfers/tr_1/reversals", "", &reversal).unwrap().object.as_str(), "trr_1");
        let dispute = json!({"id": "dp_1", "object": "dispute", "amount": 5, "currency": "usd", "created": 1, "status": "under_review",
            "evidence_details": {"submission_count": 2}});
        let effect = of("/v1/disputes/dp_1", "evidence[receipt]=file_1", &dispute).unwrap();
        assert_eq!((effect.ordinal, effect.created), (2, None));
        assert_eq!(of("/v1/disputes/dp_1/close", "", &dispute).unwrap().ordinal, 0);
    }

    #[test]
    fn an_answer_about_something_else_is_not_an_effect() {
        for (pointer, value, field) in [
            ("/object", json!("charge"), "object"),
            ("/object", json!(null), "object"),
            ("/id", json!("po_1"), "id"),
            ("/id", json!("re 1"), "id"),
            ("/amount", json!(501), "amount"),
            ("/amount", json!(-500), "amount"),
            ("/amount", json!("500"), "amount"),
            ("/amount", json!(500.5), "amount"),
            ("/currency", json!("USD"), "currency"),
            ("/charge", json!("ch_2"), "charge"),
            ("/charge", json!(null), "charge"),
            ("/created", json!(null), "created"),
        ] {
            let mut answer = refund();
            *answer.pointer_mut(pointer).unwrap() = value.clone();
            let error = of("/v1/refunds", "charge=ch_1&amount=500", &answer).unwrap_err();
            assert!(matches!(error, StripeError::Answer { at, .. } if at == field), "{pointer} {value}: {error}");
        }
        for count in [json!(0), json!(null), json!(-1), json!("1")] {
            let dispute = json!({"id": "dp_1", "object": "dispute", "amount": 5, "currency": "usd", "evidence_details": {"submission_count": count}});
            assert!(of("/v1/disputes/dp_1", "submit=true", &dispute).is_err());
        }
        let euros = json!({"id": "po_1", "object": "payout", "amount": 5, "currency": "eur", "created": 1});
        assert!(of("/v1/payouts", "amount=5&currency=usd", &euros).is_err());
        let refund_of_a_charge = moves("/v1/charges/ch_1/refund", "amount=500");
        for body in
            [&b""[..], b"[]", b"{", b"null", br#"{"id":"ch_1","object":"charge","amount":500,"currency":"usd"}"#]
        {
            assert!(Effect::of(&refund_of_a_charge, body).is_err());
        }
    }
}
