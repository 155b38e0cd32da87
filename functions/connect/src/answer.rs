//! Answers: a page or a redirect, always with the headers that keep a page to itself.

use axiru_pages::{Page, secure};
use axiru_stripe::base::trusted_address;
use http::header::{HeaderValue, LOCATION, SET_COOKIE};
use http::{Response, StatusCode};
use lambda_http::Body;
use maud::Markup;
use url::Url;

/// What a route answers.
pub(crate) enum Answer {
    /// A page.
    Page(Page),
    /// Off to Stripe's consent page.
    Consent(Box<Url>, HeaderValue),
}

impl Answer {
    /// A page that leads nowhere but here.
    pub(crate) const fn page(status: StatusCode, page: Markup) -> Self {
        Self::Page(Page::new(status, page))
    }

    /// The HTTP form, for a deployment at `public_url`.
    pub(crate) fn into_response(self, public_url: &Url) -> Response<Body> {
        match self {
            Self::Page(page) => page.into_response(public_url),
            Self::Consent(link, cookie) => {
                let mut response = Response::new(Body::Empty);
                *response.status_mut() = StatusCode::SEE_OTHER;
                if let Ok(link) = HeaderValue::try_from(link.as_str()) {
                    response.headers_mut().insert(LOCATION, link);
                }
                response.headers_mut().insert(SET_COOKIE, cookie);
                secure(&mut response, public_url, &[]);
                response
            }
        }
    }
}

/// Browsers hold `form-action` against every redirect that follows a form, so a page that leads to Stripe's consent page names its
/// origin, and Stripe's other hosts, over which Stripe leads people who must sign in first.
pub(crate) fn form_targets(consent: &[Url]) -> Vec<String> {
    let mut targets = Vec::new();
    let mut add = |target: String| {
        if !targets.contains(&target) {
            targets.push(target);
        }
    };
    for page in consent {
        let origin = page.origin().ascii_serialization();
        if trusted_address(&origin).is_ok() {
            add(origin);
        }
        if page.host_str().is_some_and(|host| host.ends_with(".stripe.com")) {
            add("https://*.stripe.com".to_owned());
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_SECURITY_POLICY, STRICT_TRANSPORT_SECURITY};

    use super::*;

    fn targets(consent: &[&str]) -> Vec<String> {
        form_targets(&consent.iter().map(|url| Url::parse(url).unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn forms_lead_to_the_consent_page_only_where_they_must() {
        assert_eq!(targets(&[]), Vec::<String>::new());
        assert_eq!(
            targets(&["https://marketplace.stripe.com/oauth/v2/authorize"]),
            ["https://marketplace.stripe.com", "https://*.stripe.com"]
        );
        assert_eq!(
            targets(&["http://127.0.0.1:8788/oauth/v2/authorize", "http://127.0.0.1:8788/x"]),
            ["http://127.0.0.1:8788"]
        );
    }

    #[test]
    fn a_redirect_carries_the_headers_too() {
        let https = Url::parse("https://axiru.example").unwrap();
        let response = Answer::Consent(Box::new(https.clone()), HeaderValue::from_static("c=1")).into_response(&https);
        for name in [CONTENT_SECURITY_POLICY, STRICT_TRANSPORT_SECURITY, LOCATION, SET_COOKIE] {
            assert!(response.headers().contains_key(&name), "{name}");
        }
        for (name, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer")] {
            assert_eq!(response.headers()[name], value);
        }
    }
}
