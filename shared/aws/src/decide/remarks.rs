//! What of a decision is worth counting: not what was decided, but how near it was to something that people should look at.

use axiru_ledger::entry::Entry;
use serde_json::Value;

/// From which share of a limit on it is nearly used, in hundredths.
const NEARLY: u64 = 80;

/// What a decision's verdicts say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Limits that the movement would pass.
    pub limits_reached: u64,
    /// Limits that are used by four fifths or more, and are not passed.
    pub limits_nearly_used: u64,
    /// Rules that could not be evaluated, and plans that could not be asked.
    pub errors: u64,
}

impl Remarks {
    /// Those of a decision's entry.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        let verdicts = entry.fields().get("decision").and_then(|decision| decision.get("verdicts")?.as_array());
        verdicts.into_iter().flatten().map(Self::of_verdict).fold(Self::default(), |all, one| Self {
            limits_reached: all.limits_reached + one.limits_reached,
            limits_nearly_used: all.limits_nearly_used + one.limits_nearly_used,
            errors: all.errors + one.errors,
        })
    }

    /// As numbers, in the order of the fields.
    #[must_use]
    pub const fn numbers(self) -> [u64; 3] {
        [self.limits_reached, self.limits_nearly_used, self.errors]
    }

    fn of_verdict(verdict: &Value) -> Self {
        let list = |name: &str| verdict.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut remarks = Self::default();
        for limit in list("limits") {
            if limit.get("passed").and_then(Value::as_bool) == Some(true) {
                remarks.limits_reached += 1;
            } else if nearly_used(limit, "amount") || nearly_used(limit, "count") {
                remarks.limits_nearly_used += 1;
            }
        }
        let failed = |reason: &&Value| {
            reason.as_str().is_some_and(|reason| reason.starts_with("evaluation_error:") || reason == "plan_unusable")
        };
        remarks.errors = list("reasons").iter().filter(failed).count() as u64;
        remarks
    }
}

/// Whether what a limit counts, used and held, is four fifths of its cap or more.
fn nearly_used(limit: &Value, what: &str) -> bool {
    let number = |name: String| limit.get(name).and_then(Value::as_u64);
    let Some(max) = number(format!("max_{what}")) else { return false };
    let used = number(format!("used_{what}")).unwrap_or_default();
    let held = number(format!("held_{what}")).unwrap_or_default();
    u128::from(used.saturating_add(held)) * 100 >= u128::from(max) * u128::from(NEARLY)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limit(used: u64, held: u64, passed: bool) -> Value {
        json!({"used_amount": used, "held_amount": held, "max_amount": 1_000, "used_count": 0, "held_count": 0, "passed": passed})
    }

    #[test]
    fn limits_that_are_passed_or_nearly_used_and_rules_that_failed_are_counted() {
        let verdict = json!({
            "limits": [limit(799, 0, false), limit(700, 100, false), limit(1_000, 0, true)],
            "reasons": ["policy:a", "evaluation_error:b", "plan_unusable", "limit:x"],
        });
        assert_eq!(Remarks::of_verdict(&verdict), Remarks { limits_reached: 1, limits_nearly_used: 1, errors: 2 });
        assert_eq!(Remarks::of_verdict(&json!({})), Remarks::default());
    }

    #[test]
    fn a_limit_without_a_cap_of_a_kind_is_not_near_it() {
        let counts = json!({"used_count": 8, "held_count": 0, "max_count": 10, "max_amount": null, "passed": false});
        assert!(nearly_used(&counts, "count") && !nearly_used(&counts, "amount"));
    }
}
