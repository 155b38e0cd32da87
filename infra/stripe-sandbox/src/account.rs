//! Accounts: the merchants, the developer, and the destinations of transfers. One account exists in both modes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bank_account::{BankAccount, NewBankAccount};
use crate::error::StripeError;
use crate::event::Cause;
use crate::mode::{Mode, Scope};
use crate::state::State;
use crate::table::render;

/// `acct_…`. Kept small; [`Account::render`] makes Stripe's large object of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    /// `acct_…`
    pub id: String,
    /// `business_profile.name` and `settings.dashboard.display_name`.
    pub business_name: Option<String>,
    /// Two letters.
    pub country: String,
    /// Three lower-case letters.
    pub default_currency: String,
    /// Personal data.
    pub email: Option<String>,
    /// IANA name.
    pub timezone: String,
    /// Unix seconds.
    pub created: i64,
    /// The account that created this one, if it is somebody's connected account.
    pub platform: Option<String>,
    /// Where payouts go.
    pub bank_accounts: Vec<BankAccount>,
    /// `individual`, if planted: personal data.
    pub individual: Option<Value>,
    /// `company`, if planted.
    pub company: Option<Value>,
}

/// An account to be made. Everything has a default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewAccount {
    /// A given id, `acct_…`; made up if absent.
    pub id: Option<String>,
    /// The merchant's name.
    pub business_name: Option<String>,
    /// Default `US`.
    pub country: Option<String>,
    /// Default `usd`.
    pub default_currency: Option<String>,
    /// Personal data.
    pub email: Option<String>,
    /// Default `Etc/UTC`.
    pub timezone: Option<String>,
    /// The account that this one is connected to.
    pub platform: Option<String>,
    /// The texts of its bank account.
    pub bank_account: NewBankAccount,
    /// Opening balance by currency, in both modes; default one million in the default currency.
    pub balance: Option<BTreeMap<String, i64>>,
    /// Personal data.
    pub individual: Option<Value>,
    /// Company data.
    pub company: Option<Value>,
}

impl Account {
    pub(crate) fn developer(id: &str, created: i64) -> Self {
        Self {
            id: id.to_owned(),
            business_name: Some("App developer".into()),
            country: "US".into(),
            default_currency: "usd".into(),
            email: None,
            timezone: "Etc/UTC".into(),
            created,
            platform: None,
            bank_accounts: Vec::new(),
            individual: None,
            company: None,
        }
    }

    pub(crate) fn bank_account(&self, id: &str) -> Option<&BankAccount> {
        self.bank_accounts.iter().find(|bank| bank.id == id)
    }

    pub(crate) fn default_bank_account(&self, currency: &str) -> Option<&BankAccount> {
        self.bank_accounts.iter().find(|bank| bank.currency == currency).or_else(|| self.bank_accounts.first())
    }

    /// Stripe's account object.
    #[must_use]
    pub(crate) fn render(&self) -> Value {
        let banks: Vec<Value> = self.bank_accounts.iter().map(BankAccount::render).collect();
        let mut account = json!({
            "id": self.id,
            "object": "account",
            "business_profile": {
                "annual_revenue": null, "estimated_worker_count": null, "mcc": "5734",
                "minority_owned_business_designation": null, "name": self.business_name, "product_description": null,
                "support_address": null, "support_email": null, "support_phone": null, "support_url": null, "url": null,
            },
            "business_type": "company",
            "capabilities": {"card_payments": "active", "transfers": "active"},
            "charges_enabled": true,
            "controller": {"type": "account"},
            "country": self.country,
            "created": self.created,
            "default_currency": self.default_currency,
            "details_submitted": true,
            "email": self.email,
            "external_accounts": {
                "object": "list", "data": banks, "has_more": false, "total_count": self.bank_accounts.len(),
                "url": format!("/v1/accounts/{}/external_accounts", self.id),
            },
            "future_requirements": requirements(),
            "metadata": {},
            "payouts_enabled": true,
            "requirements": requirements(),
            "settings": settings(self.business_name.as_deref(), &self.timezone),
            "tos_acceptance": {"date": null, "ip": null, "user_agent": null},
            "type": "standard",
        });
        if let Value::Object(members) = &mut account {
            for (name, planted) in [("individual", &self.individual), ("company", &self.company)] {
                if let Some(value) = planted {
                    members.insert(name.into(), value.clone());
                }
            }
        }
        account
    }
}

