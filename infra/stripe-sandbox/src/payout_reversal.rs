//! Payout reversals: the bank account is debited, and the money comes back as a payout of a negative amount.

use serde_json::Value;

use crate::balance_transaction::{Posting, post};
use crate::error::StripeError;
use crate::event::Cause;
use crate::mode::Scope;
use crate::params::Params;
use crate::payout::Payout;
use crate::state::State;

/// Stripe debits bank accounts in these countries.
const COUNTRIES: [&str; 2] = ["US", "CA"];
/// A payout can be reversed until so long after its expected arrival.
const REVERSIBLE_SECS: i64 = 90 * 24 * 3600;
const DAY_SECS: i64 = 24 * 3600;

/// `POST /v1/payouts/:id/reverse`. Announces `payout.updated` for the original and `payout.created` for the new one.
pub(crate) fn create_from(
    state: &mut State,
    scope: &Scope,
    id: &str,
    mut params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let metadata = params.metadata()?.into_new();
    params.finish()?;
    let original = reversible(state, scope, id)?;
    let new = state.ids.next("po");
    let posting = Posting {
        kind: "payout",
        category: "payout_reversal",
        amount: original.amount,
        fee: 0,
        currency: &original.currency,
        source: Some(&new),
    };
    let balance_transaction = post(state, scope, posting);
    let now = state.now();
    let reversal = Payout {
        id: new.clone(),
        amount: -original.amount,
        arrival_date: now + 2 * DAY_SECS,
        automatic: false,
        balance_transaction: Some(balance_transaction),
        created: now,
        description: None,
        metadata,
        original_payout: Some(id.to_owned()),
        reconciliation_status: "not_applicable".into(),
        statement_descriptor: None,
        status: "pending".into(),
        trace_id: None,
        ..original
    };
    state.change_and_tell::<Payout>(scope, id, "payout.updated", cause, |payout| payout.reversed_by = Some(new))?;
    let value = state.store(scope, reversal);
    state.emit(scope, "payout.created", value.clone(), None, cause);
    Ok(value)
}

/// The payout, or why it cannot be reversed.
fn reversible(state: &State, scope: &Scope, id: &str) -> Result<Payout, StripeError> {
    let payout = state.find::<Payout>(scope, id, "id")?;
    let refuse = |why: String| Err(StripeError::refused(None, format!("Payout {id} cannot be reversed: {why}.")));
    if payout.amount < 0 {
        return refuse("it is a debit itself".into());
    }
    if let Some(by) = &payout.reversed_by {
        return refuse(format!("it was reversed by {by}"));
    }
    if !matches!(payout.status.as_str(), "paid" | "in_transit") {
        return refuse(format!("its status is {}, not paid or in_transit", payout.status));
    }
    if payout.method == "instant" {
        return refuse("it was instant".into());
    }
    if state.now() >= payout.arrival_date.saturating_add(REVERSIBLE_SECS) {
        return refuse("it arrived more than 90 days ago".into());
    }
    let bank = payout.destination.as_deref().and_then(|bank| state.accounts.get(&scope.account)?.bank_account(bank));
    if !bank.is_some_and(|bank| COUNTRIES.contains(&bank.country.as_str())) {
        return refuse("its bank account is not in the US or Canada".into());
    }
    Ok(payout.clone())
}
