//! Deliveries: every event on its way to an endpoint, in an order that can be disturbed. Pure: sending is elsewhere.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::mode::{Mode, Scope};
use crate::signature::sign;
use crate::state::State;
use crate::table::Table;
use crate::webhook_endpoint::WebhookEndpoint;

/// Seconds before the second, third … attempt. Stripe's own schedule is not published and spans days.
const RETRY_SECS: [i64; 3] = [1, 5, 25];

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Waits until it is released.
    Held,
    /// Goes out when its time has come.
    Queued,
    /// Handed to the sender, not answered yet.
    InFlight,
    /// Answered with 2xx.
    Delivered,
    /// Given up.
    Failed,
    /// Never sent, on purpose.
    Dropped,
}

/// What is wrong with a delivery, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tamper {
    /// Signed with a secret nobody has.
    Forged,
    /// Rightly signed, then one digit of the body changed.
    Altered,
    /// Without a signature header.
    Unsigned,
    /// Signed for a moment this many seconds ago.
    Stale(i64),
}

/// One attempt and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Unix seconds.
    pub at: i64,
    /// The endpoint's status, if it answered.
    pub status: Option<u16>,
    /// Why it did not.
    pub error: Option<String>,
}

/// One event to one endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Delivery {
    /// `whd_…`
    pub id: String,
    /// Where the endpoint lives.
    pub home: Scope,
    /// `we_…`
    pub endpoint: String,
    /// The endpoint's address when the event happened.
    pub url: String,
    /// `evt_…`
    pub event: String,
    /// `refund.created` …
    pub event_type: String,
    /// Where the event happened.
    pub scope: Scope,
    /// Whether the body names the account.
    pub connect: bool,
    /// The exact body; every attempt sends these bytes.
    pub body: String,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Not before this Unix second.
    pub not_before: i64,
    /// Delayed on purpose: waiting for settlement does not wait for it.
    pub delayed: bool,
    /// What is wrong with it, on purpose.
    pub tamper: Option<Tamper>,
    /// What happened so far.
    pub attempts: Vec<Attempt>,
}

/// An event for one endpoint, not queued yet.
#[derive(Clone, Debug)]
pub(crate) struct NewDelivery {
    pub(crate) home: Scope,
    pub(crate) endpoint: String,
    pub(crate) url: String,
    pub(crate) event: String,
    pub(crate) event_type: String,
    pub(crate) scope: Scope,
    pub(crate) connect: bool,
    pub(crate) body: String,
}

/// A signed request, ready to be sent or handed to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDelivery {
    /// To report the outcome with.
    pub id: String,
    /// Where to POST.
    pub url: String,
    /// `we_…`
    pub endpoint: String,
    /// The mode of the *endpoint*; the event's own is in `livemode`.
    pub endpoint_mode: Mode,
    /// `evt_…`
    pub event: String,
    /// `refund.created` …
    pub event_type: String,
    /// The account the event happened in.
    pub account: String,
    /// The event's `livemode`.
    pub livemode: bool,
    /// Header names (lower case) and values.
    pub headers: Vec<(String, String)>,
    /// The exact bytes that are signed.
    pub body: Vec<u8>,
}

/// All deliveries: the rows, and the order in which waiting ones go out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Deliveries {
    pub(crate) rows: Table<Delivery>,
    pub(crate) order: Vec<String>,
    pub(crate) hold: bool,
    /// Nothing arrives: an outage of the receiver that outlasts every retry.
    #[serde(default)]
    pub(crate) lost: bool,
    max_attempts: u32,
}

impl Deliveries {
    pub(crate) fn new(max_attempts: u32) -> Self {
        Self { rows: Table::default(), order: Vec::new(), hold: false, lost: false, max_attempts }
    }

    pub(crate) fn enqueue(&mut self, id: String, new: NewDelivery, now: i64) {
        let delivery = Delivery {
            id: id.clone(),
            home: new.home,
            endpoint: new.endpoint,
            url: new.url,
            event: new.event,
            event_type: new.event_type,
            scope: new.scope,
            connect: new.connect,
            body: new.body,
            status: self.first_status(),
            not_before: now,
            delayed: false,
            tamper: None,
            attempts: Vec::new(),
        };
        self.add(delivery);
    }

    fn first_status(&self) -> DeliveryStatus {
        match (self.lost, self.hold) {
            (true, _) => DeliveryStatus::Dropped,
            (false, true) => DeliveryStatus::Held,
            (false, false) => DeliveryStatus::Queued,
        }
    }

    pub(crate) fn add(&mut self, delivery: Delivery) {
        if delivery.status != DeliveryStatus::Dropped {
            self.order.push(delivery.id.clone());
        }
        self.rows.insert(delivery.id.clone(), delivery);
    }

    /// Whether everything that is not held or delayed has been attempted at least once.
    #[must_use]
    pub(crate) fn settled(&self) -> bool {
        self.waiting().all(|delivery| match delivery.status {
            DeliveryStatus::InFlight => false,
            DeliveryStatus::Queued => delivery.delayed || !delivery.attempts.is_empty(),
            _ => true,
        })
    }

    /// Whether, beyond that, nothing waits to be tried again.
    #[must_use]
    pub(crate) fn finished(&self) -> bool {
        self.settled() && self.waiting().all(|delivery| delivery.attempts.is_empty())
    }

    fn waiting(&self) -> impl Iterator<Item = &Delivery> {
        self.order.iter().filter_map(|id| self.rows.get(id))
    }

