//! The text of a plan's policies, cut into single policies with their places.
//!
//! Cedar's own parser reads each policy; this module only finds where one ends and the next begins, so that every problem
//! of every policy can be reported with its line in one run.

use crate::problem::{Problem, Source};

/// Longest text of all policies, in bytes: with the rest of the plan well inside one 400 KB table item.
pub(crate) const MAX_TEXT: usize = 65_536;
/// Longest single policy, in bytes.
pub(crate) const MAX_POLICY: usize = 4_096;
/// Most policies of one plan. 100 on one action cost some 250 µs a decision in a dev build.
pub(crate) const MAX_POLICIES: usize = 200;
/// Most words and signs of one policy. A chain such as `1+1+…` nests once per sign, and Cedar and we walk it recursively: 1900
/// signs overflow a stack of 1 MiB, 900 do not; a thread has 2 MiB.
const MAX_TOKENS: usize = 1_000;
/// Deepest nesting of brackets in a policy.
const MAX_NESTING: usize = 32;

/// The text of one policy, from its first annotation to its semicolon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    pub(crate) text: &'a str,
    /// Where it begins in the whole text, in bytes.
    pub(crate) offset: usize,
    /// The deepest nesting of brackets.
    nesting: usize,
    /// Words and signs outside strings.
    tokens: usize,
}

/// What is counted of a policy while its end is looked for.
#[derive(Default)]
struct Count {
    depth: usize,
    deepest: usize,
    tokens: usize,
    in_word: bool,
}

impl Count {
    /// Counts one character outside comments; of a string, its first.
    fn see(&mut self, c: char) {
        let word = c.is_alphanumeric() || c == '_';
        if !(c.is_whitespace() || word && self.in_word) {
            self.tokens = self.tokens.saturating_add(1);
        }
        self.in_word = word;
        match c {
            '(' | '[' | '{' => self.depth = self.depth.saturating_add(1),
            ')' | ']' | '}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.deepest = self.deepest.max(self.depth);
    }
}

/// Cuts the text at the semicolons that are neither in a string nor in a comment.
pub(crate) fn statements(text: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let (mut start, mut count): (Option<usize>, Count) = (None, Count::default());
    let cut = |begin: usize, end: usize, count: Count| {
        let text = text.get(begin..end).unwrap_or_default();
        Statement { text, offset: begin, nesting: count.deepest, tokens: count.tokens }
    };
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '/' && chars.peek().is_some_and(|(_, next)| *next == '/') {
            while chars.next_if(|(_, c)| *c != '\n').is_some() {}
            continue;
        }
        count.see(c);
        if c.is_whitespace() {
            continue;
        }
        let begin = *start.get_or_insert(at);
        if c == '"' {
            while let Some((_, c)) = chars.next() {
                match c {
                    '"' => break,
                    '\\' => drop(chars.next()),
                    _ => {}
                }
            }
        } else if c == ';' {
            found.push(cut(begin, at.saturating_add(1), std::mem::take(&mut count)));
            start = None;
        }
    }
    if let Some(begin) = start {
        found.push(cut(begin, text.len(), count));
    }
    found
}

/// True for characters that make a text read differently from what it says: controls, and Unicode's invisible and
/// direction-changing characters (Unicode TR 36; Boucher and Anderson, "Trojan Source", 2021).
fn is_deceptive(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

/// The first deceptive character of a text.
pub(crate) fn deceptive(text: &str) -> Option<(usize, char)> {
    text.char_indices().find(|(_, c)| is_deceptive(*c))
}

/// What is wrong with the text as a text.
pub(crate) fn problems(source: Source<'_>, statements: &[Statement<'_>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    if source.text.len() > MAX_TEXT {
        let message = format!("the policies are {} bytes long, at most {MAX_TEXT} are allowed", source.text.len());
        problems.push(source.problem(0, None, message, "split the plan in two; several plans can cover one movement"));
        return problems;
    }
    if let Some((at, c)) = deceptive(source.text) {
        let message = format!("the character U+{:04X} is invisible or changes how the text reads", u32::from(c));
        problems.push(source.problem(at, None, message, "remove it"));
    }
    if statements.is_empty() {
        let message = "there is no policy, so everything the plan covers would be blocked".to_owned();
        problems.push(source.problem(0, None, message, "write at least one `permit(principal, action, resource);`"));
    }
    if statements.len() > MAX_POLICIES {
        let message = format!("{} policies, at most {MAX_POLICIES} are allowed", statements.len());
        problems.push(source.problem(0, None, message, "split the plan in two; several plans can cover one movement"));
    }
    for statement in statements {
        if statement.text.len() > MAX_POLICY {
            let message =
                format!("the policy is {} bytes long, at most {MAX_POLICY} are allowed", statement.text.len());
            let advice = "split it, or look for a missing `;` or closing `\"`";
            problems.push(source.problem(statement.offset, None, message, advice));
        }
        if statement.tokens > MAX_TOKENS {
            let message =
                format!("the policy has {} words and signs, at most {MAX_TOKENS} are allowed", statement.tokens);
            problems.push(source.problem(statement.offset, None, message, "split it"));
        }
        if statement.nesting > MAX_NESTING {
            let message = format!("brackets are nested {} deep, at most {MAX_NESTING} are allowed", statement.nesting);
            problems.push(source.problem(statement.offset, None, message, "split the policy"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strings_and_comments_end_nothing() {
        let text = "// a; b\n@id(\"x;\\\"y\") permit(principal, action, resource); // tail;\nforbid(a) // open";
        let found = statements(text);
        let texts: Vec<_> = found.iter().map(|s| s.text).collect();
        assert_eq!(texts, ["@id(\"x;\\\"y\") permit(principal, action, resource);", "forbid(a) // open"]);
        assert_eq!(found[0].offset, 8);
    }

    proptest! {
        #[test]
        fn any_text_is_cut_without_loss(text in "[ ;\"\\\\/\n(){}a-cé]{0,60}") {
            for statement in statements(&text) {
                prop_assert_eq!(text.get(statement.offset..statement.offset + statement.text.len()), Some(statement.text));
            }
        }
    }
}
