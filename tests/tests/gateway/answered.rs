//! Answers of the gateway.

use std::collections::BTreeMap;

use axiru_fn_gateway::{App, handle};
use lambda_http::{Body, Request};
use serde_json::Value;

/// An answer of the gateway.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Answered {
    /// The answer to a request as the function is handed it.
    pub(super) async fn to(app: &App, request: Request) -> Self {
        let response = handle(app, &request).await;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or("-").to_owned()))
            .collect();
        let text = match response.into_body() {
            Body::Text(text) => text,
            _ => String::new(),
        };
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status, headers, body, text }
    }

    /// `error.code`, or the id of the object.
    pub(crate) fn word(&self) -> String {
        let code = self.body["error"]["code"].as_str().or_else(|| self.body["id"].as_str());
        code.unwrap_or("-").to_owned()
    }

    /// `Stripe-Should-Retry`.
    pub(crate) fn again(&self) -> Option<bool> {
        self.headers.get("stripe-should-retry").map(|text| text == "true")
    }
}
