//! HTTP answers that say no, as RFC 9457 problem documents. Status codes exist in this one place.

use http::{Response, StatusCode, header};
use lambda_http::Body;
use serde_json::{Map, Value, json};

/// Why a request is refused, in words for the one who asked. Never holds what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The status code.
    pub status: StatusCode,
    /// A word that programs can test: `signature_refused`.
    pub code: &'static str,
    /// One sentence for people.
    pub detail: String,
    /// Members beside those of RFC 9457, for programs.
    pub members: Map<String, Value>,
    /// Seconds after which it makes sense to come back.
    pub retry_after_secs: Option<u16>,
}

impl Problem {
    /// A problem of that status.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        // A 503 asks to come back in a second.
        let retry_after_secs = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
        Self { status, code, detail: detail.into(), members: Map::new(), retry_after_secs }
    }

    /// The same, naming the field that is wrong as a path: `intent.amount_cents`.
    #[must_use]
    pub fn at(self, field: impl Into<String>) -> Self {
        self.with("field", Value::String(field.into()))
    }

    /// The same, asking to come back after that many seconds.
    #[must_use]
    pub fn after(self, secs: u16) -> Self {
        Self { retry_after_secs: Some(secs), ..self }
    }

    /// The same with one member more.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    /// The answer.
    #[must_use]
    pub fn response(&self) -> Response<Body> {
        let mut body = json!({
            "type": format!("urn:axiru:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some(body) = body.as_object_mut() {
            // What RFC 9457 names is not overwritten.
            self.members.iter().for_each(|(name, value)| {
                body.entry(name.as_str()).or_insert_with(|| value.clone());
            });
        }
        let mut response = Response::new(Body::Text(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        if let Some(secs) = self.retry_after_secs {
            headers.insert(header::RETRY_AFTER, header::HeaderValue::from(secs));
        }
        response
    }
}

/// An empty answer of that status.
#[must_use]
pub fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
}
