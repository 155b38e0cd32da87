//! A view as part of a page.

use maud::{Markup, html};

use super::{CALLER, Caller, Row, Section, Tone, View};
use crate::band::{class, meaning};

/// Band, headline, facts, and what the caller wrote. Every value is escaped, none is a link.
#[must_use]
pub fn html(view: &View) -> Markup {
    html! {
        p class={ "band " (class(view.mode)) } { (meaning(view.mode)) }
        h1 { (view.headline) }
        (facts(view))
    }
}

/// The facts, without band and headline.
#[must_use]
pub fn facts(view: &View) -> Markup {
    html! {
        @for section in &view.sections { (of_section(section)) }
        @if let Some(caller) = &view.caller { (of_caller(caller)) }
    }
}

fn of_section(section: &Section) -> Markup {
    html! {
        h2 { (section.title) }
        dl class="long facts" {
            @for row in &section.rows { (of_row(row)) }
        }
    }
}

fn of_row(row: &Row) -> Markup {
    html! {
        dt { (row.label) }
        dd {
            @for value in &row.values {
                @match value.tone {
                    Tone::Plain => p { bdi { (value.text) } },
                    Tone::Code => p { code { bdi { (value.text) } } },
                    Tone::Heed => p class="heed" { bdi { (value.text) } },
                }
            }
        }
    }
}

fn of_caller(caller: &Caller) -> Markup {
    html! {
        section class="caller" aria-labelledby="caller" {
            h2 id="caller" { (CALLER) }
            p { "Nobody has checked it. Decide by the facts above." }
            @if let Some(reason) = &caller.reason {
                blockquote { bdi { (reason) } }
                @for warning in reason.warnings() { p class="heed" { strong { (warning) } } }
            }
            @if !caller.claims.is_empty() {
                dl class="long" {
                    @for (claim, value) in &caller.claims {
                        dt { bdi { (claim) } }
                        dd { bdi { (value) } }
                    }
                }
            }
        }
    }
}
