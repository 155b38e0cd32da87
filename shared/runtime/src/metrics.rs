//! Metrics as CloudWatch's embedded metric format: a log line that CloudWatch turns into metrics, without an agent or a call.

use std::io::Write;

use axiru_domain::{Mode, Timestamp};
use serde_json::{Value, json};

/// CloudWatch's name space of all metrics.
pub const NAMESPACE: &str = "Axiru";

/// Counts `count` of `metric` in `function`, for a mode where there is one. Accounts and actors are never a dimension: each would be
/// a metric of its own, and paid for.
pub fn count(function: &'static str, mode: Option<Mode>, metric: &'static str, count: u64) {
    let line = line(function, mode, metric, count, Timestamp::now());
    // A metric that cannot be written must not fail the work it counts.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn line(function: &str, mode: Option<Mode>, metric: &str, count: u64, now: Timestamp) -> Value {
    let dimensions = if mode.is_some() { json!([["function", "mode"]]) } else { json!([["function"]]) };
    let mut line = json!({
        "_aws": {
            "Timestamp": now.millis(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": dimensions,
                "Metrics": [{"Name": metric, "Unit": "Count"}],
            }],
        },
        "function": function,
        metric: count,
    });
    if let (Some(mode), Some(map)) = (mode, line.as_object_mut()) {
        map.insert("mode".to_owned(), mode.as_str().into());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_its_dimensions_and_holds_their_values() {
        let line = line("webhook", Some(Mode::Live), "SignatureRefused", 2, Timestamp::from_millis(5).unwrap());
        let metric = &line["_aws"]["CloudWatchMetrics"][0];
        for dimension in metric["Dimensions"][0].as_array().unwrap() {
            assert!(line[dimension.as_str().unwrap()].is_string());
        }
        assert_eq!(line[metric["Metrics"][0]["Name"].as_str().unwrap()], 2);
        assert_eq!(line["_aws"]["Timestamp"], 5);
    }
}
