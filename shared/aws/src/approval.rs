//! Asking people about requests that are held: on which terms, by which links, what they see, and what their answers do.
//!
//! Never: a change by looking, a link that lives on when what it is about has changed, an answer of somebody who asked, a movement without
//! its quorum.

mod action;
mod caps;
mod content;
mod held;
mod link;
mod sheet;
pub(crate) mod terms;
mod vote;

pub use caps::{LinkCaps, LinkCapsError};
pub use held::{Held, HeldError};
pub use link::{LinkId, LinkIdError, LinkKeys, LinkToken, LinkTokenError, Minter, OpenError, Opened, Verifier};
pub use vote::{Ballot, Cast, CastError};

pub(crate) use action::action_sha256;
