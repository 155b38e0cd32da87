//! Balance transactions: one for every change of the balance, made with it in one step.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::mode::Scope;
use crate::state::State;
use crate::table::{Stored, Table};
use crate::world::World;

/// `txn_…`: one line of the balance.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "object", rename = "balance_transaction")]
pub(crate) struct BalanceTransaction {
    pub id: String,
    pub amount: i64,
    pub available_on: i64,
    pub balance_type: String,
    pub created: i64,
    pub currency: String,
    pub description: Option<String>,
    pub exchange_rate: Option<f64>,
    pub fee: i64,
    pub fee_details: Vec<Value>,
    pub net: i64,
    pub reporting_category: String,
    pub source: Option<String>,
    pub status: String,
    #[serde(rename = "type")]
    pub kind: String,
}

impl Stored for BalanceTransaction {
    const NOUN: &'static str = "balance transaction";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn table(world: &World) -> &Table<Self> {
        &world.balance_transactions
    }

    fn table_mut(world: &mut World) -> &mut Table<Self> {
        &mut world.balance_transactions
    }
}

/// What is posted to the balance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posting<'a> {
    pub(crate) kind: &'a str,
    pub(crate) category: &'a str,
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    pub(crate) currency: &'a str,
    pub(crate) source: Option<&'a str>,
}

/// Changes the balance and records why; answers the new transaction's id.
pub(crate) fn post(state: &mut State, scope: &Scope, posting: Posting<'_>) -> String {
    let now = state.now();
    let id = state.ids.next("txn");
    let net = posting.amount.saturating_sub(posting.fee);
    let fee_details = if posting.fee == 0 {
        Vec::new()
    } else {
        vec![json!({
            "amount": posting.fee, "application": null, "currency": posting.currency,
            "description": "Stripe processing fees", "type": "stripe_fee",
        })]
    };
    let transaction = BalanceTransaction {
        id: id.clone(),
        amount: posting.amount,
        available_on: now,
        balance_type: "payments".into(),
        created: now,
        currency: posting.currency.to_owned(),
        description: None,
        exchange_rate: None,
        fee: posting.fee,
        fee_details,
        net,
        reporting_category: posting.category.to_owned(),
        source: posting.source.map(str::to_owned),
        status: "available".into(),
        kind: posting.kind.to_owned(),
    };
    let world = state.world_mut(scope);
    world.balance.add(posting.currency, net);
    world.balance_transactions.insert(id.clone(), transaction);
    id
}
