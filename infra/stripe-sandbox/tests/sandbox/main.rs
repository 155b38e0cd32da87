//! The sandbox from outside: through its API, its control API and its router.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod bad_input;
mod bench;
mod deliveries;
mod fields;
mod forms;
mod http;
mod idempotency;
mod legality;
mod money;
mod oauth;
mod payment_intents;
mod traffic;
