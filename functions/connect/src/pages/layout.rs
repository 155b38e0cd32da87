//! What all pages of this function share.

use axiru_pages::Frame;
pub(super) use axiru_pages::band::{class, meaning, shout};
use maud::{Markup, html};

/// A whole page.
#[allow(clippy::needless_pass_by_value, reason = "callers build it in place")]
pub(super) fn document(title: &str, main: Markup) -> Markup {
    let frame = Frame {
        header: html! {
            nav aria-label="Axiru" { a href="/" { "Axiru" } a href="/permissions" { "Permissions" } a href="/privacy" { "Privacy" } }
        },
        footer: html! {
            p { "No analytics, no advertising, nothing loaded from anybody else. While an account is being connected, one cookie ties \
                 the visit to this browser for ten minutes; it is strictly necessary for that. There is no other cookie and so nothing to choose. "
                a href="/privacy" { "Privacy and cookies" } }
        },
    };
    axiru_pages::document(&frame, title, &main)
}
