//! Every fault at every I/O call of healing, of comparing and of asking for it, with SDK retries on and off.

use axiru_aws::reconcile::Task;
use axiru_in_process::{Enumerator, InProcess, Retries};
use serde_json::json;

use super::asked::{ask, asked_of, run_id};
use super::shop::{Setup, Shop, at, numbers, scope, told_of};

fn day() -> Task {
    Task { scope: scope(), period: "2026-10-31".parse().unwrap(), run: None }
}

async fn task(shop: &Shop) -> Result<(), String> {
    if shop.task(&day()).await { Ok(()) } else { Err("the message comes back".to_owned()) }
}

/// A refund, a payout with a change, and a dispute, of which nobody has heard.
async fn unheard(account: InProcess, retries: Retries) -> Shop {
    let shop = Shop::new(account, Setup { retries, ..Setup::default() }).await;
    shop.control("deliveries/outage");
    shop.clock_at(at(9, 0));
    shop.refund(4_500);
    let payout = shop.does("payouts", json!({"amount": 1_000}));
    shop.does(&format!("payouts/{payout}/status"), json!({"status": "in_transit"}));
    let charge = shop.does("charges", json!({"amount": 900}));
    shop.does("disputes", json!({ "charge": charge }));
    shop
}

/// Everything is told once and marked, and one report stands, as a file and an entry.
async fn healed(shop: &Shop) -> Result<(), String> {
    let entries = shop.told().await;
    let told = told_of(&entries);
    let kinds: Vec<&str> = told.iter().filter_map(|line| line.split(' ').next()).collect();
    let expected = ["fact.recorded", "fact.recorded", "movement.changed", "movement.observed", "movement.observed"];
    if kinds != expected {
        return Err(format!("told: {told:#?}"));
    }
    let unmarked = entries.iter().filter(|entry| entry.ty() != "reconcile.reported");
    if unmarked.filter(|entry| entry.fields().get("recovered") != Some(&json!(true))).count() > 0 {
        return Err("an entry is not marked".to_owned());
    }
    compared(shop, [3, 0, 0, 0]).await
}

async fn compared(shop: &Shop, expected: [u64; 4]) -> Result<(), String> {
    let reports = shop.reports().await;
    match reports.as_slice() {
        [(entry, _)] if numbers(entry) == expected => Ok(()),
        _ => Err(format!("reports: {reports:#?}")),
    }
}

#[test]
fn whatever_fails_while_healing_and_comparing_each_is_told_once() {
    let report = Enumerator::new("reconcile: a night that heals").second_faults(997);
    report.run(unheard, task, task, healed).unwrap_or_else(|violation| panic!("{violation}"));
}

/// Two refunds that webhooks told, and one that no event tells any more: only the report names it.
async fn heard(account: InProcess, retries: Retries) -> Shop {
    let shop = Shop::new(account, Setup { retries, ..Setup::default() }).await;
    shop.clock_at(at(9, 0));
    shop.refund(100);
    shop.refund(200);
    shop.webhooks().await;
    shop
}

#[test]
fn whatever_fails_while_comparing_one_file_and_one_entry_stand() {
    let check = async |shop: &Shop| {
        compared(shop, [2, 0, 0, 0]).await?;
        let files = shop.account.objects(axiru_in_process::EXPORT_BUCKET).len();
        if files == 1 { Ok(()) } else { Err(format!("{files} files")) }
    };
    let report = Enumerator::new("reconcile: a night without news").second_faults(499);
    report.run(heard, task, task, check).unwrap_or_else(|violation| panic!("{violation}"));
}

/// Asks, and does what the queue holds.
async fn ask_and_run(shop: &Shop) -> Result<(), String> {
    ask(shop, "2026-10-31").await?;
    asked_of(shop).await
}

#[test]
fn whatever_fails_an_operators_run_ends_and_is_told() {
    let check = async |shop: &Shop| {
        let row = shop.store().reconcile_run(&scope(), &run_id()).await.map_err(|error| error.to_string())?;
        let status = row.as_ref().map(|row| row.status.as_str());
        // A run that met a fault for good says so; its operator asks again.
        match status {
            Some("done") => compared(shop, [2, 0, 0, 0]).await,
            Some("failed") => Ok(()),
            other => Err(format!("the run is {other:?}")),
        }
    };
    let report = Enumerator::new("reconcile: asked by an operator");
    report.run(heard, ask_and_run, ask_and_run, check).unwrap_or_else(|violation| panic!("{violation}"));
}
