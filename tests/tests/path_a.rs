//! Path A in one process: from a question to a decision in the ledger, with faults, contention and bad input.

mod answers;
mod concurrency;
mod crashes;
mod facts;
mod ground;
mod lists;
mod refusals;
mod settled;
mod waits;
