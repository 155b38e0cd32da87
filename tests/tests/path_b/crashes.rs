//! Every fault at every I/O call of observe and of export, with SDK retries on and off, and a second fault during recovery.

use axiru_aws::observe::Observer;
use axiru_domain::LogId;
use axiru_in_process::{Enumerator, InProcess, Retries};
use axiru_ledger::entry::Tip;
use axiru_stripe::report::Report;

use super::events::{day, report, told_of_the_day};
use super::ground::{Copy, Ground, evening, log, morning, observe, told};

struct Observing {
    ground: Ground,
    observer: Observer,
    reports: Vec<Report>,
}

async fn observing(account: InProcess, retries: Retries) -> Observing {
    let ground = Ground::new(account, retries).await;
    let observer = ground.observer(evening);
    Observing { ground, observer, reports: day().iter().map(report).collect() }
}

/// Delivers the day in one batch.
async fn deliver(observing: &Observing) -> Result<(), String> {
    observe(&observing.observer, observing.reports.clone()).await.map(|_| ()).map_err(|error| error.to_string())
}

/// Everything is told exactly once, in one unbroken chain.
async fn told_once(observing: &Observing) -> Result<(), String> {
    let entries = observing.ground.entries(&log()).await;
    let mut tip = Tip::EMPTY;
    for entry in &entries {
        if (entry.seq(), entry.prev()) != (tip.seq, tip.prev) {
            return Err(format!("entry {} does not follow", entry.seq()));
        }
        tip = entry.next_tip();
    }
    let told = told(&entries);
    if told != told_of_the_day() {
        return Err(format!("told: {told:#?}"));
    }
    let facts = entries.iter().filter(|entry| entry.ty() == "fact.recorded").count();
    if facts == 3 { Ok(()) } else { Err(format!("{facts} facts instead of 3")) }
}

#[test]
fn whatever_fails_while_observing_each_movement_is_told_once() {
    let report = Enumerator::new("observe: a day in one batch").second_faults(29);
    report.run(observing, deliver, deliver, told_once).unwrap_or_else(|violation| panic!("{violation}"));
}

/// A log of two days that is not exported yet.
async fn exporting(account: InProcess, retries: Retries) -> Ground {
    let ground = Ground::new(account, retries).await;
    let mut reports: Vec<Report> = day().iter().map(report).collect();
    let later = reports.split_off(8);
    observe(&ground.observer(evening), reports).await.unwrap();
    observe(&ground.observer(morning), later).await.unwrap();
    ground
}

async fn export(ground: &Ground) -> Result<(), String> {
    let log = LogId::from_key(&log()).unwrap();
    ground.exporter().export(&log).await.map(|_| ()).map_err(|error| error.to_string())
}

fn on_a_paused_clock<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(work)
}

#[test]
fn whatever_fails_while_exporting_the_files_are_the_same_to_the_byte() {
    let expected: Copy = on_a_paused_clock(async {
        let ground = exporting(InProcess::new().unwrap(), Retries::On).await;
        export(&ground).await.unwrap();
        let verified = ground.verified();
        assert!(verified.passed(), "{:?}", verified.faults);
        // Two days: two segments, two checkpoints.
        assert_eq!(verified.logs[0].checkpoints, 2);
        ground.copy()
    });
    let same = async |ground: &Ground| -> Result<(), String> {
        let copy = ground.copy();
        if copy == expected {
            return Ok(());
        }
        let names = |copy: &Copy| copy.0.keys().cloned().collect::<Vec<_>>();
        Err(format!("files: {:#?}, expected {:#?}", names(&copy), names(&expected)))
    };
    let report = Enumerator::new("export: two days").second_faults(97);
    report.run(exporting, export, export, same).unwrap_or_else(|violation| panic!("{violation}"));
}
