//! The developer's app (one per mode) and where it is installed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::auth::{Key, KeyKind};
use crate::error::StripeError;
use crate::event::Cause;
use crate::mode::{Mode, Scope};
use crate::state::State;

/// What an app may ask for here. `webhook_write` is missing on purpose: Stripe grants it only on request.
pub const ALL_PERMISSIONS: [&str; 14] = [
    "balance_read",
    "balance_transaction_source_read",
    "charge_read",
    "charge_write",
    "connected_account_read",
    "dispute_read",
    "dispute_write",
    "event_read",
    "payment_intent_read",
    "payout_read",
    "payout_write",
    "transfer_read",
    "transfer_write",
    "webhook_read",
];

/// An app in one mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Test or live.
    pub mode: Mode,
    /// `ca_…`: public, part of the install link.
    pub client_id: String,
    /// `sk_…`: the developer's secret key of this mode.
    pub developer_key: String,
    /// Shown on the consent page.
    pub name: String,
    /// Where the consent page may send people. Empty: anywhere on this machine, or https.
    pub redirect_uris: Vec<String>,
    /// What access tokens may do.
    pub permissions: BTreeSet<String>,
}

impl App {
    /// Events need `event_read` and the read permission of their object.
    pub(crate) fn may_hear(&self, kind: &str) -> bool {
        let has = |name: &str| self.permissions.contains(name);
        let family = kind.split('.').next().unwrap_or_default();
        match family {
            _ if kind.starts_with("account.application.") => true,
            "charge" if kind.starts_with("charge.dispute.") => has("event_read") && has("dispute_read"),
            "charge" | "refund" => has("event_read") && has("charge_read"),
            "payout" => has("event_read") && has("payout_read"),
            "transfer" => has("event_read") && has("transfer_read"),
            _ => has("event_read"),
        }
    }

    /// The `application` object that install events carry.
    #[must_use]
    pub fn render(&self) -> Value {
        json!({"id": self.client_id, "object": "application", "name": self.name})
    }
}

/// An app in an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Install {
    /// The app.
    pub client_id: String,
    /// False after uninstalling.
    pub active: bool,
    /// Unix seconds.
    pub installed_at: i64,
}

impl State {
    /// Adds or replaces the app of a mode, and its developer key.
    pub(crate) fn register_app(&mut self, app: App) {
        if let Some(old) = self.apps.get(&app.mode) {
            self.keys.remove(&old.developer_key);
        }
        let key = Key::new(Scope::new(app.mode, self.developer.clone()), KeyKind::Developer);
        self.keys.insert(app.developer_key.clone(), key);
        self.apps.insert(app.mode, app);
    }

    pub(crate) fn app_of_client(&self, client_id: &str) -> Option<&App> {
        self.apps.values().find(|app| app.client_id == client_id)
    }

    pub(crate) fn is_installed(&self, scope: &Scope) -> bool {
        self.installs.get(&scope.to_string()).is_some_and(|install| install.active)
    }

    /// Installs the app (or finds it installed) and announces `account.application.authorized` the first time.
    pub(crate) fn install(&mut self, scope: &Scope) {
        let Some(app) = self.apps.get(&scope.mode).cloned() else {
            return;
        };
        if self.is_installed(scope) {
            return;
        }
        let install = Install { client_id: app.client_id.clone(), active: true, installed_at: self.now() };
        self.installs.insert(scope.to_string(), install);
        let cause = self.dashboard();
        self.emit(scope, "account.application.authorized", app.render(), None, &cause);
    }

    /// Uninstalls the app: tokens die at once, then the application alone hears `account.application.deauthorized`.
    pub(crate) fn uninstall(&mut self, scope: &Scope) -> Result<Value, StripeError> {
        let app = self.apps.get(&scope.mode).cloned().filter(|_| self.is_installed(scope));
        let Some(app) = app else {
            return Err(StripeError::refused(None, format!("the app is not installed in {scope}")));
        };
        for key in self.keys.values_mut().filter(|key| key.scope == *scope && key.kind == KeyKind::AccessToken) {
            key.revoked = true;
        }
        self.grants.revoke(scope);
        let cause = self.dashboard();
        // Told while the install still stands, or nobody would be listening.
        let event = self.emit(scope, "account.application.deauthorized", app.render(), None, &cause);
        if let Some(install) = self.installs.get_mut(&scope.to_string()) {
            install.active = false;
        }
        Ok(json!({"account": scope.account, "mode": scope.mode, "active": false, "event": event}))
    }

    /// A person in the Dashboard: a request without an idempotency key.
    pub(crate) fn dashboard(&mut self) -> Cause {
        Cause::Request { id: self.ids.next("req"), idempotency_key: None }
    }
}
