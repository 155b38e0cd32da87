//! Charges: money that came in, and the ceiling of what can be refunded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::balance;
use crate::balance_transaction::{Posting, post};
use crate::error::StripeError;
use crate::event::Cause;
use crate::mode::Scope;
use crate::params::Params;
use crate::state::State;
use crate::table::{Stored, Table};
use crate::transfer::{self, NewTransfer};
use crate::world::World;

/// `ch_…`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "object", rename = "charge")]
pub(crate) struct Charge {
    pub id: String,
    pub amount: i64,
    pub amount_captured: i64,
    pub amount_refunded: i64,
    pub application: Option<String>,
    pub application_fee: Option<String>,
    pub application_fee_amount: Option<i64>,
    pub balance_transaction: Option<String>,
    pub billing_details: Value,
    pub calculated_statement_descriptor: Option<String>,
    pub captured: bool,
    pub created: i64,
    pub currency: String,
    pub customer: Option<String>,
    pub description: Option<String>,
    pub disputed: bool,
    pub failure_balance_transaction: Option<String>,
    pub failure_code: Option<String>,
    pub failure_message: Option<String>,
    pub fraud_details: Value,
    pub livemode: bool,
    pub metadata: BTreeMap<String, String>,
    pub on_behalf_of: Option<String>,
    pub outcome: Value,
    pub paid: bool,
    pub payment_intent: Option<String>,
    pub payment_method: Option<String>,
    pub payment_method_details: Value,
    pub receipt_email: Option<String>,
    pub receipt_number: Option<String>,
    pub receipt_url: Option<String>,
    pub refunded: bool,
    pub review: Option<String>,
    pub shipping: Option<Value>,
    pub source_transfer: Option<String>,
    pub statement_descriptor: Option<String>,
    pub statement_descriptor_suffix: Option<String>,
    pub status: String,
    pub transfer_data: Option<Value>,
    pub transfer_group: Option<String>,
}

impl Stored for Charge {
    const NOUN: &'static str = "charge";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn table(world: &World) -> &Table<Self> {
        &world.charges
    }

    fn table_mut(world: &mut World) -> &mut Table<Self> {
        &mut world.charges
    }
}

impl Charge {
    /// What can still be refunded, in minor units.
    #[must_use]
    pub(crate) const fn remaining(&self) -> i64 {
        self.amount_captured.saturating_sub(self.amount_refunded)
    }

    /// Counts a refund (or, negative, takes back a failed one).
    pub(crate) const fn count_refund(&mut self, amount: i64) {
        self.amount_refunded = self.amount_refunded.saturating_add(amount);
        self.refunded = self.remaining() == 0;
    }
}

/// A charge to be made. All texts can be set, so that tests can plant personal data.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewCharge {
    /// Minor units.
    pub amount: i64,
    /// The account's default currency if absent.
    pub currency: Option<String>,
    /// Default true.
    pub captured: Option<bool>,
    /// `cus_…`
    pub customer: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Free texts.
    pub metadata: BTreeMap<String, String>,
    /// Default true: a payment intent id is made up.
    pub with_payment_intent: Option<bool>,
    /// Personal data.
    pub receipt_email: Option<String>,
    /// Members replace those of `billing_details`: name, email, phone, tax_id, address.
    pub billing_details: BTreeMap<String, Value>,
    /// Members replace those of `payment_method_details.card`: last4, fingerprint, brand, exp_month, …
    pub card: BTreeMap<String, Value>,
    /// Personal data.
    pub shipping: Option<Value>,
    /// Groups charges and transfers.
    pub transfer_group: Option<String>,
    /// Control API only: `acct_…`, to which the whole amount goes on at once.
    pub transfer_to: Option<String>,
}

/// Makes a paid charge and announces `charge.succeeded`; with `transfer_to` also its transfer.
pub(crate) fn create(
    state: &mut State,
    scope: &Scope,
    mut new: NewCharge,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let onward = new.transfer_to.take();
    if let Some(destination) = &onward {
        transfer::check_destination(state, scope, destination)?;
        // The charge's own money covers the transfer, but for the fee.
        let currency = new.currency.clone().unwrap_or_else(|| state.default_currency(scope));
        balance::require(state, scope, &currency, fee(new.amount))?;
    }
    let value = paid(state, scope, new, onward.as_deref(), cause)?;
    if let Some(destination) = onward {
        let source_transaction = value.get("id").and_then(Value::as_str).map(str::to_owned);
        let currency = value.get("currency").and_then(Value::as_str).map(str::to_owned);
        let onward = NewTransfer { destination, source_transaction, currency, ..NewTransfer::default() };
        transfer::create(state, scope, onward, cause)?;
    }
    Ok(value)
}

