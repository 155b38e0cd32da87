//! Stripe Apps' OAuth 2.0: the consent link, the exchange of a code for tokens, and their renewal.
//!
//! The link carries the app's `ca_…` id, the exchange carries the developer's secret key as the Basic user name: the key
//! can never reach an address. Stripe's form differs from RFC 6749 in what is left out: no `response_type`, no `redirect_uri`
//! and no `client_id` in the exchange (Stripe docs, "Stripe Apps: OAuth 2.0").

use std::pin::Pin;
use std::sync::atomic::{AtomicU16, Ordering};

use axiru_domain::{AccountId, Mode};
use bytes::Bytes;
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
};
use oauth2::{
    AccessToken, AsyncHttpClient, AuthType, AuthorizationCode, Client, ClientId, ClientSecret, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, RefreshToken, RequestTokenError, StandardRevocableToken, TokenResponse,
    TokenUrl,
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::base::ApiBase;
use crate::error::ApiRefusal;
use crate::secret::Secret;
use crate::transport::{Transport, TransportError};

/// The consent link: where a merchant's browser is sent.
#[must_use]
pub fn authorize_link(page: &Url, client_id: &AppId, redirect_uri: &Url, state: &str) -> Url {
    let mut link = page.clone();
    link.query_pairs_mut()
        .clear()
        .append_pair("client_id", client_id.as_str())
        .append_pair("redirect_uri", redirect_uri.as_str())
        .append_pair("state", state);
    link
}

/// The public id of a Stripe App, `ca_…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppId(String);

/// The text is not the id of a Stripe App. It is not repeated: somebody may have put a key in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a Stripe App: expected `ca_` followed by letters and digits")]
pub struct AppIdError;

impl std::str::FromStr for AppId {
    type Err = AppIdError;

    fn from_str(text: &str) -> Result<Self, AppIdError> {
        let tail = text.strip_prefix("ca_").ok_or(AppIdError)?;
        let fits = (1..=250).contains(&tail.len()) && tail.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if fits { Ok(Self(text.to_owned())) } else { Err(AppIdError) }
    }
}

impl AppId {
    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A code from the callback: `ac_…`, single use, valid for five minutes.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(Secret);

/// The text is not a code. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an authorization code of Stripe's")]
pub struct CodeError;

impl std::str::FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let fits =
            text.strip_prefix("ac_").is_some_and(|tail| tail.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        Secret::new(text).ok().filter(|_| fits).map(Self).ok_or(CodeError)
    }
}

/// What an exchange or a renewal gives: access for one hour, and the means to renew it for one year.
pub struct Grant {
    /// The account that was connected.
    pub account: AccountId,
    /// The mode the tokens are for.
    pub mode: Mode,
    /// Used like a secret key.
    pub access_token: Secret,
    /// Good for one exchange.
    pub refresh_token: Secret,
    /// `stripe_apps`, as Stripe says it.
    pub scope: Option<String>,
    /// Public by design; kept so that nobody has to ask for it again.
    pub publishable_key: Option<String>,
}

/// Why there is no grant. Holds nothing of what was sent or answered but words from closed lists and names of fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// No answer. If Stripe acted, the code is spent all the same: it is never sent twice.
    #[error("{0}")]
    Transport(#[from] TransportError),
    /// The code or refresh token is used, expired, revoked or of the other mode.
    #[error("Stripe does not accept the code or refresh token: used, expired, revoked, or of the other mode")]
    InvalidGrant,
    /// The developer key is wrong, restricted, or of the other mode.
    #[error("Stripe does not accept the developer key of this mode")]
    InvalidClient,
    /// Another of OAuth's error words.
    #[error("Stripe refuses the exchange: {0}")]
    Refused(&'static str),
    /// An error in the shape of Stripe's API.
    #[error("Stripe refuses the exchange: {0}")]
    Api(ApiRefusal),
    /// Stripe failed, or put the renewal off: whether the refresh token is spent is not known.
    #[error("Stripe answers {0}: whether it acted is not known")]
    Unsettled(u16),
    /// The answer is not what Stripe says it is.
    #[error("the answer to the exchange is wrong at `{at}`: {what}")]
    Answer {
        /// The field.
        at: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// What Stripe answers. The token types of `oauth2` hide themselves from `Debug`.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    access_token: AccessToken,
    refresh_token: Option<RefreshToken>,
    token_type: TokenType,
    livemode: Option<bool>,
    scope: Option<String>,
    stripe_user_id: Option<String>,
    account_id: Option<String>,
    stripe_publishable_key: Option<String>,
}

/// `bearer`, the only type there is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TokenType {
    #[serde(alias = "Bearer")]
    Bearer,
}

impl oauth2::TokenType for TokenType {}

impl TokenResponse for Answer {
    type TokenType = TokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &TokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<std::time::Duration> {
        None
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<oauth2::Scope>> {
        None
    }
}

type TokenClient = Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The transport in the form that `oauth2` asks for. Keeps the status, which `oauth2` drops with an error body.
struct Sending<'t> {
    transport: &'t dyn Transport,
    idempotency_key: Option<&'t str>,
    status: AtomicU16,
}

impl<'c> AsyncHttpClient<'c> for Sending<'_> {
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        let mut request = request.map(Bytes::from);
        request.headers_mut().insert("stripe-version", http::HeaderValue::from_static(crate::API_VERSION));
        Box::pin(async move {
            if let Some(key) = self.idempotency_key {
                let key = http::HeaderValue::try_from(key).map_err(|_| TransportError::Unreached)?;
                request.headers_mut().insert("idempotency-key", key);
            }
            let answer = self.transport.send(request).await?;
            self.status.store(answer.status().as_u16(), Ordering::Relaxed);
            Ok(answer.map(|body| body.to_vec()))
        })
    }
}

