//! What Stripe answers about an object, and what is taken of it.

use axiru_domain::{Currency, MAX_SAFE_INTEGER, Mode, StripeId, Timestamp};
use serde::{Deserialize, Deserializer};

use super::{Charge, Dispute, ListedRefund, ReadError, Said, Transfer};
use crate::event::is_word;
use crate::rest::parsed;

/// Keeps a null apart from a member that is missing.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Said<T>, D::Error> {
    Option::deserialize(from).map(Some)
}

#[derive(Deserialize)]
pub(super) struct ChargeAnswer {
    id: Option<String>,
    livemode: Option<bool>,
    amount_captured: Option<i64>,
    amount_refunded: Option<i64>,
    currency: Option<String>,
    created: Option<i64>,
    #[serde(default, deserialize_with = "said")]
    customer: Said<String>,
    #[serde(default, deserialize_with = "said")]
    payment_intent: Said<String>,
    disputed: Option<bool>,
    pub(super) status: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RefundAnswer {
    id: Option<String>,
    amount: Option<i64>,
    status: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct DisputeAnswer {
    id: Option<String>,
    livemode: Option<bool>,
    amount: Option<i64>,
    currency: Option<String>,
    #[serde(default, deserialize_with = "said")]
    charge: Said<String>,
    created: Option<i64>,
    status: Option<String>,
    #[serde(default, deserialize_with = "said")]
    reason: Said<String>,
    payment_method_details: Option<MethodAnswer>,
    evidence_details: Option<EvidenceAnswer>,
}

#[derive(Deserialize)]
struct MethodAnswer {
    card: Option<CardAnswer>,
}

#[derive(Deserialize)]
struct CardAnswer {
    #[serde(default, deserialize_with = "said")]
    case_type: Said<String>,
}

#[derive(Deserialize)]
struct EvidenceAnswer {
    #[serde(default, deserialize_with = "said")]
    submission_count: Said<u32>,
    #[serde(default, deserialize_with = "said")]
    past_due: Said<bool>,
}

#[derive(Deserialize)]
pub(super) struct TransferAnswer {
    id: Option<String>,
    livemode: Option<bool>,
    amount: Option<i64>,
    amount_reversed: Option<i64>,
    currency: Option<String>,
}

impl ChargeAnswer {
    pub(super) fn projected(self, mode: Mode) -> Result<Charge, ReadError> {
        in_mode(self.livemode, mode)?;
        Ok(Charge {
            id: parsed(self.id.as_deref(), "id").map_err(ReadError::of("charge_read"))?,
            amount_captured_minor: amount(self.amount_captured, "amount_captured")?,
            amount_refunded_minor: amount(self.amount_refunded, "amount_refunded")?,
            currency: currency(self.currency.as_deref())?,
            created: moment(self.created)?,
            customer: id_said(self.customer, "customer")?,
            payment_intent: id_said(self.payment_intent, "payment_intent")?,
            disputed: self.disputed.ok_or(ReadError::Answer { at: "disputed", what: "missing" })?,
        })
    }
}

impl RefundAnswer {
    pub(super) fn projected(self) -> Result<ListedRefund, ReadError> {
        Ok(ListedRefund {
            id: parsed(self.id.as_deref(), "data.id").map_err(ReadError::of("charge_read"))?,
            amount_minor: amount(self.amount, "data.amount")?,
            counts: !matches!(self.status.as_deref(), Some("failed" | "canceled")),
        })
    }
}

impl DisputeAnswer {
    pub(super) fn projected(self, mode: Mode) -> Result<Dispute, ReadError> {
        in_mode(self.livemode, mode)?;
        let card = self.payment_method_details.and_then(|details| details.card);
        let evidence = self.evidence_details;
        Ok(Dispute {
            money: self
                .amount
                .filter(|amount| (0..=MAX_SAFE_INTEGER).contains(amount))
                .zip(self.currency.as_deref().and_then(|text| text.parse().ok())),
            id: parsed(self.id.as_deref(), "id").map_err(ReadError::of("dispute_read"))?,
            charge: id_said(self.charge, "charge")?,
            created: moment(self.created)?,
            status: self.status.filter(|word| is_word(word)),
            reason: word_said(self.reason),
            case_type: word_said(card.and_then(|card| card.case_type)),
            submission_count: evidence.as_ref().and_then(|evidence| evidence.submission_count),
            evidence_past_due: evidence.as_ref().and_then(|evidence| evidence.past_due),
        })
    }
}

impl TransferAnswer {
    pub(super) fn projected(self, mode: Mode) -> Result<Transfer, ReadError> {
        in_mode(self.livemode, mode)?;
        Ok(Transfer {
            id: parsed(self.id.as_deref(), "id").map_err(ReadError::of("transfer_read"))?,
            amount_minor: amount(self.amount, "amount")?,
            amount_reversed_minor: amount(self.amount_reversed, "amount_reversed")?,
            currency: currency(self.currency.as_deref())?,
        })
    }
}

fn in_mode(livemode: Option<bool>, mode: Mode) -> Result<(), ReadError> {
    match livemode.map(Mode::from_livemode) {
        Some(theirs) if theirs == mode => Ok(()),
        Some(_) => Err(ReadError::Answer { at: "livemode", what: "of the other mode" }),
        None => Err(ReadError::Answer { at: "livemode", what: "missing" }),
    }
}

/// An amount of what was captured, refunded, moved: never negative, within 2^53 - 1.
fn amount(amount: Option<i64>, at: &'static str) -> Result<i64, ReadError> {
    amount
        .filter(|amount| (0..=MAX_SAFE_INTEGER).contains(amount))
        .ok_or(ReadError::Answer { at, what: "missing, or not an amount" })
}

fn currency(text: Option<&str>) -> Result<Currency, ReadError> {
    text.and_then(|text| text.parse().ok())
        .ok_or(ReadError::Answer { at: "currency", what: "missing, or not a currency" })
}

fn moment(secs: Option<i64>) -> Result<Timestamp, ReadError> {
    secs.and_then(|secs| Timestamp::from_secs(secs).ok())
        .ok_or(ReadError::Answer { at: "created", what: "missing, or not a time" })
}

fn id_said(said: Said<String>, at: &'static str) -> Result<Said<StripeId>, ReadError> {
    let id = |text: String| text.parse().map_err(|_| ReadError::Answer { at, what: "not an id" });
    said.map(|value| value.map(id).transpose()).transpose()
}

/// A word of Stripe's; free text says nothing.
fn word_said(said: Said<String>) -> Said<String> {
    match said {
        Some(Some(word)) if !is_word(&word) => None,
        said => said,
    }
}
