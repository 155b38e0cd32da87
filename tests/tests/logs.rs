//! What lines of the log may hold: every field that a logging call in the sources names is on the list, and every field of the list is
//! documented.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use axiru_runtime::fields::FIELDS;

/// What documents them.
const DOCUMENT: &str = include_str!("../../docs/logs.md");

/// The sources of everything that runs as a function.
fn sources() -> Vec<PathBuf> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                below(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["functions", "shared"] {
        below(&crate::arrows::root().join(folder), &mut found);
    }
    found
}

/// The arguments of every logging call in a text, each split at its commas.
fn calls(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for name in ["trace", "debug", "info", "warn", "error", "event"] {
        let head = format!("tracing::{name}!(");
        found.extend(text.match_indices(&head).map(|(at, _)| arguments(&text[at + head.len()..])));
    }
    found
}

/// The arguments up to the bracket that closes the call.
fn arguments(rest: &str) -> Vec<String> {
    let (mut all, mut one, mut depth, mut quoted) = (Vec::new(), String::new(), 0, false);
    let mut letters = rest.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quoted => one.extend(letters.next()),
            '"' => {
                quoted = !quoted;
                one.push('"');
            }
            _ if quoted => {}
            ')' | ']' | '}' if depth == 0 => break,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => all.push(std::mem::take(&mut one).trim().to_owned()),
            _ => one.push(letter),
        }
    }
    all.push(one.trim().to_owned());
    all.retain(|argument| !argument.is_empty());
    all
}

/// The field that an argument sets; none for the message and the target.
fn field(argument: &str) -> Option<&str> {
    let argument = argument.trim_start_matches(['%', '?']);
    if argument.starts_with('"') || argument.starts_with("target:") {
        return None;
    }
    argument.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).next()
}

#[test]
fn every_field_that_a_line_names_is_on_the_list_and_the_list_has_no_other() {
    let mut named = BTreeSet::new();
    let mut lines = 0;
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        // Tests beside the code log what they like.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for call in calls(text) {
            lines += 1;
            if call.first().is_some_and(|first| first.starts_with("target:")) {
                continue;
            }
            for name in call.iter().filter_map(|argument| field(argument)) {
                assert!(FIELDS.contains(&name), "{}: `{name}` is not in shared/runtime/src/fields.rs", path.display());
                named.insert(name.to_owned());
            }
        }
    }
    assert!(lines > 100, "{lines}");
    let unused: Vec<_> = FIELDS.iter().filter(|name| !named.contains(**name)).collect();
    assert!(unused.is_empty(), "no line has {unused:?}");
    assert!(FIELDS.is_sorted());
}

#[test]
fn every_field_is_documented_and_no_other_is() {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `"));
    let told: BTreeSet<&str> =
        rows.filter_map(|row| row.split(" | ").next()).flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert_eq!(told, FIELDS.into_iter().collect::<BTreeSet<_>>());
}

#[test]
fn the_search_itself_sees_fields_in_every_form() {
    let text = r#"tracing::warn!(scope = %a.b(1, 2), retry, ?trouble, "it (is), said"); tracing::info!("nothing");"#;
    let fields: Vec<Vec<_>> =
        calls(text).iter().map(|call| call.iter().filter_map(|one| field(one).map(str::to_owned)).collect()).collect();
    assert!(fields.contains(&vec!["scope".to_owned(), "retry".to_owned(), "trouble".to_owned()]), "{fields:?}");
    assert!(fields.contains(&Vec::new()));
}
