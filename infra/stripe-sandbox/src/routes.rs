//! The table of routes: which call does what, and which permission an access token needs for it.

use serde_json::Value;

use crate::auth::Caller;
use crate::balance;
use crate::balance_transaction::BalanceTransaction;
use crate::bank_account::BankAccount;
use crate::charge::{self, Charge};
use crate::delivery::DeliveryStatus;
use crate::dispute::{self, Dispute};
use crate::error::StripeError;
use crate::event::{Cause, Event};
use crate::mode::Scope;
use crate::page::{Page, Row};
use crate::params::Params;
use crate::payment_intent;
use crate::payout::{self, Payout};
use crate::payout_reversal;
use crate::refund::{self, Refund};
use crate::reversal::{self, Reversal};
use crate::state::State;
use crate::table::Stored;
use crate::transfer::{self, Transfer};
use crate::webhook_endpoint::{self, WebhookEndpoint};

/// A decoded, authenticated call.
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) caller: &'a Caller,
    pub(crate) params: Params,
    pub(crate) cause: Cause,
}

/// Runs a call.
pub(crate) fn dispatch(state: &mut State, call: Call<'_>) -> Result<Value, StripeError> {
    let Call { method, path, caller, params, cause } = call;
    let unknown = || StripeError::no_route(method, path);
    let trimmed = path.strip_prefix("/v1/").ok_or_else(unknown)?;
    let segments: Vec<&str> = trimmed.trim_end_matches('/').split('/').collect();
    let (resource, rest) = segments.split_first().ok_or_else(unknown)?;
    if let Some(permission) = permission(method, resource) {
        state.authorise(caller, &permission)?;
    }
    let scope = &caller.scope;
    let cause = &cause;
    match (method, *resource, rest) {
        // What an app may read of its own account is not asked; what a restricted key may, is.
        ("GET", "account", []) if caller.permissions.is_some() => {
            state.authorise(caller, "connected_account_read")?;
            account(state, &scope.account, scope, params)
        }
        ("GET", "account", []) => account(state, &scope.account, scope, params),
        ("GET", "accounts", [id]) => account(state, id, scope, params),
        ("GET", "accounts", [id, "external_accounts"]) => external_accounts(state, id, scope, path, params),
        ("GET", "balance", []) => params.finish().map(|()| balance::retrieve(state, scope)),
        ("GET", "balance_transactions", []) | ("GET", "balance", ["history"]) => {
            list::<BalanceTransaction>(state, scope, path, params, &["type", "source", "currency"])
        }
        ("GET", "balance_transactions", [id]) | ("GET", "balance", ["history", id]) => {
            retrieve::<BalanceTransaction>(state, scope, id, params)
        }

        ("POST", "charges", []) => charge::create_from(state, scope, params, cause),
        ("GET", "charges", []) => {
            list::<Charge>(state, scope, path, params, &["customer", "payment_intent", "transfer_group"])
        }
        ("GET", "charges", [id]) => retrieve::<Charge>(state, scope, id, params),
        ("POST", "charges", [id]) => charge::update(state, scope, id, params, cause),
        ("POST", "charges", [id, "refunds" | "refund"]) => refund::create_from(state, scope, Some(id), params, cause),
        ("GET", "charges", [id, "refunds"]) => {
            let id = state.find::<Charge>(scope, id, "id")?.id.clone();
            list_where::<Refund>(state, scope, path, params, |refund| refund.charge.as_deref() == Some(&id))
        }

        ("POST", "refunds", []) => refund::create_from(state, scope, None, params, cause),
        ("GET", "refunds", []) => list::<Refund>(state, scope, path, params, &["charge", "payment_intent"]),
        ("GET", "refunds", [id]) => retrieve::<Refund>(state, scope, id, params),
        ("POST", "refunds", [id]) => refund::update(state, scope, id, params, cause),
        ("POST", "refunds", [id, "cancel"]) => refund::cancel(state, scope, id, params, cause),

        ("GET", "payment_intents", []) => payment_intent::list(state, scope, path, params),
        ("GET", "payment_intents", [id]) => payment_intent::retrieve(state, scope, id, params),

        ("GET", "disputes", []) => list::<Dispute>(state, scope, path, params, &["charge", "payment_intent"]),
        ("GET", "disputes", [id]) => retrieve::<Dispute>(state, scope, id, params),
        ("POST", "disputes", [id]) => dispute::update_from(state, scope, id, params, cause),
        ("POST", "disputes", [id, "close"]) => dispute::close(state, scope, id, params, cause),

        ("POST", "payouts", []) => payout::create_from(state, scope, params, cause),
        ("GET", "payouts", []) => list::<Payout>(state, scope, path, params, &["destination", "status"]),
        ("GET", "payouts", [id]) => retrieve::<Payout>(state, scope, id, params),
        ("POST", "payouts", [id]) => payout::update(state, scope, id, params, cause),
        ("POST", "payouts", [id, "reverse"]) => payout_reversal::create_from(state, scope, id, params, cause),
        ("POST", "payouts", [id, "cancel"]) => payout::cancel(state, scope, id, params, cause),

        ("POST", "transfers", []) => transfer::create_from(state, scope, params, cause),
        ("GET", "transfers", []) => list::<Transfer>(state, scope, path, params, &["destination", "transfer_group"]),
        ("GET", "transfers", [id]) => retrieve::<Transfer>(state, scope, id, params),
        ("POST", "transfers", [id]) => transfer::update(state, scope, id, params, cause),
        ("POST", "transfers", [id, "reversals"]) => reversal::create_from(state, scope, id, params, cause),
        ("GET", "transfers", [id, "reversals"]) => {
            let id = state.find::<Transfer>(scope, id, "id")?.id.clone();
            list_where::<Reversal>(state, scope, path, params, |reversal| reversal.transfer == id)
        }
        ("GET", "transfers", [id, "reversals", reversal]) => {
            params.finish()?;
            reversal::retrieve(state, scope, id, reversal).map(Stored::render)
        }
        ("POST", "transfers", [id, "reversals", reversal]) => reversal::update(state, scope, id, reversal, params),

        ("GET", "events", []) => events(state, scope, path, params),
        ("GET", "events", [id]) => retrieve::<Event>(state, scope, id, params),

        ("POST", "webhook_endpoints", []) => webhook_endpoint::create_from(state, scope, params),
        ("GET", "webhook_endpoints", []) => list::<WebhookEndpoint>(state, scope, path, params, &[]),
        ("GET", "webhook_endpoints", [id]) => retrieve::<WebhookEndpoint>(state, scope, id, params),
        ("POST", "webhook_endpoints", [id]) => webhook_endpoint::update(state, scope, id, params),
        ("DELETE", "webhook_endpoints", [id]) => webhook_endpoint::delete(state, scope, id),
        _ => Err(unknown()),
    }
}

