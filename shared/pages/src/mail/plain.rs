//! The text part. Only our own words begin a line: what somebody else wrote stands behind a label, a dash, four spaces or a bar, so it
//! can neither look like a fact nor like the end of the mail.

use super::Body;
use crate::sheet::{CALLER, Caller, Row};

/// Lines are not longer than this, but for the link (RFC 5322, 2.1.1, recommends 78).
const WIDTH: usize = 76;

pub(super) fn text(body: &Body) -> String {
    let mut out = Lines(String::new());
    out.wrapped("", "", body.band);
    out.blank();
    out.wrapped("", "", &body.headline);
    out.blank();
    body.lead.iter().for_each(|sentence| out.wrapped("", "  ", sentence));
    if let Some(action) = &body.action {
        out.blank();
        out.wrapped("", "", action.before);
        // Whole, however long: a link that is broken in two is none.
        out.push(action.link.as_str());
        out.blank();
        out.wrapped("", "", &format!("Check code: {}. The page must show the same.", action.digest));
    }
    for section in &body.sections {
        out.title(section.title);
        section.rows.iter().for_each(|row| out.row(row));
    }
    if let Some(caller) = &body.caller {
        out.title(CALLER);
        out.caller(caller);
    }
    if !body.lines.is_empty() {
        out.blank();
        body.lines.iter().for_each(|line| out.wrapped("- ", "  ", line));
    }
    out.blank();
    body.close.iter().for_each(|sentence| out.wrapped("", "", sentence));
    out.0
}

struct Lines(String);

impl Lines {
    fn push(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn blank(&mut self) {
        self.push("");
    }

    fn title(&mut self, title: &str) {
        self.blank();
        self.push(&title.to_uppercase());
        self.blank();
    }

    fn row(&mut self, row: &Row) {
        let mut values = row.values.iter();
        if let Some(first) = values.next() {
            self.wrapped(&format!("{}: ", row.label), "    ", &first.text);
        }
        values.for_each(|value| self.wrapped("    ", "    ", &value.text));
    }

    fn caller(&mut self, caller: &Caller) {
        if let Some(reason) = &caller.reason {
            self.wrapped("| ", "| ", reason.as_str());
            reason.warnings().into_iter().for_each(|warning| self.wrapped("Attention: ", "    ", warning));
        }
        caller.claims.iter().for_each(|(claim, value)| self.wrapped("| ", "| ", &format!("{claim}: {value}")));
        self.wrapped("", "", "Nobody has checked it. Decide by the facts above.");
    }

    /// Words in lines that begin with `first`, then `next`. A word that is longer than a line is cut.
    fn wrapped(&mut self, first: &str, next: &str, text: &str) {
        let mut line = first.to_owned();
        let mut empty = true;
        for word in text.split(' ') {
            let mut rest: Vec<char> = word.chars().collect();
            let fits = |line: &str, more: usize| line.chars().count().saturating_add(more) <= WIDTH;
            if !empty && !fits(&line, rest.len().saturating_add(1)) {
                self.push(&line);
                next.clone_into(&mut line);
                empty = true;
            }
            while !fits(&line, rest.len()) && empty {
                let room = WIDTH.saturating_sub(line.chars().count()).max(1).min(rest.len());
                line.extend(rest.drain(..room));
                self.push(&line);
                next.clone_into(&mut line);
            }
            if !empty {
                line.push(' ');
            }
            line.extend(rest);
            empty = false;
        }
        self.push(line.trim_end());
    }
}
