//! What all pages of this function share.

use axiru_pages::{Frame, Page};
use http::StatusCode;
use maud::{Markup, html};

/// A page. Header and footer lead nowhere: whoever holds a link is kept on it.
pub(super) fn page(status: StatusCode, title: &str, main: &Markup) -> Page {
    let frame = Frame {
        header: html! { p { "Axiru: approvals" } },
        footer: html! {
            p { "This page sets no cookie, runs no script, and loads nothing from anybody. It is meant for the one person to whom its link was sent." }
        },
    };
    Page::new(status, axiru_pages::document(&frame, title, main))
}
