use std::fs;

use axiru_ledger::cosignature::CosignerKey;
use axiru_ledger::layout::{Name, log_prefix};
use clap::Parser;
use serde_json::Value;

use super::*;
use crate::sample::{Sample, log, signer};

const LOG: &str = "live/acct_1/0";
const OTHER: &str = "live/acct_1/1";

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    witness: WitnessCommand,
}

/// A witness with its own memory and keys.
struct Witness {
    folder: tempfile::TempDir,
}

fn noon() -> Timestamp {
    "2026-11-01T12:00:00.000Z".parse().unwrap()
}

fn noon_and_26_hours() -> Timestamp {
    "2026-11-02T14:00:00.000Z".parse().unwrap()
}

impl Witness {
    /// Of the logs of a sample, by the keys that it has now.
    fn of(sample: &Sample) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(sample.vkey(), folder.path().join("log.vkey")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn state(&self) -> String {
        fs::read_to_string(self.path("state")).unwrap_or_default()
    }

    async fn at(&self, sample: &Sample, clock: fn() -> Timestamp, more: &[&str]) -> Result<(ExitCode, String)> {
        let (place, vkey, state) = (sample.place(), self.path("log.vkey"), self.path("state"));
        let line = ["witness", &place, "--vkey", &vkey, "--state", &state].into_iter().chain(more.iter().copied());
        let mut out = Vec::new();
        let line = Line::parse_from(line);
        let code = watch(line.witness.visit.as_ref().unwrap(), clock, &mut out).await?;
        Ok((code, String::from_utf8(out).unwrap()))
    }

    async fn visits(&self, sample: &Sample) -> (ExitCode, Value) {
        let (code, out) = self.at(sample, noon, &["--json"]).await.unwrap();
        (code, serde_json::from_str(&out).unwrap())
    }

    /// What a visit finds of [`LOG`], and that nothing of it was remembered if it is refused.
    async fn found(&self, sample: &Sample) -> String {
        let before = self.state();
        let (code, json) = self.visits(sample).await;
        let logs = json["logs"].as_array().unwrap();
        let found = logs.iter().find(|found| found["log"] == LOG).unwrap();
        let word = found["found"].as_str().unwrap().to_owned();
        let fine = ["first", "grown", "unmoved", "nothing"].contains(&word.as_str());
        assert_eq!(code, ExitCode::from(u8::from(!fine)), "{json:#}");
        if !fine {
            let line =
                |state: &str| state.lines().filter(|line| line.contains(LOG)).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(line(&before), line(&self.state()), "{word}");
        }
        word
    }
}

#[tokio::test]
async fn a_log_that_grows_continues_at_every_size() {
    let sample = Sample::of(&[(LOG, 1)]);
    let witness = Witness::of(&sample);
    assert_eq!(witness.found(&sample).await, "first");
    let mut before = 1;
    for size in [2, 97, 98, 255, 256, 257, 511, 512, 513, 900] {
        sample.log(LOG, size, 0);
        assert_eq!(witness.found(&sample).await, "grown", "{size}");
        assert_eq!(witness.found(&sample).await, "unmoved");
        assert!(witness.state().contains(&format!("{LOG} {size} ")) && before < size);
        before = size;
    }
}

#[tokio::test]
async fn whatever_does_not_continue_is_named_and_not_remembered() {
    for (held, size, forks_at, word) in [
        (600, 599, 600, "rollback"),
        (600, 1, 600, "rollback"),
        // Forked in the first, a middle and the last entry that was seen.
        (600, 700, 0, "fork"),
        (600, 700, 300, "fork"),
        (600, 700, 599, "fork"),
        (256, 512, 255, "fork"),
        // Behind it, it is another future of the same past.
        (600, 700, 600, "grown"),
        // All of it written anew and signed with the right key, no longer than before.
        (600, 600, 0, "other_root"),
        (600, 600, 599, "other_root"),
        (1, 1, 0, "other_root"),
    ] {
        let sample = Sample::of(&[(LOG, held), (OTHER, 5)]);
        let witness = Witness::of(&sample);
        assert_eq!(witness.found(&sample).await, "first");
        sample.forked(LOG, size, 1, forks_at);
        sample.log(OTHER, 9, 0);
        assert_eq!(witness.found(&sample).await, word, "{held} then {size}, from {forks_at} on");
        // The other log went on.
        assert!(witness.state().contains(&format!("{OTHER} 9 ")));
    }
}

#[tokio::test]
async fn two_histories_shown_in_turn_are_told_apart_each_time() {
    let sample = Sample::of(&[(LOG, 300)]);
    let witness = Witness::of(&sample);
    assert_eq!(witness.found(&sample).await, "first");
    for size in [310, 320, 330] {
        sample.forked(LOG, size, 1, 200);
        assert_eq!(witness.found(&sample).await, "fork");
        sample.log(LOG, size, 0);
        assert_eq!(witness.found(&sample).await, "grown");
    }
}

#[tokio::test]
async fn another_log_in_its_place_and_foreign_signatures_are_refused() {
    let sample = Sample::of(&[(LOG, 300), ("test/acct_1/0", 400)]);
    let witness = Witness::of(&sample);
    assert_eq!(witness.found(&sample).await, "first");
    let newest = sample.file(&Name::Newest(log(LOG)));
    let right = fs::read(&newest).unwrap();
    // Test shown as live: signed with the same key, and longer.
    fs::copy(sample.file(&Name::Newest(log("test/acct_1/0"))), &newest).unwrap();
    assert_eq!(witness.found(&sample).await, "wrong_log");
    let (_, said) = witness.at(&sample, noon, &[]).await.unwrap();
    assert!(said.contains("a test log shown as a live one"), "{said}");
    // Every changed byte.
    for at in 0..right.len() {
        let mut other = right.clone();
        other[at] ^= 1;
        fs::write(&newest, other).unwrap();
        assert!(["wrong_log", "not_signed"].contains(&witness.found(&sample).await.as_str()), "byte {at}");
    }
    fs::write(&newest, &right).unwrap();
    assert_eq!(witness.found(&sample).await, "unmoved");
    // A log that nobody gave a key for.
    sample.log("live/acct_2/0", 5, 0);
    let (code, json) = witness.visits(&sample).await;
    assert_eq!((code, &json["logs"][1]["found"]), (ExitCode::from(1), &"unknown".into()), "{json:#}");
}

#[tokio::test]
async fn a_log_that_vanished_is_told_and_one_that_never_was_is_not() {
    let sample = Sample::of(&[(LOG, 30), (OTHER, 5)]);
    let witness = Witness::of(&sample);
    let folder = sample.path().join(log_prefix(&log(LOG)));
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(witness.found(&sample).await, "nothing");
    sample.log(LOG, 30, 0);
    assert_eq!(witness.found(&sample).await, "first");
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(witness.found(&sample).await, "vanished");
    // Nor is it forgotten with its key.
    let (_, key) = signer(&log(OTHER));
    fs::write(witness.path("log.vkey"), format!("{key}\n")).unwrap();
    assert_eq!(witness.found(&sample).await, "unknown");
    // A place without anything is not a place where all is well.
    let empty = Sample::of(&[]);
    fs::create_dir(empty.path().join("v1")).unwrap();
    let other = Witness::of(&sample);
    assert_eq!(other.visits(&empty).await.0, ExitCode::from(1));
}

#[tokio::test]
async fn partial_tiles_that_expired_follow_from_those_below() {
    let sample = Sample::of(&[(LOG, 300)]);
    let witness = Witness::of(&sample);
    assert_eq!(witness.found(&sample).await, "first");
    sample.log(LOG, 700, 0);
    let tiles = sample.path().join(format!("{}tile", log_prefix(&log(LOG))));
    // Level 1 follows from the full tiles of level 0; no bundle and no segment is needed.
    fs::remove_dir_all(tiles.join("1")).unwrap();
    fs::remove_dir_all(tiles.join("entries")).unwrap();
    fs::remove_dir_all(sample.path().join(format!("{}entries", log_prefix(&log(LOG))))).unwrap();
    assert_eq!(witness.found(&sample).await, "grown");
    // Of level 0, nothing does.
    sample.log(LOG, 800, 0);
    fs::remove_dir_all(tiles.join("0/003.p")).unwrap();
    assert_eq!(witness.found(&sample).await, "unproven");
    let (_, said) = witness.at(&sample, noon, &[]).await.unwrap();
    assert!(said.contains("the tiles over entries 768 to 799 are not there"), "{said}");
    // Damaged tiles prove nothing, and accuse nobody.
    sample.log(LOG, 800, 0);
    fs::write(tiles.join("0/002"), [0; 256 * 32]).unwrap();
    assert_eq!(witness.found(&sample).await, "unproven");
}

#[tokio::test]
async fn a_log_that_stands_still_is_a_warning_and_with_a_limit_a_failure() {
    let sample = Sample::of(&[(LOG, 30)]);
    let witness = Witness::of(&sample);
    witness.at(&sample, noon, &[]).await.unwrap();
    let (code, said) = witness.at(&sample, noon, &[]).await.unwrap();
    assert!(code == ExitCode::SUCCESS && !said.contains("WARNING"), "{said}");
    let later = noon_and_26_hours;
    let (code, said) = witness.at(&sample, later, &[]).await.unwrap();
    assert!(code == ExitCode::SUCCESS && said.contains("WARNING: unmoved since 2026-11-01T12:00:00.000Z, 26 hours"));
    let (code, said) = witness.at(&sample, later, &["--max-age", "26h"]).await.unwrap();
    assert_eq!(code, ExitCode::SUCCESS, "{said}");
    let (code, said) = witness.at(&sample, later, &["--max-age", "25h"]).await.unwrap();
    assert!(code == ExitCode::from(1) && said.contains("live/acct_1/0: STALE"), "{said}");
    sample.log(LOG, 31, 0);
    let (code, _) = witness.at(&sample, later, &["--max-age", "25h"]).await.unwrap();
    assert_eq!(code, ExitCode::SUCCESS);
}

#[tokio::test]
async fn what_is_accepted_is_cosigned_and_nothing_else() {
    let sample = Sample::of(&[(LOG, 300), (OTHER, 5)]);
    let witness = Witness::of(&sample);
    let (key_file, out) = (witness.path("witness.key"), witness.path("cosigned"));
    let mut printed = Vec::new();
    let line = Line::parse_from(["witness", "key", "new", &key_file, "--name", "witness.example/w1"]);
    run(&line.witness, &mut printed).await.unwrap();
    let key: CosignerKey = String::from_utf8(printed).unwrap().trim_end().parse().unwrap();
    let cosign = ["--cosign", &key_file, "--out", &out];
    witness.at(&sample, noon, &cosign).await.unwrap();
    let note = fs::read(format!("{out}/{LOG}/{:020}.note", 300)).unwrap();
    let (text, seconds) = key.open(&note).unwrap();
    assert_eq!(i64::try_from(seconds).unwrap(), noon().secs());
    assert!(text.starts_with("axiru.sample/ledger/live/acct_1/0\n300\n"));
    assert_eq!(signer(&log(LOG)).1.open(&note), Ok(text));
    sample.forked(LOG, 310, 1, 0);
    sample.log(OTHER, 6, 0);
    assert_eq!(witness.at(&sample, noon, &cosign).await.unwrap().0, ExitCode::from(1));
    let cosigned: Vec<_> =
        fs::read_dir(format!("{out}/{LOG}")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(cosigned, [format!("{:020}.note", 300).as_str()]);
    assert!(fs::exists(format!("{out}/{OTHER}/{:020}.note", 6)).unwrap());
}

#[tokio::test]
async fn one_witness_at_a_time_uses_a_memory_and_it_is_never_guessed() {
    let sample = Sample::of(&[(LOG, 30)]);
    let witness = Witness::of(&sample);
    let state = std::path::PathBuf::from(witness.path("state"));
    let held = Memory::open(&state).unwrap();
    let error = witness.at(&sample, noon, &[]).await.unwrap_err().to_string();
    assert!(error.contains("another `axiru witness` is running"), "{error}");
    drop(held);
    witness.at(&sample, noon, &[]).await.unwrap();
    let stored = witness.state();
    for end in 0..stored.len() {
        fs::write(&state, &stored[..end]).unwrap();
        assert!(Memory::open(&state).is_err(), "cut at {end}");
    }
    fs::write(&state, stored.replace("2026-11-01", "2026-11-1")).unwrap();
    assert!(Memory::open(&state).is_err());
    fs::write(&state, &stored).unwrap();
    assert_eq!(witness.found(&sample).await, "unmoved");
    // Nothing is left of writing.
    let names: Vec<_> = fs::read_dir(witness.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().ends_with(".part")), "{names:?}");
}

#[test]
fn the_command_line_tells_a_visit_from_a_key() {
    let taken = |line: &str| Line::try_parse_from(line.split_whitespace()).is_ok();
    assert!(taken("witness key new k --name w/1"));
    assert!(taken("witness copy --vkey k --state s --every 10m --max-age 30h"));
    for bad in [
        "witness",
        "witness copy",
        "witness key new k",
        "witness copy --vkey k --state s --cosign k",
        "witness copy --vkey k --state s --out d",
    ] {
        assert!(!taken(bad), "{bad}");
    }
}
