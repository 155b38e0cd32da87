//! Transfers: money to another account. A transfer is done when it exists; only a reversal brings it back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::balance;
use crate::balance_transaction::{Posting, post};
use crate::charge::Charge;
use crate::error::StripeError;
use crate::event::Cause;
use crate::mode::Scope;
use crate::params::Params;
use crate::reversal::ReversalList;
use crate::state::State;
use crate::table::{Stored, Table};
use crate::world::World;

/// `tr_…`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "object", rename = "transfer")]
pub(crate) struct Transfer {
    pub id: String,
    pub amount: i64,
    pub amount_reversed: i64,
    pub balance_transaction: Option<String>,
    pub created: i64,
    pub currency: String,
    pub description: Option<String>,
    pub destination: Option<String>,
    pub destination_payment: Option<String>,
    pub livemode: bool,
    pub metadata: BTreeMap<String, String>,
    pub reversals: ReversalList,
    pub reversed: bool,
    pub source_transaction: Option<String>,
    pub source_type: String,
    pub transfer_group: Option<String>,
}

impl Stored for Transfer {
    const NOUN: &'static str = "transfer";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn table(world: &World) -> &Table<Self> {
        &world.transfers
    }

    fn table_mut(world: &mut World) -> &mut Table<Self> {
        &mut world.transfers
    }
}

impl Transfer {
    /// What can still be reversed, in minor units.
    #[must_use]
    pub(crate) const fn unreversed(&self) -> i64 {
        self.amount.saturating_sub(self.amount_reversed)
    }
}

/// A transfer to be made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewTransfer {
    /// Minor units.
    pub amount: Option<i64>,
    /// The account's default currency if absent.
    pub currency: Option<String>,
    /// `acct_…`; an account the sandbox knows.
    pub destination: String,
    /// `ch_…`
    pub source_transaction: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Groups charges and transfers.
    pub transfer_group: Option<String>,
    /// Free texts.
    pub metadata: BTreeMap<String, String>,
}

/// Refuses an account that cannot be paid: oneself, or one that the sandbox does not know.
pub(crate) fn check_destination(state: &State, scope: &Scope, destination: &str) -> Result<(), StripeError> {
    if destination == scope.account || state.accounts.get(destination).is_none() {
        return Err(StripeError::no_such("destination", destination, "destination", None).with_status(400));
    }
    Ok(())
}

/// Makes a transfer and announces `transfer.created`.
pub(crate) fn create(state: &mut State, scope: &Scope, new: NewTransfer, cause: &Cause) -> Result<Value, StripeError> {
    let currency = new.currency.clone().unwrap_or_else(|| state.default_currency(scope));
    check_destination(state, scope, &new.destination)?;
    let source = match &new.source_transaction {
        Some(id) => Some(state.find::<Charge>(scope, id, "source_transaction")?.clone()),
        None => None,
    };
    if let Some(charge) = &source
        && charge.currency != currency
    {
        return Err(StripeError::refused(
            Some("transfer_source_balance_parameters_mismatch"),
            "The currency of source_transaction differs from the transfer's.",
        ));
    }
    let amount = new
        .amount
        .or_else(|| source.as_ref().map(|charge| charge.amount))
        .ok_or_else(|| StripeError::missing("amount"))?;
    if amount < 1 {
        return Err(StripeError::invalid("amount", "Invalid positive integer").with_code("parameter_invalid_integer"));
    }
    balance::require(state, scope, &currency, amount)?;
    let id = state.ids.next("tr");
    let transfer_group = new.transfer_group.or_else(|| source.and_then(|charge| charge.transfer_group));
    let posting = Posting {
        kind: "transfer",
        category: "transfer",
        amount: -amount,
        fee: 0,
        currency: &currency,
        source: Some(&id),
    };
    let balance_transaction = post(state, scope, posting);
    let payment = state.ids.next("py");
    let receiving = Scope::new(scope.mode, new.destination.clone());
    post(
        state,
        &receiving,
        Posting { kind: "payment", category: "charge", amount, fee: 0, currency: &currency, source: Some(&payment) },
    );
    let transfer = Transfer {
        amount,
        amount_reversed: 0,
        balance_transaction: Some(balance_transaction),
        created: state.now(),
        currency,
        description: new.description,
        destination: Some(new.destination),
        destination_payment: Some(payment),
        livemode: scope.mode.livemode(),
        metadata: new.metadata,
        reversals: ReversalList::of(&id),
        reversed: false,
        source_transaction: new.source_transaction,
        source_type: "card".into(),
        transfer_group,
        id,
    };
    let value = state.store(scope, transfer);
    state.emit(scope, "transfer.created", value.clone(), None, cause);
    Ok(value)
}

/// `POST /v1/transfers`.
pub(crate) fn create_from(
    state: &mut State,
    scope: &Scope,
    mut params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let new = NewTransfer {
        amount: params.amount("amount")?,
        currency: Some(params.currency("currency")?.ok_or_else(|| StripeError::missing("currency"))?),
        destination: params.required("destination")?,
        source_transaction: params.text("source_transaction")?,
        description: params.text("description")?,
        transfer_group: params.text("transfer_group")?,
        metadata: params.metadata()?.into_new(),
    };
    params.choice("source_type", &["bank_account", "card", "fpx"])?;
    params.finish()?;
    create(state, scope, new, cause)
}

/// `POST /v1/transfers/:id`: description and metadata.
pub(crate) fn update(
    state: &mut State,
    scope: &Scope,
    id: &str,
    mut params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let metadata = params.metadata()?;
    let description = params.text("description")?;
    params.finish()?;
    state.change_and_tell::<Transfer>(scope, id, "transfer.updated", cause, |transfer| {
        metadata.apply(&mut transfer.metadata);
        transfer.description = description.or(transfer.description.take());
    })
}
