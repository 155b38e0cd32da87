//! The tokens of a connection: what is sealed in its row, and reading it.
//!
//! Only `connect` and the refresher write tokens; everybody else reads them through a [`TokenReader`], which never renews them:
//! every renewal kills the refresh token before it. What is sealed is JSON: `access_token`, `refresh_token`, `obtained_at`; or, of an
//! account that was connected with a restricted key, `restricted_key` and `obtained_at`.

mod reader;

pub use reader::{AccessToken, TokenError, TokenReader};

use axiru_domain::{Scope, Timestamp};
use axiru_stripe::oauth::Grant;
use axiru_stripe::restricted::RestrictedKey;
use axiru_stripe::secret::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::AwsError;
use crate::item::RowError;
use crate::seal::{Purpose, Seal, SealContext};
use crate::store::StoreError;

/// How long an access token lives (Stripe docs, "Stripe Apps: OAuth 2.0"), counted from when it was asked for.
pub const LIFE_SECS: i64 = 3_600;

/// Until when it is used: the time of the longest call and of clocks that differ is kept back.
pub const USED_SECS: i64 = LIFE_SECS - 5 * 60;

/// Both tokens, open. Like every secret they have no `Debug`.
pub(crate) struct Tokens {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Secret,
    /// When they were asked for.
    pub(crate) obtained_at: Timestamp,
}

/// What a connection acts at Stripe with, open.
pub(crate) enum Opened {
    /// Tokens of the Stripe App, which are renewed.
    Tokens(Tokens),
    /// A restricted key, which lasts until somebody ends it at Stripe.
    RestrictedKey(Secret),
}

impl Opened {
    /// What Stripe is sent, and until when it is used.
    fn in_use(self) -> (Secret, Option<Timestamp>) {
        match self {
            Self::Tokens(tokens) => (tokens.access_token, Some(tokens.obtained_at.plus_secs(USED_SECS))),
            Self::RestrictedKey(key) => (key, None),
        }
    }
}

#[derive(Serialize)]
struct Written<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    obtained_at: Timestamp,
}

#[derive(Serialize)]
struct WrittenKey<'a> {
    restricted_key: &'a str,
    obtained_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    access_token: Option<String>,
    refresh_token: Option<String>,
    restricted_key: Option<String>,
    obtained_at: Timestamp,
}

/// Encryption context of a scope's tokens.
fn context(scope: &Scope) -> SealContext {
    SealContext { purpose: Purpose::Tokens, mode: scope.mode(), account: Some(scope.account().clone()) }
}

async fn sealed_json(seal: &Seal, scope: &Scope, written: &impl Serialize) -> Result<Vec<u8>, AwsError> {
    let plain = serde_json::to_vec(written).map(Zeroizing::new);
    let plain = plain.map_err(|_| AwsError::unexpected("sealing tokens", "no JSON"))?;
    seal.seal(&context(scope), &plain).await
}

/// Seals what Stripe granted for its scope. `obtained_at` is when it was asked for.
pub(crate) async fn sealed(seal: &Seal, grant: &Grant, obtained_at: Timestamp) -> Result<Vec<u8>, AwsError> {
    let scope = Scope::new(grant.mode, grant.account.clone());
    let (access_token, refresh_token) = (grant.access_token.expose(), grant.refresh_token.expose());
    sealed_json(seal, &scope, &Written { access_token, refresh_token, obtained_at }).await
}

/// Seals a restricted key for its scope.
pub(crate) async fn sealed_key(
    seal: &Seal,
    scope: &Scope,
    key: &RestrictedKey,
    obtained_at: Timestamp,
) -> Result<Vec<u8>, AwsError> {
    sealed_json(seal, scope, &WrittenKey { restricted_key: key.secret().expose(), obtained_at }).await
}

/// Opens what was sealed for this scope, and for no other.
pub(crate) async fn opened(seal: &Seal, scope: &Scope, sealed: &[u8]) -> Result<Opened, StoreError> {
    let plain = seal.open(&context(scope), sealed).await?;
    let read: Read = serde_json::from_slice(&plain).map_err(|_| RowError("tokens"))?;
    // All texts move into secrets, which overwrite them when they are dropped.
    let secret = |text: Option<String>| text.map(Secret::new).transpose().map_err(|_| RowError("tokens"));
    let (access_token, refresh_token) = (secret(read.access_token)?, secret(read.refresh_token)?);
    match (access_token, refresh_token, secret(read.restricted_key)?) {
        (Some(access_token), Some(refresh_token), None) => {
            Ok(Opened::Tokens(Tokens { access_token, refresh_token, obtained_at: read.obtained_at }))
        }
        (None, None, Some(key)) => Ok(Opened::RestrictedKey(key)),
        _ => Err(RowError("tokens").into()),
    }
}
