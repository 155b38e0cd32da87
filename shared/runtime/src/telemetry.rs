//! Logs: one JSON object a line, on standard output, with fields from a closed list; and the metrics that are told below the functions.

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, filter};

use crate::metrics::MEASURED;
use crate::written::{Lines, Measurements};

/// Where Lambda's runtime logs that an invocation failed or panicked. Both are told already: by [`crate::invocation`], and where it panicked.
const TOLD_ALREADY: &str = "lambda_runtime::layers::panic";

/// Starts logging for the function `name`, with the filter in `AXIRU_LOG` (`info` by default), and makes panics log where they happened
/// but not what they said: a panic's text may hold what was being worked on.
pub fn start(name: &'static str) {
    let filter = EnvFilter::try_from_env("AXIRU_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let kept = filter::filter_fn(|about| about.target() != MEASURED && about.target() != TOLD_ALREADY);
    let lines = Lines.with_filter(filter).with_filter(kept);
    // Whatever the log's filter is: a metric is no line of it.
    let measurements = Measurements(name).with_filter(filter::filter_fn(|meta| meta.target() == MEASURED));
    // A second start, as in tests, changes nothing.
    let _ = tracing_subscriber::registry().with(lines).with(measurements).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(panic.place = %place, "a handler panicked");
    }));
}
