//! What is left of a policy after partial evaluation, settled where only the order of its conditions keeps it open.
//!
//! Cedar evaluates `a && b` from left to right and keeps `unknown && false`, because `unknown` might fail. A policy that passed
//! strict validation and does not calculate cannot fail, so here `&&`, `||`, `!` and `if` follow Kleene's three-valued logic,
//! whatever stands first.

use cedar_policy::Policy;
use serde_json::Value;

/// Whether the rest of a policy that cannot fail is satisfied; none where that depends on an unknown.
pub(crate) fn settle(policy: &Policy) -> Option<bool> {
    let json = policy.to_json().ok()?;
    let scope_is_open = ["principal", "action", "resource"]
        .iter()
        .all(|part| json.get(part).and_then(|c| c.get("op")).and_then(Value::as_str) == Some("All"));
    let conditions = json.get("conditions")?.as_array()?.iter().map(|condition| {
        let body = truth(condition.get("body")?);
        if condition.get("kind")?.as_str()? == "unless" { not(body) } else { body }
    });
    let start = if scope_is_open { Some(true) } else { None };
    conditions.fold(start, and)
}

/// The truth of an expression in Cedar's JSON form.
fn truth(node: &Value) -> Option<bool> {
    let (op, body) = node.as_object()?.iter().next()?;
    let part = |name: &str| body.get(name).and_then(truth);
    match op.as_str() {
        "Value" => body.as_bool(),
        "!" => not(part("arg")),
        "&&" => and(part("left"), part("right")),
        "||" => not(and(not(part("left")), not(part("right")))),
        "if-then-else" => match part("if") {
            Some(true) => part("then"),
            Some(false) => part("else"),
            None => part("then").filter(|then| part("else") == Some(*then)),
        },
        _ => None,
    }
}

fn not(a: Option<bool>) -> Option<bool> {
    a.map(|a| !a)
}

fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(conditions: &str) -> Option<bool> {
        settle(&Policy::parse(None, format!("permit(principal, action, resource) {conditions};")).unwrap())
    }

    #[test]
    fn three_values() {
        // `context.x` stands for what is unknown.
        for (conditions, expected) in [
            ("when { context.x && false }", Some(false)),
            ("when { false && context.x }", Some(false)),
            ("when { context.x && true }", None),
            ("when { context.x || true }", Some(true)),
            ("unless { context.x || true }", Some(false)),
            ("unless { !(context.x && false) }", Some(false)),
            ("when { context.x } unless { true }", Some(false)),
            ("when { if context.x then true else true }", Some(true)),
            ("when { if context.x then true else false }", None),
            ("when { if false then context.x else true }", Some(true)),
            ("when { context.x == true }", None),
            ("", Some(true)),
        ] {
            assert_eq!(of(conditions), expected, "{conditions}");
        }
        let scoped = "permit(principal is Axiru::Agent, action, resource) when { true };";
        assert_eq!(settle(&Policy::parse(None, scoped).unwrap()), None);
    }
}
