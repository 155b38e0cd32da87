//! `/permissions`: generated from the table that the Stripe App's manifest is generated from.

use axiru_stripe::permissions::PERMISSIONS;
use maud::{Markup, html};

use super::layout::document;

/// `/permissions`.
pub(crate) fn permissions() -> Markup {
    document(
        "Permissions",
        html! {
            h1 { "What Axiru asks Stripe for" }
            p class="lead" { "Reading, and nothing else. Stripe enforces this list: what is not on it cannot be done with the access you give." }
            @for permission in &PERMISSIONS {
                section aria-labelledby=(permission.name) {
                    h2 id=(permission.name) { code { (permission.name) } }
                    p { (permission.purpose) }
                    dl class="long" {
                        dt { "Is read" } dd { (permission.read) }
                        dt { "Is never read or kept" } dd { (permission.never_read) }
                        dt { "Enforcement would add" }
                        dd {
                            @match &permission.enforcement {
                                Some(write) => { code { (write.name) } ": " (write.purpose) },
                                None => "Nothing.",
                            }
                        }
                    }
                }
            }
            h2 { "If you ever enforce a plan" }
            p { "The writing permissions are in a second version of the app. Installing it is a decision of its own, and Stripe asks you for it again." }
            p { "Stripe has no permission of its own for refunds: they come with charges." }
        },
    )
}
