//! What operators do to a scope: persons, keys, plans, accounts under review. Each act is one transaction with its ledger entry.
//!
//! Never: a change without an entry, a secret or an address in an entry, an act on a scope that is not connected.

pub mod act;
pub mod alias;
mod approval;
mod asking;
mod disconnect;
pub mod group;
pub mod key;
pub mod limits;
pub mod links;
pub mod permissions;
pub mod person;
pub mod plan;
mod reconcile;
pub mod refusal;
pub mod review;
pub mod status;
mod switch;
pub(crate) mod why;

pub use act::{Act, ChangeId, ChangeIdError};
pub use refusal::{AdminError, Refusal};
