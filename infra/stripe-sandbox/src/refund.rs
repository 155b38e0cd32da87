//! Refunds: money given back on a charge, never more than was captured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::balance_transaction::{Posting, post};
use crate::charge::Charge;
use crate::dispute::Dispute;
use crate::error::StripeError;
use crate::event::Cause;
use crate::mode::Scope;
use crate::params::Params;
use crate::payment_intent;
use crate::reversal::{self, NewReversal};
use crate::state::State;
use crate::table::{Stored, Table};
use crate::transfer::Transfer;
use crate::world::World;

/// The reasons a caller may give.
pub(crate) const REASONS: [&str; 3] = ["duplicate", "fraudulent", "requested_by_customer"];

/// `re_…`. It has no `livemode` field; its event has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "object", rename = "refund")]
pub(crate) struct Refund {
    pub id: String,
    pub amount: i64,
    pub balance_transaction: Option<String>,
    pub charge: Option<String>,
    pub created: i64,
    pub currency: String,
    pub customer: Option<String>,
    pub customer_account: Option<String>,
    pub destination_details: Value,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure_balance_transaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instructions_email: Option<String>,
    pub metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_action: Option<Value>,
    pub payment_intent: Option<String>,
    pub payment_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pending_reason: Option<String>,
    pub reason: Option<String>,
    pub receipt_number: Option<String>,
    pub source_transfer_reversal: Option<String>,
    pub status: Option<String>,
    pub transfer_reversal: Option<String>,
}

impl Stored for Refund {
    const NOUN: &'static str = "refund";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn table(world: &World) -> &Table<Self> {
        &world.refunds
    }

    fn table_mut(world: &mut World) -> &mut Table<Self> {
        &mut world.refunds
    }
}

/// A refund to be made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewRefund {
    /// Either this …
    pub charge: Option<String>,
    /// … or this.
    pub payment_intent: Option<String>,
    /// Minor units; everything that remains if absent.
    pub amount: Option<i64>,
    /// One of Stripe's reasons.
    pub reason: Option<String>,
    /// Free texts.
    pub metadata: BTreeMap<String, String>,
    /// Personal data.
    pub instructions_email: Option<String>,
    /// Takes the same share back from the account that the charge was transferred to.
    pub reverse_transfer: bool,
    /// Control API only: `pending`, `requires_action` or `succeeded` instead of what the balance says.
    pub status: Option<String>,
    /// Control API only: members replace those of `destination_details.card`, e.g. `reference`.
    pub destination_card: BTreeMap<String, Value>,
}

/// Makes a refund and announces `refund.created` and `charge.refunded`.
pub(crate) fn create(state: &mut State, scope: &Scope, new: NewRefund, cause: &Cause) -> Result<Value, StripeError> {
    let charge = refundable(state, scope, &new)?;
    let remaining = charge.remaining();
    let amount = new.amount.unwrap_or(remaining);
    if amount < 1 {
        return Err(StripeError::invalid("amount", "Invalid positive integer").with_code("parameter_invalid_integer"));
    }
    if amount > remaining {
        return Err(StripeError::refused(
            None,
            format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({remaining})"),
        )
        .with_param("amount"));
    }
    let id = state.ids.next("re");
    let transfer_reversal =
        if new.reverse_transfer { Some(reverse(state, scope, &charge, amount, &id, cause)?) } else { None };
    let covered = state.world(scope).is_some_and(|world| world.balance.available(&charge.currency) >= amount);
    let (status, pending_reason) = match new.status.as_deref() {
        Some("requires_action") => ("requires_action", None),
        Some("pending") => ("pending", Some("processing")),
        Some(_) => ("succeeded", None),
        None if covered => ("succeeded", None),
        None => ("pending", Some("insufficient_funds")),
    };
    let balance_transaction = (status != "requires_action").then(|| {
        let posting = Posting {
            kind: "refund",
            category: "refund",
            amount: -amount,
            fee: 0,
            currency: &charge.currency,
            source: Some(&id),
        };
        post(state, scope, posting)
    });
    let mut card =
        json!({"type": "refund", "reference_status": "pending", "reference_type": "acquirer_reference_number"});
    if let Value::Object(members) = &mut card {
        members.extend(new.destination_card);
    }
    let next_action = (status == "requires_action").then(|| {
        let sent_to = new.instructions_email.clone().or_else(|| charge.receipt_email.clone());
        json!({"type": "display_details", "display_details": {
            "email_sent": {"email_sent_at": state.now(), "email_sent_to": sent_to},
            "expires_at": state.now() + 30 * 24 * 3600,
        }})
    });
    let refund = Refund {
        id,
        amount,
        balance_transaction,
        charge: Some(charge.id.clone()),
        created: state.now(),
        currency: charge.currency.clone(),
        customer: charge.customer.clone(),
        customer_account: None,
        destination_details: json!({"type": "card", "card": card}),
        failure_balance_transaction: None,
        failure_reason: None,
        instructions_email: new.instructions_email,
        metadata: new.metadata,
        next_action,
        payment_intent: charge.payment_intent.clone(),
        payment_method: charge.payment_method.clone(),
        pending_reason: pending_reason.map(str::to_owned),
        reason: new.reason,
        receipt_number: None,
        source_transfer_reversal: None,
        status: Some(status.to_owned()),
        transfer_reversal,
    };
    let value = state.store(scope, refund);
    state.emit(scope, "refund.created", value.clone(), None, cause);
    state
        .change_and_tell::<Charge>(scope, &charge.id, "charge.refunded", cause, |charge| charge.count_refund(amount))?;
    Ok(value)
}