/// A token client of the developer. Lives within one function, because its own `Debug` would print the developer key.
fn token_client(base: &ApiBase, developer_key: &Secret) -> TokenClient {
    Client::new(ClientId::new(developer_key.expose().to_owned()))
        .set_client_secret(ClientSecret::new(String::new()))
        .set_auth_type(AuthType::BasicAuth)
        .set_token_uri(TokenUrl::from_url(base.at("/v1/oauth/token")))
}

/// Exchanges a code for tokens, with the developer key of the code's mode. Sends it once: a code is spent by being sent.
///
/// # Errors
/// [`OAuthError`].
pub async fn exchange(
    transport: &dyn Transport,
    base: &ApiBase,
    developer_key: &Secret,
    code: &Code,
) -> Result<Grant, OAuthError> {
    let sending = Sending { transport, idempotency_key: None, status: AtomicU16::new(0) };
    let client = token_client(base, developer_key);
    let code = AuthorizationCode::new(code.0.expose().to_owned());
    let answer = client.exchange_code(code).request_async(&sending).await;
    answer.map_err(refusal)?.into_grant()
}

/// Renews tokens, with the developer key of their mode. The refresh token is spent by Stripe's answer, whether it arrives or not;
/// `idempotency_key` is what asks for the same answer once more.
///
/// # Errors
/// [`OAuthError`]. After [`OAuthError::is_open`] nobody knows whether the refresh token is spent.
pub async fn refresh(
    transport: &dyn Transport,
    base: &ApiBase,
    developer_key: &Secret,
    refresh_token: &Secret,
    idempotency_key: &str,
) -> Result<Grant, OAuthError> {
    let sending = Sending { transport, idempotency_key: Some(idempotency_key), status: AtomicU16::new(0) };
    let client = token_client(base, developer_key);
    let token = RefreshToken::new(refresh_token.expose().to_owned());
    let answer = client.exchange_refresh_token(&token).request_async(&sending).await;
    match (answer, sending.status.into_inner()) {
        (Ok(answer), _) => answer.into_grant(),
        (Err(_), status @ (409 | 429 | 500..)) => Err(OAuthError::Unsettled(status)),
        (Err(error), _) => Err(refusal(error)),
    }
}

impl OAuthError {
    /// Whether it is not known what Stripe did, so that what was sent may be spent.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        match self {
            Self::Transport(error) => error.may_have_acted(),
            Self::Unsettled(_) | Self::Answer { .. } => true,
            Self::InvalidGrant | Self::InvalidClient | Self::Refused(_) | Self::Api(_) => false,
        }
    }
}

impl Answer {
    fn into_grant(self) -> Result<Grant, OAuthError> {
        let wrong = |at: &str, what| OAuthError::Answer { at: at.to_owned(), what };
        let account = match (self.stripe_user_id, self.account_id) {
            (Some(a), Some(b)) if a != b => {
                return Err(wrong("account_id", "names another account than `stripe_user_id`"));
            }
            (Some(id), _) | (None, Some(id)) => id,
            (None, None) => return Err(wrong("stripe_user_id", "missing")),
        };
        let refresh_token = self.refresh_token.ok_or_else(|| wrong("refresh_token", "missing"))?;
        Ok(Grant {
            account: account.parse().map_err(|_| wrong("stripe_user_id", "not an account id"))?,
            mode: Mode::from_livemode(self.livemode.ok_or_else(|| wrong("livemode", "missing"))?),
            access_token: Secret::new(self.access_token.into_secret())
                .map_err(|_| wrong("access_token", "not a token"))?,
            refresh_token: Secret::new(refresh_token.into_secret())
                .map_err(|_| wrong("refresh_token", "not a token"))?,
            scope: self.scope,
            publishable_key: self.stripe_publishable_key,
        })
    }
}

fn refusal(error: RequestTokenError<TransportError, BasicErrorResponse>) -> OAuthError {
    match error {
        RequestTokenError::Request(error) => error.into(),
        RequestTokenError::ServerResponse(answer) => match answer.error() {
            BasicErrorResponseType::InvalidGrant => OAuthError::InvalidGrant,
            BasicErrorResponseType::InvalidClient | BasicErrorResponseType::UnauthorizedClient => {
                OAuthError::InvalidClient
            }
            BasicErrorResponseType::InvalidRequest => OAuthError::Refused("invalid_request"),
            BasicErrorResponseType::InvalidScope => OAuthError::Refused("invalid_scope"),
            BasicErrorResponseType::UnsupportedGrantType => OAuthError::Refused("unsupported_grant_type"),
            BasicErrorResponseType::Extension(_) => OAuthError::Refused("a word that OAuth does not know"),
        },
        // What is wrong is told by its place; the text of the fault could hold a token.
        RequestTokenError::Parse(fault, body) => match ApiRefusal::read(None, &body) {
            Some(refusal) => OAuthError::Api(refusal),
            None => OAuthError::Answer {
                at: crate::error::word(&fault.path().to_string()),
                what: "missing or of another type",
            },
        },
        RequestTokenError::Other(_) => OAuthError::Answer { at: "body".to_owned(), what: "empty, or not JSON" },
    }
}

#[cfg(test)]
mod tests;
