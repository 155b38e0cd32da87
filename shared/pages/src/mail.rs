//! Mails: text first, the same rows as on the page, and at most one link.
//!
//! A subject is made of our own words, an amount and digits, so that nothing anybody writes can reach a header. A mail never decides:
//! it leads to a page, and an answer to it is read by nobody. No picture, no tracking, nothing loaded.

mod html;
mod plain;

use axiru_domain::{Scope, Sheet};
use url::Url;

use crate::band::{meaning, shout};
use crate::ending::Ending;
use crate::sheet::{Section, View, noun, utc};
use crate::text::{self, Plain};

/// A mail without its addresses. No `Debug`: it may hold a link.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The subject: one line of ASCII.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part, whole.
    pub html: String,
}

/// Most lines of a digest. The rest is counted, and read in the ledger.
pub const MAX_LINES: usize = 200;

/// What a mail says, before it is text or HTML.
struct Body {
    band: &'static str,
    /// The band's colour.
    live: bool,
    headline: String,
    lead: Vec<String>,
    action: Option<Action>,
    sections: Vec<Section>,
    caller: Option<crate::sheet::Caller>,
    lines: Vec<String>,
    close: Vec<&'static str>,
}

/// The one link.
struct Action {
    says: &'static str,
    before: &'static str,
    link: Url,
    /// To be compared with the page's.
    digest: String,
}

const NO_REPLY: &str = "Do not reply: nobody reads it, and a mail cannot decide anything.";
const YOURS: &str = "The link is for you alone. Whoever has it can answer in your name: do not pass it on.";
const ONLY_OURS: &str = "Axiru never asks for a password, and this mail has one link and no attachment.";

/// Asks an approver. `link` is theirs alone.
#[must_use]
pub fn asked(sheet: &Sheet, link: &Url) -> Letter {
    let lead = ["Somebody asks for this, and you are one of those who may say yes or no.".to_owned()];
    asking(sheet, link, &format!("Approve {}", subject_of(sheet)), lead.into())
}

/// Reminds an approver. `link` is theirs alone.
#[must_use]
pub fn reminder(sheet: &Sheet, link: &Url) -> Letter {
    let lead = [format!("This still waits for an answer. It ends at {}, and is then not made.", utc(sheet.until))];
    asking(sheet, link, &format!("Reminder: approve {}", subject_of(sheet)), lead.into())
}

fn asking(sheet: &Sheet, link: &Url, subject: &str, lead: Vec<String>) -> Letter {
    let view = View::of(sheet);
    let action = Action {
        says: "Look at it and answer",
        before: "To answer, open this page. Opening it decides nothing:",
        link: link.clone(),
        digest: view.digest.clone(),
    };
    Body {
        band: meaning(view.mode),
        live: view.mode.livemode(),
        headline: view.headline,
        lead,
        action: Some(action),
        sections: view.sections,
        caller: view.caller,
        lines: Vec::new(),
        close: vec![YOURS, NO_REPLY, ONLY_OURS],
    }
    .letter(format!("[{}] {subject}", shout(view.mode)))
}

/// Tells everybody who was asked how it ended. It has no link.
#[must_use]
pub fn ended(sheet: &Sheet, ending: &Ending) -> Letter {
    let view = View::brief(sheet);
    let subject = format!("[{}] {}: {}", shout(view.mode), ending.headline(), subject_of(sheet));
    Body {
        band: meaning(view.mode),
        live: view.mode.livemode(),
        headline: format!("{}: {}", ending.headline(), view.headline),
        lead: ending.happened(),
        action: None,
        sections: view.sections,
        caller: None,
        lines: Vec::new(),
        close: vec!["You need not do anything.", NO_REPLY],
    }
    .letter(subject)
}

/// Tells the operators what happened in a scope, a line each.
#[must_use]
pub fn operators(scope: &Scope, lines: &[String]) -> Letter {
    let mode = scope.mode();
    let things = if lines.len() == 1 { "1 thing" } else { &format!("{} things", lines.len()) };
    let mut shown: Vec<String> =
        lines.iter().take(MAX_LINES).map(|line| Plain::line(line, text::MAX_CHARS).to_string()).collect();
    let more = lines.len().saturating_sub(MAX_LINES);
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    Body {
        band: meaning(mode),
        live: mode.livemode(),
        headline: format!("{things} happened in {}", scope.account()),
        lead: vec!["You get this as an operator of Axiru. The ledger has it all.".to_owned()],
        action: None,
        sections: Vec::new(),
        caller: None,
        lines: shown,
        close: vec!["Something here that nobody meant to do? Look at the ledger at once.", NO_REPLY],
    }
    .letter(format!("[{}] Axiru: {things} happened in {}", shout(mode), scope.account()))
}

/// `refund 1,250.00 USD - 3F7A 91C2`.
fn subject_of(sheet: &Sheet) -> String {
    format!("{} {} - {}", noun(sheet.kind), sheet.money, crate::sheet::grouped(&sheet.digest))
}

impl Body {
    fn letter(self, subject: String) -> Letter {
        Letter { text: plain::text(&self), html: html::document(&self, &subject).into_string(), subject }
    }
}

#[cfg(test)]
mod tests;
