//! The page that asks: every fact, then two buttons.

use axiru_domain::{Choice, Sheet};
use axiru_pages::Page;
use axiru_pages::band::shout;
use axiru_pages::sheet::{self, View};
use axiru_pages::text::MAX_CHARS;
use http::StatusCode;
use maud::{Markup, html};

use super::layout::page;

/// Asks an approver. `link` is the link's own text, without the address.
pub(crate) fn ask(sheet: &Sheet, link: &str) -> Page {
    let view = View::of(sheet);
    let title = format!("[{}] {}: approve or deny", shout(view.mode), view.headline);
    let main = html! {
        (sheet::html(&view))
        (form(sheet, &view, link))
    };
    page(StatusCode::OK, &title, &main)
}

/// One form, one tap. The digest says what was on the page when it was tapped.
fn form(sheet: &Sheet, view: &View, link: &str) -> Markup {
    html! {
        h2 id="answer" { "Your answer" }
        form method="post" action="/approvals/decide" aria-labelledby="answer" {
            input type="hidden" name="link" value=(link);
            input type="hidden" name="digest" value=(sheet.digest);
            label for="reason" { "Reason (optional)" }
            p class="hint" id="reason-hint" { "At most " (MAX_CHARS) " characters. It is kept with your answer." }
            textarea id="reason" name="reason" rows="3" maxlength=(MAX_CHARS) aria-describedby="reason-hint" {}
            p { "One tap counts at once: nobody asks again, and it cannot be taken back." }
            div class="choices" {
                button class="approve" type="submit" name="decision" value=(Choice::Approve) { "Approve " span { (view.headline) } }
                button class="deny" type="submit" name="decision" value=(Choice::Deny) { "Deny " span { "Nothing is made" } }
            }
        }
    }
}
