//! The few calls of Stripe's REST API that Axiru makes. Every call pins the API version.

pub mod cancel;
pub mod lists;
pub mod objects;
pub mod probe;

use axiru_domain::{AccountId, StripeId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::base::ApiBase;
use crate::error::StripeError;
use crate::secret::Secret;
use crate::transport::{Transport, TransportError};

/// Stripe's REST API, as one key or token may use it.
pub struct Rest<'a> {
    transport: &'a dyn Transport,
    base: &'a ApiBase,
    key: &'a Secret,
}

/// Who an account is, as a person is shown it before they confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The account.
    pub account: AccountId,
    /// What the merchant calls it; the id where it has no name. Free text: for pages, never for the ledger.
    pub display_name: String,
    /// Two upper-case letters.
    pub country: String,
    /// Three lower-case letters.
    pub default_currency: String,
}

/// A webhook endpoint on the developer account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `we_…`.
    pub id: StripeId,
    /// Where Stripe delivers.
    pub url: String,
}

/// A webhook endpoint just created: the only moment at which Stripe tells its signing secret.
pub struct NewEndpoint {
    /// `we_…`.
    pub id: StripeId,
    /// The signing secret.
    pub secret: Secret,
}

/// Pages of endpoints that are read, 100 each. Stripe allows 16 endpoints by default.
const MAX_PAGES: usize = 5;

#[derive(Deserialize)]
struct AccountAnswer {
    id: Option<String>,
    country: Option<String>,
    default_currency: Option<String>,
    business_profile: Option<Name>,
    settings: Option<Settings>,
}

#[derive(Deserialize)]
struct Settings {
    dashboard: Option<Dashboard>,
}

#[derive(Deserialize)]
struct Dashboard {
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct Name {
    name: Option<String>,
}

#[derive(Deserialize)]
struct EndpointAnswer {
    id: Option<String>,
    url: Option<String>,
    secret: Option<String>,
}

#[derive(Deserialize)]
struct ListAnswer {
    data: Vec<EndpointAnswer>,
    has_more: bool,
}

impl<'a> Rest<'a> {
    /// The API at `base`, with a developer key or an access token.
    #[must_use]
    pub fn new(transport: &'a dyn Transport, base: &'a ApiBase, key: &'a Secret) -> Self {
        Self { transport, base, key }
    }

    /// Who the account is that the token belongs to.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn profile(&self) -> Result<Profile, StripeError> {
        let answer: AccountAnswer = self.call(Method::GET, self.base.at("/v1/account"), None, &[], "account").await?;
        answer.try_into()
    }

    /// Creates the one endpoint of a mode that receives the events of every connected account. The same idempotency key within 24
    /// hours gives the same endpoint and the same secret.
    ///
    /// # Errors
    /// [`StripeError`]; where [`StripeError::is_open`], only the same key may be sent again.
    pub async fn create_endpoint(
        &self,
        url: &Url,
        events: &[&str],
        idempotency_key: &str,
    ) -> Result<NewEndpoint, StripeError> {
        let mut form = vec![("url", url.as_str()), ("connect", "true"), ("api_version", crate::API_VERSION)];
        form.push(("description", "Axiru: movements of money on connected accounts"));
        form.extend(events.iter().map(|event| ("enabled_events[]", *event)));
        let address = self.base.at("/v1/webhook_endpoints");
        let answer: EndpointAnswer =
            self.call(Method::POST, address, Some(idempotency_key), &form, "webhook endpoint").await?;
        let id = parsed(answer.id.as_deref(), "id")?;
        let secret = answer.secret.ok_or(StripeError::Answer { at: "secret", what: "missing" })?;
        let secret = Secret::new(secret).map_err(|_| StripeError::Answer { at: "secret", what: "not a secret" })?;
        Ok(NewEndpoint { id, secret })
    }

