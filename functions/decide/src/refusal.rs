//! Why a request has no answer, as a problem that names the field.

use axiru_aws::decide::DecideError;
use axiru_runtime::problem::Problem;
use http::{HeaderValue, Response, StatusCode, header};
use lambda_http::Body;

/// A problem, where it is, when to come back, and what would have been taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    problem: Box<Problem>,
    /// The methods of the route, where it was asked by another one.
    allow: Option<&'static str>,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem: Box::new(problem), allow: None }
    }
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Problem::new(status, code, detail).into()
    }

    /// The key is not accepted: the same for every reason.
    pub(crate) fn key() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "key_refused",
            "send an Axiru key (`axk_…`) as bearer token, or as the user of Basic; it is missing, wrong, revoked or expired",
        )
    }

    /// A field is wrong.
    pub(crate) fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, "request_refused", detail).at(field).into()
    }

    /// The route takes other methods only: `GET, POST`.
    pub(crate) fn method(allow: &'static str) -> Self {
        let detail = format!("this route takes {allow}");
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail) }
    }

    /// Another problem.
    pub(crate) fn other(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(status, code, detail)
    }

    /// Nobody can say.
    pub(crate) fn undecided() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "undecided",
            "nothing was decided in time, and nothing is allowed: ask again with the same idempotency key",
        )
    }

    /// Its word.
    pub(crate) const fn code(&self) -> &'static str {
        self.problem.code
    }

    /// What the caller is told of an error.
    pub(crate) fn of(error: &DecideError) -> Self {
        match error {
            DecideError::Key => Self::key(),
            DecideError::Account => {
                Problem::new(StatusCode::FORBIDDEN, "account_refused", "the key is not for this account")
                    .at("intent.stripe_connection_id")
                    .into()
            }
            DecideError::NotConnected => Self::new(
                StatusCode::FORBIDDEN,
                "not_connected",
                "the account is not connected in the key's mode: an operator connects it with `axiru connect`",
            ),
            DecideError::Stopped(of) => Self::new(
                StatusCode::FORBIDDEN,
                "stopped",
                format!(
                    "an operator has stopped this ({of}): nothing is decided and nothing may be moved until two operators have started it again; \
                     `axiru status` shows it"
                ),
            ),
            DecideError::OtherContent => Problem::new(
                StatusCode::CONFLICT,
                "idempotency_key_reused",
                "the idempotency key was used for another request: make a new key for each new request",
            )
            .at("idempotency_key")
            .into(),
            DecideError::RateLimited(limited) => {
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", limited.to_string())
                    .after(u16::try_from(limited.retry_after_secs).unwrap_or(60))
                    .into()
            }
            DecideError::Object(role) => {
                Self::field(format!("intent.{role}"), "Stripe knows no such object on this account in this mode")
            }
            DecideError::Undecided(_) => Self::undecided(),
        }
    }

    /// The answer.
    pub(crate) fn response(&self) -> Response<Body> {
        let mut response = self.problem.response();
        if self.problem.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"axiru\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(allow) = self.allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}
