#![doc = include_str!("../README.md")]

pub mod admin;
pub mod cancel;
pub mod clients;
pub mod connect;
pub mod connection;
mod counters;
pub mod decide;
pub mod endpoint;
pub mod error;
pub mod expire;
pub mod export;
pub mod facts;
pub mod item;
pub mod jobs;
pub mod keys;
pub mod ledger;
mod movement;
pub mod observe;
pub mod plans;
pub mod queue;
mod reads;
pub mod refresh;
pub mod requests;
pub mod seal;
mod similar;
pub mod store;
pub mod tokens;

pub use clients::Clients;
pub use error::{AwsError, Retry};
pub use store::{Store, StoreError};
