//! Three days of an account: heartbeats, lanes, sealed days; and the check of all of it.

use axiru_in_process::{EXPORT_BUCKET, InProcess, Retries};
use serde_json::Value;

use super::ground::{Ground, LOG, first_day, leap_day, log, third_day};

/// Three days in both lanes of live and in test, exported as it happened, two days sealed.
pub(super) async fn three_days(account: InProcess, entries: usize) -> Ground {
    let ground = Ground::new(account, Retries::Off).await;
    for (day, clock) in [(0, first_day as fn() -> _), (1, leap_day), (2, third_day)] {
        ground.beat(clock).await.unwrap();
        for (lane, log) in [LOG, "live#acct_1#1", "test#acct_1#0"].into_iter().enumerate() {
            let from = (day * 10 + lane) * 10_000;
            ground.append(log, from..from + entries, clock).await;
        }
        ground.export(clock).await.unwrap();
    }
    ground
}

#[tokio::test(start_paused = true)]
async fn three_days_are_whole_and_two_are_sealed() {
    let ground = three_days(InProcess::new().unwrap(), 300).await;
    let report = ground.copy().sound().unwrap();
    assert_eq!(report.logs.len(), 3);
    for log in &report.logs {
        assert_eq!(log.unsealed, [], "{}", log.log);
        // The last day's seal is signed with the next heartbeat: it is the only one that the copy cannot see yet.
        assert_eq!(log.days, 1, "{}", log.log);
    }
    assert!(report.unchecked.iter().all(|what| what.contains("no entry seals the day yet")), "{:?}", report.unchecked);
    assert_eq!(report.unchecked.len(), 3);
    // Two lanes on three days, and one on three.
    assert_eq!(report.heads, 9);
    // What is written once was written once.
    for (name, versions) in ground.account.object_versions(EXPORT_BUCKET) {
        let replaced = name.ends_with("/checkpoint") || name.contains(".p/") || name == "v1/log.vkey";
        assert!(replaced || versions == 1, "{name} has {versions} versions");
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_is_sealed_once_and_by_a_heartbeat_of_later_only() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.beat(first_day).await.unwrap();
    ground.append(LOG, 0..3, first_day).await;
    ground.export(first_day).await.unwrap();
    // Entries of the next day, and no heartbeat.
    ground.append(LOG, 3..6, leap_day).await;
    ground.export(leap_day).await.unwrap();
    let daily = |ground: &Ground| ground.copy().0.keys().filter(|name| name.contains("/daily/")).count();
    assert_eq!(daily(&ground), 0);
    for _ in 0..3 {
        ground.beat(leap_day).await.unwrap();
        ground.export(leap_day).await.unwrap();
    }
    // Three files in each of three lanes.
    assert_eq!(daily(&ground), 9);
    let types: Vec<_> = ground.entries(LOG).await.iter().map(|entry| entry.ty().to_owned()).collect();
    assert_eq!(types.iter().filter(|ty| *ty == "export.sealed").count(), 1);
    assert_eq!(types.iter().filter(|ty| *ty == "heartbeat").count(), 2);
    ground.copy().sound().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_seal_alone_causes_no_checkpoint() {
    let ground = three_days(InProcess::new().unwrap(), 2).await;
    let before = ground.copy();
    for _ in 0..3 {
        ground.export(third_day).await.unwrap();
    }
    assert_eq!(ground.copy(), before);
    assert_eq!(ground.entries(LOG).await.last().unwrap().ty(), "export.sealed");
}

#[tokio::test(start_paused = true)]
async fn the_table_of_a_day_holds_its_entries() {
    let ground = three_days(InProcess::new().unwrap(), 3).await;
    let copy = ground.copy();
    let files = copy.of(LOG);
    let manifest: Value = serde_json::from_slice(files["daily/dt=2028-02-29/manifest.json"]).unwrap();
    // Heartbeat, lanes, three movements, and the seal of the day before.
    assert_eq!((manifest["entries"].as_u64(), manifest["types"]["export.sealed"].as_u64()), (Some(6), Some(1)));
    assert_eq!(manifest["sums_minor"]["movement.changed"]["usd"], "300003");
    let table = std::str::from_utf8(files["daily/dt=2028-02-29/ledger.csv"]).unwrap();
    assert_eq!(table.lines().count(), 7);
    assert!(table.contains("\"re_100001\",100001,\"1000.01\",\"usd\",\"failed\""), "{table}");
}

#[tokio::test(start_paused = true)]
async fn partial_tiles_that_expired_are_made_again() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.append(LOG, 0..600, first_day).await;
    ground.export(first_day).await.unwrap();
    // What the lifecycle of the bucket does.
    for name in ground.copy().0.into_keys().filter(|name| name.contains(".p/")) {
        ground.clients.s3.delete_object().bucket(EXPORT_BUCKET).key(&name).send().await.unwrap();
    }
    ground.append(LOG, 600..900, first_day).await;
    ground.export(first_day).await.unwrap();
    let report = ground.copy().sound().unwrap();
    assert_eq!(report.logs[0].entries, 900);
    assert!(ground.copy().of(LOG).contains_key("tile/1/000.p/3"));
}

#[tokio::test(start_paused = true)]
async fn a_partial_tile_that_somebody_changed_is_never_built_on() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.append(LOG, 0..600, first_day).await;
    ground.export(first_day).await.unwrap();
    let name = "v1/live/acct_1/0/tile/1/000.p/2";
    let mut bytes = ground.copy().0[name].clone();
    bytes[0] ^= 1;
    ground.clients.s3.put_object().bucket(EXPORT_BUCKET).key(name).body(bytes.into()).send().await.unwrap();
    ground.append(LOG, 600..601, first_day).await;
    ground.account.clear_calls();
    let error = ground.exporter(first_day).export(&log()).await.unwrap_err();
    assert!(error.is_alarm(), "{error}");
    assert!(!ground.account.calls().operations().contains(&"Sign"));
}

#[tokio::test(start_paused = true)]
async fn lanes_that_grow_beside_each_other_are_told_as_they_are_signed() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.append("live#acct_1#1", 0..10, first_day).await;
    ground.export(first_day).await.unwrap();
    // Lane 1 has entries that nobody has signed yet: the list must not promise them.
    ground.append("live#acct_1#1", 10..15, leap_day).await;
    ground.beat(leap_day).await.unwrap();
    let heads = ground.entries(LOG).await.into_iter().find(|entry| entry.ty() == "lanes.heads").unwrap();
    assert_eq!(heads.fields()["heads"][1]["size"], 10);
    assert_eq!(heads.fields()["heads"][0]["size"], 0);
    ground.export(leap_day).await.unwrap();
    assert_eq!(ground.copy().sound().unwrap().heads, 3);
}
