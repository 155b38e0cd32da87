//! Everything one account owns in one mode.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::balance::Balance;
use crate::balance_transaction::BalanceTransaction;
use crate::charge::Charge;
use crate::dispute::Dispute;
use crate::event::Event;
use crate::idempotency::SavedAnswer;
use crate::payout::Payout;
use crate::refund::Refund;
use crate::reversal::Reversal;
use crate::table::Table;
use crate::transfer::Transfer;
use crate::webhook_endpoint::WebhookEndpoint;

/// The objects of one scope. Tables only; the rules live in the module of each noun.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct World {
    /// Money by currency.
    pub balance: Balance,
    /// `txn_…`
    pub balance_transactions: Table<BalanceTransaction>,
    /// `ch_…`
    pub charges: Table<Charge>,
    /// `re_…`
    pub refunds: Table<Refund>,
    /// `du_…`
    pub disputes: Table<Dispute>,
    /// `po_…`
    pub payouts: Table<Payout>,
    /// `tr_…`
    pub transfers: Table<Transfer>,
    /// `trr_…`
    pub reversals: Table<Reversal>,
    /// `evt_…`
    pub events: Table<Event>,
    /// `we_…`
    pub webhook_endpoints: Table<WebhookEndpoint>,
    /// Answers remembered by `Idempotency-Key`.
    pub answers: BTreeMap<String, SavedAnswer>,
}
