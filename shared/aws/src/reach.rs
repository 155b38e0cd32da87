//! The way to Stripe in a scope: its access token, the one transport, and a pace below Stripe's limits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axiru_domain::{Scope, Timestamp};
use axiru_stripe::base::ApiBase;
use axiru_stripe::pace::Bucket;
use axiru_stripe::secret::Secret;
use axiru_stripe::transport::{Transport, TransportError};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use crate::tokens::{TokenError, TokenReader};

/// Most scopes whose pace is remembered.
const MAX_PACED: usize = 1_000;

/// A call, as it is sent.
#[derive(Clone, Copy)]
pub struct Letter<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path, from a route and ids.
    pub path: &'a str,
    /// The query, without `?`; empty for none.
    pub query: &'a str,
    /// The body, and what it is.
    pub body: Option<(&'a [u8], &'a str)>,
    /// The idempotency key.
    pub idempotency_key: Option<&'a str>,
    /// The API version that the answer is shaped by; none: the account's own.
    pub version: Option<&'a str>,
}

/// Why there is no answer of Stripe's.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// No access token. Nothing was sent.
    #[error("{0}")]
    Token(#[from] TokenError),
    /// No answer.
    #[error("{0}")]
    Transport(#[from] TransportError),
}

/// Calls Stripe.
pub struct Reach {
    transport: Arc<dyn Transport>,
    base: ApiBase,
    tokens: Arc<TokenReader>,
    paces: Mutex<BTreeMap<Scope, Bucket>>,
}

impl Reach {
    /// Through that transport, to that address, with the tokens that are read there.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, base: ApiBase, tokens: impl Into<Arc<TokenReader>>) -> Self {
        Self { transport, base, tokens: tokens.into(), paces: Mutex::default() }
    }

    /// The transport and the address, for clients of single objects.
    #[must_use]
    pub fn rest(&self) -> (&dyn Transport, &ApiBase) {
        (self.transport.as_ref(), &self.base)
    }

    /// The tokens.
    #[must_use]
    pub fn tokens(&self) -> &TokenReader {
        &self.tokens
    }

    /// Waits until a call of this scope keeps the pace. Only for what nobody waits for.
    pub async fn pace(&self, scope: &Scope, now: Timestamp) {
        let wait = {
            let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
            if paces.len() >= MAX_PACED {
                paces.clear();
            }
            paces.entry(scope.clone()).or_insert_with(|| Bucket::full(now)).take(now)
        };
        if wait > 0 {
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
    }

    /// Notes that Stripe found too many calls in this scope.
    pub fn slow_down(&self, scope: &Scope, now: Timestamp) {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.entry(scope.clone()).or_insert_with(|| Bucket::full(now)).empty(now);
    }

    /// Sends a call. A token that Stripe refuses (401: nothing was done) is replaced once.
    ///
    /// # Errors
    /// [`ReachError`].
    pub async fn send(&self, scope: &Scope, letter: &Letter<'_>) -> Result<Response<Bytes>, ReachError> {
        let token = self.tokens.token(scope).await?;
        let answer = self.transport.send(self.request(token.secret(), letter)?).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let token = self.tokens.after_refusal(scope, &token).await?;
        Ok(self.transport.send(self.request(token.secret(), letter)?).await?)
    }

    fn request(&self, token: &Secret, letter: &Letter<'_>) -> Result<Request<Bytes>, TransportError> {
        let unsent = || TransportError::Unreached;
        let mut address = self.base.at(letter.path);
        address.set_query(Some(letter.query).filter(|query| !query.is_empty()));
        let mut credential = HeaderValue::try_from(format!("Bearer {}", token.expose())).map_err(|_| unsent())?;
        credential.set_sensitive(true);
        let mut request =
            Request::builder().method(letter.method).uri(address.as_str()).header(AUTHORIZATION, credential);
        if let Some(version) = letter.version {
            request = request.header(HeaderName::from_static("stripe-version"), version);
        }
        if let Some(key) = letter.idempotency_key {
            request = request.header(HeaderName::from_static("idempotency-key"), key);
        }
        let body = match letter.body {
            None => Bytes::new(),
            Some((body, what)) => {
                request = request.header(CONTENT_TYPE, what);
                Bytes::copy_from_slice(body)
            }
        };
        request.body(body).map_err(|_| unsent())
    }
}
