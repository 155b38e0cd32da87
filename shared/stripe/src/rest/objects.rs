//! Reading the objects that facts come from: charges, their refunds and disputes, disputes, transfers.
//!
//! A strict projection: ids, amounts, moments and words from Stripe's lists. Nothing about a person, no free text and no
//! part of a foreign body leaves this module. An object is only taken if it is the one asked for, in the mode asked for.

mod answers;

use axiru_domain::{Currency, Mode, StripeId, Timestamp};
use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use self::answers::{ChargeAnswer, DisputeAnswer, RefundAnswer, TransferAnswer};
use super::Rest;
use crate::error::{ApiRefusal, StripeError};

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
        listed.into_iter().map(RefundAnswer::projected).collect()
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
        let transfer = answer.projected(mode)?;
        if transfer.id == *id { Ok(transfer) } else { Err(another()) }
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

#[cfg(test)]
mod tests;
