//! Transfer reversals: the whole or a part of a transfer comes back, never more than it was.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::balance_transaction::{Posting, post};
use crate::error::StripeError;
use crate::event::Cause;
use crate::mode::Scope;
use crate::params::Params;
use crate::state::State;
use crate::table::{Stored, Table};
use crate::transfer::Transfer;
use crate::world::World;

/// How many reversals a transfer carries inside itself; the rest is fetched.
const EMBEDDED: usize = 10;

/// `trr_…`. It has no `livemode` field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "transfer_reversal")]
pub(crate) struct Reversal {
    pub id: String,
    pub amount: i64,
    pub balance_transaction: Option<String>,
    pub created: i64,
    pub currency: String,
    pub destination_payment_refund: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub source_refund: Option<String>,
    pub transfer: String,
}

impl Stored for Reversal {
    const NOUN: &'static str = "transfer reversal";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn table(world: &World) -> &Table<Self> {
        &world.reversals
    }

    fn table_mut(world: &mut World) -> &mut Table<Self> {
        &mut world.reversals
    }
}

/// The list inside a transfer: the newest ten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "list")]
pub(crate) struct ReversalList {
    pub data: Vec<Reversal>,
    pub has_more: bool,
    pub total_count: usize,
    pub url: String,
}

impl ReversalList {
    pub(crate) fn of(transfer: &str) -> Self {
        Self { data: Vec::new(), has_more: false, total_count: 0, url: format!("/v1/transfers/{transfer}/reversals") }
    }

    fn add(&mut self, reversal: Reversal) {
        self.data.insert(0, reversal);
        self.data.truncate(EMBEDDED);
        self.total_count += 1;
        self.has_more = self.total_count > EMBEDDED;
    }
}

/// A reversal to be made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewReversal {
    /// Minor units; everything unreversed if absent.
    pub amount: Option<i64>,
    /// Free text; Stripe accepts it and shows it nowhere.
    pub description: Option<String>,
    /// Free texts.
    pub metadata: BTreeMap<String, String>,
    /// Not from outside: the refund that asked for it.
    #[serde(skip)]
    pub source_refund: Option<String>,
}

/// Makes a reversal and announces `transfer.reversed` (also for a part).
pub(crate) fn create(
    state: &mut State,
    scope: &Scope,
    id: &str,
    new: NewReversal,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let transfer = state.find::<Transfer>(scope, id, "id")?.clone();
    let left = transfer.unreversed();
    let amount = new.amount.unwrap_or(left);
    if transfer.reversed || amount > left {
        let message =
            format!("The amount ({amount}) is greater than what remains unreversed on transfer {id} ({left}).");
        return Err(StripeError::refused(None, message).with_param("amount"));
    }
    if amount < 1 {
        return Err(StripeError::invalid("amount", "Invalid positive integer").with_code("parameter_invalid_integer"));
    }
    let destination = transfer.destination.clone().unwrap_or_default();
    let paying = Scope::new(scope.mode, destination);
    let funds = state.world(&paying).map_or(0, |world| world.balance.available(&transfer.currency));
    if funds < amount {
        return Err(StripeError::refused(
            Some("balance_insufficient"),
            "The destination account has insufficient funds for this reversal.",
        ));
    }
    let reversal_id = state.ids.next("trr");
    let posting = |amount: i64| Posting {
        kind: "transfer_refund",
        category: "transfer_reversal",
        amount,
        fee: 0,
        currency: &transfer.currency,
        source: Some(&reversal_id),
    };
    let balance_transaction = post(state, scope, posting(amount));
    post(state, &paying, posting(-amount));
    let reversal = Reversal {
        id: reversal_id.clone(),
        amount,
        balance_transaction: Some(balance_transaction),
        created: state.now(),
        currency: transfer.currency.clone(),
        destination_payment_refund: Some(state.ids.next("pyr")),
        metadata: new.metadata,
        source_refund: new.source_refund,
        transfer: id.to_owned(),
    };
    let value = state.store(scope, reversal.clone());
    state.change_and_tell::<Transfer>(scope, id, "transfer.reversed", cause, |transfer| {
        transfer.amount_reversed += amount;
        transfer.reversed = transfer.unreversed() == 0;
        transfer.reversals.add(reversal);
    })?;
    Ok(value)
}

/// `POST /v1/transfers/:id/reversals`.
pub(crate) fn create_from(
    state: &mut State,
    scope: &Scope,
    transfer: &str,
    mut params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let new = NewReversal {
        amount: params.amount("amount")?,
        description: params.text("description")?,
        metadata: params.metadata()?.into_new(),
        source_refund: None,
    };
    if params.flag("refund_application_fee")? == Some(true) {
        return Err(StripeError::invalid("refund_application_fee", "This transfer has no application fee to refund."));
    }
    params.finish()?;
    create(state, scope, transfer, new, cause)
}

/// A reversal of this transfer, or `resource_missing`.
pub(crate) fn retrieve<'a>(
    state: &'a State,
    scope: &Scope,
    transfer: &str,
    id: &str,
) -> Result<&'a Reversal, StripeError> {
    state.find::<Transfer>(scope, transfer, "id")?;
    let reversal = state.find::<Reversal>(scope, id, "id")?;
    if reversal.transfer == transfer { Ok(reversal) } else { Err(StripeError::no_such(Reversal::NOUN, id, "id", None)) }
}

/// `POST /v1/transfers/:id/reversals/:id`: metadata only. Stripe has no event for it.
pub(crate) fn update(
    state: &mut State,
    scope: &Scope,
    transfer: &str,
    id: &str,
    mut params: Params,
) -> Result<Value, StripeError> {
    let metadata = params.metadata()?;
    params.finish()?;
    retrieve(state, scope, transfer, id)?;
    let (value, _) = state.change::<Reversal>(scope, id, |reversal| metadata.apply(&mut reversal.metadata))?;
    state.change::<Transfer>(scope, transfer, |transfer| {
        for embedded in transfer.reversals.data.iter_mut().filter(|embedded| embedded.id == id) {
            metadata.apply(&mut embedded.metadata);
        }
    })?;
    Ok(value)
}
