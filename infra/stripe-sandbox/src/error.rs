//! Stripe's error bodies: `{"error": {"type", "code", "message", "param", …}}` with their status.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::mode::Mode;

/// Which limit a call ran into: the value of `Stripe-Rate-Limited-Reason`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateLimitReason {
    /// Calls per second of the account.
    #[default]
    GlobalRate,
    /// Calls per second of one endpoint.
    EndpointRate,
    /// Calls of the account at the same time.
    GlobalConcurrency,
    /// Calls of one endpoint at the same time.
    EndpointConcurrency,
    /// One object.
    ResourceSpecific,
}

impl RateLimitReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::GlobalRate => "global-rate",
            Self::EndpointRate => "endpoint-rate",
            Self::GlobalConcurrency => "global-concurrency",
            Self::EndpointConcurrency => "endpoint-concurrency",
            Self::ResourceSpecific => "resource-specific",
        }
    }
}

/// An answer that is an error, in Stripe's shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StripeError {
    /// HTTP status.
    pub status: u16,
    /// Stripe's `type`.
    pub kind: &'static str,
    /// Stripe's `code`.
    pub code: Option<&'static str>,
    /// What went wrong, for a person.
    pub message: String,
    /// The parameter at fault.
    pub param: Option<String>,
    /// The charge the error is about.
    pub charge: Option<String>,
    /// Whether an idempotency key remembers it. Failures of validation and authentication happen before execution
    /// and are not remembered; everything else is.
    pub remembered: bool,
    /// The limit that was reached, if it was one.
    pub limited: Option<RateLimitReason>,
}

impl StripeError {
    /// The parameters were wrong; execution never began.
    pub(crate) fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            code: None,
            message: message.into(),
            param: Some(param.into()),
            charge: None,
            remembered: false,
            limited: None,
        }
    }

    /// The state of things forbids it: execution began and failed.
    pub(crate) fn refused(code: Option<&'static str>, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            code,
            message: message.into(),
            param: None,
            charge: None,
            remembered: true,
            limited: None,
        }
    }

    pub(crate) fn with_code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(crate) fn with_param(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    pub(crate) fn with_charge(self, charge: impl Into<String>) -> Self {
        Self { charge: Some(charge.into()), ..self }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn missing(param: &str) -> Self {
        Self::invalid(param, format!("Missing required param: {param}.")).with_code("parameter_missing")
    }

    pub(crate) fn unknown_param(param: &str) -> Self {
        Self::invalid(param, format!("Received unknown parameter: {param}")).with_code("parameter_unknown")
    }

    pub(crate) fn one_of(param: &str, allowed: &[&str]) -> Self {
        Self::invalid(param, format!("Invalid {param}: must be one of {}", allowed.join(", ")))
    }

    /// `resource_missing`; `elsewhere` is the other mode if an object of this id exists there.
    pub(crate) fn no_such(noun: &str, id: &str, param: &str, elsewhere: Option<Mode>) -> Self {
        let hint = elsewhere.map_or_else(String::new, |mode| {
            format!(
                "; a similar object exists in {mode} mode, but a {} mode key was used to make this request.",
                mode.other()
            )
        });
        Self::refused(Some("resource_missing"), format!("No such {noun}: '{id}'{hint}"))
            .with_param(param)
            .with_status(404)
    }

    pub(crate) fn no_route(method: &str, path: &str) -> Self {
        Self {
            remembered: false,
            ..Self::refused(
                None,
                format!("Unrecognized request URL ({method}: {path}). The sandbox does not know this route."),
            )
            .with_status(404)
        }
    }

    pub(crate) fn unauthorised(code: Option<&'static str>, message: impl Into<String>) -> Self {
        Self { remembered: false, ..Self::refused(code, message).with_status(401) }
    }

    pub(crate) fn forbidden(code: Option<&'static str>, message: impl Into<String>) -> Self {
        Self { remembered: false, ..Self::refused(code, message).with_status(403) }
    }

    pub(crate) fn idempotency(message: impl Into<String>) -> Self {
        Self { kind: "idempotency_error", remembered: false, ..Self::refused(None, message) }
    }

    /// Stripe's own failure. A key remembers it, whatever was done.
    pub(crate) fn internal() -> Self {
        let message = "An unknown error occurred while processing your request. The sandbox was told to fail.";
        Self { kind: "api_error", ..Self::refused(None, message).with_status(500) }
    }

    /// Another request holds the object; safe to retry.
    pub(crate) fn lock_timeout() -> Self {
        let message = "This object cannot be accessed right now because another API request or Stripe process is currently accessing it.";
        Self { remembered: false, ..Self::refused(Some("lock_timeout"), message).with_status(429) }
    }

    pub(crate) fn rate_limited(reason: RateLimitReason) -> Self {
        let error = Self::refused(Some("rate_limit"), "Request rate limit exceeded.").with_status(429);
        Self { remembered: false, limited: Some(reason), ..error }
    }

    /// A call with the same key has not ended.
    pub(crate) fn key_in_use() -> Self {
        let message = "There is currently another in-progress request using this Idempotent Key.";
        Self { code: Some("idempotency_key_in_use"), ..Self::idempotency(message).with_status(409) }
    }

    /// The headers that belong to the error alone.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        if let Some(reason) = self.limited {
            headers.push(("stripe-rate-limited-reason", reason.as_str().to_owned()));
        }
        if self.status == 409 {
            headers.push(("stripe-should-retry", "true".to_owned()));
        }
        headers
    }

    /// The body Stripe would send.
    #[must_use]
    pub fn body(&self, request_id: &str) -> Value {
        let mut error = Map::new();
        error.insert("type".into(), json!(self.kind));
        error.insert("message".into(), json!(self.message));
        error.insert("request_log_url".into(), json!(format!("https://dashboard.stripe.com/logs/{request_id}")));
        if let Some(code) = self.code {
            error.insert("code".into(), json!(code));
            error.insert(
                "doc_url".into(),
                json!(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"))),
            );
        }
        if let Some(param) = &self.param {
            error.insert("param".into(), json!(param));
        }
        if let Some(charge) = &self.charge {
            error.insert("charge".into(), json!(charge));
        }
        json!({ "error": error })
    }
}
