//! `data.previous_attributes`: the old values of what changed, and nothing else.

use serde_json::{Map, Value};

/// What `before` had where `after` differs; nested objects show only the members that changed. `None` if equal.
pub(crate) fn previous_attributes(before: &Value, after: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return (before != after).then(|| before.clone());
    };
    let mut changed = Map::new();
    for (key, value) in old {
        let now = new.get(key).unwrap_or(&Value::Null);
        if let Some(previous) = previous_attributes(value, now) {
            changed.insert(key.clone(), previous);
        }
    }
    for key in new.keys().filter(|key| !old.contains_key(*key)) {
        changed.insert(key.clone(), Value::Null);
    }
    (!changed.is_empty()).then_some(Value::Object(changed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_changed() {
        let before = json!({"a": 1, "b": {"c": 1, "d": 2}, "e": [1], "m": {}});
        let after = json!({"a": 1, "b": {"c": 1, "d": 3}, "e": [1, 2], "m": {"k": "v"}});
        assert_eq!(previous_attributes(&before, &after), Some(json!({"b": {"d": 2}, "e": [1], "m": {"k": null}})));
        assert_eq!(previous_attributes(&before, &before), None);
    }
}
