//! Every fault at every I/O call of heart, exporter and alarm, with SDK retries on and off, and a second fault in the recovery.

use axiru_domain::{LogId, Mode, Timestamp};
use axiru_in_process::{Enumerator, InProcess, Retries};

use super::ground::{Copy, Ground, LOG, first_day, leap_day, log, third_day};

fn on_a_paused_clock<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(work)
}

/// Lane 0 of live: 255 entries of the first day are signed; two more of that day, and the next day's heartbeat, are not. So the next run crosses
/// the end of a tile and the end of a day, and seals it.
async fn at_the_edge(account: InProcess, retries: Retries) -> Ground {
    let ground = Ground::new(account, retries).await;
    ground.beat(first_day).await.unwrap();
    ground.append(LOG, 0..253, first_day).await;
    ground.exporter(first_day).export(&log()).await.unwrap();
    ground.append(LOG, 253..255, first_day).await;
    ground.beat(leap_day).await.unwrap();
    ground
}

async fn export(ground: &Ground) -> Result<(), String> {
    ground.exporter(leap_day).export(&log()).await.map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn whatever_fails_across_a_tile_and_a_day_the_bytes_are_the_same() {
    let expected: (Copy, usize) = on_a_paused_clock(async {
        let ground = at_the_edge(InProcess::new().unwrap(), Retries::On).await;
        export(&ground).await.unwrap();
        let copy = ground.copy();
        assert!(
            copy.of(LOG).contains_key("tile/0/000") && copy.of(LOG).contains_key("tile/0/001.p/3"),
            "the story is there"
        );
        assert!(copy.of(LOG).contains_key("daily/dt=2028-02-28/manifest.json"));
        (copy, ground.entries(LOG).await.len())
    });
    let same = async |ground: &Ground| -> Result<(), String> {
        let (copy, entries) = (ground.copy(), ground.entries(LOG).await.len());
        if (&copy, entries) == (&expected.0, expected.1) {
            return Ok(());
        }
        let names = |copy: &Copy| copy.0.keys().cloned().collect::<Vec<_>>();
        Err(format!("{entries} entries, files: {:#?}", names(&copy)))
    };
    let report = Enumerator::new("export: across 255 to 257 and a day's end, with its seal").second_faults(1_801);
    report.run(at_the_edge, export, export, same).unwrap_or_else(|violation| panic!("{violation}"));
}

/// Two lanes of one scope, and nothing else.
async fn connected(account: InProcess, retries: Retries) -> Ground {
    Ground::with(account, retries, &[(Mode::Live, 2)]).await
}

/// Two days: heartbeats and export of each. A step that fails is not repeated: the next day comes all the same.
async fn two_days(ground: &Ground) -> Result<(), String> {
    let mut failed = Ok(());
    for clock in [first_day as fn() -> Timestamp, leap_day] {
        failed = failed.and(ground.beat(clock).await);
        failed = failed.and(ground.export(clock).await);
    }
    failed
}

/// The schedule of the next day.
async fn third_day_again(ground: &Ground) -> Result<(), String> {
    ground.beat(third_day).await?;
    ground.export(third_day).await
}

#[test]
fn whatever_fails_in_the_night_no_day_has_two_heartbeats_or_seals_and_every_day_is_sealed() {
    let once = async |ground: &Ground| -> Result<(), String> {
        ground.copy().sound()?;
        for log in [LOG, "live#acct_1#1"] {
            let entries = ground.entries(log).await;
            let of = |ty: &str, day: &str| {
                entries.iter().filter(|entry| entry.ty() == ty && entry.fields()["day"] == day).count()
            };
            for day in ["2028-02-28", "2028-02-29", "2028-03-01"] {
                let some = entries.iter().any(|entry| entry.at().date().to_string() == day);
                let (beats, lists, seals) = (of("heartbeat", day), of("lanes.heads", day), of("export.sealed", day));
                if beats > 1 || lists > 1 || seals != usize::from(some && day != "2028-03-01") {
                    return Err(format!("{log}, {day}: {beats} heartbeats, {lists} lists, {seals} seals"));
                }
            }
            if of("heartbeat", "2028-03-01") != 1 {
                return Err(format!("{log}: no heartbeat on the last day"));
            }
        }
        Ok(())
    };
    let report = Enumerator::new("heart and export: two days and the next, two lanes").second_faults(9_973);
    report.run(connected, two_days, third_day_again, once).unwrap_or_else(|violation| panic!("{violation}"));
}

/// A log of which an entry is gone that was signed.
async fn robbed(account: InProcess, retries: Retries) -> Ground {
    let ground = Ground::new(account, retries).await;
    ground.append(LOG, 0..5, first_day).await;
    ground.exporter(first_day).export(&log()).await.unwrap();
    ground.append(LOG, 5..8, first_day).await;
    ground.remove(LOG, 6).await;
    ground
}

/// Exports; an alarm is what must come.
async fn find_out(ground: &Ground) -> Result<(), String> {
    let exporter = ground.exporter(first_day);
    for _ in 0..2 {
        match exporter.export(&log()).await {
            Err(error) if error.is_alarm() => {}
            Err(error) => return Err(error.to_string()),
            // The entry in front of the gap is exported meanwhile.
            Ok(done) if done.size == 6 => {}
            Ok(done) => panic!("{} entries were signed", done.size),
        }
    }
    Ok(())
}

#[test]
fn whatever_fails_an_alarm_closes_the_log_and_is_told_once() {
    let told = async |ground: &Ground| -> Result<(), String> {
        let copy = ground.copy();
        if copy.of(LOG).contains_key("checkpoints/00000000000000000007.note") {
            return Err("something was signed behind the gap".to_owned());
        }
        let other = LogId::from_key("live#acct_1#1").unwrap();
        let entries = ground.store().entries(&other, 0, 100).await.unwrap();
        let alarms: Vec<_> = entries.iter().filter(|entry| entry.ty() == "alarm.raised").collect();
        let says =
            alarms.iter().map(|e| (e.fields()["alarm"].clone(), e.fields()["of_seq"].clone())).collect::<Vec<_>>();
        if says != [("gap".into(), 6.into())] {
            return Err(format!("told: {says:?}"));
        }
        match ground.exporter(first_day).export(&log()).await {
            Err(error) if error.to_string().contains("closed") => Ok(()),
            other => Err(format!("the log is not closed: {other:?}")),
        }
    };
    let report = Enumerator::new("alarm: an entry is missing").second_faults(97);
    report.run(robbed, find_out, find_out, told).unwrap_or_else(|violation| panic!("{violation}"));
}
