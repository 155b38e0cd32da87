//! A sandbox on a workbench: one merchant, a clock that stands still, calls in one line.

use axiru_stripe_sandbox::{ApiRequest, Clock, Sandbox, SandboxConfig};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

pub(crate) const NOW: i64 = 1_780_000_000;
pub(crate) const TEST_DEVELOPER: &str = "sk_test_SandboxDeveloperKeyTest";
pub(crate) const LIVE_DEVELOPER: &str = "sk_live_SandboxDeveloperKeyLive";
pub(crate) const MERCHANT: &str = "acct_Merchant1";

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) test_key: String,
    pub(crate) live_key: String,
    pub(crate) restricted_key: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::new(SandboxConfig { clock: Clock::fixed(NOW), ..SandboxConfig::default() });
        let made = sandbox.control("POST", "accounts", json!({"id": MERCHANT, "business_name": "Merchant"})).unwrap();
        let key = |mode: &str, kind: &str| made["keys"][mode][kind].as_str().unwrap().to_owned();
        Self {
            test_key: key("test", "secret"),
            live_key: key("live", "secret"),
            restricted_key: key("test", "restricted"),
            sandbox,
        }
    }

    /// One call; `headers` may set anything.
    pub(crate) fn raw(
        &self,
        key: &str,
        method: &str,
        path: &str,
        form: &str,
        headers: &[(&str, &str)],
    ) -> (u16, Vec<(&'static str, String)>, Value) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut map = HeaderMap::new();
        let basic = format!("Basic {}", STANDARD.encode(format!("{key}:")));
        for (name, value) in [("authorization", basic.as_str())].iter().chain(headers) {
            map.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let answer = self.sandbox.api(&ApiRequest {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            headers: map,
            body: form.as_bytes().to_vec(),
        });
        (answer.status, answer.headers, serde_json::from_str(&answer.body).unwrap())
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, _, body) = self.raw(&self.test_key, "GET", path, "", &[]);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(crate) fn post(&self, path: &str, form: &str) -> Value {
        let (status, _, body) = self.raw(&self.test_key, "POST", path, form, &[]);
        assert_eq!(status, 200, "{path} {form}: {body}");
        body
    }

    /// A call that must fail; answers status and the error object.
    pub(crate) fn refused(&self, path: &str, form: &str) -> (u16, Value) {
        let (status, _, body) = self.raw(&self.test_key, "POST", path, form, &[]);
        assert_ne!(status, 200, "{path} {form}: {body}");
        (status, body["error"].clone())
    }

    /// The control API, for the test-mode merchant.
    pub(crate) fn dashboard(&self, what: &str, body: Value) -> Value {
        self.control(&format!("test/{MERCHANT}/{what}"), body)
    }

    pub(crate) fn control(&self, path: &str, body: Value) -> Value {
        self.sandbox.control("POST", path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn charge(&self, amount: i64) -> String {
        id(&self.dashboard("charges", json!({"amount": amount})))
    }

    /// Types of the merchant's test events, oldest first.
    pub(crate) fn event_types(&self) -> Vec<String> {
        let events = self.get("/v1/events?limit=100");
        events["data"].as_array().unwrap().iter().rev().map(|event| text(event, "type")).collect()
    }

    /// Creates a connect endpoint for everything on the developer's account; answers id and secret.
    pub(crate) fn listen(&self, developer: &str) -> (String, String) {
        let form = "url=http://127.0.0.1:9/hook&enabled_events[]=*&connect=true&api_version=2026-06-24.dahlia";
        let (status, _, body) = self.raw(developer, "POST", "/v1/webhook_endpoints", form, &[]);
        assert_eq!(status, 200, "{body}");
        (id(&body), text(&body, "secret"))
    }
}

pub(crate) fn id(object: &Value) -> String {
    text(object, "id")
}

pub(crate) fn text(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {object}")).to_owned()
}
