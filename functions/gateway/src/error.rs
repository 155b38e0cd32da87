//! Answers that say no, in Stripe's own shape, so that Stripe's libraries raise the right exception.

use axiru_aws::decide::DecideError;
use axiru_aws::switches::Stopped;
use axiru_stripe::gateway::Refused;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use lambda_http::Body;
use serde_json::{Map, Value, json};

/// Whether a client may send the same again by itself: Stripe's libraries obey it before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Not.
    No,
    /// With the same idempotency key.
    Yes,
    /// After so many seconds.
    After(i64),
}

/// An error in Stripe's shape.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    code: String,
    message: String,
    again: Again,
    members: Box<Map<String, Value>>,
}

const INVALID: &str = "invalid_request_error";

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        let again = if status.is_server_error() { Again::Yes } else { Again::No };
        let kind = if status.is_server_error() { "api_error" } else { INVALID };
        Self { status, kind, code: code.into(), message: message.into(), again, members: Box::default() }
    }

    /// The same with another `type`.
    pub(crate) fn of_type(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    pub(crate) fn again(self, again: Again) -> Self {
        Self { again, ..self }
    }

    /// The same with a further member of `error`.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    /// The word.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// The key is not accepted: one answer for every reason.
    pub(crate) fn key() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "axiru_key_refused",
            "Send an Axiru key (`axk_...`) where a Stripe key would stand; it is missing, wrong, revoked or expired.",
        )
    }

    /// An operator has stopped it.
    pub(crate) fn stopped(of: &Stopped) -> Self {
        let what = match of {
            Stopped::Deployment => "everything",
            Stopped::Scope => "everything on this account",
            Stopped::Actor(_) => "what the actor of this key asks for",
        };
        let message = format!(
            "An operator has stopped {what}: nothing was sent to Stripe for this call. Do not make it another way. It can be sent again when \
             two operators have started it."
        );
        Self::new(StatusCode::FORBIDDEN, "axiru_stopped", message).with("axiru_stopped", of.to_string().into())
    }

    /// Nobody can say: nothing was sent for this call.
    pub(crate) fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "axiru_unavailable",
            "Nothing was decided and nothing was sent to Stripe. Send the same call with the same idempotency key again.",
        )
        .again(Again::Yes)
    }

    /// It was sent, and nobody knows.
    pub(crate) fn unknown() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "axiru_outcome_unknown",
            "The call was sent to Stripe and its outcome is not known yet. Axiru finds it out by itself. Do not make it another way: send the same call with the same idempotency key again.",
        )
        .again(Again::Yes)
    }

    /// Another call with the key, or an equal call, is under way.
    pub(crate) fn in_use() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "idempotency_key_in_use",
            "The same call is under way. Send it again in a moment to get its answer.",
        )
        .of_type("idempotency_error")
        .again(Again::Yes)
    }

    /// The caller is told of an error on the way to a decision.
    pub(crate) fn of(error: &DecideError) -> Self {
        match error {
            DecideError::Key => Self::key(),
            DecideError::Account => Self::new(
                StatusCode::FORBIDDEN,
                "axiru_account",
                "The key is not for this account; a key for several accounts names one in `Stripe-Account`.",
            ),
            DecideError::NotConnected => Self::new(
                StatusCode::FORBIDDEN,
                "axiru_not_connected",
                "The account is not connected in the key's mode. An operator connects it with `axiru connect`.",
            ),
            DecideError::Stopped(of) => Self::stopped(of),
            DecideError::OtherContent => Self::new(
                StatusCode::BAD_REQUEST,
                "axiru_idempotency_key_reused",
                "The idempotency key was used for another request. Make a new key for each new request.",
            )
            .of_type("idempotency_error"),
            DecideError::RateLimited(limited) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit", limited.to_string())
                    .again(Again::After(limited.retry_after_secs))
            }
            DecideError::Object(role) => Self::no_such(role),
            DecideError::Undecided(_) => Self::unavailable(),
        }
    }

    /// Stripe knows no such object; what Stripe itself would say.
    pub(crate) fn no_such(param: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "resource_missing", "There is no such object on this account in this mode.")
            .with("param", param.into())
    }

    /// The answer.
    pub(crate) fn response(&self) -> Response<Body> {
        let mut error = json!({"type": self.kind, "code": self.code, "message": self.message});
        if let Some(error) = error.as_object_mut() {
            error.extend(self.members.as_ref().clone());
        }
        let mut response = Response::new(Body::Text(json!({ "error": error }).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let again = if self.again == Again::No { "false" } else { "true" };
        headers.insert(HeaderName::from_static("stripe-should-retry"), HeaderValue::from_static(again));
        let seconds = match self.again {
            Again::After(seconds) => Some(seconds),
            Again::Yes => Some(1_i64),
            Again::No => None,
        };
        if let Some(seconds) = seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"axiru\""));
        }
        response
    }
}

impl From<&Refused> for Refusal {
    fn from(refused: &Refused) -> Self {
        let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST);
        let refusal = Self::new(status, refused.code, refused.message.clone());
        match &refused.param {
            Some(param) => refusal.with("param", param.clone().into()),
            None => refusal,
        }
    }
}
