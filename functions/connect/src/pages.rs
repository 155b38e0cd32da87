//! The pages: plain documents that say what is, and what comes next.
//!
//! Every value is escaped by the template. No script, nothing from elsewhere, one style that the content policy lets in by its hash.

mod connect;
mod gallery;
mod layout;
mod privacy;
mod table;
mod trouble;

pub(crate) use connect::{Confirmation, confirm, connected, install, install_without_link};
pub use gallery::gallery;
pub(crate) use privacy::privacy;
pub(crate) use table::permissions;
pub(crate) use trouble::Trouble;

use layout::document;
use maud::{Markup, html};

/// `/`: what this is.
pub(crate) fn home() -> Markup {
    document(
        "Axiru",
        html! {
            h1 { "Axiru" }
            p class="lead" { "Axiru checks the money that leaves a Stripe account: refunds, dispute responses, payouts and transfers." }
            p { "Each is held against policies, and what they say is written into a record that nobody can change unseen. A new connection begins in "
                strong { "shadow" } ": everything is observed and recorded, nothing is held, blocked or changed." }
            h2 { "Connecting an account" }
            p { "You need a set-up link from the person who runs this deployment. It leads to "
                a href="/stripe/install" { "the page on which accounts are connected" } "." }
            h2 { "Before you connect" }
            ul {
                li { a class="way" href="/permissions" { "What Axiru asks Stripe for, and why" } }
                li { a class="way" href="/privacy" { "What is kept, and what never is" } }
            }
        },
    )
}

#[cfg(test)]
mod tests;