/// Reverses the refund's share of the charge's transfer; the reversal's id.
fn reverse(
    state: &mut State,
    scope: &Scope,
    charge: &Charge,
    amount: i64,
    refund: &str,
    cause: &Cause,
) -> Result<String, StripeError> {
    let of_charge = |transfer: &&Transfer| transfer.source_transaction.as_ref() == Some(&charge.id);
    let transfer = state.world(scope).and_then(|world| world.transfers.iter().find(of_charge)).cloned();
    let Some(transfer) = transfer.filter(|_| charge.transfer_data.is_some()) else {
        let message = "reverse_transfer needs a charge with a transfer; this charge has none.";
        return Err(StripeError::invalid("reverse_transfer", message));
    };
    let new = NewReversal { amount: Some(amount), source_refund: Some(refund.to_owned()), ..NewReversal::default() };
    let reversal = reversal::create(state, scope, &transfer.id, new, cause)?;
    Ok(reversal.get("id").and_then(Value::as_str).unwrap_or_default().to_owned())
}

/// The charge to refund, or why it cannot be refunded.
fn refundable(state: &State, scope: &Scope, new: &NewRefund) -> Result<Charge, StripeError> {
    let charge = match (&new.charge, &new.payment_intent) {
        (None, None) => {
            return Err(StripeError::invalid(
                "charge",
                "One of the following params should be provided for this request: payment_intent or charge.",
            )
            .with_code("parameter_missing"));
        }
        (Some(id), _) => state.find::<Charge>(scope, id, "charge")?,
        (None, Some(intent)) => payment_intent::find(state, scope, intent, "payment_intent")?,
    };
    if let (Some(_), Some(intent)) = (&new.charge, &new.payment_intent)
        && charge.payment_intent.as_ref() != Some(intent)
    {
        return Err(StripeError::invalid("payment_intent", "The charge does not belong to this payment intent."));
    }
    if let Some(reason) = &new.reason
        && !REASONS.contains(&reason.as_str())
    {
        return Err(StripeError::one_of("reason", &REASONS));
    }
    if charge.refunded {
        let message = format!("Charge {} has already been refunded.", charge.id);
        return Err(StripeError::refused(Some("charge_already_refunded"), message).with_charge(&charge.id));
    }
    if !charge.captured || charge.status != "succeeded" {
        let message = format!("Charge {} cannot be refunded: it is not captured.", charge.id);
        return Err(StripeError::refused(Some("charge_not_refundable"), message).with_charge(&charge.id));
    }
    let charged_back = |dispute: &Dispute| dispute.charge == charge.id && !dispute.is_charge_refundable;
    if state.world(scope).is_some_and(|world| world.disputes.iter().any(charged_back)) {
        let message = format!("Charge {} has been charged back; cannot issue a refund.", charge.id);
        return Err(StripeError::refused(Some("charge_disputed"), message).with_charge(&charge.id));
    }
    Ok(charge.clone())
}

