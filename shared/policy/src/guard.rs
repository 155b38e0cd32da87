//! What must be true for a policy to be satisfied, read off its conditions once, so that most policies that do not apply are
//! passed over without asking Cedar.
//!
//! Only conjuncts of the form `context.name == literal` and `context.amount_minor > literal` are looked at, and only where the name is
//! known. One of them being false decides a policy that cannot fail: everything it is joined to by `&&` no longer matters.

use axiru_domain::{Fact, FactValue, Movement};
use serde_json::Value;

/// The conjuncts of one policy that are understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Guards {
    guards: Vec<Guard>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Guard {
    Currency(String),
    AmountAbove(i64),
    Fact(String, FactValue),
}

impl Guards {
    /// Reads a policy in Cedar's JSON form. None for one that calculates: it may fail, and a failure must be seen.
    pub(crate) fn read(policy: &Value, arithmetic: bool) -> Self {
        let mut guards = Self::default();
        if arithmetic {
            return guards;
        }
        for condition in policy.get("conditions").and_then(Value::as_array).into_iter().flatten() {
            if condition.get("kind").and_then(Value::as_str) == Some("when") {
                guards.conjuncts(condition.get("body"));
            }
        }
        guards
    }

    fn conjuncts(&mut self, node: Option<&Value>) {
        let Some((op, body)) = node.and_then(Value::as_object).and_then(|node| node.iter().next()) else { return };
        match op.as_str() {
            "&&" => {
                self.conjuncts(body.get("left"));
                self.conjuncts(body.get("right"));
            }
            "==" | ">" => self.guards.extend(guard(op, body)),
            _ => {}
        }
    }

    /// True where one of them is certainly false of the movement, so that the policy is not satisfied.
    pub(crate) fn exclude(&self, movement: &Movement) -> bool {
        self.guards.iter().any(|guard| match guard {
            Guard::Currency(currency) => movement.money.currency().as_str() != currency,
            Guard::AmountAbove(amount) => movement.money.amount_minor() <= *amount,
            Guard::Fact(name, value) => matches!(movement.facts.get(name), Fact::Known(known) if known != value),
        })
    }
}

/// The guard that `context.name == literal` or `context.amount_minor > literal` is.
fn guard(op: &str, body: &Value) -> Option<Guard> {
    let access = body.get("left")?.get(".")?;
    let of_context = access.get("left")?.get("Var")?.as_str()? == "context";
    let name = access.get("attr")?.as_str().filter(|_| of_context)?;
    let literal = body.get("right")?.get("Value")?;
    match (op, name) {
        ("==", "currency") => Some(Guard::Currency(literal.as_str()?.to_owned())),
        (">", "amount_minor") => Some(Guard::AmountAbove(literal.as_i64()?)),
        ("==", name) if name != "amount_minor" => {
            let value = match literal {
                Value::String(text) => FactValue::Text(text.clone()),
                Value::Bool(value) => FactValue::Bool(*value),
                number => FactValue::Long(number.as_i64()?),
            };
            Some(Guard::Fact(name.to_owned(), value))
        }
        _ => None,
    }
}
