#![doc = include_str!("../README.md")]

pub mod admin;
pub mod clients;
pub mod connect;
pub mod connection;
pub mod endpoint;
pub mod error;
pub mod export;
pub mod item;
pub mod keys;
pub mod ledger;
pub mod observe;
pub mod plans;
pub mod queue;
pub mod seal;
pub mod store;

pub use clients::Clients;
pub use error::{AwsError, Retry};
pub use store::{Store, StoreError};
