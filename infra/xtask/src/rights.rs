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

#[cfg(test)]
mod tests {
    use super::*;

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
