//! The browser on the other side: its one cookie, and whether it acts on our own page.

use axiru_aws::connect::install::STEP_SECS;
use axiru_aws::connect::token::Token;
use http::header::{COOKIE, HeaderValue, ORIGIN};
use http::{HeaderMap, header};
use url::Url;

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

/// Whether a POST comes from a page of ours, as far as the browser says (OWASP, "Cross-Site Request Forgery Prevention").
///
/// Our pages send no referrer, for which browsers write `Origin: null`; so that and a missing origin say nothing. What protects then
/// is what the form must hold: a set-up link, or a state together with its cookie.
pub(crate) fn is_own_post(headers: &HeaderMap, public_url: &Url) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    match headers.get(ORIGIN) {
        None => true,
        Some(origin) => {
            origin == "null" || origin.to_str().is_ok_and(|origin| origin == public_url.origin().ascii_serialization())
        }
    }
}

/// Whether the body is a form.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
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

    #[test]
    fn posts_from_elsewhere_are_refused() {
        let ours = Url::parse("https://axiru.example").unwrap();
        for (pairs, own) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], true),
            (&[("origin", "null")], true),
            (&[("origin", "https://axiru.example")], true),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://axiru.example")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "http://axiru.example")], false),
            (&[("origin", "https://axiru.example.evil.example")], false),
            (&[("origin", "https://axiru.example:444")], false),
        ] {
            assert_eq!(is_own_post(&headers(pairs), &ours), own, "{pairs:?}");
        }
    }

    #[test]
    fn only_forms_are_forms() {
        assert!(is_form(&headers(&[("content-type", "application/x-www-form-urlencoded; charset=UTF-8")])));
        for bad in ["", "text/plain", "multipart/form-data", "application/json", "application/x-www-form-urlencodedx"] {
            assert!(!is_form(&headers(&[("content-type", bad)])), "{bad}");
        }
        assert!(!is_form(&HeaderMap::new()));
    }
}
