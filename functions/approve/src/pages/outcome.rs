//! The pages that tell: what became of an answer, and of a request.

use axiru_domain::{Choice, Sheet, Timestamp};
use axiru_pages::band::{class, meaning, shout};
use axiru_pages::sheet::{View, facts, utc};
use axiru_pages::{Answered, Ending, Page, Standing};
use http::StatusCode;
use maud::{Markup, html};

use super::layout::page;

/// An answer was recorded just now. What is shown of the votes counts it in.
pub(crate) fn recorded(sheet: &Sheet, choice: Choice, standing: &Standing) -> Page {
    let headline = match choice {
        Choice::Approve => "Your approval is recorded",
        Choice::Deny => "Your denial is recorded",
    };
    told(StatusCode::OK, sheet, headline, standing, &html! {})
}

/// The person answered before, the same way or by opening the link again.
pub(crate) fn voted(sheet: &Sheet, choice: Choice, at: Timestamp, standing: &Standing) -> Page {
    told(StatusCode::OK, sheet, "You have answered", standing, &html! { p class="lead" { (yours(choice, at)) } })
}

/// The person answered the other way before. The first answer stands.
pub(crate) fn opposite(sheet: &Sheet, first: Choice, at: Timestamp, standing: &Standing) -> Page {
    let first = html! {
        p class="lead" { "Your first answer stands. What you said now was not recorded." }
        p { (yours(first, at)) }
    };
    told(StatusCode::CONFLICT, sheet, "You had answered otherwise", standing, &first)
}

/// Others have decided.
pub(crate) fn decided(sheet: &Sheet, answers: &[Answered], standing: &Standing) -> Page {
    let headline = match standing {
        Standing::Ended(ending) => ending.headline(),
        Standing::Pending | Standing::Approved | Standing::Released => "Others have decided",
    };
    told(StatusCode::OK, sheet, headline, standing, &who(answers, standing))
}

/// The request has ended, and nothing can be answered any more.
pub(crate) fn ended(sheet: &Sheet, answers: &[Answered], ending: &Ending) -> Page {
    let standing = Standing::Ended(ending.clone());
    told(StatusCode::GONE, sheet, ending.headline(), &standing, &who(answers, &standing))
}

fn told(status: StatusCode, sheet: &Sheet, headline: &str, standing: &Standing, before: &Markup) -> Page {
    let view = if *standing == Standing::Pending { View::of(sheet) } else { View::brief(sheet) };
    let title = format!("[{}] {headline}: {}", shout(view.mode), view.headline);
    let main = html! {
        p class={ "band " (class(view.mode)) } { (meaning(view.mode)) }
        h1 { (headline) }
        p class="lead" { (view.headline) }
        (before)
        @for sentence in standing.in_words() { p { bdi { (sentence) } } }
        p { "You need not do anything. You can close this page." }
        (facts(&view))
    };
    page(status, &title, &main)
}

fn yours(choice: Choice, at: Timestamp) -> String {
    let did = match choice {
        Choice::Approve => "approved",
        Choice::Deny => "denied",
    };
    format!("You {did} this, {}.", utc(at))
}

/// Who answered what, and when.
fn who(answers: &[Answered], standing: &Standing) -> Markup {
    let mut answers = standing.others(answers).peekable();
    html! {
        @if answers.peek().is_some() {
            ul { @for answer in answers { li { bdi { (answer.in_words()) } } } }
        }
    }
}
