//! Whether a word may pass for another: Unicode Technical Standard 39, sections 4 and 5.

use unicode_normalization::char::is_combining_mark;
use unicode_security::{GeneralSecurityProfile as _, MixedScript as _, skeleton};

/// Whether a text holds a word that could be taken for another.
///
/// Asked word by word, because honest sentences mix alphabets: a Chinese one may name a product in English.
pub(super) fn is_deceptive(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c));
    let (mut look_alike, mut latin, mut others) = (false, false, false);
    for word in words.filter(|word| !word.is_empty()) {
        if word.is_ascii() {
            latin |= word.bytes().any(|b| b.is_ascii_alphabetic());
            continue;
        }
        // "Pаypal" with a Cyrillic а; or letters that only pretend, such as the bold ones of mathematics.
        if !word.is_single_script() || word.chars().any(pretends) {
            return true;
        }
        if is_latin(word) {
            latin = true;
        } else if reads_as_ascii(word) {
            look_alike = true;
        } else {
            others = true;
        }
    }
    // A word wholly of letters that look Latin is honest in a text of its own alphabet, and a trick beside Latin words.
    look_alike && (latin || !others)
}

/// Whether no reader could tell the text from plain Latin letters and digits (the skeleton of UTS 39, section 4).
fn reads_as_ascii(text: &str) -> bool {
    skeleton(text).all(|c| c.is_ascii())
}

/// A letter or digit that identifiers may not hold and that looks like one of ASCII's.
fn pretends(c: char) -> bool {
    !c.is_ascii() && c.is_alphanumeric() && !c.identifier_allowed() && reads_as_ascii(c.encode_utf8(&mut [0; 4]))
}

/// Whether all letters of a word are Latin: then one more that is Latin for certain adds no script to it.
fn is_latin(word: &str) -> bool {
    format!("{word}a").is_single_script()
}
