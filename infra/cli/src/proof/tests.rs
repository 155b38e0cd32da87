use std::collections::BTreeMap;
use std::path::Path;

use axiru_ledger::layout::{Name, log_prefix};
use clap::Parser;
use serde_json::Value;

use super::*;
use crate::sample::{Sample, entries, log, request};

const LOG: &str = "live/acct_1/0";

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    proof: ProofCommand,
}

async fn ran(line: &[&str]) -> Result<(ExitCode, String)> {
    let mut out = Vec::new();
    let line = Line::try_parse_from(std::iter::once(&"proof").chain(line))?;
    let code = run(&line.proof, &mut out).await?;
    Ok((code, String::from_utf8(out).unwrap()))
}

/// Proves a request of the sample. The folder, which is removed with the second value.
async fn proven(sample: &Sample, number: u32) -> (PathBuf, tempfile::TempDir) {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("proof");
    let (place, vkey) = (sample.place(), sample.vkey());
    let line = [&request(number), "--from", &place, "--vkey", &vkey, "--out", folder.to_str().unwrap()];
    let (code, said) = ran(&line).await.unwrap();
    assert_eq!(code, ExitCode::SUCCESS, "{said}");
    (folder, out)
}

async fn checked(sample: &Sample, folder: &Path) -> (ExitCode, String) {
    ran(&["check", folder.to_str().unwrap(), "--vkey", &sample.vkey()]).await.unwrap()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let file = |found: std::io::Result<std::fs::DirEntry>| {
        let found = found.unwrap();
        (found.file_name().into_string().unwrap(), std::fs::read(found.path()).unwrap())
    };
    std::fs::read_dir(folder).unwrap().map(file).collect()
}

#[tokio::test]
async fn a_request_is_proven_and_the_proof_is_checked() {
    let sample = Sample::of(&[(LOG, 700), ("test/acct_1/0", 5)]);
    let (folder, _out) = proven(&sample, 350).await;
    let names: Vec<_> = files(&folder).into_keys().collect();
    assert_eq!(names, ["350.json", "350.tlog-proof", "354.json", "354.tlog-proof", "README.txt"]);
    let (code, said) = checked(&sample, &folder).await;
    assert_eq!(code, ExitCode::SUCCESS);
    assert!(said.starts_with(&format!("PASS: 2 entries about {}: in the log, as signed\n", request(350))), "{said}");
    let (_, json) = ran(&["check", folder.to_str().unwrap(), "--vkey", &sample.vkey(), "--json"]).await.unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["verdict"], &json["entries"][1]["seq"]), (&"PASS".into(), &354.into()));
    assert_eq!(json["entries"][0]["checkpoint"]["size"], 700);
}

#[tokio::test]
async fn every_size_and_place_is_proven_by_tiles() {
    for count in [1, 255, 256, 257, 600] {
        let last = (count - 1) / 7 * 7;
        for number in [0, last / 2 / 7 * 7, last] {
            let sample = Sample::of(&[(LOG, count)]);
            // Without the segments that do not hold it: the tiles must do.
            let held = [number, number + 4].map(|seq| sample.segment_of(LOG, seq.min(count - 1).into()));
            for seq in (0..count).filter(|seq| seq % 97 == 0).map(|seq| sample.segment_of(LOG, seq.into())) {
                if !held.contains(&seq) {
                    std::fs::remove_file(seq).unwrap();
                }
            }
            let (folder, _out) = proven(&sample, number).await;
            assert_eq!(checked(&sample, &folder).await.0, ExitCode::SUCCESS, "{number} of {count}");
        }
    }
}

#[tokio::test]
async fn nothing_of_other_entries_is_shown_but_hashes() {
    let sample = Sample::of(&[(LOG, 600)]);
    let (folder, _out) = proven(&sample, 7).await;
    let files = files(&folder);
    let all = entries(&log(LOG), 600, 0, 0);
    for (name, bytes) in &files {
        let text = std::str::from_utf8(bytes).unwrap();
        for other in all.iter().filter(|entry| ![7, 11].contains(&entry.seq())) {
            for field in ["id", "object", "event", "request"] {
                let told = other.fields().get(field).and_then(Value::as_str).unwrap_or("-none-");
                // Ids of the sample's objects are short: as a whole word.
                assert!(
                    !text.contains(&format!("\"{told}\"")) && !text.contains(&format!(" {told}\n")),
                    "{told} in {name}"
                );
            }
            assert!(!text.contains(std::str::from_utf8(other.bytes()).unwrap()));
        }
    }
    // A proof is its fixed lines, hashes, and the note of the log.
    let note = std::fs::read_to_string(sample.file(&Name::Newest(log(LOG)))).unwrap();
    for number in [7, 11] {
        let proof = std::str::from_utf8(&files[&format!("{number}.tlog-proof")]).unwrap();
        let head = proof.strip_suffix(&note).unwrap().strip_suffix('\n').unwrap();
        let hashes = head.strip_prefix(&format!("c2sp.org/tlog-proof@v1\nindex {number}\n")).unwrap();
        assert!(hashes.lines().all(|line| axiru_ledger::hash::Hash::from_base64(line).is_some()), "{hashes}");
        assert_eq!(files[&format!("{number}.json")], all[number].bytes());
    }
}

