//! Text of others, made plain for a person who decides by it.
//!
//! One line, in one normal form, without a character that is not seen or that moves others, without anything that a mail program would
//! make a link of, and not longer than is read. Where letters are mixed so that one word may pass for another, it says so: the rules
//! are those of [Unicode Technical Standard 39](https://www.unicode.org/reports/tr39/).

mod links;
mod scripts;

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_security::GeneralSecurityProfile as _;
use unicode_security::general_security_profile::IdentifierType;

/// Most characters that are shown of a caller's text, and taken of an approver's.
pub const MAX_CHARS: usize = 500;

/// Most characters that are shown of a name.
pub const MAX_NAME: usize = 80;

/// Most marks on one letter. Vietnamese, Hebrew and Thai need no more once composed; piles of them hide the lines around.
const MAX_MARKS: usize = 3;

/// Characters that are read for each one that is shown: what is hidden between them ends somewhere.
const READ_PER_SHOWN: usize = 8;

/// A line of text by somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    text: String,
    hidden: bool,
    cut: bool,
    deceptive: bool,
}

impl Plain {
    /// The first `max_chars` characters of a text as one line. It may be empty.
    #[must_use]
    pub fn line(raw: &str, max_chars: usize) -> Self {
        let read = max_chars.saturating_mul(READ_PER_SHOWN);
        let mut seen = Seen::default();
        raw.chars().take(read).nfc().for_each(|c| seen.take(c));
        let whole = seen.text;
        let mut text: String = whole.chars().take(max_chars).collect();
        let cut = text.len() < whole.len() || raw.chars().nth(read).is_some();
        if cut {
            text.push('…');
        }
        let deceptive = scripts::is_deceptive(&text);
        Self { text: links::broken(&text), hidden: seen.hidden, cut, deceptive }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether nothing is left to be seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// What a reader must know about it, a sentence each.
    #[must_use]
    pub fn warnings(&self) -> Vec<&'static str> {
        let all = [
            (
                self.deceptive,
                "It mixes letters of different alphabets that look alike: a word may not be what it seems.",
            ),
            (self.hidden, "It held characters that cannot be seen. They were taken out."),
            (self.cut, "It is longer than this. The rest is not shown."),
        ];
        all.into_iter().filter(|(applies, _)| *applies).map(|(_, warning)| warning).collect()
    }
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A name in a line, without its warnings.
#[must_use]
pub fn name(raw: &str) -> String {
    Plain::line(raw, MAX_NAME).text
}

/// An address of a person of ours, from Axiru's own records: plain like a name, but whole, so that it can be recognised.
#[must_use]
pub fn address(raw: &str) -> String {
    // 254 characters are the longest address that mail can carry (RFC 5321, 4.5.3.1.3).
    let plain = Plain::line(raw, 254).text;
    let is_address = plain.matches('@').count() == 1 && !plain.contains(' ');
    if is_address { plain.replace("[.]", ".") } else { plain }
}

/// What was seen so far of a text.
#[derive(Default)]
struct Seen {
    text: String,
    hidden: bool,
    /// A space is due before the next character.
    space: bool,
    /// Marks on the last letter.
    marks: usize,
}

impl Seen {
    fn take(&mut self, c: char) {
        // The blank of Braille is a symbol to Unicode, and a space to whoever looks.
        if c.is_whitespace() || c == '\u{2800}' {
            self.space = !self.text.is_empty();
            return;
        }
        if is_unseen(c) {
            self.hidden |= !(joins(c) && self.text.chars().next_back().is_some_and(|last| !last.is_ascii()));
            return;
        }
        if is_combining_mark(c) {
            self.marks = self.marks.saturating_add(1);
            // A mark on nothing would sit on what stands around the text.
            if self.marks > MAX_MARKS || self.text.is_empty() || self.space {
                self.hidden = true;
                return;
            }
        } else {
            self.marks = 0;
        }
        if std::mem::take(&mut self.space) {
            self.text.push(' ');
        }
        self.text.push(c);
    }
}

/// Whether a character shows nothing by itself: controls, unassigned and private ones, those that steer direction, join, or vary others
/// (`Default_Ignorable` and `Not_Character` of UTS 39), and annotations between the lines.
fn is_unseen(c: char) -> bool {
    use IdentifierType::{Default_Ignorable, Deprecated, Not_Character};
    matches!(c.identifier_type(), None | Some(Default_Ignorable | Deprecated | Not_Character))
        || matches!(c, '\u{FFF9}'..='\u{FFFB}')
}

/// Whether it is one of those that honest writing needs beside other than Latin letters: joiners of Persian and of Indian scripts, and
/// what makes an emoji of a sign. Without them the same is read.
const fn joins(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE0E}' | '\u{FE0F}')
}

#[cfg(test)]
mod tests;
