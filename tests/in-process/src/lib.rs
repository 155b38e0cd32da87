//! AWS and Stripe in one process, for tests and for simulation in virtual time.
//!
//! Real `aws-sdk-*` clients talk to an HTTP connector that answers from memory: [dynoxide] for DynamoDB, small doubles
//! for SQS, KMS, S3, SES and Secrets Manager. Production code therefore needs no mock traits: it calls SDK clients, here as in
//! the cloud, and everything between (serialisation, error parsing, the SDK's own retries) is the real thing.
//!
//! - [`InProcess`] is one account: tables, queues, keys, objects, and the clients for them.
//! - [`Faults`] decides what goes wrong at which attempt: fail, *apply and then fail*, conflict, throttle, delay, crash.
//! - [`Enumerator`] runs a scenario once per (attempt, fault, SDK retries on or off), recovers, and checks.
//! - [`Calls`] lists what was called, [`Dump`] everything that is stored.
//! - [`Stripe`] is the way to the Stripe sandbox through the same gate, so that calls to Stripe are numbered and fail as others do.
//!
//! It must never be a dependency of anything but tests, and never depends on the code under test but for the seam towards Stripe
//! ([`axiru_stripe::transport`]).
//!
//! What it does not do: natural contention (dynoxide serialises: a conflict is injected), signatures, IAM beyond the grants of roles ([`InProcess::acting_as`]),
//! request limits of whole accounts, and streams unless a test creates its table with one.
//!
//! [dynoxide]: https://docs.rs/dynoxide-rs

mod aws_chunked;
mod call;
mod clients;
mod connector;
mod crc32;
mod dump;
mod dynamodb;
mod enumerator;
mod fault;
mod gate;
mod kms;
mod latency;
mod names;
mod process;
mod refusals;
mod report;
mod roles;
mod s3;
mod s3_xml;
mod scopes;
mod secrets;
mod ses;
mod sqs;
mod stripe;
mod tables;
mod wire;
mod world;

#[cfg(test)]
mod tests;

pub use call::{Call, Calls, Service};
pub use clients::Retries;
pub use dump::{Dump, Piece};
pub use enumerator::Enumerator;
pub use fault::Fault;
pub use gate::Faults;
pub use latency::Latencies;
pub use names::*;
pub use process::Outcome;
pub use report::{Point, Report, Violation};
pub use roles::RECORD;
pub use ses::SentMail;
pub use stripe::{Stripe, sandbox_config};
pub use world::InProcess;
