//! Webhook endpoints: where events go, of one account or (`connect=true`) of the accounts connected to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::{Host, Url};

use crate::error::StripeError;
use crate::event::TYPES;
use crate::mode::{Mode, Scope};
use crate::params::Params;
use crate::state::State;
use crate::table::{Stored, Table};
use crate::world::World;

/// Stripe allows 16 endpoints, as far as is known.
const MAX_ENDPOINTS: usize = 16;
/// Rolled secrets stay valid for at most a day.
const MAX_OVERLAP_SECS: i64 = 24 * 3600;

/// `we_…`, with the secrets that Stripe shows only once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WebhookEndpoint {
    pub id: String,
    pub api_version: Option<String>,
    pub application: Option<String>,
    pub connect: bool,
    pub created: i64,
    pub description: Option<String>,
    pub enabled_events: Vec<String>,
    pub livemode: bool,
    pub metadata: BTreeMap<String, String>,
    pub status: String,
    pub url: String,
    secrets: Vec<SigningSecret>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SigningSecret {
    value: String,
    expires_at: Option<i64>,
}

impl Stored for WebhookEndpoint {
    const NOUN: &'static str = "webhook endpoint";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn table(world: &World) -> &Table<Self> {
        &world.webhook_endpoints
    }

    fn table_mut(world: &mut World) -> &mut Table<Self> {
        &mut world.webhook_endpoints
    }

    fn render(&self) -> Value {
        json!({
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version,
            "application": self.application,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": self.livemode,
            "metadata": self.metadata,
            "status": self.status,
            "url": self.url,
        })
    }
}

impl WebhookEndpoint {
    /// Whether it is enabled and asked for this type.
    #[must_use]
    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.status == "enabled" && self.enabled_events.iter().any(|name| name == "*" || name == kind)
    }

    /// The secrets that sign at this moment: the newest first, older ones while they are being rolled.
    #[must_use]
    pub(crate) fn active_secrets(&self, now: i64) -> Vec<&str> {
        let active = |secret: &&SigningSecret| secret.expires_at.is_none_or(|at| at > now);
        self.secrets.iter().rev().filter(active).map(|secret| secret.value.as_str()).collect()
    }
}

/// `POST /v1/webhook_endpoints`: the only answer that carries `secret`.
pub(crate) fn create_from(state: &mut State, scope: &Scope, mut params: Params) -> Result<Value, StripeError> {
    let url = endpoint_url(&params.required("url")?, scope.mode)?;
    let enabled_events =
        event_types(params.list("enabled_events")?.ok_or_else(|| StripeError::missing("enabled_events"))?)?;
    let api_version = params.text("api_version")?;
    let connect = params.flag("connect")?.unwrap_or(false);
    let description = params.text("description")?;
    let metadata = params.metadata()?.into_new();
    params.finish()?;
    if state.world(scope).is_some_and(|world| world.webhook_endpoints.len() >= MAX_ENDPOINTS) {
        return Err(StripeError::refused(
            None,
            format!("You have reached the maximum of {MAX_ENDPOINTS} webhook endpoints."),
        ));
    }
    let application = (connect && scope.account == state.developer)
        .then(|| state.apps.get(&scope.mode).map(|app| app.client_id.clone()))
        .flatten();
    let secret = new_secret(state);
    let endpoint = WebhookEndpoint {
        id: state.ids.next("we"),
        api_version,
        application,
        connect,
        created: state.now(),
        description,
        enabled_events,
        livemode: scope.mode.livemode(),
        metadata,
        status: "enabled".into(),
        url,
        secrets: vec![SigningSecret { value: secret.clone(), expires_at: None }],
    };
    let mut value = state.store(scope, endpoint);
    if let Value::Object(members) = &mut value {
        members.insert("secret".into(), json!(secret));
    }
    Ok(value)
}

/// `POST /v1/webhook_endpoints/:id`.
pub(crate) fn update(state: &mut State, scope: &Scope, id: &str, mut params: Params) -> Result<Value, StripeError> {
    let url = params.text("url")?.map(|url| endpoint_url(&url, scope.mode)).transpose()?;
    let events = params.list("enabled_events")?.map(event_types).transpose()?;
    let disabled = params.flag("disabled")?;
    let description = params.text("description")?;
    let metadata = params.metadata()?;
    params.finish()?;
    let (value, _) = state.change::<WebhookEndpoint>(scope, id, |endpoint| {
        metadata.apply(&mut endpoint.metadata);
        endpoint.description = description.or(endpoint.description.take());
        if let Some(url) = url {
            endpoint.url = url;
        }
        if let Some(events) = events {
            endpoint.enabled_events = events;
        }
        if let Some(disabled) = disabled {
            endpoint.status = if disabled { "disabled" } else { "enabled" }.into();
        }
    })?;
    Ok(value)
}

/// `DELETE /v1/webhook_endpoints/:id`.
pub(crate) fn delete(state: &mut State, scope: &Scope, id: &str) -> Result<Value, StripeError> {
    state.find::<WebhookEndpoint>(scope, id, "id")?;
    state.world_mut(scope).webhook_endpoints.remove(id);
    Ok(json!({"id": id, "object": "webhook_endpoint", "deleted": true}))
}

/// Rolls the secret, as the Dashboard does: the new one signs at once, the old ones for `overlap_secs` more.
pub(crate) fn roll(state: &mut State, scope: &Scope, id: &str, overlap_secs: i64) -> Result<String, StripeError> {
    let secret = new_secret(state);
    let until = state.now().saturating_add(overlap_secs.clamp(0, MAX_OVERLAP_SECS));
    state.change::<WebhookEndpoint>(scope, id, |endpoint| {
        for old in endpoint.secrets.iter_mut().filter(|old| old.expires_at.is_none()) {
            old.expires_at = Some(until);
        }
        endpoint.secrets.push(SigningSecret { value: secret.clone(), expires_at: None });
    })?;
    Ok(secret)
}

fn new_secret(state: &mut State) -> String {
    format!("whsec_{}", state.ids.letters(32))
}

/// Live endpoints need https; this machine's own addresses are excused, or the sandbox could call nobody.
fn endpoint_url(text: &str, mode: Mode) -> Result<String, StripeError> {
    let bad = |why: &str| StripeError::invalid("url", format!("Invalid URL: {why}")).with_code("url_invalid");
    let url = Url::parse(text).map_err(|_| bad("an explicit scheme (such as https) must be provided."))?;
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(bad("it names no host.")),
    };
    match (url.scheme(), mode, local) {
        ("https", _, _) | ("http", Mode::Test, _) | ("http", Mode::Live, true) => Ok(text.to_owned()),
        ("http", Mode::Live, false) => Err(bad("live mode endpoints need https.")),
        _ => Err(bad("use https.")),
    }
}

fn event_types(names: Vec<String>) -> Result<Vec<String>, StripeError> {
    if names.is_empty() {
        return Err(StripeError::invalid("enabled_events", "Invalid array: at least one event is needed"));
    }
    for (at, name) in names.iter().enumerate() {
        if name != "*" && !TYPES.contains(&name.as_str()) {
            let param = format!("enabled_events[{at}]");
            let message = format!("Invalid {param}: `{name}` is not an event type the sandbox knows");
            return Err(StripeError::invalid(param, message));
        }
    }
    Ok(names)
}
