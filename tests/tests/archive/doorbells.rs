//! The table's stream is only a doorbell: however its batches come, the files are the same. Except where it tells of damage.

use axiru_fn_export::{App, handle};
use axiru_in_process::{InProcess, Retries};
use serde_json::{Value, json};

use super::ground::{Copy, Ground, LOG, first_day};

fn record(name: &str, log: &str, seq: u64) -> Value {
    json!({"eventName": name, "dynamodb": {"Keys": {"pk": {"S": log}, "seq": {"N": seq.to_string()}}}})
}

fn batch(log: &str, seqs: impl IntoIterator<Item = u64>) -> Value {
    json!({"Records": seqs.into_iter().map(|seq| record("INSERT", log, seq)).collect::<Vec<_>>()})
}

async fn ten() -> Ground {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.append(LOG, 0..10, first_day).await;
    ground
}

/// The files after those batches and, at the end, the schedule.
async fn after(batches: Vec<Value>) -> Copy {
    let ground = ten().await;
    let app = App::new(ground.exporter(first_day));
    for batch in batches {
        handle(&app, &batch).await.unwrap();
    }
    handle(&app, &json!({"source": "aws.events"})).await.unwrap();
    ground.copy()
}

#[tokio::test(start_paused = true)]
async fn replayed_reversed_split_missing_and_empty_batches_make_the_same_files() {
    let expected = after(vec![batch(LOG, 0..10)]).await;
    assert_eq!(expected.sound().unwrap().entries(), 10);
    for (name, batches) in [
        ("twice", vec![batch(LOG, 0..10), batch(LOG, 0..10)]),
        ("reversed", vec![batch(LOG, (0..10).rev())]),
        ("split", (0..10).map(|seq| batch(LOG, [seq])).collect()),
        ("the second half first", vec![batch(LOG, 5..10), batch(LOG, 0..5)]),
        ("one record missing", vec![batch(LOG, (0..10).filter(|seq| *seq != 4))]),
        ("empty", vec![json!({"Records": []})]),
        ("never", vec![]),
        (
            "with another log's records",
            vec![json!({"Records": [record("INSERT", "test#acct_1#0", 7), record("INSERT", LOG, 1)]})],
        ),
    ] {
        assert_eq!(after(batches).await, expected, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_of_no_connection_is_never_signed() {
    let ground = ten().await;
    // Somebody who can append made up a log; another lane, another account.
    for foreign in ["live#acct_2#0", "live#acct_1#2", "test#acct_1#1"] {
        ground.append(foreign, 0..3, first_day).await;
        let app = App::new(ground.exporter(first_day));
        handle(&app, &batch(foreign, 0..3)).await.unwrap_err();
        handle(&app, &json!({})).await.unwrap();
    }
    assert!(
        ground
            .copy()
            .0
            .keys()
            .all(|name| !name.contains("acct_2") && !name.contains("acct_1/2/") && !name.contains("test/acct_1/1/"))
    );
    // The account's own logs go on; two of the foreign ones have an account that can be told.
    let alarms = ["live#acct_1#0", "test#acct_1#0"].map(|log| async {
        ground
            .entries(log)
            .await
            .iter()
            .filter(|entry| entry.ty() == "alarm.raised")
            .map(|e| e.fields()["alarm"].clone())
            .collect::<Vec<_>>()
    });
    let [live, test] = alarms;
    assert_eq!((live.await, test.await), (vec!["foreign".into()], vec!["foreign".into()]));
}

#[tokio::test(start_paused = true)]
async fn damage_in_the_stream_closes_the_log_whatever_the_table_says() {
    for (event, word) in [("MODIFY", "modified"), ("REMOVE", "removed")] {
        let ground = ten().await;
        let app = App::new(ground.exporter(first_day));
        handle(&app, &batch(LOG, 0..5)).await.unwrap();
        ground.append(LOG, 10..12, first_day).await;
        let damage = json!({"Records": [record("INSERT", LOG, 11), record(event, LOG, 3)]});
        handle(&app, &damage).await.unwrap_err();
        // The batch comes again, as a failed batch does, and the schedule rings.
        handle(&app, &damage).await.unwrap_err();
        handle(&app, &json!({})).await.unwrap_err();
        assert_eq!(ground.copy().sound().unwrap().logs[0].entries, 10, "nothing is signed behind it");
        let told: Vec<_> = ground
            .entries("live#acct_1#1")
            .await
            .iter()
            .map(|e| (e.ty().to_owned(), e.fields()["alarm"].clone(), e.fields()["of_seq"].clone()))
            .collect();
        assert_eq!(told, [("alarm.raised".to_owned(), word.into(), 3.into())]);
        // The other lanes go on, and their copy tells of it.
        let report = ground.copy().sound().unwrap();
        assert_eq!(report.alarms.len(), 1, "{:?}", report.alarms);
        assert!(report.alarms[0].contains(word), "{:?}", report.alarms);
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_alone_in_its_scope_is_told_in_the_other_mode() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.append("test#acct_1#0", 0..3, first_day).await;
    let app = App::new(ground.exporter(first_day));
    handle(&app, &json!({"Records": [record("MODIFY", "test#acct_1#0", 1)]})).await.unwrap_err();
    let told = ground.entries(LOG).await;
    let alarm = told.iter().find(|entry| entry.ty() == "alarm.raised").unwrap();
    assert_eq!((&alarm.fields()["of_mode"], &alarm.fields()["of_lane"]), (&"test".into(), &0.into()));
}
