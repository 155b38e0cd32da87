#![doc = include_str!("../README.md")]

pub mod clients;
pub mod connect;
pub mod connection;
mod counters;
pub mod decide;
pub mod endpoint;
pub mod error;
pub mod expire;
pub mod export;
pub mod item;
pub mod keys;
pub mod ledger;
pub mod observe;
pub mod plans;
pub mod queue;
mod reads;
pub mod requests;
pub mod seal;
mod similar;
pub mod store;

pub use clients::Clients;
pub use error::{AwsError, Retry};
pub use store::{Store, StoreError};
