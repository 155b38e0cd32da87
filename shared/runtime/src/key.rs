//! The Axiru key that a request presents.

use axiru_domain::KeyToken;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use zeroize::Zeroizing;

/// Longest header that is looked at: a key is 71 characters, in Basic some 110.
const MAX_HEADER: usize = 512;

/// The key that a request presents: as bearer token, or as the user of Basic, which is Stripe's own habit. None for everything else, and
/// for more than one.
#[must_use]
pub fn presented(headers: &HeaderMap) -> Option<KeyToken> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let text = value.to_str().ok().filter(|text| text.len() <= MAX_HEADER)?;
    let (scheme, credentials) = text.split_once(' ')?;
    let key = if scheme.eq_ignore_ascii_case("bearer") {
        Zeroizing::new(credentials.trim().to_owned())
    } else if scheme.eq_ignore_ascii_case("basic") {
        let decoded = Zeroizing::new(STANDARD.decode(credentials.trim()).ok()?);
        let pair = std::str::from_utf8(&decoded).ok()?;
        // The key is the user; a password would be something that nobody checks.
        Zeroizing::new(pair.strip_suffix(':').unwrap_or(pair).to_owned())
    } else {
        return None;
    };
    key.parse().ok()
}
