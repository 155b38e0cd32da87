//! Logs: one JSON object a line, on standard output.

use tracing_subscriber::EnvFilter;

/// Starts logging with the filter in `AXIRU_LOG` (`info` by default), and makes panics log where they happened but not
/// what they said: a panic's text may hold what was being worked on.
pub fn start() {
    let filter = EnvFilter::try_from_env("AXIRU_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start, as in tests, changes nothing.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_target(false)
        .with_current_span(false)
        .with_span_list(false)
        .try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(panic.place = %place, "a handler panicked");
    }));
}
