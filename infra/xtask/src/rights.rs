//! Rights that no story uses: every grant of the permission matrix must be used by a story under its role, or stand in a list with its reason.
//!
//! That no story uses a right that is not granted, the stories see to themselves: such a call ends them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Environment variable of the folder in which stories write down what they use (`axiru_in_process::RECORD`).
pub(crate) const RECORD: &str = "AXIRU_USED_RIGHTS";

/// An empty folder for what is used.
pub(crate) fn folder(target: &Path) -> Result<PathBuf> {
    let folder = target.join("used-rights");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("`{}` cannot be emptied", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    Ok(folder)
}

/// Compares what is granted with what was used and what is excused.
///
/// # Errors
/// A grant that nobody uses, and an excuse that nothing needs.
pub(crate) fn check(root: &Path, used: &Path) -> Result<String> {
    let fixtures = root.join("tests/fixtures");
    let read = |file: &str| fs::read_to_string(fixtures.join(file)).with_context(|| format!("`{file}` cannot be read"));
    let mut seen = BTreeSet::new();
    for file in fs::read_dir(used).context("what was used cannot be listed")? {
        let text = fs::read_to_string(file?.path()).context("what was used cannot be read")?;
        seen.extend(text.lines().map(str::to_owned));
    }
    compare(&read("permissions.txt")?, &read("unexercised.txt")?, &seen)
}

fn compare(granted: &str, excused: &str, seen: &BTreeSet<String>) -> Result<String> {
    let (keys, seen): (BTreeSet<_>, BTreeSet<_>) = seen.iter().cloned().partition(|line| line.starts_with("key  "));
    unused_keys(granted, &keys)?;
    let granted: BTreeSet<&str> = granted.lines().collect();
    // A reason stands above the grants that it is of.
    let excused: BTreeSet<&str> = excused.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let unused: Vec<&str> =
        granted.iter().copied().filter(|line| !seen.contains(*line) && !excused.contains(line)).collect();
    if !unused.is_empty() {
        bail!(
            "no story uses these rights; take them out of template.yaml and tests/fixtures/permissions.txt, or write them with their reason \
             into tests/fixtures/unexercised.txt:\n{}",
            unused.join("\n")
        );
    }
    let stale: Vec<&str> =
        excused.iter().copied().filter(|line| seen.contains(*line) || !granted.contains(line)).collect();
    if !stale.is_empty() {
        bail!("tests/fixtures/unexercised.txt excuses what is used, or not granted:\n{}", stale.join("\n"));
    }
    Ok(format!(
        "{} of {} rights are used by stories under their roles, {} have a reason",
        seen.len(),
        granted.len(),
        excused.len()
    ))
}

/// How the matrix writes the condition on partition keys.
const LEADING_KEYS: &str = "ForAllValues:StringLike dynamodb:LeadingKeys=";

/// Kinds of movements: who may write the row of one may write that of each.
const MOVEMENTS: [&str; 6] = ["refund", "payout", "transfer", "transfer_reversal", "dispute_accept", "dispute_submit"];

/// That every kind of partition key that a role may name is named by a story, in one mode or the other.
fn unused_keys(granted: &str, seen: &BTreeSet<String>) -> Result<()> {
    let kind = |pattern: &str| {
        let kind = pattern.split_once('#').map_or(pattern, |(_, kind)| kind);
        // Lanes have one digit or two.
        let kind = kind.strip_suffix("??").map_or_else(|| kind.to_owned(), |lanes| format!("{lanes}?"));
        let movement = MOVEMENTS.iter().find(|word| kind.split('#').nth(1) == Some(**word));
        movement.map_or_else(|| kind.clone(), |word| kind.replacen(word, "movement", 1))
    };
    let used: BTreeSet<(String, String, String)> = seen
        .iter()
        .filter_map(|line| {
            let mut fields = line.split("  ").skip(1);
            Some((fields.next()?.to_owned(), fields.next()?.to_owned(), kind(fields.next()?)))
        })
        .collect();
    let mut unused = BTreeSet::new();
    for line in granted.lines() {
        let Some((right, keys)) = line.split_once(LEADING_KEYS) else { continue };
        let mut fields = right.split("  ");
        let (role, resource) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        for pattern in keys.split(", ").next().unwrap_or_default().split('|') {
            if !used.contains(&(role.to_owned(), resource.to_owned(), kind(pattern))) {
                unused.insert(format!("{role}  {resource}  {pattern}"));
            }
        }
    }
    if unused.is_empty() {
        return Ok(());
    }
    let unused: Vec<String> = unused.into_iter().collect();
    bail!(
        "no story names these partition keys; take them out of template.yaml and tests/fixtures/permissions.txt:\n{}",
        unused.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_nobody_names_are_told_and_one_mode_stands_for_both() {
        let granted = "A  T  get  if ForAllValues:StringLike dynamodb:LeadingKeys=test#a|live#a|test#acct_*#refund#*|test#acct_*#payout#*|test#b\n";
        let seen = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<_>>();
        let most = ["key  A  T  live#a", "key  A  T  live#acct_*#payout#*"];
        let told = unused_keys(granted, &seen(&most)).unwrap_err().to_string();
        assert!(told.ends_with(":\nA  T  test#b"), "{told}");
        assert!(unused_keys(granted, &seen(&[&most[..], &["key  A  T  test#b"]].concat())).is_ok());
        assert!(unused_keys(granted, &seen(&["key  B  T  test#b"])).is_err());
    }

    #[test]
    fn what_nobody_uses_and_what_needs_no_excuse_is_named() {
        let granted = "A  Table  get\nA  Table  put\nA  Logs  write\n";
        let excused = "# By Lambda itself.\nA  Logs  write\n";
        let seen = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<_>>();
        assert!(compare(granted, excused, &seen(&["A  Table  get", "A  Table  put"])).is_ok());
        let unused = compare(granted, excused, &seen(&["A  Table  get"])).unwrap_err().to_string();
        assert!(unused.ends_with(":\nA  Table  put"), "{unused}");
        let stale = compare(granted, excused, &seen(&["A  Table  get", "A  Table  put", "A  Logs  write"]));
        assert!(stale.unwrap_err().to_string().contains("excuses"));
        assert!(compare("A  Table  get\n", excused, &seen(&["A  Table  get"])).is_err());
    }
}
