//! Stripe's errors, typed: what was refused, never the words that Stripe's message repeats from the request.

use http::StatusCode;
use serde::Deserialize;

use crate::transport::TransportError;

/// An error body of Stripe's API. Of its texts only the words from closed lists are kept: a message can repeat a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRefusal {
    /// The HTTP status, where known.
    pub status: Option<u16>,
    /// `invalid_request_error`, `api_error`, `idempotency_error`, …
    pub kind: String,
    /// `resource_missing`, `api_key_expired`, …
    pub code: Option<String>,
    /// The parameter at fault.
    pub param: Option<String>,
}

impl std::fmt::Display for ApiRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.kind)?;
        for (name, value) in [("code", &self.code), ("param", &self.param)] {
            if let Some(value) = value {
                write!(f, ", {name} `{value}`")?;
            }
        }
        match self.status {
            Some(status) => write!(f, " ({status})"),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Body {
    error: Fields,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(rename = "type")]
    kind: String,
    code: Option<String>,
    param: Option<String>,
}

/// At most 60 characters of a word that Stripe says, letters, digits and `_.[]-` only.
pub(crate) fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "_.[]-".contains(*c)).take(60).collect()
}

impl ApiRefusal {
    /// Reads an error body; none if it is not one.
    #[must_use]
    pub fn read(status: Option<StatusCode>, body: &[u8]) -> Option<Self> {
        let Body { error } = serde_json::from_slice(body).ok()?;
        Some(Self {
            status: status.map(|status| status.as_u16()),
            kind: word(&error.kind),
            code: error.code.as_deref().map(word),
            param: error.param.as_deref().map(word),
        })
    }
}

/// A call to Stripe's API that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StripeError {
    /// No answer.
    #[error("{0}")]
    Transport(#[from] TransportError),
    /// The credential is not accepted.
    #[error("Stripe does not accept the credential")]
    Unauthorized,
    /// The credential may not do this: the app lacks a permission.
    #[error("the app lacks a permission for this")]
    Forbidden,
    /// Another call with the same idempotency key is being answered, or too many calls were made.
    #[error("Stripe is busy with this or other calls")]
    Busy,
    /// Stripe failed, with this status of 500 or more. It says nothing of what was asked, whatever its body; it may have acted
    /// (Stripe, "Advanced error handling": the result of a 500 is indeterminate), and answers the same to the same idempotency key.
    #[error("Stripe failed, with the status {0}")]
    Failed(u16),
    /// Stripe says no.
    #[error("Stripe refuses: {0}")]
    Refused(ApiRefusal),
    /// A status below 500 without a body that explains it.
    #[error("Stripe answers {0} without saying why")]
    Status(u16),
    /// The answer is not what Stripe says it is.
    #[error("Stripe's answer is wrong at `{at}`: {what}")]
    Answer {
        /// The field.
        at: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl StripeError {
    /// The error that a status other than 2xx and its body mean.
    #[must_use]
    pub fn of(status: StatusCode, body: &[u8]) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS => Self::Busy,
            _ if status.is_server_error() => Self::Failed(status.as_u16()),
            _ => ApiRefusal::read(Some(status), body).map_or(Self::Status(status.as_u16()), Self::Refused),
        }
    }

    /// Whether it is not known what Stripe did, so that only the same idempotency key may be sent again.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        match self {
            Self::Transport(error) => error.may_have_acted(),
            Self::Busy => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_message_is_never_kept() {
        let body = br#"{"error":{"type":"invalid_request_error","code":"resource_missing","param":"url","message":"No such key: sk_test_canary"}}"#;
        let error = StripeError::of(StatusCode::BAD_REQUEST, body);
        assert_eq!(
            error.to_string(),
            "Stripe refuses: invalid_request_error, code `resource_missing`, param `url` (400)"
        );
        assert!(!format!("{error:?}").contains("canary"));
        assert!(!error.is_open());
    }

    #[test]
    fn statuses_and_foreign_bodies() {
        for (status, body, expected) in [
            (401, "{}", StripeError::Unauthorized),
            (403, "", StripeError::Forbidden),
            (409, "", StripeError::Busy),
            (429, "", StripeError::Busy),
            (502, "<html>", StripeError::Failed(502)),
            (500, r#"{"error":{"type":"api_error","message":"canary"}}"#, StripeError::Failed(500)),
            (301, "", StripeError::Status(301)),
            (400, r#"{"error":"invalid_grant"}"#, StripeError::Status(400)),
        ] {
            assert_eq!(StripeError::of(StatusCode::from_u16(status).unwrap(), body.as_bytes()), expected);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bodies_never_panic_and_words_stay_short(body in proptest::collection::vec(any::<u8>(), 0..200), kind in ".{0,300}") {
            let _ = ApiRefusal::read(None, &body);
            let json = serde_json::json!({"error": {"type": kind}}).to_string();
            prop_assert!(ApiRefusal::read(None, json.as_bytes()).is_some_and(|refusal| refusal.kind.len() <= 60));
        }
    }
}
