//! Money an account holds, by currency: what is available and what is still pending.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::StripeError;
use crate::mode::Scope;
use crate::state::State;

/// Available funds in minor units. The sandbox settles at once, so nothing is ever pending.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Balance {
    available: BTreeMap<String, i64>,
}

impl Balance {
    /// What is available in this currency.
    #[must_use]
    pub(crate) fn available(&self, currency: &str) -> i64 {
        self.available.get(currency).copied().unwrap_or(0)
    }

    pub(crate) fn add(&mut self, currency: &str, net: i64) {
        let amount = self.available.entry(currency.to_owned()).or_default();
        *amount = amount.saturating_add(net);
    }

    fn render(&self, mode_livemode: bool, fallback_currency: &str) -> Value {
        let mut amounts = self.available.clone();
        if amounts.is_empty() {
            amounts.insert(fallback_currency.to_owned(), 0);
        }
        let part = |pick: fn(i64) -> i64| -> Vec<Value> {
            amounts
                .iter()
                .map(|(currency, amount)| json!({"amount": pick(*amount), "currency": currency, "source_types": {"card": pick(*amount)}}))
                .collect()
        };
        let reserved: Vec<Value> = amounts.keys().map(|currency| json!({"amount": 0, "currency": currency})).collect();
        json!({
            "object": "balance",
            "livemode": mode_livemode,
            "available": part(|amount| amount),
            "pending": part(|_| 0),
            "connect_reserved": reserved,
        })
    }
}

/// `GET /v1/balance`.
pub(crate) fn retrieve(state: &State, scope: &Scope) -> Value {
    let currency = state.accounts.get(&scope.account).map_or("usd", |account| account.default_currency.as_str());
    let empty = Balance::default();
    state.world(scope).map_or(&empty, |world| &world.balance).render(scope.mode.livemode(), currency)
}

/// Refuses a payout or transfer that the balance does not cover.
pub(crate) fn require(state: &State, scope: &Scope, currency: &str, amount: i64) -> Result<(), StripeError> {
    let available = state.world(scope).map_or(0, |world| world.balance.available(currency));
    if available >= amount {
        return Ok(());
    }
    Err(StripeError::refused(
        Some("balance_insufficient"),
        format!("You have insufficient available funds in your Stripe account ({currency})."),
    ))
}
