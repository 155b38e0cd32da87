//! The pages of a link whose time is over while its request is open.

use axiru_pages::Page;
use http::StatusCode;
use maud::html;

use super::layout::page;

/// The link has expired. Nothing of the request is shown; a new link goes to the address on file and nowhere else.
pub(crate) fn link_expired(link: &str) -> Page {
    let headline = "This link has expired";
    let main = html! {
        h1 { (headline) }
        p class="lead" { "What it asks about is still open, but the link is too old to answer with." }
        p { "You can ask for a new one. It goes by mail to the person for whom this link was made, and to nobody else." }
        form method="post" action="/approvals/resend" {
            input type="hidden" name="link" value=(link);
            button type="submit" { "Send a new link" }
        }
    };
    page(StatusCode::GONE, headline, &main)
}

/// A new link is on its way. Says the same whether or not one was due, so that nobody learns anything by asking.
pub(crate) fn new_link_sent() -> Page {
    let headline = "A new link is on its way";
    let main = html! {
        h1 { (headline) }
        p class="lead" { "It goes to the address on file, if the request is still open." }
        p { "It may take some minutes. The link that you have does not work any more: you can close this page." }
    };
    page(StatusCode::OK, headline, &main)
}
