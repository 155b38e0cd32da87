//! A page as an answer, always with the headers that keep it to itself.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY, RETRY_AFTER,
    SET_COOKIE, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};
use lambda_http::Body;
use maud::Markup;
use sha2::{Digest, Sha256};
use url::Url;

use crate::style::STYLE;

/// A page with its status. No `Debug`: it may hold a link.
pub struct Page {
    status: StatusCode,
    document: Markup,
    targets: Vec<String>,
    cookie: Option<HeaderValue>,
    allow: Option<&'static str>,
}

impl Page {
    /// A page that leads nowhere but here. `document` is a whole one, as [`document`](crate::document()) makes it.
    #[must_use]
    pub const fn new(status: StatusCode, document: Markup) -> Self {
        Self { status, document, targets: Vec::new(), cookie: None, allow: None }
    }

    /// Its forms may lead to these sources of a content policy too, besides here.
    #[must_use]
    pub fn leading_to(mut self, targets: Vec<String>) -> Self {
        self.targets = targets;
        self
    }

    /// It sets this cookie.
    #[must_use]
    pub fn with_cookie(mut self, cookie: Option<HeaderValue>) -> Self {
        self.cookie = cookie;
        self
    }

    /// It says which methods its route has, because another was used.
    #[must_use]
    pub const fn allowing(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    /// Its status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Its document.
    #[must_use]
    pub fn html(&self) -> &str {
        &self.document.0
    }

    /// The HTTP form, for a deployment at `public_url`.
    #[must_use]
    pub fn into_response(self, public_url: &Url) -> Response<Body> {
        let mut response = Response::new(Body::Text(self.document.into_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(cookie) = self.cookie {
            headers.insert(SET_COOKIE, cookie);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        secure(&mut response, public_url, &self.targets);
        response
    }
}

/// Sets the headers that every answer of a function with pages carries, redirects too. Forms may lead to `targets` besides here.
pub fn secure(response: &mut Response<Body>, public_url: &Url, targets: &[String]) {
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(content_policy(targets)) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if public_url.scheme() == "https" {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000"));
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

/// The content policy. A target that could end the directive or begin another is left out: the form then does not work, and nothing
/// else is let in.
fn content_policy(targets: &[String]) -> String {
    let is_source = |target: &&String| {
        target.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'/' | b'.' | b'-' | b'*' | b'[' | b']'))
    };
    let mut list = String::from("'self'");
    for target in targets.iter().filter(is_source) {
        list.push(' ');
        list.push_str(target);
    }
    format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action {list}; frame-ancestors 'none'; base-uri 'none'",
        STYLE_HASH.as_str()
    )
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;

    fn response(status: StatusCode, public_url: &str) -> Response<Body> {
        Page::new(status, html! { p { "x" } }).into_response(&Url::parse(public_url).unwrap())
    }

    #[test]
    fn a_page_may_load_nothing_but_its_style() {
        let policy = content_policy(&[]);
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(policy.contains("form-action 'self';") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("script"));
    }

    #[test]
    fn forms_lead_where_they_must_and_nothing_gets_in_with_a_target() {
        let policy = |target: &str| content_policy(&[target.to_owned()]);
        assert!(policy("https://*.stripe.com").contains("form-action 'self' https://*.stripe.com;"));
        assert!(policy("http://[::1]:8788").contains("form-action 'self' http://[::1]:8788;"));
        for bad in ["https://a.example; script-src *", "'unsafe-inline'", "https://a.example b", "a,b", "é", "a\nb"] {
            assert_eq!(policy(bad), content_policy(&[]), "{bad}");
        }
    }

    #[test]
    fn every_answer_carries_the_headers() {
        for status in [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::SERVICE_UNAVAILABLE] {
            let response = response(status, "https://axiru.example");
            assert_eq!(response.status(), status);
            for (name, value) in FIXED {
                assert_eq!(response.headers()[&name], value);
            }
            for name in [STRICT_TRANSPORT_SECURITY, CONTENT_SECURITY_POLICY, CONTENT_TYPE] {
                assert!(response.headers().contains_key(&name), "{name}");
            }
            assert_eq!(response.headers().contains_key(RETRY_AFTER), status == StatusCode::SERVICE_UNAVAILABLE);
            assert!(!response.headers().contains_key(SET_COOKIE) && !response.headers().contains_key(ALLOW));
        }
        let local = response(StatusCode::OK, "http://127.0.0.1:8787");
        assert!(!local.headers().contains_key(STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn what_is_added_is_sent() {
        let page = Page::new(StatusCode::METHOD_NOT_ALLOWED, html! {})
            .allowing("GET, HEAD")
            .with_cookie(Some(HeaderValue::from_static("c=1")))
            .leading_to(vec!["https://a.example".to_owned()]);
        let response = page.into_response(&Url::parse("https://axiru.example").unwrap());
        assert_eq!(response.headers()[ALLOW], "GET, HEAD");
        assert_eq!(response.headers()[SET_COOKIE], "c=1");
        assert!(response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().contains("'self' https://a.example;"));
    }
}
