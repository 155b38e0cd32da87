//! One API call from its bytes to its answer: authenticate, recall, route, expand, remember. Pure.

use http::HeaderMap;
use serde_json::Value;

use crate::auth::{Caller, header};
use crate::error::StripeError;
use crate::event::Cause;
use crate::expand::{check_path, expand};
use crate::form::decode;
use crate::idempotency::{SavedAnswer, fingerprint};
use crate::mishap::Mishap;
use crate::params::Params;
use crate::routes::{Call, dispatch};
use crate::state::State;

/// A request to the API, as it came from the wire.
#[derive(Clone, Debug, Default)]
pub struct ApiRequest {
    /// `GET`, `POST` or `DELETE`.
    pub method: String,
    /// `/v1/refunds`
    pub path: String,
    /// Without the question mark.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The form.
    pub body: Vec<u8>,
}

/// The answer to an [`ApiRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiAnswer {
    /// HTTP status.
    pub status: u16,
    /// Header names (lower case) and values.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
}

impl State {
    /// Answers one call, or fails it as it is told.
    pub(crate) fn answer(&mut self, request: &ApiRequest, mishap: Option<Mishap>) -> ApiAnswer {
        let request_id = self.ids.next("req");
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("request-id", request_id.clone()),
            ("stripe-version", header(&request.headers, "stripe-version").unwrap_or(&self.api_version).to_owned()),
        ];
        for echoed in ["idempotency-key", "stripe-account"] {
            if let Some(value) = header(&request.headers, echoed) {
                headers.push((echoed, value.to_owned()));
            }
        }
        let answer = if request.path == "/v1/oauth/token" && request.method == "POST" {
            self.failing_token_call(request, &request_id, &mut headers, mishap)
        } else {
            self.call(request, &request_id, &mut headers, mishap)
        };
        let (status, body) = answer.unwrap_or_else(|error| {
            headers.extend(error.headers());
            (error.status, error.body(&request_id).to_string())
        });
        if status == 401 {
            headers.push(("www-authenticate", "Bearer realm=\"Stripe\"".to_owned()));
        }
        ApiAnswer { status, headers, body }
    }

    fn failing_token_call(
        &mut self,
        request: &ApiRequest,
        request_id: &str,
        headers: &mut Vec<(&'static str, String)>,
        mishap: Option<Mishap>,
    ) -> Result<(u16, String), StripeError> {
        if let Some(error) = mishap.and_then(Mishap::refusal) {
            return Err(error);
        }
        if mishap == Some(Mishap::Error500) {
            return Err(StripeError::internal());
        }
        let answer = self.token_call(request, request_id, headers);
        if mishap == Some(Mishap::Error500AfterEffect) { Err(StripeError::internal()) } else { Ok(answer) }
    }

    /// `POST /v1/oauth/token`, whose errors have a shape of their own.
    fn token_call(
        &mut self,
        request: &ApiRequest,
        request_id: &str,
        headers: &mut Vec<(&'static str, String)>,
    ) -> (u16, String) {
        let asked = fingerprint(&request.method, &request.path, &request.query, &request.body);
        let key = header(&request.headers, "idempotency-key").filter(|_| self.replays_tokens).map(str::to_owned);
        let developer = self.developer_scope(&request.headers).zip(key);
        if let Some((scope, key)) = &developer
            && let Ok(Some(saved)) = self.recall(scope, key, &asked)
        {
            headers.push(("idempotent-replayed", "true".to_owned()));
            headers.push(("original-request", saved.request_id));
            return (saved.status, saved.body);
        }
        let answer = decode(&[&request.body])
            .map_err(Into::into)
            .and_then(|form| self.token(&request.headers, Params::new(form)));
        let (status, body) = match answer {
            Ok(value) => (200, value),
            Err(error) => error.answer(request_id),
        };
        let body = body.to_string();
        if let Some((scope, key)) = developer.filter(|_| status == 200) {
            let request_id = request_id.to_owned();
            let saved_at = self.now();
            let answer = SavedAnswer { fingerprint: asked, status, body: body.clone(), request_id, saved_at };
            self.remember(&scope, &key, answer);
        }
        (status, body)
    }

    fn call(
        &mut self,
        request: &ApiRequest,
        request_id: &str,
        headers: &mut Vec<(&'static str, String)>,
        mishap: Option<Mishap>,
    ) -> Result<(u16, String), StripeError> {
        let caller = self.authenticate(&request.headers)?;
        check_version(&request.headers)?;
        if let Some(error) = mishap.and_then(Mishap::refusal) {
            return Err(error);
        }
        let key = header(&request.headers, "idempotency-key").filter(|_| request.method == "POST").map(str::to_owned);
        let asked = fingerprint(&request.method, &request.path, &request.query, &request.body);
        if let Some(key) = &key
            && let Some(saved) = self.recall(&caller.scope, key, &asked)?
        {
            // A failure on the way to a kept answer does not change what is kept.
            if mishap.is_some_and(Mishap::is_500) {
                return Err(StripeError::internal());
            }
            headers.push(("idempotent-replayed", "true".to_owned()));
            headers.push(("original-request", saved.request_id));
            return Ok((saved.status, saved.body));
        }
        let result = if mishap == Some(Mishap::Error500) {
            Err(StripeError::internal())
        } else {
            self.execute(request, &caller, request_id, key.clone())
        };
        let began = result.as_ref().map_or_else(|error| error.remembered, |_| true);
        let result =
            if began && mishap == Some(Mishap::Error500AfterEffect) { Err(StripeError::internal()) } else { result };
        let (status, body, remembered) = match result {
            Ok(value) => (200, value.to_string(), true),
            Err(error) => (error.status, error.body(request_id).to_string(), error.remembered),
        };
        if let Some(key) = key.filter(|_| remembered) {
            let answer = SavedAnswer {
                fingerprint: asked,
                status,
                body: body.clone(),
                request_id: request_id.to_owned(),
                saved_at: self.now(),
            };
            self.remember(&caller.scope, &key, answer);
        }
        Ok((status, body))
    }

    fn execute(
        &mut self,
        request: &ApiRequest,
        caller: &Caller,
        request_id: &str,
        idempotency_key: Option<String>,
    ) -> Result<Value, StripeError> {
        let mut params = Params::new(decode(&[request.query.as_bytes(), &request.body])?);
        let paths = params.list("expand")?.unwrap_or_default();
        let call = Call {
            method: &request.method,
            path: &request.path,
            caller,
            params,
            cause: Cause::Request { id: request_id.to_owned(), idempotency_key },
        };
        for path in &paths {
            check_path(path)?;
        }
        let mut value = dispatch(self, call)?;
        for path in &paths {
            match expand(self, &caller.scope, &mut value, path) {
                // The write happened: a path that fits another object is not worth an error now.
                Err(_) if request.method == "POST" => {}
                other => other?,
            }
        }
        Ok(value)
    }
}

/// `2026-06-24.dahlia`, or only the date for the old versions.
fn check_version(headers: &HeaderMap) -> Result<(), StripeError> {
    let Some(version) = header(headers, "stripe-version") else {
        return Ok(());
    };
    let (date, name) = version.split_once('.').unwrap_or((version, "x"));
    let digits = |text: &str, len: usize| text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = date.split('-');
    let dated =
        [4, 2, 2].into_iter().all(|len| parts.next().is_some_and(|part| digits(part, len))) && parts.next().is_none();
    if dated && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(());
    }
    Err(StripeError { param: None, ..StripeError::invalid("", format!("Invalid Stripe API version: {version}")) })
}
