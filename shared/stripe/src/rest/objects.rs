//! Reading the objects that facts come from: charges, their refunds and disputes, disputes, transfers.
//!
//! A strict projection: ids, amounts, moments and words from Stripe's lists. Nothing about a person, no free text and no
//! part of a foreign body leaves this module. An object is only taken if it is the one asked for, in the mode asked for.

use axiru_domain::{Currency, MAX_SAFE_INTEGER, Mode, StripeId, Timestamp};
use http::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::{Rest, parsed};
use crate::error::{ApiRefusal, StripeError};
use crate::event::is_word;

/// Most objects of one list that are looked at. A charge with more refunds or disputes than this is not judged.
const MAX_LISTED: usize = 100;

/// What Stripe says of a member: nothing, that there is none, or a value.
pub type Said<T> = Option<Option<T>>;

/// A charge, as far as facts need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// `ch_…` or `py_…`.
    pub id: StripeId,
    /// What was captured, in minor units.
    pub amount_captured_minor: i64,
    /// What is refunded of it by now, in minor units.
    pub amount_refunded_minor: i64,
    /// Its currency.
    pub currency: Currency,
    /// When it was made.
    pub created: Timestamp,
    /// Whose it is.
    pub customer: Said<StripeId>,
    /// What it belongs to.
    pub payment_intent: Said<StripeId>,
    /// Whether it was ever disputed.
    pub disputed: bool,
}

/// A refund of a charge, in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRefund {
    /// `re_…` or `pyr_…`.
    pub id: StripeId,
    /// Its amount, in minor units.
    pub amount_minor: i64,
    /// False once it failed or was cancelled: then its amount is refundable again.
    pub counts: bool,
}

/// A dispute, as far as facts need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// `du_…` or `dp_…`.
    pub id: StripeId,
    /// The disputed amount, in minor units, and its currency.
    pub money: Option<(i64, Currency)>,
    /// The disputed charge.
    pub charge: Said<StripeId>,
    /// When it was opened.
    pub created: Timestamp,
    /// Its status; none where it is none of Stripe's words.
    pub status: Option<String>,
    /// Stripe's reason.
    pub reason: Said<String>,
    /// `chargeback`, `inquiry` and so on.
    pub case_type: Said<String>,
    /// How often evidence was submitted.
    pub submission_count: Said<u32>,
    /// Whether the time to respond is over.
    pub evidence_past_due: Said<bool>,
}

/// A transfer, as far as facts need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// `tr_…`.
    pub id: StripeId,
    /// Its amount, in minor units.
    pub amount_minor: i64,
    /// What is reversed of it by now, in minor units.
    pub amount_reversed_minor: i64,
    /// Its currency.
    pub currency: Currency,
}

