//! Stripe's answers, handed on as they came.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Response, header};
use lambda_http::Body;

/// Headers of one connection, not of the answer (RFC 9110, 7.6.1), and the length, which the next hop counts itself.
const OWN: [HeaderName; 7] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::CONTENT_LENGTH,
    header::SET_COOKIE,
];

/// The answer for the caller: status, headers and body as Stripe sent them.
pub(crate) fn relay(answer: Response<Bytes>) -> Response<Body> {
    let (mut parts, body) = answer.into_parts();
    strip(&mut parts.headers);
    let body = match String::from_utf8(body.to_vec()) {
        Ok(text) if text.is_empty() => Body::Empty,
        Ok(text) => Body::Text(text),
        Err(bytes) => Body::Binary(bytes.into_bytes()),
    };
    Response::from_parts(parts, body)
}

fn strip(headers: &mut HeaderMap) {
    for name in OWN {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}
