//! Metrics as CloudWatch's embedded metric format: a log line that CloudWatch turns into metrics, without an agent or a call.
//!
//! What happens below the functions (conflicts, answers of Stripe, errors of KMS) is told there as a tracing event with the target
//! [`MEASURED`], which [`crate::telemetry`] takes off the log and hands to [`measured`].

mod registered;

use std::io::Write;
use std::time::Duration;

use axiru_domain::{Mode, Outcome, Timestamp};
use serde_json::{Value, json};

pub use registered::{By, Metric, Unit};

/// CloudWatch's name space of all metrics.
pub const NAMESPACE: &str = "Axiru";

/// The target of tracing events that are measurements and no lines of the log. The rooms below write it as text.
pub const MEASURED: &str = "axiru::measured";

/// Writes `value` of `metric` in `function`, for a mode where there is one. Accounts and actors are never a dimension: each would be
/// a metric of its own, and paid for.
pub fn count(function: &'static str, mode: Option<Mode>, metric: Metric, value: u64) {
    debug_assert!(metric.is_of(function, mode.is_some()), "{function} does not write {metric:?} so");
    write(&line(function, mode, &[(metric, value)], Timestamp::now()));
}

/// Writes several metrics of one function and mode in one line.
pub fn several(function: &'static str, mode: Mode, values: &[(Metric, u64)]) {
    debug_assert!(values.iter().all(|(metric, _)| metric.is_of(function, true)), "{function}: {values:?}");
    write(&line(function, Some(mode), values, Timestamp::now()));
}

/// Writes what one decision came to, how long it took, and what of it people should look at: limits that it would pass, limits that are
/// nearly used, and rules that could not be evaluated.
pub fn decided(function: &'static str, mode: Mode, outcome: Outcome, took: Duration, looked_at: [u64; 3]) {
    let came_to = match outcome {
        Outcome::Allow => Metric::DecisionsAllowed,
        Outcome::RequireApproval => Metric::DecisionsHeld,
        Outcome::Block => Metric::DecisionsBlocked,
    };
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let mut values = vec![(came_to, 1), (Metric::DecisionMillis, millis)];
    let named = [Metric::LimitsReached, Metric::LimitsNearlyUsed, Metric::PolicyErrors];
    // What did not happen is not written: a metric is paid for by the hour in which it is.
    values.extend(named.into_iter().zip(looked_at).filter(|(_, value)| *value > 0));
    several(function, mode, &values);
}

/// Writes a measurement of the rooms below, which name it as text; one that nobody has registered is dropped.
pub(crate) fn measured(function: &'static str, name: &str, value: u64) {
    let metric = Metric::ALL.iter().find(|metric| metric.name() == name && metric.is_of(function, false));
    debug_assert!(metric.is_some(), "{function} does not write {name}");
    if let Some(metric) = metric {
        count(function, None, *metric, value);
    }
}

fn write(line: &Value) {
    // A metric that cannot be written must not fail the work it counts.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn line(function: &str, mode: Option<Mode>, values: &[(Metric, u64)], now: Timestamp) -> Value {
    let dimensions = if mode.is_some() { json!([["function", "mode"]]) } else { json!([["function"]]) };
    let metrics = values.iter().map(|(metric, _)| json!({"Name": metric.name(), "Unit": metric.unit().as_str()}));
    let mut line = json!({
        "_aws": {
            "Timestamp": now.millis(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": dimensions,
                "Metrics": metrics.collect::<Vec<_>>(),
            }],
        },
        "function": function,
    });
    if let Some(map) = line.as_object_mut() {
        map.extend(values.iter().map(|(metric, value)| (metric.name().to_owned(), (*value).into())));
        map.extend(mode.map(|mode| ("mode".to_owned(), mode.as_str().into())));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_its_dimensions_and_holds_their_values() {
        let values = [(Metric::SignatureRefused, 2), (Metric::EventRefused, 0)];
        let line = line("webhook", Some(Mode::Live), &values, Timestamp::from_millis(5).unwrap());
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        for dimension in metrics["Dimensions"][0].as_array().unwrap() {
            assert!(line[dimension.as_str().unwrap()].is_string());
        }
        for (index, (_, value)) in values.iter().enumerate() {
            assert_eq!(line[metrics["Metrics"][index]["Name"].as_str().unwrap()], *value);
        }
        assert_eq!(line["_aws"]["Timestamp"], 5);
    }

    #[test]
    fn nothing_that_grows_without_end_is_a_dimension() {
        let line = line("decide", Some(Mode::Test), &[(Metric::DecisionsHeld, 1)], Timestamp::from_millis(5).unwrap());
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["function", "mode"]]));
        // CloudWatch takes 100 metrics a line.
        assert!(Metric::ALL.len() <= 100);
    }

    #[test]
    fn who_writes_a_metric_by_what_is_known() {
        assert!(Metric::ReportsRefused.is_of("observe", true) && Metric::ReportsRefused.is_of("observe", false));
        assert!(Metric::ExportAlarm.is_of("export", true) && !Metric::ExportAlarm.is_of("export", false));
        assert!(!Metric::ExportAlarm.is_of("observe", true));
    }
}
