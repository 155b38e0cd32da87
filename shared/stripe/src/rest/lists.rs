//! Reading Stripe's lists page by page: events, refunds, payouts, transfers and their reversals, disputes, balance transactions.
//!
//! A strict projection, as in [`super::objects`]: ids, amounts, moments and words from Stripe's lists. Nothing about a person, no free
//! text and no part of a foreign body leaves this module; of events what [`crate::event`] takes, which is as strict.
//!
//! Lists are newest first, and a page begins behind the last object of the one before (Stripe API reference, "Pagination"): with an upper
//! bound of `created` that lies in the past nothing can come between two pages.

use axiru_domain::{Currency, MAX_SAFE_INTEGER, Mode, Scope, StripeId, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Rest, parsed};
use crate::error::StripeError;
use crate::event::{EventError, Projected, is_word, project_listed};

/// Most objects of a page (Stripe's bound).
pub const MAX_LIMIT: u8 = 100;

/// What is listed, and from where on.
#[derive(Clone, Debug)]
pub struct Asking<'a> {
    /// Whose list: what is of another mode is refused.
    pub scope: &'a Scope,
    /// The list: `/v1/refunds`.
    pub path: &'a str,
    /// Filters: `created[gte]`, `type`, …
    pub filters: &'a [(&'a str, String)],
    /// Objects of a page, at most [`MAX_LIMIT`].
    pub limit: u8,
    /// The last object of the page before.
    pub after: Option<&'a StripeId>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The objects, newest first.
    pub items: Vec<T>,
    /// The last object, behind which the next page begins; none where this page is the last.
    pub next: Option<StripeId>,
}

/// An object that a list can be of.
pub trait Listed: Sized + Send {
    /// The form of Stripe's answer.
    type Answer: DeserializeOwned + Send;

    /// Takes of an answer what is kept.
    ///
    /// # Errors
    /// [`StripeError::Answer`] where a field is missing, of another form, or of the other mode.
    fn of(answer: Self::Answer, scope: &Scope) -> Result<Self, StripeError>;

    /// Its id.
    fn id(&self) -> &StripeId;
}

/// A refund or a payout, as far as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// `re_…`, `pyr_…`, `po_…`, `trr_…`
    pub id: StripeId,
    /// Its amount, in minor units. A payout that is a debit is negative.
    pub amount_minor: i64,
    /// Its currency.
    pub currency: Currency,
    /// When it was made.
    pub created: Timestamp,
    /// Its status; none where it has none, or one that is no word.
    pub status: Option<String>,
}

/// A transfer, with the reversals that it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTransfer {
    /// The transfer.
    pub object: ListedObject,
    /// Its reversals: Stripe shows the ten newest.
    pub reversals: Vec<ListedObject>,
    /// Whether it has more.
    pub more_reversals: bool,
}

/// A dispute, as far as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDispute {
    /// The dispute.
    pub object: ListedObject,
    /// How often evidence was submitted; none where Stripe does not say.
    pub submission_count: Option<u32>,
}

/// A line of the balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceLine {
    /// `txn_…`
    pub id: StripeId,
    /// Its type, such as `refund`; none where it is no word.
    pub ty: Option<String>,
    /// What it changes the balance by before fees, in minor units: negative where money leaves.
    pub amount_minor: i64,
    /// Its currency, which is the balance's and need not be the movement's.
    pub currency: Currency,
    /// When it was made.
    pub created: Timestamp,
    /// The object that it stems from.
    pub source: Option<StripeId>,
}

/// An event of a list, projected or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedEvent {
    /// `evt_…`
    pub id: StripeId,
    /// What it says; an event that cannot be read must not hold up the others.
    pub projected: Result<Projected, EventError>,
}

/// The fields that all objects share.
#[derive(Deserialize)]
pub struct ObjectAnswer {
    id: Option<String>,
    livemode: Option<bool>,
    amount: Option<i64>,
    currency: Option<String>,
    created: Option<i64>,
    status: Option<String>,
}

/// A transfer as Stripe answers.
#[derive(Deserialize)]
pub struct TransferAnswer {
    #[serde(flatten)]
    object: ObjectAnswer,
    reversals: Option<PageAnswer<ObjectAnswer>>,
}

/// A dispute as Stripe answers.
#[derive(Deserialize)]
pub struct DisputeAnswer {
    #[serde(flatten)]
    object: ObjectAnswer,
    evidence_details: Option<EvidenceAnswer>,
}

#[derive(Deserialize)]
struct EvidenceAnswer {
    submission_count: Option<u32>,
}

/// A line of the balance as Stripe answers.
#[derive(Deserialize)]
pub struct LineAnswer {
    #[serde(flatten)]
    object: ObjectAnswer,
    #[serde(rename = "type")]
    ty: Option<String>,
    source: Option<String>,
}

/// A list as Stripe answers.
#[derive(Deserialize)]
struct PageAnswer<T> {
    data: Vec<T>,
    has_more: bool,
}

