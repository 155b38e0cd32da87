//! The control API: what only a person, a bank or chance can do at Stripe. JSON under `/_sandbox/`.

mod deliveries;
mod money;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::account::{self, NewAccount};
use crate::app::App;
use crate::balance;
use crate::error::StripeError;
use crate::mode::{Mode, Scope};
use crate::state::State;

/// Why a control call was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The body is not what the call needs.
    #[error("bad body: {0}")]
    Body(String),
    /// There is no such call, account, mode or delivery.
    #[error("not found: {0}")]
    NotFound(String),
    /// Stripe's own rules forbid it.
    #[error(transparent)]
    Stripe(#[from] StripeError),
}

impl ControlError {
    pub(crate) fn bad_body(error: &serde_json::Error) -> Self {
        Self::Body(error.to_string())
    }

    /// HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Body(_) => 400,
            Self::NotFound(_) => 404,
            Self::Stripe(error) => error.status,
        }
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> Value {
        match self {
            Self::Stripe(error) => error.body("req_sandbox"),
            other => json!({"error": {"type": "sandbox_error", "message": other.to_string()}}),
        }
    }
}

/// Runs one control call. `path` is what follows `/_sandbox/`.
pub(crate) fn run(state: &mut State, method: &str, path: &str, body: Value) -> Result<Value, ControlError> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let unknown = || ControlError::NotFound(format!("the control API has no {method} /_sandbox/{path}"));
    match (method, segments.as_slice()) {
        ("GET", ["state"]) => Ok(summary(state)),
        ("GET", ["clock"]) => Ok(json!({"now": state.now()})),
        ("POST", ["clock"]) => set_clock(state, parse(body)?),
        ("GET", ["faults"]) => Ok(state.traffic.render()),
        ("POST", ["faults"]) => state.traffic.order(parse(body)?).map(|()| state.traffic.render()),
        ("POST", ["faults", "clear"]) => {
            state.traffic.clear();
            Ok(state.traffic.render())
        }
        ("POST", ["rate_limit"]) => {
            state.traffic.limit(parse::<RateLimit>(body)?.per_second);
            Ok(state.traffic.render())
        }
        ("GET", ["apps"]) => Ok(apps(state)),
        ("POST", ["apps", mode]) => change_app(state, parse_mode(mode)?, parse(body)?),
        ("GET", ["accounts"]) => {
            Ok(json!({"accounts": state.accounts.iter().map(account::Account::render).collect::<Vec<_>>()}))
        }
        ("POST", ["accounts"]) => Ok(account::create(state, parse::<NewAccount>(body)?)?),
        (_, ["deliveries", rest @ ..]) => deliveries::run(state, method, rest, body),
        (_, ["endpoints", rest @ ..]) => deliveries::endpoint(state, method, rest, body),
        (_, [mode @ ("test" | "live"), account, rest @ ..]) => {
            let scope = Scope::new(parse_mode(mode)?, *account);
            if state.accounts.get(account).is_none() {
                return Err(ControlError::NotFound(format!("there is no account `{account}`")));
            }
            money::run(state, method, &scope, rest, body)
        }
        _ => Err(unknown()),
    }
}

pub(crate) fn parse<T: DeserializeOwned>(body: Value) -> Result<T, ControlError> {
    serde_json::from_value(body).map_err(|error| ControlError::bad_body(&error))
}

fn parse_mode(text: &str) -> Result<Mode, ControlError> {
    text.parse().map_err(|error: crate::mode::ModeError| ControlError::NotFound(error.to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateLimit {
    per_second: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    advance_secs: Option<i64>,
    set: Option<i64>,
    #[serde(default)]
    resume: bool,
}

fn set_clock(state: &mut State, change: ClockChange) -> Result<Value, ControlError> {
    match (change.advance_secs, change.set, change.resume) {
        (Some(secs), None, false) => state.clock.advance(secs),
        (None, Some(now), false) => state.clock.set(Some(now)),
        (None, None, true) => state.clock.set(None),
        _ => {
            return Err(ControlError::Body("give exactly one of `advance_secs`, `set`, `resume`".into()));
        }
    }
    Ok(json!({"now": state.now()}))
}

fn apps(state: &State) -> Value {
    let apps: Vec<Value> = state.apps.values().map(crate::table::render).collect();
    json!({"developer_account": state.developer, "apps": apps})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppChange {
    client_id: Option<String>,
    developer_key: Option<String>,
    name: Option<String>,
    redirect_uris: Option<Vec<String>>,
    permissions: Option<Vec<String>>,
}

fn change_app(state: &mut State, mode: Mode, change: AppChange) -> Result<Value, ControlError> {
    let old =
        state.apps.get(&mode).cloned().ok_or_else(|| ControlError::NotFound(format!("there is no {mode} app")))?;
    let app = App {
        mode,
        client_id: change.client_id.unwrap_or(old.client_id),
        developer_key: change.developer_key.unwrap_or(old.developer_key),
        name: change.name.unwrap_or(old.name),
        redirect_uris: change.redirect_uris.unwrap_or(old.redirect_uris),
        permissions: change.permissions.map_or(old.permissions, |names| names.into_iter().collect()),
    };
    state.register_app(app);
    Ok(apps(state))
}

fn summary(state: &State) -> Value {
    let scopes: Vec<Value> = state
        .accounts
        .iter()
        .flat_map(|account| Mode::ALL.map(|mode| Scope::new(mode, account.id.clone())))
        .filter_map(|scope| state.world(&scope).map(|world| (scope.clone(), world)))
        .map(|(scope, world)| {
            json!({
                "mode": scope.mode, "account": scope.account, "installed": state.is_installed(&scope),
                "balance": balance::retrieve(state, &scope).get("available"),
                "charges": world.charges.len(), "refunds": world.refunds.len(), "disputes": world.disputes.len(),
                "payouts": world.payouts.len(), "transfers": world.transfers.len(), "reversals": world.reversals.len(),
                "events": world.events.len(),
                "webhook_endpoints": world.webhook_endpoints.iter().map(crate::table::Stored::render).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "now": state.now(), "developer_account": state.developer, "scopes": scopes,
        "deliveries": {"total": state.deliveries.rows.len(), "waiting": state.deliveries.order.len(), "hold": state.deliveries.hold, "settled": state.deliveries.settled()},
    })
}
