//! Events: one for every change, with a full snapshot that never changes afterwards, and who is told of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::delivery::NewDelivery;
use crate::mode::{Mode, Scope};
use crate::state::State;
use crate::table::{Stored, Table, render};
use crate::world::World;

/// The event types an endpoint may ask for. Names that never existed (`refund.succeeded`) or were removed
/// (`transfer.paid`) are refused, as Stripe refuses them.
pub(crate) const TYPES: [&str; 30] = [
    "account.application.authorized",
    "account.application.deauthorized",
    "account.external_account.created",
    "account.external_account.deleted",
    "account.external_account.updated",
    "account.updated",
    "balance.available",
    "charge.captured",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.failed",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "payout.canceled",
    "payout.created",
    "payout.failed",
    "payout.paid",
    "payout.reconciliation_completed",
    "payout.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "transfer.created",
    "transfer.reversed",
    "transfer.updated",
];

/// Who caused a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Stripe itself: `request.id` is null.
    Automatic,
    /// An API call, or a person in the Dashboard (then without idempotency key).
    Request {
        /// `req_…`
        id: String,
        /// The caller's key.
        idempotency_key: Option<String>,
    },
}

impl Cause {
    fn render(&self) -> Value {
        match self {
            Self::Automatic => json!({"id": null, "idempotency_key": null}),
            Self::Request { id, idempotency_key } => json!({"id": id, "idempotency_key": idempotency_key}),
        }
    }
}

/// `evt_…`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "object", rename = "event")]
pub(crate) struct Event {
    pub id: String,
    pub api_version: Option<String>,
    pub created: i64,
    pub data: Value,
    pub livemode: bool,
    pub pending_webhooks: i64,
    pub request: Value,
    #[serde(rename = "type")]
    pub kind: String,
}

impl Stored for Event {
    const NOUN: &'static str = "event";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn table(world: &World) -> &Table<Self> {
        &world.events
    }

    fn table_mut(world: &mut World) -> &mut Table<Self> {
        &mut world.events
    }
}

/// An endpoint that hears of an event.
struct Listener {
    home: Scope,
    endpoint: String,
    url: String,
    api_version: Option<String>,
    connect: bool,
}

impl State {
    /// Records an event and queues one delivery for every endpoint that listens; answers the event's id.
    pub(crate) fn emit(
        &mut self,
        scope: &Scope,
        kind: &str,
        object: Value,
        previous: Option<Value>,
        cause: &Cause,
    ) -> String {
        let mut data = json!({ "object": object });
        if let (Some(previous), Value::Object(members)) = (previous, &mut data) {
            members.insert("previous_attributes".into(), previous);
        }
        self.emit_data(scope, kind, data, cause.render())
    }

    /// The event of [`State::emit`] with its `data` and `request` already made; also used for twins.
    pub(crate) fn emit_data(&mut self, scope: &Scope, kind: &str, data: Value, request: Value) -> String {
        let listeners = self.listeners(scope, kind);
        let event = Event {
            id: self.ids.next("evt"),
            api_version: Some(self.api_version.clone()),
            created: self.now(),
            data,
            livemode: scope.mode.livemode(),
            pending_webhooks: i64::try_from(listeners.len()).unwrap_or(i64::MAX),
            request,
            kind: kind.to_owned(),
        };
        for listener in listeners {
            let mut body = render(&event);
            if let Value::Object(members) = &mut body {
                if listener.connect {
                    members.insert("account".into(), json!(scope.account));
                }
                // Seen in the field: events about the application come in the account's version, pinned or not.
                if let Some(pinned) = listener.api_version.filter(|_| !kind.starts_with("account.application.")) {
                    members.insert("api_version".into(), json!(pinned));
                }
            }
            let new = NewDelivery {
                home: listener.home,
                endpoint: listener.endpoint,
                url: listener.url,
                event: event.id.clone(),
                event_type: kind.to_owned(),
                scope: scope.clone(),
                connect: listener.connect,
                body: pretty(&body),
            };
            let id = self.ids.next("whd");
            let now = self.now();
            self.deliveries.enqueue(id, new, now);
        }
        let id = event.id.clone();
        self.store(scope, event);
        id
    }

    fn listeners(&self, scope: &Scope, kind: &str) -> Vec<Listener> {
        let application_only = kind.starts_with("account.application.");
        let mut seen = BTreeSet::new();
        let mut listeners = Vec::new();
        let mut listen = |home: Scope, connect: bool| {
            let endpoints = self.world(&home).into_iter().flat_map(|world| world.webhook_endpoints.iter());
            for endpoint in endpoints.filter(|endpoint| endpoint.connect == connect && endpoint.wants(kind)) {
                if seen.insert(endpoint.id.clone()) {
                    listeners.push(Listener {
                        home: home.clone(),
                        endpoint: endpoint.id.clone(),
                        url: endpoint.url.clone(),
                        api_version: endpoint.api_version.clone(),
                        connect,
                    });
                }
            }
        };
        if !application_only {
            listen(scope.clone(), false);
            if let Some(platform) = self.accounts.get(&scope.account).and_then(|account| account.platform.clone()) {
                listen(Scope::new(scope.mode, platform), true);
            }
        }
        for mode in Mode::ALL.into_iter().filter(|mode| self.app_hears(*mode, scope, kind)) {
            listen(Scope::new(mode, self.developer.clone()), true);
        }
        listeners
    }

    /// Mode routing of apps: live events go to the live endpoint; test events go to the test endpoint if the app is
    /// installed in test mode, and *also* to the live endpoint if it is installed in live mode.
    fn app_hears(&self, endpoint_mode: Mode, scope: &Scope, kind: &str) -> bool {
        let install = Scope::new(endpoint_mode, scope.account.clone());
        let routed = match (endpoint_mode, scope.mode) {
            (Mode::Test, Mode::Live) => false,
            (Mode::Test | Mode::Live, _) => self.is_installed(&install),
        };
        routed && self.apps.get(&endpoint_mode).is_some_and(|app| app.may_hear(kind))
    }
}

fn pretty(body: &Value) -> String {
    serde_json::to_string_pretty(body).unwrap_or_default()
}
