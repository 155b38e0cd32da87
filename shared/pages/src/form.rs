//! What a browser says of a form that it posts.

use http::header::ORIGIN;
use http::{HeaderMap, header};
use url::Url;

/// Whether a POST comes from a page of ours, as far as the browser says (OWASP, "Cross-Site Request Forgery Prevention").
///
/// Our pages send no referrer, for which browsers write `Origin: null`; so that and a missing origin say nothing. What protects then
/// is what the form must hold: a link, or a state together with its cookie.
#[must_use]
pub fn is_own_post(headers: &HeaderMap, public_url: &Url) -> bool {
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
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
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
