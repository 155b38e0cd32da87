//! The worked cases of `docs/limits.md`, read out of its table and run.
// Helpers outside the test functions are test code too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "limits/row.rs"]
mod row;
#[path = "limits/stage.rs"]
mod stage;

use std::collections::BTreeMap;

use row::{Row, fenced, rows};
use stage::Stage;

const DOC: &str = include_str!("../../../docs/limits.md");

/// Fewest rows that the table must have.
const FEWEST: usize = 40;

fn limits() -> BTreeMap<String, serde_json::Value> {
    serde_json::from_str(&fenced(DOC, "json")).unwrap()
}

fn run(row: &Row) -> Result<(), String> {
    let mut stage = Stage::new(&limits(), &fenced(DOC, "cedar"), &row.plans)?;
    row.steps.iter().try_for_each(|step| stage.run(step).map_err(|error| format!("`{step}`: {error}")))
}

#[test]
fn every_row_of_the_table_holds() {
    let rows = rows(DOC);
    assert!(rows.len() >= FEWEST, "{} rows", rows.len());
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(row.number, (i + 1).to_string(), "rows are numbered from 1");
    }
    let failed: Vec<_> =
        rows.iter().filter_map(|row| Some(format!("{} {}: {}", row.number, row.case, run(row).err()?))).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// A row that says something else than what happens must fail, and one that cannot be read as well.
#[test]
fn wrong_rows_fail() {
    for (plans, steps) in [
        ("cap!", "ask a 10000 -> block limit:cap"),
        ("cap!", "ask a 10001 -> allow"),
        ("cap!", "ask a 10001 -> block"),
        ("cap!", "ask a 10001 -> block limit:cap limit:ask"),
        ("cap?", "ask a 10001 -> allow"),
        ("cap!", "ask a 6000 -> allow; read cap = 6000/1"),
        ("cap!", "ask a 6000 -> allow; read cap = 6000/2 held 6000/1"),
        ("cap!", "read cap = 1/0"),
        ("cap!", "ask a 6000 -> allow; stale b 6000 -> block limit:cap"),
        ("cap!", "see a 1 by=external -> allow; stale b 1 -> allow"),
        ("cap!", "commit a"),
        ("cap!", "ask a -> allow"),
        ("cap!", "ask a 1 usd colour=red -> allow"),
        ("cap!", "ask a 1"),
        ("cap!", "ask a 1 -> maybe"),
        ("cap!", "at noon"),
        ("cap!", "pay a 1 -> allow"),
        ("cap", "ask a 1 -> allow"),
        ("nope!", "ask a 1 -> allow"),
        ("cap!", "windows 20 refused"),
        ("cap!", ""),
    ] {
        let table = format!("| # | case | plans | steps |\n|---|---|---|---|\n| 1 | x | {plans} | {steps} |\n");
        assert!(run(&rows(&table)[0]).is_err(), "{plans}: {steps}");
    }
}
