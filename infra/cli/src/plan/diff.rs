//! The difference of two versions of a plan, as lines that people know from their version control.

use std::fmt::Write as _;

use axiru_policy::Plan;
use serde_json::Value;

/// Unchanged lines shown around a change.
const CONTEXT: usize = 3;

/// Most lines of a side that are compared line by line: a plan's text at its bound of 64 KiB has some 2000.
const MAX_LINES: usize = 6_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line<'a> {
    Same(&'a str),
    Removed(&'a str),
    Added(&'a str),
}

/// A version as two texts: what its plan.json says, and its policies.
pub(super) struct Sides {
    head: String,
    policies: String,
}

impl Sides {
    /// Of a plan document.
    pub(super) fn of(document: &Value) -> Self {
        let mut head = document.clone();
        let policies = head.as_object_mut().and_then(|head| head.remove("policies"));
        let policies = policies.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { head: format!("{head:#}\n"), policies }
    }

    /// Of a plan.
    pub(super) fn of_plan(plan: &Plan) -> Self {
        Self::of(&serde_json::from_slice(plan.document()).unwrap_or(Value::Null))
    }
}

/// The difference; empty where there is none.
pub(super) fn text(before: &Sides, after: &Sides) -> String {
    let mut text = String::new();
    for (file, before, after) in
        [("plan.json", &before.head, &after.head), ("policies.cedar", &before.policies, &after.policies)]
    {
        let hunks = hunks(before, after);
        if !hunks.is_empty() {
            let _ = write!(text, "--- {file} (before)\n+++ {file} (after)\n{hunks}");
        }
    }
    text
}

fn hunks(before: &str, after: &str) -> String {
    let lines = lines(before, after);
    let changed = |line: &Line<'_>| !matches!(line, Line::Same(_));
    let near = |at: usize| {
        let window = at.saturating_sub(CONTEXT)..(at + CONTEXT + 1).min(lines.len());
        lines.get(window).is_some_and(|window| window.iter().any(changed))
    };
    let (mut text, mut gap) = (String::new(), true);
    let (mut old, mut new) = (1_usize, 1_usize);
    for (at, line) in lines.iter().enumerate() {
        if near(at) {
            if gap {
                let _ = writeln!(text, "@@ line {old}, now line {new} @@");
            }
            let _ = match line {
                Line::Same(line) => writeln!(text, " {line}"),
                Line::Removed(line) => writeln!(text, "-{line}"),
                Line::Added(line) => writeln!(text, "+{line}"),
            };
        }
        gap = !near(at);
        old += usize::from(!matches!(line, Line::Added(_)));
        new += usize::from(!matches!(line, Line::Removed(_)));
    }
    text
}

/// Which lines stayed, by the longest common subsequence; beginnings and ends that are the same are taken off first.
fn lines<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let middle = |lines: &[&'a str]| lines.get(head..lines.len() - tail).unwrap_or_default().to_vec();
    let mut all: Vec<Line<'_>> = old.iter().take(head).map(|line| Line::Same(line)).collect();
    all.extend(changes(&middle(&old), &middle(&new)));
    all.extend(old.iter().skip(old.len() - tail).map(|line| Line::Same(line)));
    all
}

fn changes<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let removed = |lines: &[&'a str]| lines.iter().map(|line| Line::Removed(line)).collect::<Vec<_>>();
    let added = |lines: &[&'a str]| lines.iter().map(|line| Line::Added(line)).collect::<Vec<_>>();
    if old.len() > MAX_LINES || new.len() > MAX_LINES {
        return [removed(old), added(new)].concat();
    }
    // `common[i][j]`: the longest common subsequence of what follows old line i and new line j.
    let width = new.len() + 1;
    let mut common = vec![0_u16; (old.len() + 1) * width];
    let get = |common: &[u16], i: usize, j: usize| common.get(i * width + j).copied().unwrap_or(0);
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            let value = if one == other {
                get(&common, i + 1, j + 1) + 1
            } else {
                get(&common, i + 1, j).max(get(&common, i, j + 1))
            };
            if let Some(slot) = common.get_mut(i * width + j) {
                *slot = value;
            }
        }
    }
    let (mut all, mut i, mut j) = (Vec::new(), 0, 0);
    while let (Some(one), Some(other)) = (old.get(i), new.get(j)) {
        if one == other {
            all.push(Line::Same(one));
            (i, j) = (i + 1, j + 1);
        } else if get(&common, i + 1, j) >= get(&common, i, j + 1) {
            all.push(Line::Removed(one));
            i += 1;
        } else {
            all.push(Line::Added(other));
            j += 1;
        }
    }
    all.extend(removed(old.get(i..).unwrap_or_default()));
    all.extend(added(new.get(j..).unwrap_or_default()));
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn diff(before: &str, after: &str) -> String {
        let side = |policies: &str| Sides::of(&json!({"name": "x", "policies": policies}));
        text(&side(before), &side(after))
    }

    #[test]
    fn only_what_changed_is_shown_with_what_is_near() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        assert_eq!(diff(before, before), "");
        let told = diff(before, &before.replace("5\n", "five\n"));
        assert_eq!(
            told,
            "--- policies.cedar (before)\n+++ policies.cedar (after)\n@@ line 2, now line 2 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
        );
        assert!(diff("", "a\n").ends_with("+a\n") && diff("a\n", "").ends_with("-a\n"));
        assert_eq!(diff("a\nb\na\n", "a\na\n").matches("\n-").count(), 1);
    }

    #[test]
    fn the_head_is_compared_as_well() {
        let told = text(&Sides::of(&json!({"kinds": ["refund"]})), &Sides::of(&json!({"kinds": ["payout"]})));
        assert!(
            told.contains("-    \"refund\"") && told.contains("+    \"payout\"") && !told.contains("policies.cedar")
        );
    }
}
