//! How events become lines: JSON with the fields of [`crate::fields`], or metrics.

use std::fmt::Debug;
use std::io::Write;

use axiru_domain::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::{fields, metrics};

/// Writes a line for each event.
pub(crate) struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // A line that cannot be written must not fail the work it tells of.
        let _ = writeln!(std::io::stdout(), "{}", line(event, Timestamp::now()));
    }
}

/// How the targets of Axiru's own crates begin.
const OURS: &str = "axiru";

fn line(event: &Event<'_>, now: Timestamp) -> Value {
    let about = event.metadata();
    let mut line = Map::new();
    line.insert("timestamp".to_owned(), now.to_string().into());
    line.insert("level".to_owned(), about.level().as_str().into());
    if !about.target().starts_with(OURS) {
        // What a library says may hold what it works on, in the message too. Where it says so is enough to look it up.
        line.insert("message".to_owned(), "a library has logged something".into());
        line.insert("library".to_owned(), format!("{}:{}", about.target(), about.line().unwrap_or_default()).into());
        return line.into();
    }
    let mut seen = Seen::default();
    event.record(&mut seen);
    line.extend(seen.fields);
    if seen.left_out > 0 {
        line.insert("fields.left_out".to_owned(), seen.left_out.into());
    }
    line.into()
}

/// The fields of an event that a line may hold, and its message.
#[derive(Default)]
struct Seen {
    fields: Map<String, Value>,
    left_out: u64,
}

impl Seen {
    fn note(&mut self, field: &Field, value: impl Into<Value>) {
        if field.name() == "message" || fields::is_listed(field.name()) {
            self.fields.insert(field.name().to_owned(), value.into());
        } else {
            self.left_out += 1;
        }
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.note(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.note(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.note(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.note(field, value);
    }
}

/// Writes a metric for each measurement, of the function of this name.
pub(crate) struct Measurements(pub(crate) &'static str);

impl<S: Subscriber> Layer<S> for Measurements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut measured = Measured::default();
        event.record(&mut measured);
        if let (Some(metric), Some(value)) = (measured.metric, measured.value) {
            metrics::measured(self.0, &metric, value);
        }
    }
}

#[derive(Default)]
struct Measured {
    metric: Option<String>,
    value: Option<u64>,
}

impl Visit for Measured {
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "metric" {
            self.metric = Some(value.to_owned());
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "value" {
            self.value = Some(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::json;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Keeps the lines instead of writing them.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<Value>>>);

    impl<S: Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().push(line(event, Timestamp::from_millis(0).unwrap()));
        }
    }

    #[test]
    fn a_line_holds_its_message_and_what_is_on_the_list() {
        let kept = Kept::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(kept.clone()), || {
            tracing::warn!(scope = %"test/acct_1", retry = true, entry.seq = 7_u64, "an entry");
        });
        let expected = json!({"timestamp": "1970-01-01T00:00:00.000Z", "level": "WARN", "scope": "test/acct_1", "retry": true,
            "entry.seq": 7, "message": "an entry"});
        assert_eq!(*kept.0.lock().unwrap(), [expected]);
    }

    #[test]
    fn what_is_not_on_the_list_is_left_out_and_counted() {
        let kept = Kept::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(kept.clone()), || {
            tracing::info!(token = "rt_secret", http.path = %"/approvals/x?link=secret", body = ?[1, 2], scope = "live/acct_1", "a call");
        });
        let lines = kept.0.lock().unwrap();
        assert!(!lines[0].to_string().contains("secret") && !lines[0].to_string().contains("body"), "{}", lines[0]);
        assert_eq!(lines[0]["fields.left_out"], 3);
        assert_eq!(lines[0]["scope"], "live/acct_1");
    }

    #[test]
    fn of_a_library_a_line_says_only_where_it_spoke() {
        let kept = Kept::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(kept.clone()), || {
            tracing::error!(target: "hyper::proto", error = ?"secret", "a secret header");
        });
        let lines = kept.0.lock().unwrap();
        assert!(!lines[0].to_string().contains("secret"), "{}", lines[0]);
        assert_eq!(lines[0]["message"], "a library has logged something");
        let place = lines[0]["library"].as_str().unwrap();
        assert!(place.starts_with("hyper::proto:") && !place.ends_with(":0"), "{place}");
    }

    #[test]
    fn a_measurement_has_a_name_and_a_number() {
        struct Counted(Arc<Mutex<Vec<(String, u64)>>>);
        impl<S: Subscriber> Layer<S> for Counted {
            fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
                let mut measured = Measured::default();
                event.record(&mut measured);
                self.0.lock().unwrap().push((measured.metric.unwrap(), measured.value.unwrap()));
            }
        }
        let seen = Arc::new(Mutex::new(Vec::new()));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(Counted(Arc::clone(&seen))), || {
            tracing::info!(target: "axiru::measured", metric = "StripeMillis", value = 12_u64);
        });
        assert_eq!(*seen.lock().unwrap(), [("StripeMillis".to_owned(), 12)]);
    }
}
