//! `POST /admin/setup-links`: mints a one-time link on which an account can be connected.

use axiru_aws::connect::operator::Operator;
use axiru_aws::connect::token::{Token, TokenPurpose};
use axiru_domain::Mode;
use axiru_runtime::problem::Problem;
use http::{Response, StatusCode, header};
use lambda_http::Body;
use serde::Deserialize;
use serde_json::json;

use crate::app::App;

/// Largest request that is read; an honest one is below 100 bytes.
const MAX_BYTES: usize = 1_024;

/// How long a link is valid unless said otherwise: one day, so that it survives a night in a mailbox.
const DEFAULT_SECS: i64 = 86_400;

/// Shortest and longest validity: five minutes, seven days.
const BOUNDS_SECS: std::ops::RangeInclusive<i64> = 300..=604_800;

/// What is asked for.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    modes: Vec<Mode>,
    expires_in: Option<i64>,
}

impl Wanted {
    fn read(body: &[u8]) -> Result<Self, Problem> {
        let refuse = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "request_refused", detail);
        if body.len() > MAX_BYTES {
            return Err(refuse(format!("the body is longer than {MAX_BYTES} bytes")));
        }
        let mut wanted: Self = serde_json::from_slice(body)
            .map_err(|error| refuse(format!("the body is not as it should be: {error}")))?;
        let count = wanted.modes.len();
        wanted.modes.sort();
        wanted.modes.dedup();
        if wanted.modes.is_empty() || wanted.modes.len() != count {
            return Err(refuse("`modes` lists `test`, `live` or both, each once".to_owned()));
        }
        if wanted.expires_in.is_some_and(|secs| !BOUNDS_SECS.contains(&secs)) {
            let (least, most) = (BOUNDS_SECS.start(), BOUNDS_SECS.end());
            return Err(refuse(format!("`expires_in` is a number of seconds from {least} to {most}")));
        }
        Ok(wanted)
    }
}

/// Mints the link and answers with it: the only time its token is seen.
pub(crate) async fn mint(app: &App, operator: &Operator, body: &[u8]) -> Response<Body> {
    let wanted = match Wanted::read(body) {
        Ok(wanted) => wanted,
        Err(problem) => return problem.response(),
    };
    let Ok(token) = Token::random() else {
        tracing::error!("no random bytes for a set-up link");
        return unavailable();
    };
    let now = (app.now)();
    let valid_until = now.plus_secs(wanted.expires_in.unwrap_or(DEFAULT_SECS));
    let hash = token.hash(TokenPurpose::SetupLink);
    if let Err(error) = app.store.mint_setup_link(&hash, &wanted.modes, operator, valid_until, now).await {
        tracing::error!(operator.id = operator.id(), error = %error, "a set-up link could not be minted");
        return unavailable();
    }
    let modes: Vec<&str> = wanted.modes.iter().map(|mode| mode.as_str()).collect();
    tracing::info!(operator.id = operator.id(), modes = ?modes, expires_at = %valid_until, "a set-up link was minted");
    let mut url = app.public_url.clone();
    url.set_path("/stripe/install");
    url.query_pairs_mut().clear().append_pair("link", token.expose());
    let answer = json!({ "url": url.as_str(), "expires_at": valid_until.to_string(), "modes": modes });
    let mut response = Response::new(Body::Text(answer.to_string()));
    *response.status_mut() = StatusCode::CREATED;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

fn unavailable() -> Response<Body> {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the link could not be stored; try again").response()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strictly_read() {
        let read = |text: &str| Wanted::read(text.as_bytes());
        assert_eq!(
            read(r#"{"modes":["live","test"]}"#),
            Ok(Wanted { modes: vec![Mode::Test, Mode::Live], expires_in: None })
        );
        assert_eq!(read(r#"{"modes":["test"],"expires_in":300}"#).map(|wanted| wanted.expires_in), Ok(Some(300)));
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"modes":[]}"#,
            r#"{"modes":"test"}"#,
            r#"{"modes":["Test"]}"#,
            r#"{"modes":["test","test"]}"#,
            r#"{"modes":["test"],"expires_in":299}"#,
            r#"{"modes":["test"],"expires_in":604801}"#,
            r#"{"modes":["test"],"expires_in":-1}"#,
            r#"{"modes":["test"],"expires_in":1.5}"#,
            r#"{"modes":["test"],"expires_in":"300"}"#,
            r#"{"modes":["test"],"caller":"arn:aws:iam::1:root"}"#,
        ] {
            assert_eq!(read(bad).map_err(|problem| problem.status), Err(StatusCode::BAD_REQUEST), "{bad}");
        }
        assert!(Wanted::read(&vec![b' '; MAX_BYTES + 1]).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Wanted::read(&bytes);
        }
    }
}
