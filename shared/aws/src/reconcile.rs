//! Completeness: what Stripe lists against what the ledger tells, both ways; and healing what no webhook has told.
//!
//! A log proves that nothing was changed; that everything was logged only Stripe can tell. [`Healer`] observes the events that Stripe
//! lists and nobody has told, as any report is observed. [`Reconciler`] compares a period and puts down what it found: first the report as
//! a file, then the entry that names it. [`Runner`] does both for one task of the queue.
//!
//! Never: a write at Stripe; one mode's or account's objects held against another's ledger; a list that Stripe refuses passed over in
//! silence.

mod at_stripe;
mod compare;
mod gather;
mod heal;
mod in_ledger;
mod lists;
mod reconciler;
mod report;
mod run;
mod runner;
mod subject;
mod task;

pub use heal::{HealError, Healed, Healer};
pub use lists::ListError;
pub use reconciler::{ReconcileError, Reconciled, Reconciler};
pub use report::Tally;
pub use run::{RunRow, RunStatus};
pub use runner::{Done, RunError, Runner};
pub use task::{Task, TaskQueue};
