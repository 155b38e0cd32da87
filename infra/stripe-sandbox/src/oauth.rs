//! OAuth for apps: single-use codes (5 minutes), access tokens (1 hour), refresh tokens that rotate (1 year).
//! RFC 6749 §4.1, §5.2 and §6 as Stripe narrows them; errors are strings, unlike the rest of the API.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::auth::{Key, KeyKind, given_key, shorten};
use crate::error::StripeError;
use crate::mode::Scope;
use crate::params::Params;
use crate::state::State;

const CODE_SECS: i64 = 5 * 60;
const ACCESS_TOKEN_SECS: i64 = 3600;
const REFRESH_TOKEN_SECS: i64 = 365 * 24 * 3600;

/// Codes and refresh tokens, by their value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Grants {
    codes: BTreeMap<String, Grant>,
    refresh_tokens: BTreeMap<String, Grant>,
}

/// Something that can be exchanged once.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Grant {
    scope: Scope,
    expires_at: i64,
    used: bool,
}

impl Grants {
    /// Kills every grant of a scope.
    pub(crate) fn revoke(&mut self, scope: &Scope) {
        let all = self.codes.values_mut().chain(self.refresh_tokens.values_mut());
        for grant in all.filter(|grant| grant.scope == *scope) {
            grant.used = true;
        }
    }
}

/// Why no token was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OauthError {
    /// RFC 6749 §5.2: `{"error": "invalid_grant", "error_description": …}`.
    #[error("{code}: {description}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The registered code.
        code: &'static str,
        /// For a person.
        description: String,
    },
    /// The key may not do this at all: an ordinary API error.
    #[error(transparent)]
    Api(#[from] StripeError),
}

impl OauthError {
    fn refused(status: u16, code: &'static str, description: impl Into<String>) -> Self {
        Self::Refused { status, code, description: description.into() }
    }

    /// Status and body.
    #[must_use]
    pub(crate) fn answer(&self, request_id: &str) -> (u16, Value) {
        match self {
            Self::Refused { status, code, description } => {
                (*status, json!({"error": code, "error_description": description}))
            }
            Self::Api(error) => (error.status, error.body(request_id)),
        }
    }
}

impl State {
    /// A code for an account that consented.
    pub(crate) fn mint_code(&mut self, scope: &Scope) -> String {
        let code = self.ids.next("ac");
        let grant = Grant { scope: scope.clone(), expires_at: self.now().saturating_add(CODE_SECS), used: false };
        self.grants.codes.insert(code.clone(), grant);
        code
    }

    /// `POST /v1/oauth/token`.
    pub(crate) fn token(&mut self, headers: &HeaderMap, mut params: Params) -> Result<Value, OauthError> {
        let mode = self.developer_mode(headers)?;
        let grant_type = params
            .text("grant_type")?
            .ok_or_else(|| OauthError::refused(400, "invalid_request", "No grant type specified"))?;
        let param = match grant_type.as_str() {
            "authorization_code" => "code",
            "refresh_token" => "refresh_token",
            other => {
                return Err(OauthError::refused(
                    400,
                    "unsupported_grant_type",
                    format!("Unsupported grant type: {other}"),
                ));
            }
        };
        let value = params
            .text(param)?
            .ok_or_else(|| OauthError::refused(400, "invalid_request", format!("No {param} specified")))?;
        params.finish().map_err(|error| OauthError::refused(400, "invalid_request", error.message))?;
        let now = self.now();
        let grants = if param == "code" { &mut self.grants.codes } else { &mut self.grants.refresh_tokens };
        let grant = grants
            .get_mut(&value)
            // A grant of the other mode's app is no grant of this one.
            .filter(|grant| grant.scope.mode == mode.scope.mode)
            .ok_or_else(|| {
                OauthError::refused(
                    400,
                    "invalid_grant",
                    format!("{param} does not exist, or belongs to another app or mode: {}", shorten(&value)),
                )
            })?;
        if grant.used {
            return Err(OauthError::refused(
                400,
                "invalid_grant",
                format!("{param} was used or revoked: {}", shorten(&value)),
            ));
        }
        if grant.expires_at <= now {
            return Err(OauthError::refused(400, "invalid_grant", format!("{param} expired: {}", shorten(&value))));
        }
        // INVARIANT: a code and a refresh token are good for exactly one answer.
        grant.used = true;
        let scope = grant.scope.clone();
        if param == "code" {
            self.install(&scope);
        }
        Ok(self.mint_tokens(&scope))
    }

    /// Whose key a token call bears, if it is a developer's.
    pub(crate) fn developer_scope(&self, headers: &HeaderMap) -> Option<Scope> {
        self.developer_mode(headers).ok().map(|key| key.scope)
    }

    /// The developer's key, which decides the mode.
    fn developer_mode(&self, headers: &HeaderMap) -> Result<Key, OauthError> {
        let given = given_key(headers).ok_or_else(|| {
            OauthError::refused(
                401,
                "invalid_client",
                "No client authentication: use Basic with the developer's secret key as user name",
            )
        })?;
        let key = self.keys.get(&given).filter(|key| !key.revoked).ok_or_else(|| {
            OauthError::refused(401, "invalid_client", format!("No such API key: {}", shorten(&given)))
        })?;
        match key.kind {
            KeyKind::Developer => Ok(key.clone()),
            KeyKind::Secret => Err(OauthError::refused(400, "invalid_grant", "This key's account did not issue the grant")),
            KeyKind::Restricted | KeyKind::AccessToken => Err(StripeError::forbidden(
                None,
                format!("The provided key '{}' does not have the required permissions: tokens need the developer's secret key.", shorten(&given)),
            )
            .into()),
        }
    }

    /// A fresh pair. Older access tokens live on until their hour is over.
    pub(crate) fn mint_tokens(&mut self, scope: &Scope) -> Value {
        let mode = scope.mode;
        let access_token = format!("rk_{mode}_{}", self.ids.letters(48));
        let key = Key {
            expires_at: Some(self.now().saturating_add(ACCESS_TOKEN_SECS)),
            ..Key::new(scope.clone(), KeyKind::AccessToken)
        };
        self.keys.insert(access_token.clone(), key);
        let refresh_token = self.ids.next("rt");
        let grant =
            Grant { scope: scope.clone(), expires_at: self.now().saturating_add(REFRESH_TOKEN_SECS), used: false };
        self.grants.refresh_tokens.insert(refresh_token.clone(), grant);
        json!({
            "access_token": access_token,
            "livemode": mode.livemode(),
            "refresh_token": refresh_token,
            "scope": "stripe_apps",
            "stripe_publishable_key": format!("pk_{mode}_{}", self.ids.letters(24)),
            "stripe_user_id": scope.account,
            "token_type": "bearer",
        })
    }
}
