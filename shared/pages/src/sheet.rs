//! What an approver is shown: labelled rows, in one order, made once for page and mail, so that the two cannot differ.

mod limits;
mod movement;
mod page;
mod people;

use axiru_domain::{Mode, Sheet, Timestamp};

pub(crate) use movement::noun;
pub use page::{facts, html};

use crate::text::{self, Plain};

/// A sheet as it is shown. Its parts stand in the order in which they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The mode, for the band.
    pub mode: Mode,
    /// `Refund 1,250.00 USD`.
    pub headline: String,
    /// `3F7A 91C2`.
    pub digest: String,
    /// The facts.
    pub sections: Vec<Section>,
    /// What the caller wrote, apart from all facts.
    pub caller: Option<Caller>,
}

/// Rows that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its title.
    pub title: &'static str,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// A label and what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The label.
    pub label: &'static str,
    /// What stands beside it, a line each.
    pub values: Vec<Value>,
}

/// A line of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The line.
    pub text: String,
    /// How it is shown.
    pub tone: Tone,
}

/// How a line is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// As an id.
    Code,
    /// As what must not be overlooked; its text says so too.
    Heed,
}

/// What the caller wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its reason.
    pub reason: Option<Plain>,
    /// What it claims: name and value.
    pub claims: Vec<(String, String)>,
}

/// The title of what the caller wrote.
pub const CALLER: &str = "Text written by the caller: not verified";

/// Most claims that are shown; the API takes no more.
const MAX_CLAIMS: usize = 16;

impl Value {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }

    fn code(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Code }
    }

    fn heed(text: impl AsRef<str>) -> Self {
        Self { text: format!("Attention: {}", text.as_ref()), tone: Tone::Heed }
    }
}

impl Row {
    fn new(label: &'static str, value: Value) -> Self {
        Self { label, values: vec![value] }
    }

    /// A row of somebody's words, with what a reader must know about them.
    fn words(label: &'static str, raw: &str) -> Self {
        let plain = Plain::line(raw, text::MAX_NAME);
        let mut row = Self::new(label, Value::plain(plain.as_str()));
        row.values.extend(plain.warnings().into_iter().map(Value::heed));
        row
    }
}

impl View {
    /// A sheet as it is shown.
    #[must_use]
    pub fn of(sheet: &Sheet) -> Self {
        let mut why = people::why(sheet);
        why.push(limits::row(sheet));
        let sections = vec![
            Section { title: "The money", rows: movement::rows(sheet) },
            Section { title: "Who asks", rows: people::who(sheet) },
            Section { title: "Why you are asked", rows: why },
            Section { title: "How it stands", rows: people::standing(sheet) },
        ];
        Self {
            mode: sheet.scope.mode(),
            headline: movement::headline(sheet),
            digest: grouped(&sheet.digest),
            sections,
            caller: caller(sheet),
        }
    }
}

impl View {
    /// What is shown of a request that nobody can answer any more: what it was, who asked, and which one it is.
    #[must_use]
    pub fn brief(sheet: &Sheet) -> Self {
        let sections = vec![
            Section { title: "The money", rows: movement::brief(sheet) },
            Section { title: "Who asked", rows: people::who(sheet) },
            Section { title: "Which request", rows: people::which(sheet) },
        ];
        Self { sections, caller: None, ..Self::of(sheet) }
    }
}

/// What the caller wrote, if it wrote anything.
fn caller(sheet: &Sheet) -> Option<Caller> {
    let reason = sheet.said.rationale.as_deref().map(|raw| Plain::line(raw, text::MAX_CHARS));
    let claims = sheet.said.claims.iter().take(MAX_CLAIMS);
    let claims: Vec<_> = claims.map(|(claim, value)| (text::name(claim), text::name(value))).collect();
    (reason.is_some() || !claims.is_empty()).then_some(Caller { reason, claims })
}

/// The first eight hex digits in groups of four, in capitals: `3F7A 91C2`. Anything else is left out: this is part of a subject.
#[must_use]
pub fn grouped(digest: &str) -> String {
    let digits = digest.chars().filter(char::is_ascii_hexdigit).take(8);
    let digits: Vec<char> = digits.map(|c| c.to_ascii_uppercase()).collect();
    digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// A moment as people read it, to the minute, never later than it is: `2026-10-31 23:59 UTC`.
#[must_use]
pub fn utc(moment: Timestamp) -> String {
    let text = moment.to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!("{} {} UTC", part(0, 10), part(11, 16))
}

#[cfg(test)]
mod tests;
