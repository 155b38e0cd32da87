//! What every handler needs from Lambda: configuration, telemetry, batch results, HTTP problems.
