//! Payment intents, to be read: each is what its charge says. They cannot be made or changed here.

use serde_json::{Value, json};

use crate::charge::Charge;
use crate::error::StripeError;
use crate::mode::Scope;
use crate::page::{Page, Row};
use crate::params::Params;
use crate::state::State;
use crate::table::Stored;
use crate::world::World;

/// The charge that paid an intent.
pub(crate) fn charge_of<'a>(world: &'a World, intent: &str) -> Option<&'a Charge> {
    Charge::table(world).iter().find(|charge| charge.payment_intent.as_deref() == Some(intent))
}

/// `GET /v1/payment_intents/:id`
pub(crate) fn retrieve(state: &State, scope: &Scope, id: &str, params: Params) -> Result<Value, StripeError> {
    params.finish()?;
    find(state, scope, id, "intent")
        .and_then(|charge| render(charge).ok_or_else(|| StripeError::no_such("payment_intent", id, "intent", None)))
}

/// The charge that paid an intent, or `resource_missing` with the hint about the other mode.
pub(crate) fn find<'a>(state: &'a State, scope: &Scope, id: &str, param: &str) -> Result<&'a Charge, StripeError> {
    let in_world = |at: &Scope| state.world(at).and_then(|world| charge_of(world, id));
    in_world(scope).ok_or_else(|| {
        let other = scope.other_mode();
        StripeError::no_such("payment_intent", id, param, in_world(&other).map(|_| other.mode))
    })
}

/// `GET /v1/payment_intents`
pub(crate) fn list(state: &State, scope: &Scope, url: &str, mut params: Params) -> Result<Value, StripeError> {
    let customer = params.text("customer")?;
    let page = Page::take(&mut params)?;
    params.finish()?;
    let charges = state.world(scope).into_iter().flat_map(|world| Charge::table(world).iter().rev());
    let rows = charges.filter(|charge| customer.is_none() || charge.customer == customer).filter_map(|charge| {
        Some(Row { id: charge.payment_intent.clone()?, created: charge.created, value: render(charge)? })
    });
    page.cut(url, rows.collect())
}

/// The intent of a charge; none if it was paid without.
pub(crate) fn render(charge: &Charge) -> Option<Value> {
    let id = charge.payment_intent.as_ref()?;
    let uncaptured = if charge.captured { 0 } else { charge.amount };
    Some(json!({
        "id": id,
        "object": "payment_intent",
        "amount": charge.amount,
        "amount_capturable": uncaptured,
        "amount_details": {"tip": {}},
        "amount_received": charge.amount_captured,
        "application": null,
        "application_fee_amount": charge.application_fee_amount,
        "automatic_payment_methods": null,
        "canceled_at": null,
        "cancellation_reason": null,
        "capture_method": if charge.captured { "automatic" } else { "manual" },
        "client_secret": format!("{id}_secret_sandbox"),
        "confirmation_method": "automatic",
        "created": charge.created,
        "currency": charge.currency,
        "customer": charge.customer,
        "description": charge.description,
        "last_payment_error": null,
        "latest_charge": charge.id,
        "livemode": charge.livemode,
        "metadata": charge.metadata,
        "next_action": null,
        "on_behalf_of": charge.on_behalf_of,
        "payment_method": charge.payment_method,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": null,
        "receipt_email": charge.receipt_email,
        "review": charge.review,
        "setup_future_usage": null,
        "shipping": charge.shipping,
        "source": null,
        "statement_descriptor": charge.statement_descriptor,
        "statement_descriptor_suffix": charge.statement_descriptor_suffix,
        "status": if charge.captured { "succeeded" } else { "requires_capture" },
        "transfer_data": charge.transfer_data,
        "transfer_group": charge.transfer_group,
    }))
}
