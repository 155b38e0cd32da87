//! Completeness: what Stripe lists against the ledger, and healing what no webhook told, over the sandbox and the doubles in one process.

mod asked;
mod crashes;
mod healing;
mod paging;
mod periods;
mod shop;
mod unmatched;