    /// The endpoints of the developer account that deliver to `url`.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn endpoints_at(&self, url: &Url) -> Result<Vec<Endpoint>, StripeError> {
        let mut found = Vec::new();
        let mut after: Option<StripeId> = None;
        for _ in 0..MAX_PAGES {
            let mut address = self.base.at("/v1/webhook_endpoints");
            address.query_pairs_mut().append_pair("limit", "100");
            if let Some(after) = &after {
                address.query_pairs_mut().append_pair("starting_after", after.as_str());
            }
            let page: ListAnswer = self.call(Method::GET, address, None, &[], "webhook endpoints").await?;
            for answer in page.data {
                let id: StripeId = parsed(answer.id.as_deref(), "data.id")?;
                after = Some(id.clone());
                match answer.url {
                    Some(theirs) if theirs == url.as_str() => found.push(Endpoint { id, url: theirs }),
                    Some(_) => {}
                    None => return Err(StripeError::Answer { at: "data.url", what: "missing" }),
                }
            }
            if !page.has_more {
                return Ok(found);
            }
        }
        Err(StripeError::Answer { at: "has_more", what: "more webhook endpoints than an account can have" })
    }

    /// Deletes an endpoint; one that is gone already counts as deleted.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn delete_endpoint(&self, id: &StripeId) -> Result<(), StripeError> {
        let address = self.base.at(&format!("/v1/webhook_endpoints/{id}"));
        match self.call::<serde::de::IgnoredAny>(Method::DELETE, address, None, &[], "deletion").await {
            Ok(_) => Ok(()),
            Err(StripeError::Refused(refusal)) if refusal.status == Some(404) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reads what is at a path, with a query.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        at: &'static str,
    ) -> Result<T, StripeError> {
        let mut address = self.base.at(path);
        if !query.is_empty() {
            address.query_pairs_mut().extend_pairs(query);
        }
        self.call(Method::GET, address, None, &[], at).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        address: Url,
        idempotency_key: Option<&str>,
        form: &[(&str, &str)],
        at: &'static str,
    ) -> Result<T, StripeError> {
        let unsent = || StripeError::Transport(TransportError::Unreached);
        let credential = STANDARD.encode(format!("{}:", self.key.expose()));
        let mut credential = HeaderValue::try_from(format!("Basic {credential}")).map_err(|_| unsent())?;
        credential.set_sensitive(true);
        let mut request = Request::builder()
            .method(method)
            .uri(address.as_str())
            .header(AUTHORIZATION, credential)
            .header(HeaderName::from_static("stripe-version"), crate::API_VERSION);
        if let Some(key) = idempotency_key {
            request = request.header(HeaderName::from_static("idempotency-key"), key);
        }
        let body = if form.is_empty() {
            Bytes::new()
        } else {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            serde_urlencoded::to_string(form).map_err(|_| unsent())?.into()
        };
        let answer = self.transport.send(request.body(body).map_err(|_| unsent())?).await?;
        if !answer.status().is_success() {
            return Err(StripeError::of(answer.status(), answer.body()));
        }
        serde_json::from_slice(answer.body()).map_err(|_| StripeError::Answer { at, what: "not the JSON it should be" })
    }
}

fn parsed<T: std::str::FromStr>(text: Option<&str>, at: &'static str) -> Result<T, StripeError> {
    let text = text.ok_or(StripeError::Answer { at, what: "missing" })?;
    text.parse().map_err(|_| StripeError::Answer { at, what: "not an id" })
}

impl TryFrom<AccountAnswer> for Profile {
    type Error = StripeError;

    fn try_from(answer: AccountAnswer) -> Result<Self, StripeError> {
        let account: AccountId = parsed(answer.id.as_deref(), "id")?;
        let given =
            answer.settings.and_then(|settings| settings.dashboard).and_then(|dashboard| dashboard.display_name);
        let given = given.or(answer.business_profile.and_then(|profile| profile.name));
        let display_name = given.map(|name| shown(&name)).filter(|name| !name.is_empty());
        let letters = |text: Option<String>, at, count: usize, upper: bool| {
            text.filter(|text| {
                let case = if upper { u8::is_ascii_uppercase } else { u8::is_ascii_lowercase };
                text.len() == count && text.as_bytes().iter().all(case)
            })
            .ok_or(StripeError::Answer { at, what: "not a code of letters" })
        };
        Ok(Self {
            display_name: display_name.unwrap_or_else(|| account.to_string()),
            country: letters(answer.country, "country", 2, true)?,
            default_currency: letters(answer.default_currency, "default_currency", 3, false)?,
            account,
        })
    }
}

/// A name as it may be shown: one line, at most 80 characters, without the invisible characters that make one name look like another
/// (Unicode TR 36, "Unicode Security Considerations": bidirectional and zero-width controls).
fn shown(name: &str) -> String {
    let invisible = |c: char| matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    let visible: String =
        name.chars().filter(|c| !invisible(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect()
}

#[cfg(test)]
mod tests;
