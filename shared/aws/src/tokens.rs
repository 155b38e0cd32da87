//! The tokens of a connection: what is sealed in its row, and reading it.
//!
//! Only `connect` and the refresher write tokens; everybody else reads them through a [`TokenReader`], which never renews them:
//! every renewal kills the refresh token before it. What is sealed is JSON: `access_token`, `refresh_token`, `obtained_at`.

mod reader;

pub use reader::{AccessToken, TokenError, TokenReader};

use axiru_domain::{Scope, Timestamp};
use axiru_stripe::oauth::Grant;
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

#[derive(Serialize)]
struct Written<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    obtained_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    access_token: String,
    refresh_token: String,
    obtained_at: Timestamp,
}

/// Encryption context of a scope's tokens.
fn context(scope: &Scope) -> SealContext {
    SealContext { purpose: Purpose::Tokens, mode: scope.mode(), account: Some(scope.account().clone()) }
}

/// Seals what Stripe granted for its scope. `obtained_at` is when it was asked for.
pub(crate) async fn sealed(seal: &Seal, grant: &Grant, obtained_at: Timestamp) -> Result<Vec<u8>, AwsError> {
    let scope = Scope::new(grant.mode, grant.account.clone());
    let written =
        Written { access_token: grant.access_token.expose(), refresh_token: grant.refresh_token.expose(), obtained_at };
    let plain = serde_json::to_vec(&written).map(Zeroizing::new);
    let plain = plain.map_err(|_| AwsError::unexpected("sealing tokens", "no JSON"))?;
    seal.seal(&context(&scope), &plain).await
}

/// Opens what was sealed for this scope, and for no other.
pub(crate) async fn opened(seal: &Seal, scope: &Scope, sealed: &[u8]) -> Result<Tokens, StoreError> {
    let plain = seal.open(&context(scope), sealed).await?;
    let read: Read = serde_json::from_slice(&plain).map_err(|_| RowError("tokens"))?;
    // Both texts move into secrets, which overwrite them when they are dropped.
    let (access_token, refresh_token) = (Secret::new(read.access_token), Secret::new(read.refresh_token));
    Ok(Tokens {
        access_token: access_token.map_err(|_| RowError("tokens"))?,
        refresh_token: refresh_token.map_err(|_| RowError("tokens"))?,
        obtained_at: read.obtained_at,
    })
}
