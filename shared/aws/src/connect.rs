//! Connecting a Stripe account: from a set-up link that an operator mints to an active connection with its ledger entries.
//!
//! 1. [`setup_link`]: an operator mints a link; only its hash is kept.
//! 2. [`install`]: a browser that followed the link gets a one-time state; the callback claims it, and holds what Stripe granted.
//! 3. [`registration`]: the mode's webhook endpoint is ensured, once, surviving a crash between Stripe's answer and the store.
//! 4. [`activation`]: after the person has confirmed, one transaction makes the connection, its plans and its entries.
//!
//! The second door, [`key`]: an operator hands over a restricted key of the account, and the same transaction follows.
//!
//! Rows, all with a time to live but the operators':
//!
//! | row | pk | sk |
//! |---|---|---|
//! | set-up link of a mode | `<mode>#setup_link#<hash>` | `link` |
//! | who an operator is (erasable) | `<mode>#operator#<id>` | `operator` |
//! | install | `<mode>#install#<hash of the state>` | `install` |

pub mod activation;
pub mod admission;
pub mod developer;
pub mod install;
pub mod key;
pub mod operator;
pub mod registration;
pub mod setup_link;
pub mod token;