/// An object that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is none of that id, in this account and mode.
    #[error("there is no such object in this account and mode")]
    NoSuch,
    /// The app lacks this permission of Stripe's.
    #[error("the app lacks the permission `{0}`")]
    Permission(&'static str),
    /// The token is not accepted.
    #[error("Stripe does not accept the token")]
    Unauthorized,
    /// Too many calls.
    #[error("Stripe limits the rate of calls")]
    RateLimited,
    /// No answer, or Stripe failed.
    #[error("Stripe is not available")]
    Unavailable,
    /// Stripe says no for another reason.
    #[error("Stripe refuses: {0}")]
    Refused(ApiRefusal),
    /// The answer is not what Stripe says it is.
    #[error("Stripe's answer is wrong at `{at}`: {what}")]
    Answer {
        /// The field.
        at: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl ReadError {
    /// What a failed call means that needs `permission`.
    fn of(permission: &'static str) -> impl FnOnce(StripeError) -> Self {
        move |error| match error {
            StripeError::Transport(_) | StripeError::Failed(_) => Self::Unavailable,
            StripeError::Unauthorized => Self::Unauthorized,
            StripeError::Forbidden => Self::Permission(permission),
            StripeError::Busy => Self::RateLimited,
            StripeError::Status(404) => Self::NoSuch,
            StripeError::Status(_) => Self::Unavailable,
            StripeError::Refused(refusal) if refusal.status == Some(404) => Self::NoSuch,
            StripeError::Refused(refusal) if refusal.code.as_deref() == Some("resource_missing") => Self::NoSuch,
            StripeError::Refused(refusal) => Self::Refused(refusal),
            StripeError::Answer { at, what } => Self::Answer { at, what },
        }
    }
}

/// Keeps a null apart from a member that is missing.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Said<T>, D::Error> {
    Option::deserialize(from).map(Some)
}

#[derive(Deserialize)]
struct ChargeAnswer {
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
    status: Option<String>,
}

#[derive(Deserialize)]
struct RefundAnswer {
    id: Option<String>,
    amount: Option<i64>,
    status: Option<String>,
}

#[derive(Deserialize)]
struct DisputeAnswer {
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
struct TransferAnswer {
    id: Option<String>,
    livemode: Option<bool>,
    amount: Option<i64>,
    amount_reversed: Option<i64>,
    currency: Option<String>,
}

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    has_more: bool,
}

impl Rest<'_> {
    /// A charge.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn charge(&self, mode: Mode, id: &StripeId) -> Result<Charge, ReadError> {
        let answer: ChargeAnswer = self.read(&format!("/v1/charges/{id}"), &[], "charge_read").await?;
        let charge = answer.projected(mode)?;
        if charge.id == *id { Ok(charge) } else { Err(another()) }
    }

    /// The charge that a payment intent was paid with. Asked of the charges, so that no permission for payment intents is needed.
    ///
    /// # Errors
    /// [`ReadError`]; [`ReadError::NoSuch`] where nothing was paid.
    pub async fn charge_of(&self, mode: Mode, payment_intent: &StripeId) -> Result<Charge, ReadError> {
        let query = [("payment_intent", payment_intent.as_str()), ("limit", "100")];
        let page: Page<ChargeAnswer> = self.read("/v1/charges", &query, "charge_read").await?;
        // Newest first: attempts that failed stand beside the one that was paid.
        let paid = page.data.into_iter().find(|charge| charge.status.as_deref() == Some("succeeded"));
        let charge = paid.ok_or(ReadError::NoSuch)?.projected(mode)?;
        if charge.payment_intent == Some(Some(payment_intent.clone())) { Ok(charge) } else { Err(another()) }
    }

    /// The refunds of a charge, newest first.
    ///
    /// # Errors
    /// [`ReadError`], also where there are more than 100.
    pub async fn refunds_of(&self, charge: &StripeId) -> Result<Vec<ListedRefund>, ReadError> {
        let listed: Vec<RefundAnswer> = self.all_of("/v1/refunds", charge, "charge_read").await?;
        let refund = |answer: RefundAnswer| {
            Ok(ListedRefund {
                id: parsed(answer.id.as_deref(), "data.id").map_err(ReadError::of("charge_read"))?,
                amount_minor: amount(answer.amount, "data.amount")?,
                counts: !matches!(answer.status.as_deref(), Some("failed" | "canceled")),
            })
        };
        listed.into_iter().map(refund).collect()
    }

    /// The disputes of a charge.
    ///
    /// # Errors
    /// [`ReadError`], also where there are more than 100.
    pub async fn disputes_of(&self, mode: Mode, charge: &StripeId) -> Result<Vec<Dispute>, ReadError> {
        let listed: Vec<DisputeAnswer> = self.all_of("/v1/disputes", charge, "dispute_read").await?;
        let disputes: Vec<Dispute> =
            listed.into_iter().map(|answer| answer.projected(mode)).collect::<Result<_, _>>()?;
        let own = disputes.iter().all(|dispute| dispute.charge == Some(Some(charge.clone())));
        if own { Ok(disputes) } else { Err(another()) }
    }

    /// A dispute.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn dispute(&self, mode: Mode, id: &StripeId) -> Result<Dispute, ReadError> {
        let answer: DisputeAnswer = self.read(&format!("/v1/disputes/{id}"), &[], "dispute_read").await?;
        let dispute = answer.projected(mode)?;
        if dispute.id == *id { Ok(dispute) } else { Err(another()) }
    }

    /// A transfer.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn transfer(&self, mode: Mode, id: &StripeId) -> Result<Transfer, ReadError> {
        let answer: TransferAnswer = self.read(&format!("/v1/transfers/{id}"), &[], "transfer_read").await?;
        in_mode(answer.livemode, mode)?;
        let own = Transfer {
            id: parsed(answer.id.as_deref(), "id").map_err(ReadError::of("transfer_read"))?,
            amount_minor: amount(answer.amount, "amount")?,
            amount_reversed_minor: amount(answer.amount_reversed, "amount_reversed")?,
            currency: currency(answer.currency.as_deref())?,
        };
        if own.id == *id { Ok(own) } else { Err(another()) }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        permission: &'static str,
    ) -> Result<T, ReadError> {
        let mut address = self.base.at(path);
        if !query.is_empty() {
            address.query_pairs_mut().extend_pairs(query);
        }
        self.call(Method::GET, address, None, &[], "body").await.map_err(ReadError::of(permission))
    }

    /// Every object of a list that belongs to a charge.
    async fn all_of<T: DeserializeOwned>(
        &self,
        path: &str,
        charge: &StripeId,
        permission: &'static str,
    ) -> Result<Vec<T>, ReadError> {
        let query = [("charge", charge.as_str()), ("limit", "100")];
        let page: Page<T> = self.read(path, &query, permission).await?;
        if page.has_more || page.data.len() > MAX_LISTED {
            return Err(ReadError::Answer { at: "has_more", what: "more than one page" });
        }
        Ok(page.data)
    }
}

impl ChargeAnswer {
    fn projected(self, mode: Mode) -> Result<Charge, ReadError> {
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

impl DisputeAnswer {
    fn projected(self, mode: Mode) -> Result<Dispute, ReadError> {
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

impl Dispute {
    /// Whether the dispute is still undecided. A status that is not known counts as open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.status.as_deref(), Some("won" | "lost" | "warning_closed" | "prevented"))
    }
}

const fn another() -> ReadError {
    ReadError::Answer { at: "id", what: "not the object that was asked for" }
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

#[cfg(test)]
mod tests;
