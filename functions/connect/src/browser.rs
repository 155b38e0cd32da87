//! The browser on the other side: its one cookie.

use axiru_aws::connect::install::STEP_SECS;
use axiru_aws::connect::token::Token;
use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

/// The only cookie there is. The prefix makes browsers refuse it from anywhere but this very host, over TLS (or on this machine).
pub(crate) const COOKIE_NAME: &str = "__Host-axiru-state";

/// The cookie's value, if the browser brings a well-formed one. Two of the name are none: one of them is not ours.
pub(crate) fn binding(headers: &HeaderMap) -> Option<Token> {
    let mut values = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => value.parse().ok(),
        _ => None,
    }
}

/// The header that binds an install to this browser for one step. `Lax`, because Stripe sends the person back by a link.
pub(crate) fn bind(token: &Token) -> Option<HeaderValue> {
    let cookie =
        format!("{COOKIE_NAME}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={STEP_SECS}", token.expose());
    HeaderValue::try_from(cookie).ok().map(|mut value| {
        value.set_sensitive(true);
        value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn one_well_formed_cookie_or_none() {
        let token = Token::random().unwrap();
        let good = format!("{COOKIE_NAME}={}", token.expose());
        assert!(binding(&headers(&[("cookie", &good)])).is_some_and(|read| read.expose() == token.expose()));
        assert!(binding(&headers(&[("cookie", &format!("a=b; {good}"))])).is_some());
        for bad in [
            "",
            "a=b",
            COOKIE_NAME,
            &format!("{COOKIE_NAME}=short"),
            &format!("{good}; {good}"),
            &good.replace("__Host-", "__host-"),
        ] {
            assert!(binding(&headers(&[("cookie", bad)])).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_cookie_is_bound_to_the_host_and_short_lived() {
        let cookie = bind(&Token::random().unwrap()).unwrap();
        let text = cookie.to_str().unwrap();
        for part in ["__Host-", "; Path=/;", "; Secure;", "; HttpOnly;", "; SameSite=Lax;", "; Max-Age=600"] {
            assert!(text.contains(part), "{part}");
        }
        assert!(!text.contains("Domain") && format!("{cookie:?}") == "Sensitive");
    }
}
