//! Disturbing deliveries: hold, release, duplicate, reorder, delay, drop, forge, make stale; rolling secrets.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ControlError, parse};
use crate::delivery::{Delivery, DeliveryStatus, Tamper};
use crate::mode::{Mode, Scope};
use crate::state::State;
use crate::table::Stored;
use crate::webhook_endpoint::{self, WebhookEndpoint};

/// Older than any tolerance: ten minutes.
const DEFAULT_STALE_SECS: i64 = 600;
/// How long an old secret goes on signing unless told otherwise.
const DEFAULT_OVERLAP_SECS: i64 = 3600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seconds {
    seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reorder {
    /// Ids in the new order; the rest keeps its place behind them. Reversed if absent.
    ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Roll {
    overlap_secs: Option<i64>,
}

/// One call under `/_sandbox/deliveries`.
pub(super) fn run(state: &mut State, method: &str, segments: &[&str], body: Value) -> Result<Value, ControlError> {
    match (method, segments) {
        ("GET", []) => {}
        ("POST", ["hold"]) => state.deliveries.hold = true,
        ("POST", ["outage"]) => state.deliveries.lost = true,
        ("POST", ["recover"]) => state.deliveries.lost = false,
        ("POST", ["release"]) => release(state),
        ("POST", ["reorder"]) => reorder(state, parse(body)?),
        ("GET", [id]) => return find(state, id).map(|delivery| detail(delivery)),
        ("POST", [id, what]) => return disturb(state, id, what, body),
        _ => {
            return Err(ControlError::NotFound(format!(
                "the control API has no {method} /_sandbox/deliveries/{}",
                segments.join("/")
            )));
        }
    }
    Ok(
        json!({"hold": state.deliveries.hold, "outage": state.deliveries.lost, "settled": state.deliveries.settled(), "deliveries": state.deliveries.render()}),
    )
}

fn find<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Delivery, ControlError> {
    state.deliveries.rows.get_mut(id).ok_or_else(|| ControlError::NotFound(format!("there is no delivery `{id}`")))
}

fn detail(delivery: &Delivery) -> Value {
    let mut value = delivery.render();
    if let Value::Object(members) = &mut value {
        members.insert("body".into(), json!(delivery.body));
    }
    value
}

fn release(state: &mut State) {
    state.deliveries.hold = false;
    for delivery in state.deliveries.rows.iter_mut().filter(|delivery| delivery.status == DeliveryStatus::Held) {
        delivery.status = DeliveryStatus::Queued;
    }
}

fn reorder(state: &mut State, wanted: Reorder) {
    match wanted.ids {
        None => state.deliveries.order.reverse(),
        Some(ids) => {
            let waiting = std::mem::take(&mut state.deliveries.order);
            let first = ids.iter().filter(|id| waiting.contains(id)).cloned();
            let rest = waiting.iter().filter(|id| !ids.contains(id)).cloned();
            state.deliveries.order = first.chain(rest).collect();
        }
    }
}

/// `duplicate`, `resend` and `twin` make a new delivery; the others change this one and need it to be waiting.
fn disturb(state: &mut State, id: &str, what: &str, body: Value) -> Result<Value, ControlError> {
    let Seconds { seconds } = parse(body)?;
    let now = state.now();
    let delivery = find(state, id)?.clone();
    match what {
        "duplicate" | "resend" => return Ok(copy(state, &delivery, None)),
        "forge_copy" => return Ok(copy(state, &delivery, Some(Tamper::Forged))),
        "stale_copy" => {
            return Ok(copy(state, &delivery, Some(Tamper::Stale(seconds.unwrap_or(DEFAULT_STALE_SECS)))));
        }
        "alter_copy" => return Ok(copy(state, &delivery, Some(Tamper::Altered))),
        "unsign_copy" => return Ok(copy(state, &delivery, Some(Tamper::Unsigned))),
        "twin" => return twin(state, &delivery),
        _ => {}
    }
    let waiting = matches!(delivery.status, DeliveryStatus::Held | DeliveryStatus::Queued);
    if !waiting {
        return Err(ControlError::Body(format!(
            "delivery `{id}` is not waiting any more; hold deliveries first, or use a `_copy`"
        )));
    }
    let delivery = find(state, id)?;
    match what {
        "forge" => delivery.tamper = Some(Tamper::Forged),
        "alter" => delivery.tamper = Some(Tamper::Altered),
        "unsign" => delivery.tamper = Some(Tamper::Unsigned),
        "stale" => delivery.tamper = Some(Tamper::Stale(seconds.unwrap_or(DEFAULT_STALE_SECS))),
        "drop" => delivery.status = DeliveryStatus::Dropped,
        "release" => delivery.status = DeliveryStatus::Queued,
        "hold" => delivery.status = DeliveryStatus::Held,
        "delay" => {
            delivery.not_before = now.saturating_add(seconds.unwrap_or(1));
            delivery.delayed = true;
        }
        other => {
            return Err(ControlError::NotFound(format!("nothing is called `{other}` that one can do to a delivery")));
        }
    }
    let rendered = delivery.render();
    let gone = id.to_owned();
    if what == "drop" {
        state.deliveries.order.retain(|waiting| *waiting != gone);
    }
    Ok(rendered)
}

/// The same bytes once more; it waits if deliveries are held.
fn copy(state: &mut State, delivery: &Delivery, tamper: Option<Tamper>) -> Value {
    let copy = Delivery {
        id: state.ids.next("whd"),
        status: if state.deliveries.hold { DeliveryStatus::Held } else { DeliveryStatus::Queued },
        not_before: state.now(),
        delayed: false,
        tamper,
        attempts: Vec::new(),
        ..delivery.clone()
    };
    let rendered = copy.render();
    state.deliveries.add(copy);
    rendered
}

/// A second event, with its own id, about the same change: rare at Stripe, but it happens.
fn twin(state: &mut State, delivery: &Delivery) -> Result<Value, ControlError> {
    let event = state.find::<crate::event::Event>(&delivery.scope, &delivery.event, "event")?.clone();
    let id = state.emit_data(&delivery.scope, &event.kind, event.data, event.request);
    Ok(json!({"event": id}))
}

/// One call under `/_sandbox/endpoints`.
pub(super) fn endpoint(state: &mut State, method: &str, segments: &[&str], body: Value) -> Result<Value, ControlError> {
    let [id, what] = segments else {
        return Err(ControlError::NotFound("use /_sandbox/endpoints/{id}/roll or …/secrets".into()));
    };
    let scopes: Vec<Scope> =
        state.accounts.iter().flat_map(|account| Mode::ALL.map(|mode| Scope::new(mode, account.id.clone()))).collect();
    let home = scopes
        .into_iter()
        .find(|scope| state.world(scope).is_some_and(|world| WebhookEndpoint::table(world).get(id).is_some()))
        .ok_or_else(|| ControlError::NotFound(format!("there is no webhook endpoint `{id}`")))?;
    let secret = match (method, *what) {
        ("POST", "roll") => {
            let Roll { overlap_secs } = parse(body)?;
            Some(webhook_endpoint::roll(state, &home, id, overlap_secs.unwrap_or(DEFAULT_OVERLAP_SECS))?)
        }
        ("GET", "secrets") => None,
        _ => {
            return Err(ControlError::NotFound(format!("nothing is called `{what}` that one can do to an endpoint")));
        }
    };
    let now = state.now();
    let active = state.find::<WebhookEndpoint>(&home, id, "id")?.active_secrets(now);
    Ok(json!({"endpoint": id, "secret": secret, "active_secrets": active}))
}
