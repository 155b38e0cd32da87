//! The native API on a port of this machine, for clients that speak HTTP: the real handler over an account in this process.
//!
//! `cargo run --example decide_server`, as the check `openapi` does. The first line that it prints is JSON: `port`, a test key as `key`, the connected
//! `account`. It ends when its standard input is closed. Events reach the handler as the HTTP API hands them over.

// It talks to its user, and ends where something is not as it should be.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use axiru_domain::{Mode, Timestamp};
use axiru_fn_decide::{App, handle};
use axiru_in_process::{InProcess, Retries};
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Request, Response, StatusCode};
use lambda_http::Body;
use serde_json::{Map, Value, json};

#[path = "../tests/acting.rs"]
mod acting;
#[allow(dead_code, reason = "the tests of the API use all of it")]
#[path = "../tests/path_a/ground.rs"]
mod ground;
#[allow(dead_code, reason = "the server plays one mode")]
#[path = "../tests/played.rs"]
mod played;

use ground::{ACCOUNTS, AGENT, Ground, Setting, key};

/// Requests of one minute: more than any client sends.
const PER_MINUTE: u32 = 1_000_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let setting = Setting { per_minute: PER_MINUTE, ..Setting::simple() };
    let ground = Ground::new(InProcess::new().unwrap(), Retries::On, &setting).await;
    let app = Arc::new(App::new(ground.store(), None, Timestamp::now));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let ready = json!({
        "port": listener.local_addr().unwrap().port(), "key": key(Mode::Test, AGENT).expose(), "account": ACCOUNTS[0],
    });
    println!("{ready}");
    let router = axum::Router::new().fallback(answer).with_state(app);
    let (mut input, mut nowhere) = (tokio::io::stdin(), tokio::io::sink());
    tokio::select! {
        served = axum::serve(listener, router).into_future() => served.unwrap(),
        _ = tokio::io::copy(&mut input, &mut nowhere) => {}
    }
}

/// One call, through the event that the HTTP API would make of it.
async fn answer(State(app): State<Arc<App>>, request: Request<axum::body::Body>) -> Response<axum::body::Body> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let path = head.uri.path();
    let query = head.uri.query().unwrap_or_default();
    let (text, is_base64) = match std::str::from_utf8(&body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (STANDARD.encode(&body), true),
    };
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query, "headers": headers(&head.headers),
        "queryStringParameters": {}, "body": text, "isBase64Encoded": is_base64,
        "requestContext": {"http": {"method": head.method.as_str(), "path": path}},
    });
    let Ok(request) = lambda_http::request::from_str(&event.to_string()) else {
        // What the HTTP API itself says to what it can make no event of.
        return Response::builder().status(StatusCode::BAD_REQUEST).body(axum::body::Body::empty()).unwrap();
    };
    handle(&app, &request).await.map(|body| match body {
        Body::Text(text) => text.into(),
        Body::Binary(bytes) => bytes.into(),
        _ => axum::body::Body::empty(),
    })
}

/// The headers in one object: what is sent twice is joined by a comma.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut object = Map::new();
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        object.insert(name.to_string(), values.join(",").into());
    }
    object
}
