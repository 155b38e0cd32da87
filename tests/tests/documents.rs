//! What the documents say of this repository is so.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file below a folder with that ending.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.') || name == "target");
        if path.is_dir() && !hidden {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(path);
        }
    }
}

/// The names of all tests: functions below a test attribute, and those of property tests.
fn tests() -> BTreeSet<String> {
    let mut sources = Vec::new();
    for folder in ["functions", "shared", "infra", "tests"] {
        files(&root().join(folder), "rs", &mut sources);
    }
    let mut names = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(source).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (i, line) in lines.iter().enumerate() {
            let marked =
                lines[i.saturating_sub(3)..i].iter().any(|before| before.starts_with("#[") && before.contains("test"));
            let name = line.trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            if let (true, Some(name)) = (marked, name) {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

#[test]
fn every_threat_names_tests_that_there_are() {
    let tests = tests();
    let text = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let tables = text.split("## Threats").nth(1).unwrap().split("\n## What to look at").next().unwrap();
    let rows: Vec<&str> = tables.lines().filter(|row| row.starts_with("| ") && !row.ends_with("| test |")).collect();
    assert!(rows.len() > 40, "{} threats and walls", rows.len());
    for row in rows {
        let covered = row.trim_end_matches('|').rsplit('|').next().unwrap().trim();
        if covered.starts_with("no test") {
            continue;
        }
        let names: Vec<&str> = covered.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test is named: {row}");
        for name in names {
            assert!(tests.contains(name), "there is no test `{name}`");
        }
    }
}

#[test]
fn every_page_that_is_named_is_there() {
    let mut pages = Vec::new();
    files(&root(), "md", &mut pages);
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for named in text.split('`').skip(1).step_by(2) {
            let is_page = named.starts_with("docs/") && !named.contains(' ') && !named.contains('*');
            assert!(!is_page || root().join(named).exists(), "{} names `{named}`", page.display());
        }
    }
}
