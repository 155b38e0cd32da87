//! Clocks that are wrong, tables that went back, appenders that crowd: what the exporter signs, and what it does not.

use std::time::Duration;

use axiru_aws::export::ExportError;
use axiru_aws::ledger::{CommitError, Writes};
use axiru_domain::{LogId, Timestamp};
use axiru_in_process::{Fault, InProcess, Retries};
use axiru_ledger::entry::Tip;

use super::ground::{Ground, LOG, draft, first_day, leap_day, log};

fn hour_before() -> Timestamp {
    first_day().plus_secs(-3_600)
}

fn day_after() -> Timestamp {
    first_day().plus_secs(86_400)
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_went_back_an_hour_signs_nothing_and_is_told_once() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.append(LOG, 0..3, first_day).await;
    ground.exporter(first_day).export(&log()).await.unwrap();
    // The writer's clock went back as well: time does not run back in the log all the same.
    ground.append(LOG, 3..5, hour_before).await;
    let before = ground.copy();
    for _ in 0..3 {
        let error = ground.exporter(hour_before).export(&log()).await.unwrap_err();
        assert!(matches!(error, ExportError::Clock { .. }), "{error}");
    }
    assert_eq!(ground.copy(), before);
    let told = ground.entries("live#acct_1#1").await;
    assert_eq!(told.iter().filter(|entry| entry.ty() == "alarm.raised").count(), 1);
    // A clock is set right, and the log goes on.
    ground.exporter(first_day).export(&log()).await.unwrap();
    assert_eq!(ground.copy().sound().unwrap().entries(), 5);
    let times: Vec<_> = ground.entries(LOG).await.iter().map(axiru_ledger::entry::Entry::at).collect();
    assert!(times.is_sorted());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_stops_signing_only_until_it_can() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.append(LOG, 0..3, first_day).await;
    ground.exporter(first_day).export(&log()).await.unwrap();
    ground.append(LOG, 3..4, first_day).await;
    // As an older version sees what a newer one wrote.
    let entry = ground.entries(LOG).await.remove(3);
    let strange = String::from_utf8(entry.bytes().to_vec()).unwrap().replace("\"v\":1", "\"v\":2");
    ground.overwrite(LOG, 3, strange.as_bytes()).await;
    let before = ground.copy();
    for _ in 0..3 {
        assert!(ground.exporter(first_day).export(&log()).await.unwrap_err().is_alarm());
    }
    assert_eq!(ground.copy(), before);
    let told: Vec<_> = ground.entries("live#acct_1#1").await.iter().map(|e| e.fields()["alarm"].clone()).collect();
    assert_eq!(told, ["unreadable"]);
    ground.overwrite(LOG, 3, entry.bytes()).await;
    ground.exporter(first_day).export(&log()).await.unwrap();
    assert_eq!(ground.copy().sound().unwrap().logs[0].entries, 4);
}

#[tokio::test(start_paused = true)]
async fn a_writer_a_day_ahead_is_not_signed_before_that_day() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.append(LOG, 0..2, first_day).await;
    ground.append(LOG, 2..3, day_after).await;
    let error = ground.exporter(first_day).export(&log()).await.unwrap_err();
    assert!(matches!(error, ExportError::Clock { .. }), "{error}");
    assert!(ground.copy().0.is_empty());
    ground.exporter(leap_day).export(&log()).await.unwrap();
    ground.copy().sound().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_table_restored_to_an_earlier_point_is_never_signed_again() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.append(LOG, 0..300, first_day).await;
    ground.exporter(first_day).export(&log()).await.unwrap();
    for seq in 250..300 {
        ground.remove(LOG, seq).await;
    }
    let error = ground.exporter(first_day).export(&log()).await.unwrap_err();
    assert!(matches!(error, ExportError::Rollback { found: 250, signed: 300, .. }), "{error}");
    // Even when it grows past the point again, with other entries.
    ground.append(LOG, 1_000..1_100, first_day).await;
    let before = ground.copy();
    let error = ground.exporter(first_day).export(&log()).await.unwrap_err();
    assert!(matches!(error, ExportError::Closed { .. }), "{error}");
    assert_eq!(ground.copy(), before);
}

#[tokio::test(start_paused = true)]
async fn a_restored_table_that_grew_past_the_lock_unseen_is_found_by_its_chain() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.append(LOG, 0..300, first_day).await;
    ground.exporter(first_day).export(&log()).await.unwrap();
    for seq in 250..300 {
        ground.remove(LOG, seq).await;
    }
    ground.append(LOG, 1_000..1_100, first_day).await;
    let error = ground.exporter(first_day).export(&log()).await.unwrap_err();
    assert!(matches!(error, ExportError::Chain { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn overwriting_with_a_sound_entry_is_found_before_the_day_is_sealed() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.append(LOG, 0..5, first_day).await;
    ground.exporter(first_day).export(&log()).await.unwrap();
    let entry = ground.entries(LOG).await.remove(2);
    let changed =
        String::from_utf8(entry.bytes().to_vec()).unwrap().replace("\"amount_minor\":2", "\"amount_minor\":1");
    ground.overwrite(LOG, 2, changed.as_bytes()).await;
    ground.beat(leap_day).await.unwrap();
    let error = ground.exporter(leap_day).export(&log()).await.unwrap_err();
    assert!(matches!(error, ExportError::Chain { seq: 3, .. }), "{error}");
    assert!(ground.copy().0.keys().all(|name| !name.contains("/daily/")));
}

#[tokio::test(start_paused = true)]
async fn sixty_four_appenders_some_of_whom_lose_their_answers_make_one_chain() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    let mut set = tokio::task::JoinSet::new();
    for worker in 0..64_usize {
        let store = ground.store();
        // Every fourth commit is applied and its answer is lost.
        if worker % 4 == 0 {
            ground.account.faults().next("TransactWriteItems", Fault::ApplyThenReset);
        }
        set.spawn(async move {
            let log = LogId::from_key(LOG).unwrap();
            for round in 0..4 {
                let draft = draft(&log, worker * 10 + round);
                // As every use case does: what the row says decides whether it was written.
                loop {
                    let plan = || async {
                        let there = store.entries(&log, 0, 1_000).await?;
                        let object = &draft.fields["object"];
                        let done = there.iter().any(|entry| entry.fields()["object"] == *object);
                        let drafts = if done { Vec::new() } else { vec![draft.clone()] };
                        Ok::<_, CommitError>(Writes { drafts, rows: Vec::new() })
                    };
                    match store.commit(&log, first_day, plan).await {
                        Ok(_) => break,
                        Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                    }
                }
            }
        });
    }
    while let Some(done) = set.join_next().await {
        done.unwrap();
    }
    let entries = ground.entries(LOG).await;
    let mut tip = Tip::EMPTY;
    for entry in &entries {
        assert_eq!((entry.seq(), entry.prev()), (tip.seq, tip.prev));
        tip = entry.next_tip();
    }
    assert_eq!(entries.len(), 64 * 4);
    ground.exporter(first_day).export(&log()).await.unwrap();
    ground.copy().sound().unwrap();
}
