//! What a policy's expressions read, and the mistakes in them that Cedar's types cannot see.
//!
//! Walks the JSON form of a policy (Cedar's "JSON policy format"), bounded by the length of one policy's text.

use std::collections::BTreeSet;

use axiru_domain::{Currency, FACTS, FactSpec, MAX_SAFE_INTEGER, Mode};
use serde_json::Value;

/// A mistake in an expression.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) message: String,
    pub(crate) advice: String,
    /// A piece of the policy's text near the mistake.
    pub(crate) near: String,
}

/// What the conditions of one policy read.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Every `name` in `context.name` and `context has name`.
    pub(crate) names: BTreeSet<String>,
    /// The facts among them.
    pub(crate) facts: BTreeSet<&'static str>,
    /// Whether it calculates: the only thing that can fail in a policy that passed strict validation, by overflow.
    pub(crate) arithmetic: bool,
    /// What is wrong with it.
    pub(crate) mistakes: Vec<Mistake>,
    currency: bool,
    compared: Option<i64>,
}

/// Reads the conditions of a policy in its JSON form.
pub(crate) fn read(policy: &Value) -> Reading {
    let mut reading = Reading::default();
    if let Some(conditions) = policy.get("conditions") {
        reading.walk(conditions);
    }
    if let (Some(number), false) = (reading.compared, reading.currency) {
        reading.mistakes.push(Mistake {
            message: format!("an amount is compared with {number} but no currency is named: {number} minor units are far more money in one currency than in another"),
            advice: "add `context.currency == \"usd\" &&`, or `[\"usd\", \"eur\"].contains(context.currency) &&`".to_owned(),
            near: number.to_string(),
        });
    }
    reading
}

/// The name in `context.name`, for the JSON form of that expression.
fn context_attribute(node: &Value) -> Option<&str> {
    let access = node.get(".")?;
    is_context(access.get("left")?).then(|| access.get("attr")?.as_str()).flatten()
}

fn is_context(node: &Value) -> bool {
    node.get("Var").and_then(Value::as_str) == Some("context")
}

/// True for `resource.mode`.
fn is_mode(node: &Value) -> bool {
    node.get(".").is_some_and(|access| {
        access.get("attr").and_then(Value::as_str) == Some("mode")
            && access.get("left").and_then(|left| left.get("Var")).and_then(Value::as_str) == Some("resource")
    })
}

/// The string literals directly in a node: the literal itself, or those of a set.
fn texts(node: &Value) -> Vec<&str> {
    let one = node.get("Value").and_then(Value::as_str);
    let set = node.get("Set").and_then(Value::as_array);
    one.into_iter().chain(set.into_iter().flatten().filter_map(|n| n.get("Value").and_then(Value::as_str))).collect()
}

/// The number literal that a node is.
fn number(node: &Value) -> Option<i64> {
    node.get("Value")
        .and_then(Value::as_i64)
        .or_else(|| node.get("neg")?.get("arg")?.get("Value")?.as_i64().map(i64::wrapping_neg))
}