impl Rest<'_> {
    /// A page of a list.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn page<T: Listed>(&self, asking: &Asking<'_>) -> Result<Page<T>, StripeError> {
        let limit = asking.limit.clamp(1, MAX_LIMIT).to_string();
        let mut query: Vec<(&str, &str)> = vec![("limit", &limit)];
        query.extend(asking.filters.iter().map(|(name, value)| (*name, value.as_str())));
        query.extend(asking.after.map(|after| ("starting_after", after.as_str())));
        let page: PageAnswer<T::Answer> = self.get(asking.path, &query, "list").await?;
        let items = page.data.into_iter().map(|answer| T::of(answer, asking.scope)).collect::<Result<Vec<T>, _>>()?;
        let next = match (page.has_more, items.last()) {
            (false, _) => None,
            (true, Some(last)) => Some(last.id().clone()),
            (true, None) => return Err(StripeError::Answer { at: "has_more", what: "more behind an empty page" }),
        };
        // A list that gives the same page again would be read for ever.
        if next.is_some() && next.as_ref() == asking.after {
            return Err(StripeError::Answer { at: "data", what: "the same page again" });
        }
        Ok(Page { items, next })
    }

    /// One object of a list, by its path; none where there is no such object in this account and mode.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn one<T: Listed>(&self, scope: &Scope, path: &str) -> Result<Option<T>, StripeError> {
        match self.get::<T::Answer>(path, &[], "object").await {
            Ok(answer) => T::of(answer, scope).map(Some),
            Err(StripeError::Status(404)) => Ok(None),
            Err(StripeError::Refused(refusal))
                if refusal.status == Some(404) || refusal.code.as_deref() == Some("resource_missing") =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl Listed for ListedObject {
    type Answer = ObjectAnswer;

    fn of(answer: ObjectAnswer, scope: &Scope) -> Result<Self, StripeError> {
        // Refunds and reversals have no `livemode`: their list is the token's, which is of one mode.
        if answer.livemode.is_some_and(|livemode| Mode::from_livemode(livemode) != scope.mode()) {
            return Err(wrong("livemode", "of the other mode"));
        }
        Ok(Self {
            id: parsed(answer.id.as_deref(), "id")?,
            amount_minor: answer
                .amount
                .filter(|amount| amount.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs())
                .ok_or_else(|| wrong("amount", "missing, or not an amount"))?,
            currency: answer
                .currency
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| wrong("currency", "missing, or not a currency"))?,
            created: answer
                .created
                .and_then(|secs| Timestamp::from_secs(secs).ok())
                .ok_or_else(|| wrong("created", "missing, or not a time"))?,
            status: answer.status.filter(|word| is_word(word)),
        })
    }

    fn id(&self) -> &StripeId {
        &self.id
    }
}

impl Listed for ListedTransfer {
    type Answer = TransferAnswer;

    fn of(answer: TransferAnswer, scope: &Scope) -> Result<Self, StripeError> {
        let reversals = answer.reversals.ok_or_else(|| wrong("reversals", "missing"))?;
        Ok(Self {
            object: ListedObject::of(answer.object, scope)?,
            more_reversals: reversals.has_more,
            reversals: reversals
                .data
                .into_iter()
                .map(|reversal| ListedObject::of(reversal, scope))
                .collect::<Result<_, _>>()?,
        })
    }

    fn id(&self) -> &StripeId {
        &self.object.id
    }
}

impl Listed for ListedDispute {
    type Answer = DisputeAnswer;

    fn of(answer: DisputeAnswer, scope: &Scope) -> Result<Self, StripeError> {
        Ok(Self {
            object: ListedObject::of(answer.object, scope)?,
            submission_count: answer.evidence_details.and_then(|evidence| evidence.submission_count),
        })
    }

    fn id(&self) -> &StripeId {
        &self.object.id
    }
}

impl Listed for BalanceLine {
    type Answer = LineAnswer;

    fn of(answer: LineAnswer, scope: &Scope) -> Result<Self, StripeError> {
        let object = ListedObject::of(answer.object, scope)?;
        let source = answer.source.map(|id| id.parse().map_err(|_| wrong("source", "not an id"))).transpose()?;
        Ok(Self {
            ty: answer.ty.filter(|word| is_word(word)),
            id: object.id,
            amount_minor: object.amount_minor,
            currency: object.currency,
            created: object.created,
            source,
        })
    }

    fn id(&self) -> &StripeId {
        &self.id
    }
}

impl Listed for ListedEvent {
    type Answer = Value;

    fn of(answer: Value, scope: &Scope) -> Result<Self, StripeError> {
        let id = parsed(answer.get("id").and_then(Value::as_str), "id")?;
        Ok(Self { id, projected: project_listed(&answer, scope) })
    }

    fn id(&self) -> &StripeId {
        &self.id
    }
}

const fn wrong(at: &'static str, what: &'static str) -> StripeError {
    StripeError::Answer { at, what }
}

#[cfg(test)]
mod tests;