/// The permission an access token or a restricted key needs. Refunds are covered by charges.
fn permission(method: &str, resource: &str) -> Option<String> {
    let family = match resource {
        "charges" | "refunds" => "charge",
        "payment_intents" => "payment_intent",
        "disputes" => "dispute",
        "payouts" => "payout",
        "transfers" => "transfer",
        "balance" => "balance",
        "balance_transactions" => "balance_transaction_source",
        "events" => "event",
        "webhook_endpoints" => "webhook",
        "customers" => "customer",
        _ => return None,
    };
    Some(format!("{family}_{}", if method == "GET" { "read" } else { "write" }))
}

fn retrieve<T: Stored>(state: &State, scope: &Scope, id: &str, params: Params) -> Result<Value, StripeError> {
    params.finish()?;
    state.find::<T>(scope, id, "id").map(Stored::render)
}

/// A list whose filters compare a member with a text.
fn list<T: Stored>(
    state: &State,
    scope: &Scope,
    url: &str,
    mut params: Params,
    filters: &[&str],
) -> Result<Value, StripeError> {
    let mut wanted = Vec::new();
    for filter in filters {
        if let Some(text) = params.text(filter)? {
            wanted.push((*filter, Value::String(text)));
        }
    }
    list_where::<T>(state, scope, url, params, |object| {
        let value = object.render();
        wanted.iter().all(|(filter, text)| value.get(filter) == Some(text))
    })
}

fn list_where<T: Stored>(
    state: &State,
    scope: &Scope,
    url: &str,
    mut params: Params,
    admit: impl Fn(&T) -> bool,
) -> Result<Value, StripeError> {
    let page = Page::take(&mut params)?;
    params.finish()?;
    let rows = state.world(scope).into_iter().flat_map(|world| T::table(world).iter().rev());
    let rows = rows.filter(|object| admit(object));
    page.cut(
        url,
        rows.map(|object| Row { id: object.id().to_owned(), created: object.created(), value: object.render() })
            .collect(),
    )
}

/// How long Stripe lists an event, in seconds: 30 days (Stripe API reference, "List all events").
const EVENTS_KEPT_SECS: i64 = 30 * 86_400;

fn events(state: &State, scope: &Scope, url: &str, mut params: Params) -> Result<Value, StripeError> {
    let mut types = params.list("types")?.unwrap_or_default();
    types.extend(params.text("type")?);
    let delivered = params.flag("delivery_success")?;
    let oldest = state.now().saturating_sub(EVENTS_KEPT_SECS);
    list_where::<Event>(state, scope, url, params, |event| {
        let named = |name: &String| {
            name == &event.kind || name.strip_suffix('*').is_some_and(|prefix| event.kind.starts_with(prefix))
        };
        event.created >= oldest
            && (types.is_empty() || types.iter().any(named))
            && delivered.is_none_or(|wanted| wanted == all_delivered(state, &event.id))
    })
}

fn all_delivered(state: &State, event: &str) -> bool {
    let mut deliveries = state.deliveries.rows.iter().filter(|delivery| delivery.event == event);
    deliveries.all(|delivery| delivery.status == DeliveryStatus::Delivered)
}

/// An account is visible to itself and to its platform or the developer with `Stripe-Account`.
fn account(state: &State, id: &str, scope: &Scope, params: Params) -> Result<Value, StripeError> {
    params.finish()?;
    visible_account(state, id, scope).map(crate::account::Account::render)
}

fn visible_account<'a>(state: &'a State, id: &str, scope: &Scope) -> Result<&'a crate::account::Account, StripeError> {
    state
        .accounts
        .get(id)
        .filter(|account| account.id == scope.account || account.platform.as_ref() == Some(&scope.account))
        .ok_or_else(|| {
            StripeError::forbidden(
                Some("account_invalid"),
                format!("The provided key does not have access to account '{id}' (or that account does not exist). Application access may have been revoked."),
            )
        })
}

fn external_accounts(
    state: &State,
    id: &str,
    scope: &Scope,
    url: &str,
    mut params: Params,
) -> Result<Value, StripeError> {
    params.choice("object", &["bank_account", "card"])?;
    let page = Page::take(&mut params)?;
    params.finish()?;
    let account = visible_account(state, id, scope)?;
    let row = |bank: &BankAccount| Row { id: bank.id.clone(), created: account.created, value: bank.render() };
    page.cut(url, account.bank_accounts.iter().rev().map(row).collect())
}
