//! The axum router: a thin shell that turns requests into calls of the state and answers into responses.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::routing::{any, get};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Method, Response, StatusCode, Uri};
use http_body_util::{Full, Limited};
use serde_json::{Value, json};

use crate::api::ApiRequest;
use crate::consent::{self, ConsentAnswer};
use crate::control::ControlError;
use crate::index_page::index;
use crate::mailbox::{self, Mailbox};
use crate::sandbox::Sandbox;

/// Evidence is the longest form, far below this.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How long `deliveries/wait` waits if it is not told.
const DEFAULT_WAIT_MS: u64 = 30_000;
/// And at most.
const MAX_WAIT_MS: u64 = 600_000;

/// Everything the sandbox answers. Listens nowhere by itself: serve it on loopback, or call it with `oneshot`.
pub fn router(sandbox: Sandbox) -> Router {
    router_with_mailbox(sandbox, None)
}

/// The same beside a local stack, whose mails it shows.
pub fn router_with_mailbox(sandbox: Sandbox, mailbox: Option<Mailbox>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/oauth/v2/authorize", get(show_consent).post(decide_consent))
        .route("/oauth/v2/{channel}/authorize", get(show_consent).post(decide_consent))
        .route("/_sandbox/deliveries/wait", any(wait))
        .route("/_sandbox/{*path}", any(control))
        .route("/v1/{*path}", any(api))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(sandbox)
        .merge(mailbox::router(mailbox))
}

async fn home(State(sandbox): State<Sandbox>) -> Response<Body> {
    html(200, sandbox.read(index))
}

async fn show_consent(State(sandbox): State<Sandbox>, RawQuery(query): RawQuery) -> Response<Body> {
    let fields = fields(query.unwrap_or_default().as_bytes());
    consent_response(sandbox.read(|state| consent::show(state, &fields)))
}

async fn decide_consent(State(sandbox): State<Sandbox>, body: Bytes) -> Response<Body> {
    let fields = fields(&body);
    consent_response(sandbox.write(|state| consent::decide(state, &fields)))
}

async fn api(
    State(sandbox): State<Sandbox>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let request = ApiRequest {
        method: method.as_str().to_owned(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.to_vec(),
    };
    let Some(answer) = sandbox.api_in_time(request).await else {
        return control_response(Err(ControlError::NotFound("the call came to no end".into())));
    };
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    let body = if answer.dropped { broken(answer.body) } else { Body::from(answer.body) };
    finish(response.body(body))
}

/// A body whose connection breaks before its end: it is longer than what may pass.
fn broken(body: String) -> Body {
    let passes = body.len().saturating_sub(1);
    Body::new(Limited::new(Full::new(Bytes::from(body)), passes))
}

async fn control(State(sandbox): State<Sandbox>, method: Method, uri: Uri, body: Bytes) -> Response<Body> {
    let path = uri.path().trim_start_matches("/_sandbox/");
    let answer = body_json(&body).and_then(|body| sandbox.control(method.as_str(), path, body));
    control_response(answer)
}

async fn wait(State(sandbox): State<Sandbox>, body: Bytes) -> Response<Body> {
    let body = match body_json(&body) {
        Ok(body) => body,
        Err(error) => return control_response(Err(error)),
    };
    let wait_ms = body.get("timeout_ms").and_then(Value::as_u64).unwrap_or(DEFAULT_WAIT_MS).min(MAX_WAIT_MS);
    let limit = Duration::from_millis(wait_ms);
    let settled = match body.get("until").and_then(Value::as_str) {
        None | Some("attempted") => sandbox.settled(limit).await,
        Some("finished") => sandbox.finished(limit).await,
        Some(other) => {
            let error = ControlError::Body(format!("`until` is `attempted` or `finished`, not `{other}`"));
            return control_response(Err(error));
        }
    };
    let answer = sandbox.control("GET", "deliveries", json!({})).map(|mut deliveries| {
        if let Value::Object(members) = &mut deliveries {
            members.insert("settled".into(), json!(settled));
        }
        deliveries
    });
    control_response(answer)
}

fn body_json(body: &[u8]) -> Result<Value, ControlError> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body).map_err(|error| ControlError::bad_body(&error))
}

fn control_response(answer: Result<Value, ControlError>) -> Response<Body> {
    let (status, body) = match answer {
        Ok(value) => (200, value),
        Err(error) => (error.status(), error.body()),
    };
    finish(
        Response::builder().status(status).header(CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
    )
}

fn consent_response(answer: ConsentAnswer) -> Response<Body> {
    match answer {
        ConsentAnswer::Page(status, page) => html(status, page),
        ConsentAnswer::Redirect(to) => {
            finish(Response::builder().status(StatusCode::SEE_OTHER).header(LOCATION, to).body(Body::empty()))
        }
    }
}

fn html(status: u16, page: String) -> Response<Body> {
    let response = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "text/html; charset=utf-8")
        .header(CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    finish(response.body(Body::from(page)))
}

/// A header value with a control character is the only way to fail here.
fn finish(response: Result<Response<Body>, http::Error>) -> Response<Body> {
    response.unwrap_or_else(|_| {
        let mut response = Response::new(Body::from("the answer could not be written as HTTP"));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn fields(form: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(form).into_owned().collect()
}
