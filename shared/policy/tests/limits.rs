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

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]

    /// However a sum is split, and whoever gives back what and when: what stands in a window never passes its cap, and all that
    /// was refused would have passed it.
    #[test]
    fn no_split_passes_a_cap(steps in proptest::collection::vec((0..4_u8, 1..4_000_i64, 0..7_200_i64), 1..60)) {
        use axiru_domain::{Actor, Claimed, Counters, Kind, Outcome, PolicyMode, Stage as Counted, Subject, Timestamp, Usage};
        use axiru_policy::{Asked, Plan, PlanSet, decide};

        let head = r#"{"v":1,"name":"p","description":"d","kinds":["refund"],"limits":[{"id":"cap","per":"account","kinds":["refund"],
            "currency":"usd","window":{"calendar":"day","zone":"Europe/Berlin"},"max_amount":10000,"max_count":12,"on_exceed":"block"}]}"#;
        let policies = "@id(\"ok\") permit(principal, action == Axiru::Action::\"refund\", resource);";
        let plan = std::sync::Arc::new(Plan::parse(head, policies).unwrap());
        let series = plan.limits()[0].series.clone();
        let mut plans = PlanSet::new();
        plans.push(plan, PolicyMode::Enforce);
        let (mut usage, subject) = (Usage::nothing(), Subject::account());
        usage.insert(subject.clone(), Counters::default());
        // The day before the clocks go back.
        let (mut at, mut taken) = (Timestamp::from_secs(1_792_800_000).unwrap(), Vec::new());
        for (what, amount, later) in steps {
            at = at.plus_secs(later);
            if what == 0 && !taken.is_empty() {
                usage.release(&taken.remove(usize::try_from(amount).unwrap() % taken.len()));
            } else if what == 1 && !taken.is_empty() {
                // Never more than was held.
                let i = usize::try_from(amount).unwrap() % taken.len();
                let less = i64::try_from(taken[i].count.amount()).unwrap() / 2;
                taken[i] = usage.commit(&taken[i], less).unwrap();
            } else {
                let movement = common::movement(Kind::Refund, amount, &[]);
                let asked = Asked { movement: &movement, actor: &Actor::External, operator: None, claimed: &Claimed::nothing(), at };
                let before = usage.reading(&subject, &series, at).unwrap().used;
                let blocked = decide(&plans, &asked, &usage).outcome() == Outcome::Block;
                let passes = before.amount + amount.unsigned_abs() > 10_000 || before.count + 1 > 12;
                proptest::prop_assert_eq!(blocked, passes);
                if !blocked {
                    taken.extend(usage.take(&subject, &series, at, amount, Counted::Held));
                }
            }
            let used = usage.reading(&subject, &series, at).unwrap().used;
            proptest::prop_assert!(used.amount <= 10_000 && used.count <= 12);
        }
    }
}