fn requirements() -> Value {
    json!({
        "alternatives": [], "current_deadline": null, "currently_due": [], "disabled_reason": null,
        "errors": [], "eventually_due": [], "past_due": [], "pending_verification": [],
    })
}

fn settings(display_name: Option<&str>, timezone: &str) -> Value {
    json!({
        "bacs_debit_payments": {"display_name": null, "service_user_number": null},
        "branding": {"icon": null, "logo": null, "primary_color": null, "secondary_color": null},
        "card_issuing": {"tos_acceptance": {"date": null, "ip": null}},
        "card_payments": {
            "decline_on": {"avs_failure": false, "cvc_failure": true},
            "statement_descriptor_prefix": null,
            "statement_descriptor_prefix_kana": null,
            "statement_descriptor_prefix_kanji": null,
        },
        "dashboard": {"display_name": display_name, "timezone": timezone},
        "invoices": {"default_account_tax_ids": null, "hosted_payment_method_save": null},
        "payments": {
            "statement_descriptor": "SANDBOX", "statement_descriptor_kana": null, "statement_descriptor_kanji": null,
            "statement_descriptor_prefix_kana": null, "statement_descriptor_prefix_kanji": null,
        },
        "payouts": {
            "debit_negative_balances": true,
            "schedule": {"delay_days": 2, "interval": "daily"},
            "statement_descriptor": null,
        },
        "sepa_debit_payments": {},
    })
}

impl State {
    pub(crate) fn default_currency(&self, scope: &Scope) -> String {
        self.accounts.get(&scope.account).map_or_else(|| "usd".to_owned(), |account| account.default_currency.clone())
    }
}

/// Makes an account with its keys in both modes and its opening balance.
pub(crate) fn create(state: &mut State, new: NewAccount) -> Result<Value, StripeError> {
    let id = match new.id {
        Some(id) if !is_account_id(&id) => return Err(StripeError::invalid("id", "must look like acct_1A2b3C")),
        Some(id) if state.accounts.get(&id).is_some() => {
            return Err(StripeError::invalid("id", format!("account {id} exists already")));
        }
        Some(id) => id,
        None => state.ids.next("acct"),
    };
    if let Some(platform) = &new.platform
        && state.accounts.get(platform).is_none()
    {
        return Err(StripeError::no_such("account", platform, "platform", None));
    }
    let default_currency = new.default_currency.unwrap_or_else(|| "usd".into());
    let country = new.country.unwrap_or_else(|| "US".into());
    let bank = BankAccount::new(state.ids.next("ba"), &id, &country, &default_currency, new.bank_account);
    let account = Account {
        id: id.clone(),
        business_name: new.business_name,
        country,
        default_currency: default_currency.clone(),
        email: new.email,
        timezone: new.timezone.unwrap_or_else(|| "Etc/UTC".into()),
        created: state.now(),
        platform: new.platform,
        bank_accounts: vec![bank],
        individual: new.individual,
        company: new.company,
    };
    let rendered = account.render();
    state.accounts.insert(id.clone(), account);
    let balance = new.balance.unwrap_or_else(|| BTreeMap::from([(default_currency, 100_000_000)]));
    for mode in Mode::ALL {
        let world = state.world_mut(&Scope::new(mode, id.clone()));
        for (currency, amount) in &balance {
            world.balance.add(currency, *amount);
        }
    }
    let keys: BTreeMap<&str, Value> =
        Mode::ALL.into_iter().map(|mode| (mode.as_str(), state.mint_keys(mode, &id))).collect();
    Ok(json!({"account": rendered, "keys": keys}))
}

/// Adds a bank account; its whole number is in the events `account.external_account.created` and `account.updated`.
pub(crate) fn add_bank_account(
    state: &mut State,
    scope: &Scope,
    new: NewBankAccount,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let id = state.ids.next("ba");
    let Some(account) = state.accounts.get_mut(&scope.account) else {
        return Err(StripeError::no_such("account", &scope.account, "account", None));
    };
    let bank = BankAccount::new(id, &account.id, &account.country, &account.default_currency, new);
    let value = render(&bank);
    let before = account.render();
    account.bank_accounts.push(bank);
    let after = account.render();
    let previous = crate::diff::previous_attributes(&before, &after);
    state.emit(scope, "account.external_account.created", value.clone(), None, cause);
    state.emit(scope, "account.updated", after, previous, cause);
    Ok(value)
}

fn is_account_id(id: &str) -> bool {
    id.strip_prefix("acct_")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