/// `POST /v1/refunds`.
pub(crate) fn create_from(
    state: &mut State,
    scope: &Scope,
    charge: Option<&str>,
    mut params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let mut new = NewRefund {
        charge: charge.map(str::to_owned),
        amount: params.amount("amount")?,
        reason: params.choice("reason", &REASONS)?,
        metadata: params.metadata()?.into_new(),
        instructions_email: params.text("instructions_email")?,
        ..NewRefund::default()
    };
    if charge.is_none() {
        new.charge = params.text("charge")?;
        new.payment_intent = params.text("payment_intent")?;
        for only_for_balances in ["currency", "customer", "origin"] {
            if params.text(only_for_balances)?.is_some() {
                let message = format!("{only_for_balances} is for refunds of a customer's balance, not of a charge.");
                return Err(StripeError::invalid(only_for_balances, message));
            }
        }
    }
    new.reverse_transfer = params.flag("reverse_transfer")? == Some(true);
    if params.flag("refund_application_fee")? == Some(true) {
        let message = "refund_application_fee needs a charge with an application fee; this charge has none.";
        return Err(StripeError::invalid("refund_application_fee", message));
    }
    params.finish()?;
    create(state, scope, new, cause)
}

/// `POST /v1/refunds/:id`: metadata only.
pub(crate) fn update(
    state: &mut State,
    scope: &Scope,
    id: &str,
    mut params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let metadata = params.metadata()?;
    params.finish()?;
    changed(state, scope, id, "refund.updated", cause, |refund| metadata.apply(&mut refund.metadata))
}

/// `POST /v1/refunds/:id/cancel`: legal only while the customer still has to act.
pub(crate) fn cancel(
    state: &mut State,
    scope: &Scope,
    id: &str,
    params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    params.finish()?;
    let refund = state.find::<Refund>(scope, id, "id")?;
    if refund.status.as_deref() != Some("requires_action") {
        let status = refund.status.clone().unwrap_or_default();
        return Err(StripeError::refused(
            None,
            format!("Refund {id} cannot be canceled: its status is {status}, not requires_action."),
        ));
    }
    settle(state, scope, id, "canceled", Some("merchant_request"), cause)
}

/// Moves a refund to another status: `succeeded`, `failed` or `canceled`. A refund that ends without paying gives the
/// money back to the balance and the amount back to the charge.
pub(crate) fn settle(
    state: &mut State,
    scope: &Scope,
    id: &str,
    status: &str,
    failure_reason: Option<&str>,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let refund = state.find::<Refund>(scope, id, "id")?.clone();
    if matches!(refund.status.as_deref(), Some("failed" | "canceled")) {
        return Err(StripeError::refused(None, format!("Refund {id} is already over.")));
    }
    let undone = matches!(status, "failed" | "canceled");
    let returned = (undone && refund.balance_transaction.is_some()).then(|| {
        let posting = Posting {
            kind: "refund_failure",
            category: "refund_failure",
            amount: refund.amount,
            fee: 0,
            currency: &refund.currency,
            source: Some(id),
        };
        post(state, scope, posting)
    });
    if undone && let Some(charge) = &refund.charge {
        state.change::<Charge>(scope, charge, |charge| charge.count_refund(-refund.amount))?;
    }
    let value = changed(state, scope, id, "refund.updated", cause, |refund| {
        refund.status = Some(status.to_owned());
        refund.failure_reason = failure_reason.map(str::to_owned);
        refund.failure_balance_transaction = returned;
        refund.pending_reason = None;
        refund.next_action = None;
    })?;
    if status == "failed" {
        state.emit(scope, "refund.failed", value.clone(), None, cause);
    }
    Ok(value)
}

/// Changes a refund; `refund.updated` and its older twin `charge.refund.updated` tell of it.
fn changed(
    state: &mut State,
    scope: &Scope,
    id: &str,
    event_type: &str,
    cause: &Cause,
    change: impl FnOnce(&mut Refund),
) -> Result<Value, StripeError> {
    let (value, previous) = state.change(scope, id, change)?;
    if previous.is_some() {
        state.emit(scope, event_type, value.clone(), previous.clone(), cause);
        if value.get("charge").is_some_and(Value::is_string) {
            state.emit(scope, "charge.refund.updated", value.clone(), previous, cause);
        }
    }
    Ok(value)
}
