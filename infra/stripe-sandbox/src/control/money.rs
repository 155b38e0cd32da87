//! Moving money "in the Dashboard", by the bank, or by Stripe's own schedule; installing and uninstalling.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ControlError, parse};
use crate::account;
use crate::charge;
use crate::dispute;
use crate::event::Cause;
use crate::mode::Scope;
use crate::payout::{self, Settlement};
use crate::refund;
use crate::reversal;
use crate::state::State;
use crate::transfer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundStatus {
    status: String,
    failure_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputeStatus {
    status: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    permissions: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndedKey {
    key: String,
}

/// One call under `/_sandbox/{mode}/{account}/`.
pub(super) fn run(
    state: &mut State,
    method: &str,
    scope: &Scope,
    segments: &[&str],
    body: Value,
) -> Result<Value, ControlError> {
    if method != "POST" {
        return Err(ControlError::NotFound(format!(
            "nothing answers {method} here; read with the API or GET /_sandbox/state"
        )));
    }
    let person = state.dashboard();
    let value = match segments {
        ["restricted_keys"] => json!({"key": state.mint_restricted(scope, parse::<NewKey>(body)?.permissions)}),
        ["restricted_keys", "end"] => {
            if !state.end_key(&parse::<EndedKey>(body)?.key) {
                return Err(ControlError::NotFound("there is no such key".into()));
            }
            json!({})
        }
        ["charges"] => charge::create(state, scope, parse(body)?, &person)?,
        ["refunds"] => refund::create(state, scope, parse(body)?, &person)?,
        ["refunds", id, "status"] => {
            let to: RefundStatus = parse(body)?;
            let allowed = ["succeeded", "failed", "canceled"];
            if !allowed.contains(&to.status.as_str()) {
                return Err(ControlError::Body(format!("status must be one of {}", allowed.join(", "))));
            }
            let failed = (to.status != "succeeded").then(|| to.failure_reason.unwrap_or_else(|| "unknown".into()));
            refund::settle(state, scope, id, &to.status, failed.as_deref(), &Cause::Automatic)?
        }
        ["payouts"] => payout::create(state, scope, parse(body)?, &person)?,
        ["payouts", id, "status"] => {
            let to: Settlement = parse(body)?;
            let cause = if to.status == "canceled" { person } else { Cause::Automatic };
            payout::settle(state, scope, id, &to, &cause)?
        }
        ["transfers"] => transfer::create(state, scope, parse(body)?, &person)?,
        ["transfers", id, "reversals"] => reversal::create(state, scope, id, parse(body)?, &person)?,
        ["disputes"] => dispute::open(state, scope, parse(body)?, &Cause::Automatic)?,
        ["disputes", id, "evidence"] => dispute::update(state, scope, id, parse(body)?, &person)?,
        ["disputes", id, "close"] => {
            let to: DisputeStatus = parse(body)?;
            dispute::settle(state, scope, id, &to.status, &Cause::Automatic)?
        }
        ["disputes", id, "accept"] => {
            let nothing = crate::params::Params::new(std::collections::BTreeMap::new());
            dispute::close(state, scope, id, nothing, &person)?
        }
        ["external_accounts"] => account::add_bank_account(state, scope, parse(body)?, &person)?,
        ["install"] => {
            state.install(scope);
            let code = state.mint_code(scope);
            json!({"code": code, "tokens": state.mint_tokens(scope)})
        }
        ["uninstall"] => state.uninstall(scope)?,
        ["consent"] => json!({"code": state.mint_code(scope)}),
        other => {
            return Err(ControlError::NotFound(format!(
                "the control API has no POST /_sandbox/{}/{}/{}",
                scope.mode,
                scope.account,
                other.join("/")
            )));
        }
    };
    Ok(value)
}
