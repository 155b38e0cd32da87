//! The door to the local HTTP API: listens on the loopback address and forwards to the local stack, which tells APIs apart by host name.
//!
//! Changes the `Host` header and nothing else: method, path, query, other headers and body pass as they are, because webhook signatures
//! are over exact bytes.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running proxy; dropping it closes the port.
#[derive(Debug)]
pub(crate) struct Proxy {
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Target {
    client: Client<HttpConnector, Body>,
    authority: String,
    host: HeaderValue,
}

impl Proxy {
    /// Listens on `port` and forwards to the HTTP API `api_id` of the stack at `gateway` (a port).
    pub(crate) async fn start(port: u16, gateway: u16, api_id: &str) -> Result<Self> {
        let target = Target {
            client: Client::builder(TokioExecutor::new()).build_http(),
            authority: format!("127.0.0.1:{gateway}"),
            host: HeaderValue::from_str(&format!("{api_id}.execute-api.localhost:{gateway}"))?,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .with_context(|| format!("cannot listen on port {port}"))?;
        let router = Router::new().fallback(forward).with_state(target);
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { task })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(State(target): State<Target>, mut request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let Ok(uri) = Uri::builder().scheme("http").authority(target.authority.as_str()).path_and_query(path).build()
    else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    *request.uri_mut() = uri;
    request.headers_mut().insert(HOST, target.host.clone());
    request.headers_mut().remove(CONNECTION);
    match target.client.request(request).await {
        Ok(mut answer) => {
            // These two are about one connection only.
            answer.headers_mut().remove(CONNECTION);
            answer.headers_mut().remove(TRANSFER_ENCODING);
            answer.map(Body::new)
        }
        Err(error) => (StatusCode::BAD_GATEWAY, format!("the local stack does not answer: {error}\n")).into_response(),
    }
}
