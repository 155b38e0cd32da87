//! Who calls: secret, restricted and developer keys and access tokens, as Bearer or Basic; `Stripe-Account`.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::StripeError;
use crate::mode::{Mode, Scope};
use crate::state::State;

/// What a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyKind {
    /// An account's secret key.
    Secret,
    /// An account's restricted key: it may do what it was made for, and never refresh tokens.
    Restricted,
    /// The app developer's secret key.
    Developer,
    /// An OAuth access token.
    AccessToken,
}

/// A key and whose it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Key {
    /// Mode and account it opens.
    pub scope: Scope,
    /// What it is.
    pub kind: KeyKind,
    /// Unix seconds; access tokens live for an hour.
    pub expires_at: Option<i64>,
    /// Dead before its time.
    pub revoked: bool,
    /// What a restricted key may do; none where it may do everything that the account itself may.
    #[serde(default)]
    pub permissions: Option<BTreeSet<String>>,
}

impl Key {
    pub(crate) const fn new(scope: Scope, kind: KeyKind) -> Self {
        Self { scope, kind, expires_at: None, revoked: false, permissions: None }
    }
}

/// A caller whose key was found good.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// What the call acts on.
    pub(crate) scope: Scope,
    pub(crate) kind: KeyKind,
    /// The key, shortened for messages.
    pub(crate) shown: String,
    /// What a restricted key may do, where that was chosen.
    pub(crate) permissions: Option<BTreeSet<String>>,
}

impl State {
    /// Makes an account's keys of one mode.
    pub(crate) fn mint_keys(&mut self, mode: Mode, account: &str) -> Value {
        let scope = Scope::new(mode, account);
        let mut mint = |prefix: &str| format!("{prefix}_{mode}_{}", self.ids.letters(24));
        let (secret, restricted, publishable) = (mint("sk"), mint("rk"), mint("pk"));
        self.keys.insert(secret.clone(), Key::new(scope.clone(), KeyKind::Secret));
        self.keys.insert(restricted.clone(), Key::new(scope, KeyKind::Restricted));
        json!({"secret": secret, "restricted": restricted, "publishable": publishable})
    }

    /// Finds the caller, or why there is none (401) or may not be (403).
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, StripeError> {
        let given = given_key(headers).ok_or_else(|| {
            StripeError::unauthorised(
                None,
                "You did not provide an API key. Use Authorization: Bearer YOUR_SECRET_KEY.",
            )
        })?;
        let shown = shorten(&given);
        let key = self
            .keys
            .get(&given)
            .filter(|key| !key.revoked)
            .ok_or_else(|| StripeError::unauthorised(None, format!("Invalid API Key provided: {shown}")))?;
        if key.expires_at.is_some_and(|at| at <= self.now()) {
            return Err(StripeError::unauthorised(
                Some("api_key_expired"),
                format!("Expired API Key provided: {shown}"),
            ));
        }
        let mut scope = key.scope.clone();
        if let Some(account) = header(headers, "stripe-account") {
            let wanted = Scope::new(scope.mode, account);
            if !self.may_act_for(key, &wanted) {
                return Err(StripeError::forbidden(
                    Some("account_invalid"),
                    format!(
                        "The provided key '{shown}' does not have access to account '{account}' (or that account does not exist). Application access may have been revoked."
                    ),
                ));
            }
            scope = wanted;
        }
        Ok(Caller { scope, kind: key.kind, shown, permissions: key.permissions.clone() })
    }

    fn may_act_for(&self, key: &Key, wanted: &Scope) -> bool {
        let connected = || {
            self.accounts
                .get(&wanted.account)
                .is_some_and(|account| account.platform.as_ref() == Some(&key.scope.account))
        };
        match key.kind {
            KeyKind::AccessToken => key.scope == *wanted,
            KeyKind::Developer => key.scope == *wanted || self.is_installed(wanted) || connected(),
            KeyKind::Secret | KeyKind::Restricted => key.scope == *wanted || connected(),
        }
    }

    /// Makes a restricted key with these permissions, as a person does in the Dashboard.
    pub(crate) fn mint_restricted(&mut self, scope: &Scope, permissions: BTreeSet<String>) -> String {
        let text = format!("rk_{}_{}", scope.mode, self.ids.letters(24));
        let key = Key { permissions: Some(permissions), ..Key::new(scope.clone(), KeyKind::Restricted) };
        self.keys.insert(text.clone(), key);
        text
    }

    /// Ends a key; false where there is none.
    pub(crate) fn end_key(&mut self, key: &str) -> bool {
        self.keys.get_mut(key).map(|key| key.revoked = true).is_some()
    }

    /// Access tokens may do what the app asked for, restricted keys what they were made for; other keys of the account may do everything.
    pub(crate) fn authorise(&self, caller: &Caller, permission: &str) -> Result<(), StripeError> {
        let granted = match (caller.kind, &caller.permissions) {
            (KeyKind::AccessToken, _) => {
                self.apps.get(&caller.scope.mode).is_some_and(|app| app.permissions.contains(permission))
            }
            (_, Some(permissions)) => permissions.contains(permission),
            (_, None) => true,
        };
        if granted {
            return Ok(());
        }
        Err(StripeError::forbidden(
            None,
            format!(
                "The provided key '{}' does not have the required permissions for this endpoint on account '{}'. Having the '{permission}' permission would allow this request to continue.",
                caller.shown, caller.scope.account
            ),
        ))
    }
}

/// The key of `Authorization: Bearer KEY` or `Basic base64(KEY:)`.
pub(crate) fn given_key(headers: &HeaderMap) -> Option<String> {
    let (scheme, value) = header(headers, "authorization")?.split_once(' ')?;
    let value = value.trim();
    let key = if scheme.eq_ignore_ascii_case("bearer") {
        value.to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
        decoded.split(':').next()?.to_owned()
    } else {
        return None;
    };
    (!key.is_empty()).then_some(key)
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty())
}

/// `sk_test_…` and the last four letters.
pub(crate) fn shorten(key: &str) -> String {
    let tail: Vec<char> = key.chars().rev().take(4).collect();
    let head: String = key.chars().take(8).collect();
    format!("{head}{}{}", "*".repeat(12), tail.into_iter().rev().collect::<String>())
}