#[tokio::test]
async fn every_changed_byte_is_refused() {
    let sample = Sample::of(&[(LOG, 300)]);
    let (folder, _out) = proven(&sample, 7).await;
    let keys = keys(&sample.vkey()).unwrap();
    let mut tried = 0;
    for (name, bytes) in files(&folder).into_iter().filter(|(name, _)| name != "README.txt") {
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80] {
                let mut other = bytes.clone();
                other[at] ^= flip;
                std::fs::write(folder.join(&name), &other).unwrap();
                assert!(!check::passes(&folder, &keys), "{name}, byte {at} with {flip:#x}");
                tried += 1;
            }
        }
        for other in [[&bytes[..], b"\n"].concat(), bytes[..bytes.len() - 1].to_vec(), Vec::new()] {
            std::fs::write(folder.join(&name), &other).unwrap();
            assert!(!check::passes(&folder, &keys), "{name}");
        }
        std::fs::write(folder.join(&name), &bytes).unwrap();
    }
    assert!(tried > 2_000 && check::passes(&folder, &keys));
}

#[tokio::test]
async fn what_is_not_a_whole_proof_is_refused() {
    let sample = Sample::of(&[(LOG, 300), ("test/acct_1/0", 300)]);
    let (folder, _out) = proven_in(&sample, "live/acct_1", 7).await;
    let keep = files(&folder);
    let (test, _test_out) = proven_in(&sample, "test/acct_1", 7).await;
    let restore = || keep.iter().for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes).unwrap());
    let move_to = |from: &str, to: &str| std::fs::rename(folder.join(from), folder.join(to)).unwrap();
    // A half is missing.
    std::fs::remove_file(folder.join("11.tlog-proof")).unwrap();
    let (code, said) = checked(&sample, &folder).await;
    assert_eq!(code, ExitCode::from(1));
    assert!(said.starts_with("FAIL: 11.tlog-proof: "), "{said}");
    restore();
    // Under another number.
    move_to("11.json", "12.json");
    move_to("11.tlog-proof", "12.tlog-proof");
    assert!(checked(&sample, &folder).await.1.starts_with("FAIL: 12.json: "));
    move_to("12.json", "11.json");
    move_to("12.tlog-proof", "11.tlog-proof");
    // The entry of test with the proof of live.
    std::fs::copy(test.join("7.json"), folder.join("7.json")).unwrap();
    assert!(checked(&sample, &folder).await.1.starts_with("FAIL: 7.tlog-proof: "));
    restore();
    // A key of the other log only.
    let keys = std::fs::read_to_string(sample.vkey()).unwrap();
    let key = keys.lines().find(|key| key.contains("/test/")).unwrap();
    let (code, said) = ran(&["check", folder.to_str().unwrap(), "--vkey", key]).await.unwrap();
    assert_eq!(code, ExitCode::from(1));
    assert!(said.contains("no key was given for the log `axiru.sample/ledger/live/acct_1/0`"), "{said}");
    // Both modes are told apart by word.
    assert!(checked(&sample, &test).await.1.contains("test mode"));
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(checked(&sample, nothing.path()).await.0, ExitCode::from(1));
}

/// As [`proven`], of one scope.
async fn proven_in(sample: &Sample, scope: &str, number: u32) -> (PathBuf, tempfile::TempDir) {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("proof");
    let (place, vkey) = (sample.place(), sample.vkey());
    let request = request(number);
    let line = [&request, "--from", &place, "--vkey", &vkey, "--scope", scope, "--out", folder.to_str().unwrap()];
    assert_eq!(ran(&line).await.unwrap().0, ExitCode::SUCCESS);
    (folder, out)
}

#[tokio::test]
async fn without_tiles_the_entries_serve() {
    let sample = Sample::of(&[(LOG, 600)]);
    let (by_tiles, _one) = proven(&sample, 7).await;
    std::fs::remove_dir_all(sample.path().join(format!("{}tile", log_prefix(&log(LOG))))).unwrap();
    let (by_leaves, _two) = proven(&sample, 7).await;
    assert_eq!(files(&by_tiles), files(&by_leaves));
}

#[tokio::test]
async fn what_cannot_be_proven_is_not_written() {
    let sample = Sample::of(&[(LOG, 300)]);
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("proof");
    let (place, vkey) = (sample.place(), sample.vkey());
    let to = folder.to_str().unwrap();
    let id = request(7);
    let line = [&id, "--from", &place, "--vkey", &vkey, "--out", to];
    // No such request.
    let id_of_none = request(8);
    let none = [&id_of_none, "--from", &place, "--vkey", &vkey, "--out", to];
    assert!(ran(&none).await.unwrap_err().to_string().starts_with("no entry about"));
    // An entry that was changed.
    let name = sample.segment_of(LOG, 7);
    let right = std::fs::read_to_string(&name).unwrap();
    std::fs::write(&name, right.replacen("\"timeout\"", "\"timeouts\"", 2)).unwrap();
    let (code, said) = ran(&line).await.unwrap();
    assert_eq!(code, ExitCode::from(1), "{said}");
    assert!(said.starts_with("FAIL: neither tiles nor entries lead to the root"), "{said}");
    std::fs::write(&name, right).unwrap();
    // A checkpoint that does not cover it yet, and one that is not signed.
    let newest = sample.file(&Name::Newest(log(LOG)));
    let other = Sample::of(&[(LOG, 5)]);
    std::fs::copy(other.file(&Name::Newest(log(LOG))), &newest).unwrap();
    assert!(ran(&line).await.unwrap().1.starts_with("FAIL: entry 7 is not signed yet"));
    std::fs::write(&newest, b"a note\n\n\xe2\x80\x94 nobody AAAA\n").unwrap();
    assert!(ran(&line).await.unwrap().1.starts_with("FAIL: v1/live/acct_1/0/checkpoint: no signature by"));
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
    // A folder that is there already.
    std::fs::create_dir(&folder).unwrap();
    assert!(ran(&line).await.unwrap_err().to_string().contains("exists already"));
}