fn paid(
    state: &mut State,
    scope: &Scope,
    new: NewCharge,
    destination: Option<&str>,
    cause: &Cause,
) -> Result<Value, StripeError> {
    if new.amount < 1 {
        return Err(StripeError::invalid("amount", "Invalid positive integer").with_code("parameter_invalid_integer"));
    }
    let id = state.ids.next("ch");
    let currency = new.currency.unwrap_or_else(|| state.default_currency(scope));
    let captured = new.captured.unwrap_or(true);
    let fee = fee(new.amount);
    let balance_transaction = captured.then(|| {
        let posting = Posting {
            kind: "charge",
            category: "charge",
            amount: new.amount,
            fee,
            currency: &currency,
            source: Some(&id),
        };
        post(state, scope, posting)
    });
    let intent = new.with_payment_intent.unwrap_or(true).then(|| state.ids.next("pi"));
    let charge = Charge {
        amount: new.amount,
        amount_captured: if captured { new.amount } else { 0 },
        amount_refunded: 0,
        application: None,
        application_fee: None,
        application_fee_amount: None,
        balance_transaction,
        billing_details: merged(billing_details(), new.billing_details),
        calculated_statement_descriptor: Some("SANDBOX".into()),
        captured,
        created: state.now(),
        currency,
        customer: new.customer,
        description: new.description,
        disputed: false,
        failure_balance_transaction: None,
        failure_code: None,
        failure_message: None,
        fraud_details: json!({}),
        livemode: scope.mode.livemode(),
        metadata: new.metadata,
        on_behalf_of: None,
        outcome: outcome(),
        paid: true,
        payment_intent: intent,
        payment_method: Some(state.ids.next("pm")),
        payment_method_details: json!({"type": "card", "card": merged(card(new.amount), new.card)}),
        receipt_email: new.receipt_email,
        receipt_number: None,
        receipt_url: Some(format!("https://pay.stripe.com/receipts/sandbox/{id}")),
        refunded: false,
        review: None,
        shipping: new.shipping,
        source_transfer: None,
        statement_descriptor: None,
        statement_descriptor_suffix: None,
        status: "succeeded".into(),
        transfer_data: destination.map(|destination| json!({"amount": null, "destination": destination})),
        transfer_group: new.transfer_group,
        id,
    };
    let value = state.store(scope, charge);
    state.emit(scope, "charge.succeeded", value.clone(), None, cause);
    Ok(value)
}

/// 2.9 % + 30, the list price in many countries; the rest of the sandbox does not depend on it.
const fn fee(amount: i64) -> i64 {
    amount.saturating_mul(29) / 1000 + 30
}

/// `POST /v1/charges`.
pub(crate) fn create_from(
    state: &mut State,
    scope: &Scope,
    mut params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let amount = params.amount("amount")?.ok_or_else(|| StripeError::missing("amount"))?;
    let currency = params.currency("currency")?.ok_or_else(|| StripeError::missing("currency"))?;
    let new = NewCharge {
        amount,
        currency: Some(currency),
        captured: params.flag("capture")?,
        customer: params.text("customer")?,
        description: params.text("description")?,
        metadata: params.metadata()?.into_new(),
        receipt_email: params.text("receipt_email")?,
        transfer_group: params.text("transfer_group")?,
        ..NewCharge::default()
    };
    // Any source pays: the sandbox has no card network.
    params.text("source")?;
    params.text("payment_method")?;
    params.finish()?;
    create(state, scope, new, cause)
}

/// `POST /v1/charges/:id`.
pub(crate) fn update(
    state: &mut State,
    scope: &Scope,
    id: &str,
    mut params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let metadata = params.metadata()?;
    let description = params.text("description")?;
    let receipt_email = params.text("receipt_email")?;
    params.finish()?;
    state.change_and_tell::<Charge>(scope, id, "charge.updated", cause, |charge| {
        metadata.apply(&mut charge.metadata);
        charge.description = description.or(charge.description.take());
        charge.receipt_email = receipt_email.or(charge.receipt_email.take());
    })
}

fn merged(mut base: Value, changes: BTreeMap<String, Value>) -> Value {
    if let Value::Object(members) = &mut base {
        members.extend(changes);
    }
    base
}

fn billing_details() -> Value {
    json!({
        "address": {"city": "Springfield", "country": "US", "line1": "1 Sample Street", "line2": null, "postal_code": "01101", "state": "MA"},
        "email": "payer@example.com",
        "name": "Pat Payer",
        "phone": null,
        "tax_id": null,
    })
}

fn outcome() -> Value {
    json!({
        "advice_code": null, "network_advice_code": null, "network_decline_code": null,
        "network_status": "approved_by_network", "reason": null, "risk_level": "normal", "risk_score": 11,
        "seller_message": "Payment complete.", "type": "authorized",
    })
}

fn card(amount: i64) -> Value {
    json!({
        "amount_authorized": amount,
        "authorization_code": null,
        "brand": "visa",
        "checks": {"address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass"},
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "extended_authorization": {"status": "disabled"},
        "fingerprint": "Xt5EWLLDS7FJjR1c",
        "funding": "credit",
        "incremental_authorization": {"status": "unavailable"},
        "installments": null,
        "last4": "4242",
        "mandate": null,
        "multicapture": {"status": "unavailable"},
        "network": "visa",
        "network_token": {"used": false},
        "network_transaction_id": null,
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": null,
        "transaction_link_id": null,
        "wallet": null,
    })
}
