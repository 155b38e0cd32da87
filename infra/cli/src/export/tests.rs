use axiru_ledger::layout::Name;
use clap::Parser;
use serde_json::Value;

use super::*;
use crate::sample::{Sample, log};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    export: ExportArguments,
}

/// Exit code, list, and what was told.
struct Ran {
    code: ExitCode,
    out: Vec<u8>,
    told: String,
}

async fn ran(sample: &Sample, more: &[&str]) -> Result<Ran> {
    let (place, vkey) = (sample.place(), sample.vkey());
    let line = ["export", &place, "--vkey", &vkey].into_iter().chain(more.iter().copied());
    let (mut out, mut told) = (Vec::new(), Vec::new());
    let code = run_with(&Line::parse_from(line).export, &mut out, &mut told).await?;
    Ok(Ran { code, out, told: String::from_utf8(told).unwrap() })
}

fn lines(ran: &Ran) -> Vec<Value> {
    std::str::from_utf8(&ran.out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Two scopes, one of them with two lanes.
fn three_logs() -> Sample {
    Sample::of(&[("live/acct_1/0", 700), ("live/acct_1/1", 300), ("test/acct_1/0", 20)])
}

#[tokio::test]
async fn every_entry_is_there_once_in_order_of_time_lane_and_number() {
    let ran = ran(&three_logs(), &[]).await.unwrap();
    let places: Vec<_> = lines(&ran)
        .iter()
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap().to_owned();
            (text("at"), entry["lane"].as_u64().unwrap(), entry["seq"].as_u64().unwrap(), text("mode") == "live")
        })
        .collect();
    assert_eq!(places.len(), 1_020);
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(ran.code, ExitCode::SUCCESS);
    assert!(ran.told.starts_with("1020 entries: every type of every scope, every day\n"), "{}", ran.told);
}

#[tokio::test]
async fn a_line_holds_the_entrys_exact_bytes() {
    let sample = Sample::of(&[("live/acct_1/0", 300)]);
    let ran = ran(&sample, &[]).await.unwrap();
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.told);
    let bytes: Vec<u8> = crate::sample::entries(&log("live/acct_1/0"), 300, 0, 0)
        .iter()
        .flat_map(|entry| [entry.bytes(), b"\n"].concat())
        .collect();
    assert_eq!(ran.out, bytes);
}

#[tokio::test]
async fn scope_days_and_types_narrow_it() {
    let sample = three_logs();
    let chosen = ["--scope", "live/acct_1", "--from", "2026-10-30", "--to", "2026-10-30", "--type", "execution.failed"];
    let found = lines(&ran(&sample, &chosen).await.unwrap());
    assert!(!found.is_empty());
    for entry in &found {
        assert_eq!((&entry["mode"], &entry["type"]), (&"live".into(), &"execution.failed".into()));
        assert!(entry["at"].as_str().unwrap().starts_with("2026-10-30T"));
    }
    // Nothing of the day is left out: counted in the whole list.
    let all = lines(&ran(&sample, &[]).await.unwrap());
    let wanted = |entry: &&Value| {
        entry["mode"] == "live"
            && entry["type"] == "execution.failed"
            && entry["at"].as_str().unwrap().starts_with("2026-10-30T")
    };
    assert_eq!(found.len(), all.iter().filter(wanted).count());
}

#[tokio::test]
async fn the_table_has_the_log_in_front_of_the_columns_of_the_daily_file() {
    let ran = ran(&three_logs(), &["--format", "csv"]).await.unwrap();
    let table = String::from_utf8(ran.out).unwrap();
    let rows: Vec<_> = table.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 1_021);
    assert_eq!(rows[0], format!("\u{feff}mode,account,lane,{}", csv::COLUMNS.join(",")));
    assert!(rows[1].starts_with("\"test\",\"acct_1\",0,0,\"2026-10-29T22:00:00.000Z\",\"execution.unknown\","));
    assert!(rows[2].starts_with("\"live\",\"acct_1\",0,0,"));
    assert!(rows[3].starts_with("\"live\",\"acct_1\",1,0,"));
}

#[tokio::test]
async fn a_damaged_copy_is_not_exported() {
    let sample = three_logs();
    let file = sample.path().join("list.csv");
    let name = Name::Newest(log("live/acct_1/1"));
    std::fs::write(sample.file(&name), b"not a checkpoint").unwrap();
    let out = tempfile::tempdir().unwrap();
    let file = file.file_name().map(|name| out.path().join(name)).unwrap();
    let ran = ran(&sample, &["--scope", "test/acct_1", "--out", file.to_str().unwrap()]).await.unwrap();
    assert_eq!((ran.code, ran.out.len()), (ExitCode::from(1), 0));
    assert!(ran.told.starts_with(&format!("FAIL: {}: ", name.text())), "{}", ran.told);
    assert!(ran.told.contains("Nothing was exported."));
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_file_is_made_new_and_never_replaced() {
    let sample = Sample::of(&[("live/acct_1/0", 30)]);
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("list.ndjson");
    let arguments = ["--out", file.to_str().unwrap()];
    let first = ran(&sample, &arguments).await.unwrap();
    assert!(first.out.is_empty());
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 30);
    let error = ran(&sample, &arguments).await.err().unwrap().to_string();
    assert!(error.contains("exists already"), "{error}");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn slips_of_the_pen_are_no_empty_lists() {
    let sample = three_logs();
    for (slip, said) in [
        (&["--scope", "live/acct_2"][..], "test/acct_1, live/acct_1"),
        (&["--type", "decision.mad"], "execution.failed, execution.unknown, movement.changed"),
        (&["--from", "2026-10-31", "--to", "2026-10-30"], "before"),
    ] {
        let error = ran(&sample, slip).await.err().unwrap().to_string();
        assert!(error.contains(said), "{error}");
    }
    // A type that exists, but not in this copy, is an empty list.
    let none = ran(&sample, &["--type", "decision.made"]).await.unwrap();
    assert_eq!((none.code, none.out.len()), (ExitCode::SUCCESS, 0));
}

#[test]
fn what_changes_after_the_check_is_not_exported() {
    let sample = Sample::of(&[("live/acct_1/0", 30)]);
    let folder = Pinned::new(Box::new(copy::Directory::open(sample.path()).unwrap()));
    let name = Name::Newest(log("live/acct_1/0"));
    axiru_ledger::verify::Folder::read(&folder, &name.text()).unwrap();
    let names = axiru_ledger::verify::Folder::names(&folder).unwrap();
    sample.put("v1/later", b"");
    assert_eq!(axiru_ledger::verify::Folder::names(&folder).unwrap(), names);
    std::fs::write(sample.file(&name), b"other").unwrap();
    assert!(axiru_ledger::verify::Folder::read(&folder, &name.text()).is_err());
}