    /// After a restart nobody will report on what was in flight.
    pub(crate) fn requeue_in_flight(&mut self) {
        for delivery in self.rows.iter_mut().filter(|delivery| delivery.status == DeliveryStatus::InFlight) {
            delivery.status = DeliveryStatus::Queued;
        }
    }

    pub(crate) fn render(&self) -> Vec<Value> {
        self.rows.iter().map(Delivery::render).collect()
    }
}

impl Delivery {
    /// What the control API shows: everything but the body.
    #[must_use]
    pub(crate) fn render(&self) -> Value {
        json!({
            "id": self.id, "status": self.status, "event": self.event, "type": self.event_type,
            "account": self.scope.account, "mode": self.scope.mode, "endpoint": self.endpoint,
            "endpoint_mode": self.home.mode, "url": self.url, "connect": self.connect, "tamper": self.tamper,
            "not_before": self.not_before, "attempts": self.attempts,
        })
    }

    fn signed(&self, endpoint: &WebhookEndpoint, now: i64, signing_now: i64) -> SignedDelivery {
        let secrets = endpoint.active_secrets(now);
        let body = self.body.clone().into_bytes();
        let (signature, body) = match self.tamper {
            None => (Some(sign(&secrets, signing_now, &body)), body),
            Some(Tamper::Unsigned) => (None, body),
            Some(Tamper::Forged) => (Some(sign(&["whsec_nobodyhasthis"], signing_now, &body)), body),
            Some(Tamper::Stale(secs)) => (Some(sign(&secrets, signing_now.saturating_sub(secs), &body)), body),
            Some(Tamper::Altered) => (Some(sign(&secrets, signing_now, &body)), altered(body)),
        };
        let mut headers = vec![
            ("content-type".to_owned(), "application/json; charset=utf-8".to_owned()),
            ("user-agent".to_owned(), "Stripe/1.0 (+https://stripe.com/docs/webhooks)".to_owned()),
        ];
        headers.extend(signature.map(|signature| ("stripe-signature".to_owned(), signature)));
        SignedDelivery {
            id: self.id.clone(),
            url: endpoint.url.clone(),
            endpoint: self.endpoint.clone(),
            endpoint_mode: self.home.mode,
            event: self.event.clone(),
            event_type: self.event_type.clone(),
            account: self.scope.account.clone(),
            livemode: self.scope.mode.livemode(),
            headers,
            body,
        }
    }
}

/// Changes the last digit: still JSON, but not what was signed.
fn altered(mut body: Vec<u8>) -> Vec<u8> {
    if let Some(digit) = body.iter_mut().rev().find(|byte| byte.is_ascii_digit()) {
        *digit = if *digit == b'9' { b'8' } else { b'9' };
    }
    body
}

impl State {
    /// Takes up to `limit` deliveries whose time has come, in order, signed for this moment.
    pub(crate) fn take_due(&mut self, limit: usize) -> Vec<SignedDelivery> {
        let (now, signing_now) = (self.now(), self.clock.signing_now());
        let mut taken = Vec::new();
        for id in self.deliveries.order.clone() {
            if taken.len() >= limit {
                break;
            }
            let endpoint = self.deliveries.rows.get(&id).and_then(|delivery| {
                self.worlds.get(&delivery.home.to_string())?.webhook_endpoints.get(&delivery.endpoint)
            });
            let Some(delivery) = self.deliveries.rows.get_mut(&id) else {
                continue;
            };
            if delivery.status != DeliveryStatus::Queued || delivery.not_before > now {
                continue;
            }
            if let Some(endpoint) = endpoint {
                delivery.status = DeliveryStatus::InFlight;
                taken.push(delivery.signed(endpoint, now, signing_now));
            } else {
                delivery.status = DeliveryStatus::Dropped;
            }
        }
        self.deliveries.forget_settled();
        taken
    }

    /// Notes what an endpoint answered. A failure is tried again later, unless something was wrong on purpose.
    pub(crate) fn report(&mut self, id: &str, outcome: Result<u16, String>) {
        let now = self.now();
        let max_attempts = usize::try_from(self.deliveries.max_attempts).unwrap_or(usize::MAX);
        let Some(delivery) = self.deliveries.rows.get_mut(id) else {
            return;
        };
        let (status, error) = match outcome {
            Ok(status) => (Some(status), None),
            Err(error) => (None, Some(error)),
        };
        delivery.attempts.push(Attempt { at: now, status, error });
        let accepted = status.is_some_and(|status| (200..300).contains(&status));
        if accepted {
            delivery.status = DeliveryStatus::Delivered;
        } else if delivery.tamper.is_some() || delivery.attempts.len() >= max_attempts {
            delivery.status = DeliveryStatus::Failed;
        } else {
            let wait = RETRY_SECS.get(delivery.attempts.len().saturating_sub(1)).or(RETRY_SECS.last());
            delivery.status = DeliveryStatus::Queued;
            delivery.not_before = now.saturating_add(wait.copied().unwrap_or(1));
        }
        if accepted {
            let (scope, event) = (delivery.scope.clone(), delivery.event.clone());
            if let Some(event) = self.world_mut(&scope).events.get_mut(&event) {
                event.pending_webhooks = event.pending_webhooks.saturating_sub(1).max(0);
            }
        }
        self.deliveries.forget_settled();
    }
}

impl Deliveries {
    fn forget_settled(&mut self) {
        let Self { rows, order, .. } = self;
        order.retain(|id| {
            rows.get(id).is_some_and(|delivery| {
                matches!(delivery.status, DeliveryStatus::Held | DeliveryStatus::Queued | DeliveryStatus::InFlight)
            })
        });
    }
}
