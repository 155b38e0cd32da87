//! Payouts: money to the account's own bank, by hand, by schedule, or instantly.

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
use crate::world::World;

const METHODS: [&str; 2] = ["standard", "instant"];

/// `po_…`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "object", rename = "payout")]
pub(crate) struct Payout {
    pub id: String,
    pub amount: i64,
    pub application_fee: Option<String>,
    pub application_fee_amount: Option<i64>,
    pub arrival_date: i64,
    pub automatic: bool,
    pub balance_transaction: Option<String>,
    pub created: i64,
    pub currency: String,
    pub description: Option<String>,
    pub destination: Option<String>,
    pub failure_balance_transaction: Option<String>,
    pub failure_code: Option<String>,
    pub failure_message: Option<String>,
    pub livemode: bool,
    pub metadata: BTreeMap<String, String>,
    pub method: String,
    pub original_payout: Option<String>,
    pub payout_method: Option<String>,
    pub reconciliation_status: String,
    pub reversed_by: Option<String>,
    pub source_type: String,
    pub statement_descriptor: Option<String>,
    pub status: String,
    pub trace_id: Option<Value>,
    #[serde(rename = "type")]
    pub kind: String,
}

impl Stored for Payout {
    const NOUN: &'static str = "payout";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn table(world: &World) -> &Table<Self> {
        &world.payouts
    }

    fn table_mut(world: &mut World) -> &mut Table<Self> {
        &mut world.payouts
    }
}

/// A payout to be made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewPayout {
    /// Minor units.
    pub amount: i64,
    /// The account's default currency if absent.
    pub currency: Option<String>,
    /// `standard` or `instant`.
    pub method: Option<String>,
    /// Control API only: made by the schedule, not by a person.
    pub automatic: bool,
    /// `ba_…`; the account's first bank account if absent.
    pub destination: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Up to 22 characters on the bank statement.
    pub statement_descriptor: Option<String>,
    /// Free texts.
    pub metadata: BTreeMap<String, String>,
    /// Control API only: `trace_id.value`.
    pub trace_id: Option<String>,
    /// Control API only: the created event carries the whole bank account instead of its id.
    pub expand_destination: bool,
}

/// Makes a payout and announces `payout.created`. Automatic payouts have no request behind them.
pub(crate) fn create(state: &mut State, scope: &Scope, new: NewPayout, cause: &Cause) -> Result<Value, StripeError> {
    if new.amount < 1 {
        return Err(StripeError::invalid("amount", "Invalid positive integer").with_code("parameter_invalid_integer"));
    }
    let currency = new.currency.unwrap_or_else(|| state.default_currency(scope));
    let method = new.method.unwrap_or_else(|| "standard".into());
    if !METHODS.contains(&method.as_str()) {
        return Err(StripeError::one_of("method", &METHODS));
    }
    let account = state.accounts.get(&scope.account);
    let bank = account.and_then(|account| match &new.destination {
        Some(id) => account.bank_account(id),
        None => account.default_bank_account(&currency),
    });
    let Some(bank) = bank.cloned() else {
        let message = match &new.destination {
            Some(id) => format!("No such external account: '{id}'"),
            None => format!("Sorry, you don't have any external accounts in that currency ({currency})."),
        };
        return Err(StripeError::refused(Some("payouts_not_allowed"), message).with_param("destination"));
    };
    balance::require(state, scope, &currency, new.amount)?;
    let id = state.ids.next("po");
    let posting = Posting {
        kind: "payout",
        category: "payout",
        amount: -new.amount,
        fee: 0,
        currency: &currency,
        source: Some(&id),
    };
    let balance_transaction = post(state, scope, posting);
    let now = state.now();
    let payout = Payout {
        id,
        amount: new.amount,
        application_fee: None,
        application_fee_amount: None,
        arrival_date: if method == "instant" { now } else { now + 2 * 24 * 3600 },
        automatic: new.automatic,
        balance_transaction: Some(balance_transaction),
        created: now,
        currency,
        description: new.description.or_else(|| new.automatic.then(|| "STRIPE PAYOUT".into())),
        destination: Some(bank.id.clone()),
        failure_balance_transaction: None,
        failure_code: None,
        failure_message: None,
        livemode: scope.mode.livemode(),
        metadata: new.metadata,
        method,
        original_payout: None,
        payout_method: None,
        reconciliation_status: if new.automatic { "in_progress" } else { "not_applicable" }.into(),
        reversed_by: None,
        source_type: "card".into(),
        statement_descriptor: new.statement_descriptor,
        status: if new.automatic { "in_transit" } else { "pending" }.into(),
        trace_id: new.trace_id.map(|value| json!({"status": "supported", "value": value})),
        kind: "bank_account".into(),
    };
    let value = state.store(scope, payout);
    let mut told = value.clone();
    if new.expand_destination
        && let Some(destination) = told.get_mut("destination")
    {
        *destination = bank.render();
    }
    let cause = if new.automatic { &Cause::Automatic } else { cause };
    state.emit(scope, "payout.created", told, None, cause);
    Ok(value)
}

