#![doc = include_str!("../README.md")]

pub mod admin;
pub mod approval;
pub mod cancel;
pub mod clients;
pub mod connect;
pub mod connection;
mod counters;
pub mod decide;
mod ended;
pub mod endpoint;
pub mod error;
pub mod execution;
pub mod expire;
pub mod export;
pub mod facts;
mod fifo;
pub mod follow;
pub mod groups;
pub mod heartbeat;
mod holds;
mod https;
pub mod item;
pub mod jobs;
pub mod keys;
pub mod ledger;
pub mod mail;
mod movement;
pub mod observe;
pub mod passed;
pub mod plans;
pub mod queue;
pub mod reach;
mod reads;
pub mod reconcile;
pub mod refresh;
pub mod requests;
pub mod restore;
pub mod seal;
mod sealed;
mod similar;
pub mod store;
pub mod switches;
pub mod tokens;
mod warm;

pub use clients::Clients;
pub use error::{AwsError, Retry};
pub use store::{Store, StoreError};

/// A random idempotency key, for a caller that sends none; none where the system has no random bytes.
#[must_use]
pub fn random_key() -> Option<axiru_domain::IdempotencyKey> {
    connect::token::random_id("axiru-").ok()?.parse().ok()
}
