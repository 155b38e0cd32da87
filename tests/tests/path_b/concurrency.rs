//! Many observers on one tip: nothing is lost, nothing is told twice.

use std::time::Duration;

use axiru_in_process::{Fault, InProcess, Retries};
use axiru_ledger::entry::Tip;

use super::events::{event, refund, report};
use super::ground::{Ground, evening, log, observe};

#[tokio::test(start_paused = true)]
async fn sixteen_observers_with_overlapping_messages() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::On).await;
    let work = (0..16_usize).map(|worker| {
        let observer = ground.observer(evening);
        async move {
            for i in 0..8_usize {
                // Every message goes to four of the observers.
                let id = (worker / 4) * 8 + i;
                let refund = refund(&format!("re_{id}"), 100, "succeeded");
                let report = report(&event(&format!("evt_{id}"), "refund.created", &refund, None));
                observe(&observer, vec![report]).await.unwrap();
            }
        }
    });
    let mut set = tokio::task::JoinSet::new();
    for work in work {
        set.spawn(work);
    }
    while let Some(done) = set.join_next().await {
        done.unwrap();
    }
    let entries = ground.entries(&log()).await;
    assert_eq!(entries.len(), 32);
    let mut tip = Tip::EMPTY;
    for entry in &entries {
        assert_eq!((entry.seq(), entry.prev()), (tip.seq, tip.prev));
        tip = entry.next_tip();
    }
}

#[tokio::test(start_paused = true)]
async fn two_exporters_write_the_same_files() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::On).await;
    let reports = super::events::day().iter().map(report).collect();
    observe(&ground.observer(evening), reports).await.unwrap();
    let log = axiru_domain::LogId::from_key(&log()).unwrap();
    let (one, two) = (ground.exporter(), ground.exporter());
    let (first, second) = tokio::join!(one.export(&log), two.export(&log));
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    one.export(&log).await.unwrap();
    let verified = ground.verified();
    assert!(verified.passed(), "{:?}", verified.faults);
    assert_eq!(verified.logs[0].checkpoints, 1);
}

#[tokio::test(start_paused = true)]
async fn an_exporter_that_slept_does_not_take_the_lock_back() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    let log = axiru_domain::LogId::from_key(&log()).unwrap();
    let more = async |id: &str| {
        let refund = refund(&format!("re_{id}"), 100, "succeeded");
        let report = report(&event(&format!("evt_{id}"), "refund.created", &refund, None));
        observe(&ground.observer(evening), vec![report]).await.unwrap();
    };
    more("1").await;
    ground.exporter().export(&log).await.unwrap();
    more("2").await;
    // It has signed two entries, and its move of the lock arrives a minute late.
    ground.account.faults().next("PutItem", Fault::Delay(Duration::from_secs(60)));
    let (sleeper, other) = (ground.exporter(), ground.exporter());
    let awake = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        more("3").await;
        other.export(&log).await.unwrap()
    };
    let (slept, awake) = tokio::join!(sleeper.export(&log), awake);
    assert_eq!((slept.unwrap().size, awake.size), (3, 3));
    more("4").await;
    assert_eq!(other.export(&log).await.unwrap().size, 4);
    let verified = ground.verified();
    assert!(verified.passed(), "{:?}", verified.faults);
}
