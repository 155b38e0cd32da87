//! Bank accounts: where payouts go. All their texts can be set, so that tests can plant numbers and names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::table::render;

/// `ba_…`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "bank_account")]
pub(crate) struct BankAccount {
    pub id: String,
    pub account: String,
    pub account_holder_name: Option<String>,
    pub account_holder_type: Option<String>,
    pub account_type: Option<String>,
    pub available_payout_methods: Vec<String>,
    pub bank_name: Option<String>,
    pub country: String,
    pub currency: String,
    pub default_for_currency: bool,
    pub fingerprint: Option<String>,
    pub last4: String,
    pub metadata: BTreeMap<String, String>,
    pub routing_number: Option<String>,
    pub status: String,
}

/// The texts of a bank account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewBankAccount {
    pub account_holder_name: Option<String>,
    pub bank_name: Option<String>,
    pub fingerprint: Option<String>,
    pub last4: Option<String>,
    pub routing_number: Option<String>,
    pub currency: Option<String>,
}

impl BankAccount {
    pub(crate) fn new(id: String, account: &str, country: &str, currency: &str, texts: NewBankAccount) -> Self {
        Self {
            id,
            account: account.to_owned(),
            account_holder_name: texts.account_holder_name.or_else(|| Some("Sample Holder".into())),
            account_holder_type: Some("company".into()),
            account_type: None,
            available_payout_methods: vec!["standard".into(), "instant".into()],
            bank_name: texts.bank_name.or_else(|| Some("SANDBOX BANK".into())),
            country: country.to_owned(),
            currency: texts.currency.unwrap_or_else(|| currency.to_owned()),
            default_for_currency: true,
            fingerprint: texts.fingerprint.or_else(|| Some("1JWtPxqbdX5Gamtc".into())),
            last4: texts.last4.unwrap_or_else(|| "6789".into()),
            metadata: BTreeMap::new(),
            routing_number: texts.routing_number.or_else(|| Some("110000000".into())),
            status: "verified".into(),
        }
    }

    /// Stripe's bank account object.
    #[must_use]
    pub(crate) fn render(&self) -> Value {
        render(self)
    }
}
