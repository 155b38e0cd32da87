//! `expand[]`: ids replaced by the objects they name.

use serde_json::Value;

use crate::balance_transaction::BalanceTransaction;
use crate::charge::Charge;
use crate::dispute::Dispute;
use crate::error::StripeError;
use crate::mode::Scope;
use crate::payout::Payout;
use crate::refund::Refund;
use crate::reversal::Reversal;
use crate::state::State;
use crate::table::Stored;
use crate::transfer::Transfer;

/// Stripe expands at most four levels deep.
const MAX_DEPTH: usize = 4;

/// Members that hold ids the sandbox can resolve, and the lists on the way to them.
const EXPANDABLE: [&str; 17] = [
    "balance_transaction",
    "balance_transactions",
    "charge",
    "data",
    "destination",
    "external_accounts",
    "failure_balance_transaction",
    "latest_charge",
    "object",
    "original_payout",
    "payment_intent",
    "reversals",
    "reversed_by",
    "source",
    "source_transaction",
    "transfer",
    "transfer_reversal",
];

/// Refuses a path that no object has, before anything is executed.
pub(crate) fn check_path(path: &str) -> Result<(), StripeError> {
    if path.split('.').count() > MAX_DEPTH {
        return Err(StripeError::invalid(
            "expand",
            format!("You cannot expand more than {MAX_DEPTH} levels of a property."),
        ));
    }
    if path.split('.').all(|segment| EXPANDABLE.contains(&segment)) {
        return Ok(());
    }
    Err(StripeError::invalid("expand", format!("This property cannot be expanded ({path}).")))
}

/// Expands one dotted path inside an answer.
pub(crate) fn expand(state: &State, scope: &Scope, value: &mut Value, path: &str) -> Result<(), StripeError> {
    let segments: Vec<&str> = path.split('.').collect();
    walk(state, scope, value, &segments, path)
}

fn walk(state: &State, scope: &Scope, value: &mut Value, segments: &[&str], path: &str) -> Result<(), StripeError> {
    let Some((head, rest)) = segments.split_first() else {
        return Ok(());
    };
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(state, scope, item, segments, path)),
        Value::Object(members) => {
            let cannot = || StripeError::invalid("expand", format!("This property cannot be expanded ({path})."));
            let member = members.get_mut(*head).ok_or_else(cannot)?;
            if let Value::String(id) = member {
                *member = by_id(state, scope, id).ok_or_else(cannot)?;
            }
            match member {
                Value::Null => Ok(()),
                Value::Object(_) | Value::Array(_) => walk(state, scope, member, rest, path),
                _ => Err(cannot()),
            }
        }
        _ => Ok(()),
    }
}

fn by_id(state: &State, scope: &Scope, id: &str) -> Option<Value> {
    let world = state.world(scope)?;
    match id.split_once('_')?.0 {
        "ch" => rendered::<Charge>(Charge::table(world).get(id)),
        "pi" => crate::payment_intent::charge_of(world, id).and_then(crate::payment_intent::render),
        "re" => rendered::<Refund>(Refund::table(world).get(id)),
        "du" => rendered::<Dispute>(Dispute::table(world).get(id)),
        "po" => rendered::<Payout>(Payout::table(world).get(id)),
        "tr" => rendered::<Transfer>(Transfer::table(world).get(id)),
        "trr" => rendered::<Reversal>(Reversal::table(world).get(id)),
        "txn" => rendered::<BalanceTransaction>(BalanceTransaction::table(world).get(id)),
        "acct" => state.accounts.get(id).map(crate::account::Account::render),
        "ba" => state.accounts.get(&scope.account)?.bank_account(id).map(crate::bank_account::BankAccount::render),
        _ => None,
    }
}

fn rendered<T: Stored>(object: Option<&T>) -> Option<Value> {
    object.map(T::render)
}
