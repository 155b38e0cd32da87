//! The ledger's export as an auditor meets it: whatever fails while it is written, and whatever is done to it afterwards.

mod alarms;
mod crashes;
mod doorbells;
mod ground;
mod sizes;
mod tamper;
mod whole;
