//! The pages: pure functions from what is known to a page with its status. One for each state of a link.
//!
//! No script, no cookie, nothing from elsewhere, and no link: the only ways on are forms that post to this function.

mod ask;
mod gallery;
mod layout;
mod link;
mod outcome;
mod trouble;

pub(crate) use ask::ask;
pub use gallery::gallery;
pub(crate) use link::{link_expired, new_link_sent};
pub(crate) use outcome::{decided, ended, opposite, recorded, voted};
pub(crate) use trouble::Trouble;

#[cfg(test)]
mod tests;