/// `POST /v1/payouts`.
pub(crate) fn create_from(
    state: &mut State,
    scope: &Scope,
    mut params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let new = NewPayout {
        amount: params.amount("amount")?.ok_or_else(|| StripeError::missing("amount"))?,
        currency: Some(params.currency("currency")?.ok_or_else(|| StripeError::missing("currency"))?),
        method: params.choice("method", &METHODS)?,
        destination: params.text("destination")?,
        description: params.text("description")?,
        statement_descriptor: params.text("statement_descriptor")?,
        metadata: params.metadata()?.into_new(),
        ..NewPayout::default()
    };
    params.choice("source_type", &["bank_account", "card", "fpx"])?;
    params.finish()?;
    create(state, scope, new, cause)
}

/// `POST /v1/payouts/:id`: metadata only.
pub(crate) fn update(
    state: &mut State,
    scope: &Scope,
    id: &str,
    mut params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let metadata = params.metadata()?;
    params.finish()?;
    state.change_and_tell::<Payout>(scope, id, "payout.updated", cause, |payout| metadata.apply(&mut payout.metadata))
}

/// `POST /v1/payouts/:id/cancel`: legal only for a manual payout that has not left yet.
pub(crate) fn cancel(
    state: &mut State,
    scope: &Scope,
    id: &str,
    params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    params.finish()?;
    let payout = state.find::<Payout>(scope, id, "id")?;
    if payout.automatic {
        return Err(StripeError::refused(None, "Automatic payouts cannot be canceled."));
    }
    if payout.status != "pending" {
        return Err(StripeError::refused(
            None,
            format!("Payouts can only be canceled while they are pending; this one is {}.", payout.status),
        ));
    }
    settle(state, scope, id, &Settlement { status: "canceled".into(), ..Settlement::default() }, cause)
}

/// How a payout goes on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settlement {
    /// `in_transit`, `paid`, `failed` or `canceled`.
    pub status: String,
    /// For failures, e.g. `account_closed`.
    pub failure_code: Option<String>,
    /// For failures: free text.
    pub failure_message: Option<String>,
}

/// Moves a payout to another status; a failed or cancelled one gives the money back.
pub(crate) fn settle(
    state: &mut State,
    scope: &Scope,
    id: &str,
    to: &Settlement,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let payout = state.find::<Payout>(scope, id, "id")?.clone();
    let event_type = match (to.status.as_str(), payout.status.as_str()) {
        ("in_transit", "pending") => "payout.updated",
        ("paid", "pending" | "in_transit") => "payout.paid",
        // `paid` only means that the money should have arrived: the bank may still return it.
        ("failed", "pending" | "in_transit" | "paid") => "payout.failed",
        ("canceled", "pending") => "payout.canceled",
        (to, from) => {
            return Err(StripeError::refused(None, format!("A payout that is {from} cannot become {to}.")));
        }
    };
    let kind = match to.status.as_str() {
        "failed" => Some("payout_failure"),
        "canceled" => Some("payout_cancel"),
        _ => None,
    };
    let returned = kind.map(|kind| {
        let posting = Posting {
            kind,
            category: "payout_reversal",
            amount: payout.amount,
            fee: 0,
            currency: &payout.currency,
            source: Some(id),
        };
        post(state, scope, posting)
    });
    let failed = to.status == "failed";
    state.change_and_tell::<Payout>(scope, id, event_type, cause, |payout| {
        payout.status.clone_from(&to.status);
        payout.failure_balance_transaction = returned;
        if failed {
            payout.failure_code = Some(to.failure_code.clone().unwrap_or_else(|| "could_not_process".into()));
            payout.failure_message =
                Some(to.failure_message.clone().unwrap_or_else(|| "The bank could not process this payout.".into()));
        }
    })
}