impl Reading {
    fn walk(&mut self, node: &Value) {
        match node {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item)),
            Value::Object(map) => map.iter().for_each(|(op, body)| self.node(op, body)),
            _ => {}
        }
    }

    fn node(&mut self, op: &str, body: &Value) {
        match op {
            "." | "has" if body.get("left").is_some_and(is_context) => return self.attribute(body),
            "Var" if body.as_str() == Some("context") => self.mistakes.push(Mistake {
                message: "`context` is used as a whole".to_owned(),
                advice: "name the fact: `context.amount_minor`".to_owned(),
                near: "context".to_owned(),
            }),
            "+" | "-" | "*" | "neg" => self.arithmetic = true,
            "==" | "!=" | "<" | "<=" | ">" | ">=" | "contains" | "containsAll" | "containsAny" => {
                self.comparison(op, body);
            }
            "Value" => self.literal(body),
            // Calls of extension functions are the only nodes with a list of arguments. They can fail on values that no type
            // excludes, and no fact is of such a type.
            _ if body.is_array() && !matches!(op, "Set" | "pattern" | "attr") => self.mistakes.push(Mistake {
                message: format!("the function `{op}` is not used in plans"),
                advice: "facts are numbers, words, true or false: compare them directly".to_owned(),
                near: op.to_owned(),
            }),
            _ => {}
        }
        self.walk(body);
    }

    /// `context.name` or `context has name`.
    fn attribute(&mut self, body: &Value) {
        // `context has a.b` is written with a list; the strict validator refuses it, since no fact is a record.
        let name = body.get("attr").and_then(|attr| attr.as_str().or_else(|| attr.get(0)?.as_str()));
        self.names.extend(name.map(str::to_owned));
        if name == Some("currency") {
            self.currency = true;
        }
        if let Some(spec) = FACTS.iter().find(|spec: &&FactSpec| Some(spec.name) == name) {
            self.facts.insert(spec.name);
        }
    }

    fn comparison(&mut self, op: &str, body: &Value) {
        let (Some(left), Some(right)) = (body.get("left"), body.get("right")) else { return };
        for (side, other) in [(left, right), (right, left)] {
            match context_attribute(side) {
                Some("currency") => self.words(
                    other,
                    "a currency",
                    |text| text.parse::<Currency>().is_ok(),
                    "three lower-case letters such as `usd`, or the rule never fires",
                ),
                Some(name) if name.ends_with("amount_minor") || name.ends_with("_minor") => {
                    if let (Some(n), true) = (number(other).filter(|n| *n != 0), op != "contains") {
                        self.compared = self.compared.or(Some(n));
                    }
                }
                _ if is_mode(side) => {
                    self.words(other, "a mode", |text| text.parse::<Mode>().is_ok(), "`test` or `live`")
                }
                _ => {}
            }
        }
    }

    /// Checks the words that something is compared with.
    fn words(&mut self, node: &Value, what: &str, is_word: impl Fn(&str) -> bool, expected: &str) {
        for text in texts(node).into_iter().filter(|text| !is_word(text)) {
            self.mistakes.push(Mistake {
                message: format!("`{text}` is not {what}"),
                advice: format!("write {expected}"),
                near: format!("\"{text}\""),
            });
        }
    }

    fn literal(&mut self, value: &Value) {
        if value.as_number().is_some()
            && value.as_i64().is_none_or(|n| n.unsigned_abs() > MAX_SAFE_INTEGER.unsigned_abs())
        {
            self.mistakes.push(Mistake {
                message: format!("the number {value} is beyond 2^53 - 1, which no amount can reach"),
                advice: "write a smaller number".to_owned(),
                near: value.to_string(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use cedar_policy::Policy;

    use super::*;

    fn reading(condition: &str) -> Reading {
        let text = format!("permit(principal, action, resource) when {{ {condition} }};");
        read(&Policy::parse(None, text).unwrap().to_json().unwrap())
    }

    #[test]
    fn facts_and_arithmetic_are_found_wherever_they_stand() {
        let r = reading("if context has reason then context.reason == \"a\" else !(context has charge_age_days)");
        assert_eq!(r.facts.into_iter().collect::<Vec<_>>(), ["charge_age_days", "reason"]);
        assert!(!r.arithmetic);
        assert!(reading("context.amount_minor * 2 > context.charge_refundable_minor").arithmetic);
        assert!(reading("-context.amount_minor < 0").arithmetic);
        assert!(reading("[context.reason].contains(\"x\")").facts.contains("reason"));
    }

    #[test]
    fn what_types_cannot_see() {
        for (condition, message) in [
            ("context.currency == \"USD\"", "`USD` is not a currency"),
            ("[\"usd\", \"euro\"].contains(context.currency)", "`euro` is not a currency"),
            ("\"\" != context.currency", "`` is not a currency"),
            ("resource.mode == \"Live\"", "`Live` is not a mode"),
            ("context.amount_minor > 20000", "an amount is compared with 20000"),
            ("context.amount_minor <= -5", "an amount is compared with -5"),
            ("500 == context.charge_refundable_minor", "an amount is compared with 500"),
            ("context.submission_count < 9007199254740992", "the number 9007199254740992"),
            ("context == {}", "`context` is used as a whole"),
            ("(if true then context else context) has reason", "`context` is used as a whole"),
        ] {
            let mistakes = reading(condition).mistakes;
            assert!(mistakes.iter().any(|m| m.message.starts_with(message)), "{condition}: {mistakes:?}");
        }
        for fine in [
            "context.currency == \"usd\" && context.amount_minor > 20000",
            "!([\"usd\", \"eur\"].contains(context.currency)) && context.amount_minor > 1",
            "context.amount_minor > 0",
            "context.amount_minor > context.charge_refundable_minor",
            "context.submission_count > 3 && context.submission_count < 9007199254740991",
            "resource.mode == \"live\"",
        ] {
            assert_eq!(reading(fine).mistakes, [], "{fine}");
        }
    }
}
