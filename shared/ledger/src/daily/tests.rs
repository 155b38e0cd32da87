use axiru_domain::Timestamp;
use serde_json::Value;

use super::*;
use crate::entry::Tip;
use crate::entry::tests::changed;

const LOG: &str = "live#acct_1#0";
const MORNING: i64 = 1_793_404_800_000;

fn day(count: u32) -> Vec<Entry> {
    let mut tip = Tip::EMPTY;
    let at = Timestamp::from_millis(MORNING).unwrap();
    let entry = |i| {
        let entry = changed(LOG, &format!("re_{i}"), "failed").at_tip(&tip, at).unwrap();
        tip = entry.next_tip();
        entry
    };
    (0..count).map(entry).collect()
}

fn files(entries: &[Entry], before: Option<Hash>) -> DayFiles {
    let mut writer = DayWriter::new(entries[0].log(), entries[0].at().date());
    entries.iter().for_each(|entry| writer.push(entry).unwrap());
    writer.finish("axiru.t/ledger/live/acct_1/0", Hash::ZERO, before, None).unwrap()
}

#[test]
fn a_day_is_its_lines_a_table_and_what_they_hold() {
    let entries = day(2);
    let files = files(&entries, Some(Hash::of(b"before")));
    let lines: Vec<u8> = entries.iter().flat_map(|entry| [entry.bytes(), b"\n"].concat()).collect();
    assert_eq!(gzip::digest(&files.gzip, lines.len() as u64).unwrap(), Hash::of(&lines));
    let (id, leaf) = (entries[1].id(), entries[1].leaf_hash());
    let table = String::from_utf8(files.csv.clone()).unwrap();
    assert_eq!(
        table.split("\r\n").nth(2).unwrap(),
        format!(
            "1,\"2026-10-31T00:00:00.000Z\",\"movement.changed\",\"external\",,,\"refund\",\"re_1\",100,\"1.00\",\"usd\",\"failed\",,,,,\"{id}\",\"{leaf}\""
        )
    );
    assert!(table.starts_with("\u{feff}seq,at,type,") && table.ends_with("\r\n"));
    assert_eq!(table.matches("\r\n").count(), 3);
    let manifest: Value = serde_json::from_slice(&files.manifest).unwrap();
    assert_eq!(manifest["sums_minor"]["movement.changed"]["usd"], "200");
    assert_eq!(manifest["types"]["movement.changed"], 2);
    assert_eq!((manifest["first"].as_u64(), manifest["last"].as_u64()), (Some(0), Some(1)));
    assert_eq!(manifest["ndjson"]["sha256"], Hash::of(&lines).to_string());
    assert_eq!(manifest["files"]["ledger.csv"]["sha256"], Hash::of(&files.csv).to_string());
    assert_eq!(manifest["files"]["ledger.ndjson.gz"]["bytes"].as_u64(), Some(files.gzip.len() as u64));
    assert_eq!(manifest["prev_manifest_sha256"], Hash::of(b"before").to_string());
}

#[test]
fn a_table_of_several_logs_has_the_log_in_front_and_the_rest_unchanged() {
    let entries = day(2);
    let (mut alone, mut several) = (csv::head(), csv::head_with_log());
    for entry in &entries {
        csv::row(&mut alone, entry);
        csv::row_with_log(&mut several, entry);
    }
    assert_eq!(alone, files(&entries, None).csv);
    let (alone, several) = (String::from_utf8(alone).unwrap(), String::from_utf8(several).unwrap());
    for (number, (alone, several)) in alone.split_terminator("\r\n").zip(several.split_terminator("\r\n")).enumerate() {
        let (front, alone) = match number {
            0 => ("\u{feff}mode,account,lane,", alone.trim_start_matches('\u{feff}')),
            _ => ("\"live\",\"acct_1\",0,", alone),
        };
        assert_eq!(several, format!("{front}{alone}"));
    }
}

#[test]
fn the_same_entries_make_the_same_files() {
    assert_eq!(files(&day(50), None), files(&day(50), None));
    assert_ne!(files(&day(50), None).manifest, files(&day(50), Some(Hash::ZERO)).manifest);
}

#[test]
fn a_file_that_another_compressor_wrote_is_named_as_it_is() {
    let entries = day(3);
    let finish = |stored: Vec<u8>| {
        let mut writer = DayWriter::checking(entries[0].log(), entries[0].at().date());
        entries.iter().for_each(|entry| writer.push(entry).unwrap());
        writer.finish("o", Hash::ZERO, None, Some(stored))
    };
    let lines: Vec<u8> = entries.iter().flat_map(|entry| [entry.bytes(), b"\n"].concat()).collect();
    let mut other = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut other, &lines).unwrap();
    let other = other.finish().unwrap();
    let made = finish(other.clone()).unwrap();
    let manifest: Value = serde_json::from_slice(&made.manifest).unwrap();
    assert_eq!(manifest["files"]["ledger.ndjson.gz"]["sha256"], Hash::of(&other).to_string());
    assert!(matches!(finish(files(&day(2), None).gzip), Err(DayError::Gzip(_))));
    assert!(matches!(finish(b"other".to_vec()), Err(DayError::Gzip(_))));
    let mut changed = gzip::Writer::new();
    changed.write(&lines.iter().map(u8::to_ascii_uppercase).collect::<Vec<_>>()).unwrap();
    assert!(matches!(finish(changed.finish().unwrap()), Err(DayError::Stored)));
}

#[test]
fn entries_that_do_not_belong_are_refused() {
    let entries = day(3);
    let mut writer = DayWriter::new(entries[0].log(), entries[0].at().date());
    writer.push(&entries[0]).unwrap();
    assert!(matches!(writer.push(&entries[2]), Err(DayError::Order(2))));
    assert!(matches!(writer.push(&entries[0]), Err(DayError::Order(0))));
    let mut other = DayWriter::new(&LogId::from_key("test#acct_1#0").unwrap(), entries[0].at().date());
    assert!(matches!(other.push(&entries[0]), Err(DayError::Order(0))));
    let mut later = DayWriter::new(entries[0].log(), "2026-11-01".parse().unwrap());
    assert!(matches!(later.push(&entries[0]), Err(DayError::Order(0))));
    assert!(matches!(later.finish("o", Hash::ZERO, None, None), Err(DayError::Empty)));
}
