//! Answers: a page or a redirect, always with the headers that keep a page to itself.

use std::sync::LazyLock;

use axiru_stripe::base::trusted_address;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY,
    RETRY_AFTER, SET_COOKIE, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};
use lambda_http::Body;
use maud::Markup;
use sha2::{Digest, Sha256};
use url::Url;

use crate::pages::STYLE;

/// What a route answers.
pub(crate) enum Answer {
    /// A page.
    Page {
        /// Its status.
        status: StatusCode,
        /// The whole document.
        page: Markup,
        /// Where its forms may lead besides here: the origin of a consent page.
        leads_to: Vec<Url>,
        /// The cookie to set.
        cookie: Option<HeaderValue>,
        /// The methods of the route, where another was used.
        allow: Option<&'static str>,
    },
    /// Off to Stripe's consent page.
    Consent(Box<Url>, HeaderValue),
}

impl Answer {
    /// A page that leads nowhere but here.
    pub(crate) const fn page(status: StatusCode, page: Markup) -> Self {
        Self::Page { status, page, leads_to: Vec::new(), cookie: None, allow: None }
    }

    /// The HTTP form, for a deployment at `public_url`.
    pub(crate) fn into_response(self, public_url: &Url) -> Response<Body> {
        let (mut response, leads_to) = match self {
            Self::Page { status, page, leads_to, cookie, allow } => {
                let mut response = Response::new(Body::Text(page.into_string()));
                *response.status_mut() = status;
                let headers = response.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
                if let Some(allow) = allow {
                    headers.insert(ALLOW, HeaderValue::from_static(allow));
                }
                if let Some(cookie) = cookie {
                    headers.insert(SET_COOKIE, cookie);
                }
                if status == StatusCode::SERVICE_UNAVAILABLE {
                    headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
                }
                (response, leads_to)
            }
            Self::Consent(link, cookie) => {
                let mut response = Response::new(Body::Empty);
                *response.status_mut() = StatusCode::SEE_OTHER;
                if let Ok(link) = HeaderValue::try_from(link.as_str()) {
                    response.headers_mut().insert(LOCATION, link);
                }
                response.headers_mut().insert(SET_COOKIE, cookie);
                (response, Vec::new())
            }
        };
        let headers = response.headers_mut();
        if let Ok(policy) = HeaderValue::try_from(content_policy(&leads_to)) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        for (name, value) in FIXED {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if public_url.scheme() == "https" {
            headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000"));
        }
        response
    }
}

const FIXED: [(HeaderName, &str); 7] = [
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (X_FRAME_OPTIONS, "DENY"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

/// The style's hash, by which the one stylesheet is let in.
static STYLE_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(Sha256::digest(STYLE)));

/// Browsers hold `form-action` against every redirect that follows a form, so a page that leads to Stripe's consent page names its
/// origin, and Stripe's other hosts, over which Stripe leads people who must sign in first.
fn content_policy(leads_to: &[Url]) -> String {
    let mut targets = String::from("'self'");
    for page in leads_to {
        let origin = page.origin().ascii_serialization();
        if trusted_address(&origin).is_ok() && !targets.contains(&origin) {
            targets.push(' ');
            targets.push_str(&origin);
        }
        if page.host_str().is_some_and(|host| host.ends_with(".stripe.com")) && !targets.contains("*.stripe.com") {
            targets.push_str(" https://*.stripe.com");
        }
    }
    format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action {targets}; frame-ancestors 'none'; base-uri 'none'",
        STYLE_HASH.as_str()
    )
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;

    fn policy(leads_to: &[&str]) -> String {
        content_policy(&leads_to.iter().map(|url| Url::parse(url).unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn a_page_may_load_nothing_but_its_style() {
        let policy = policy(&[]);
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(policy.contains("form-action 'self';") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("script"));
    }

    #[test]
    fn forms_lead_to_the_consent_page_only_where_they_must() {
        assert!(
            policy(&["https://marketplace.stripe.com/oauth/v2/authorize"])
                .contains("form-action 'self' https://marketplace.stripe.com https://*.stripe.com;")
        );
        assert!(
            policy(&["http://127.0.0.1:8788/oauth/v2/authorize", "http://127.0.0.1:8788/x"])
                .contains("form-action 'self' http://127.0.0.1:8788;")
        );
    }

    #[test]
    fn every_answer_carries_the_headers() {
        let https = Url::parse("https://axiru.example").unwrap();
        let local = Url::parse("http://127.0.0.1:8787").unwrap();
        let answer = || Answer::page(StatusCode::OK, html! { p { "x" } });
        for answer in [answer(), Answer::Consent(Box::new(https.clone()), HeaderValue::from_static("c=1"))] {
            let response = answer.into_response(&https);
            for (name, value) in FIXED {
                assert_eq!(response.headers()[&name], value);
            }
            assert!(response.headers().contains_key(STRICT_TRANSPORT_SECURITY));
            assert!(response.headers().contains_key(CONTENT_SECURITY_POLICY));
        }
        assert!(!answer().into_response(&local).headers().contains_key(STRICT_TRANSPORT_SECURITY));
    }
}
