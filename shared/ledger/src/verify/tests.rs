use std::collections::BTreeMap;
use std::io;

use axiru_domain::{LogId, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::checkpoint::origin;
use crate::entry::tests::changed;
use crate::note::tests::signer;
use crate::segment;

#[derive(Clone, Default)]
struct Copy(BTreeMap<String, Vec<u8>>);

impl Folder for Copy {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.0.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.0.get(name).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

const LOG: &str = "live#acct_1#0";
const DAY: i64 = 86_400_000;

/// A log whose entries are at these moments, exported in segments of at most `step` entries.
fn export(log: &str, times: &[i64], step: usize) -> (Copy, Vec<VerifierKey>) {
    let id = LogId::from_key(log).unwrap();
    let (pair, key) = signer(1, &origin("t", &id));
    let mut copy = Copy::default();
    let mut tip = Tip::EMPTY;
    let mut tree = CompactRange::new();
    let mut entries = Vec::new();
    for (i, at) in times.iter().enumerate() {
        let draft = changed(log, &format!("re_{i}"), "failed");
        let entry = draft.at_tip(&tip, Timestamp::from_millis(*at).unwrap()).unwrap();
        tip = entry.next_tip();
        entries.push(entry);
    }
    let mut rest = &entries[..];
    while !rest.is_empty() {
        let segment = segment::cut(&rest[..rest.len().min(step)]).unwrap();
        let count = usize::try_from(segment.len()).unwrap();
        for entry in &rest[..count] {
            tree.push(entry.leaf_hash());
        }
        rest = &rest[count..];
        let text = Checkpoint { origin: key.name().to_owned(), size: tree.size(), root: tree.root() }.text();
        let note = key.sign_with(&text, pair.sign(text.as_bytes()).as_ref()).unwrap();
        copy.0.insert(segment.name().text(), segment.bytes);
        copy.0.insert(Name::Note(id.clone(), tree.size()).text(), note.clone().into_bytes());
        copy.0.insert(Name::Newest(id.clone()).text(), note.into_bytes());
    }
    copy.0.insert(Name::Key(id).text(), format!("{key}\n").into_bytes());
    copy.0.insert(Name::AllKeys.text(), format!("{key}\n").into_bytes());
    (copy, vec![key])
}

fn check(copy: &Copy, keys: &[VerifierKey]) -> Report {
    verify(copy, keys, &mut |_| {}).unwrap()
}

#[test]
fn a_true_copy_passes() {
    let (copy, keys) = export(LOG, &[0, 1, 2, DAY - 1, DAY, 3 * DAY], 2);
    let report = check(&copy, &keys);
    assert_eq!(report.faults, []);
    assert!(report.passed());
    assert_eq!((report.entries(), report.logs[0].checkpoints), (6, 4));
    assert_eq!(report.newest().unwrap().to_string(), "1970-01-04T00:00:00.000Z");
}

#[test]
fn nothing_at_all_does_not_pass() {
    assert!(!check(&Copy::default(), &[]).passed());
}

#[test]
fn every_changed_bit_is_found() {
    let (copy, keys) = export(LOG, &[0, 1, 2, DAY], 2);
    let mut trials = 0;
    for (name, bytes) in &copy.0 {
        for i in 0..bytes.len() {
            for bit in 0..8 {
                let mut bad = copy.clone();
                bad.0.get_mut(name).unwrap()[i] ^= 1 << bit;
                let report = check(&bad, &keys);
                assert!(!report.passed(), "{name} byte {i} bit {bit}");
                trials += 1;
            }
        }
    }
    assert!(trials > 10_000, "{trials}");
}

#[test]
fn every_cut_and_every_missing_file_is_found() {
    let (copy, keys) = export(LOG, &[0, 1, 2, DAY], 2);
    for (name, bytes) in &copy.0 {
        let mut bad = copy.clone();
        bad.0.remove(name);
        // The list of all keys is a convenience: the auditor's own is the one that counts.
        assert_eq!(check(&bad, &keys).passed(), *name == Name::AllKeys.text(), "without {name}");
        for end in 0..bytes.len() {
            let mut bad = copy.clone();
            bad.0.insert(name.clone(), bytes[..end].to_vec());
            assert!(!check(&bad, &keys).passed(), "{name} cut at {end}");
        }
        let mut bad = copy.clone();
        bad.0.insert(name.clone(), [&bytes[..], b"x"].concat());
        assert!(!check(&bad, &keys).passed(), "{name} made longer");
    }
}

#[test]
fn the_first_fault_names_file_and_entry() {
    let (mut copy, keys) = export(LOG, &[0, 1, 2, 3, 4], 5);
    let name = copy.0.keys().find(|name| name.ends_with(".ndjson")).unwrap().clone();
    let text = String::from_utf8(copy.0[&name].clone()).unwrap();
    copy.0.insert(name.clone(), text.replace("\"re_3\"", "\"re_9\"").into_bytes());
    let fault = check(&copy, &keys).faults.remove(0);
    assert_eq!((fault.file, fault.seq), (name, Some(3)));
}

#[test]
fn swapped_doubled_and_dropped_lines_are_found() {
    let (copy, keys) = export(LOG, &[0, 1, 2, 3], 4);
    let name = copy.0.keys().find(|name| name.ends_with(".ndjson")).unwrap().clone();
    let text = String::from_utf8(copy.0[&name].clone()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    for lines in [
        vec![lines[1], lines[0], lines[2], lines[3]],
        vec![lines[0], lines[0], lines[1], lines[2], lines[3]],
        vec![lines[0], lines[2], lines[3]],
        vec![lines[0], lines[1], lines[2]],
        vec![lines[0], lines[1], "", lines[2], lines[3]],
    ] {
        let mut bad = copy.clone();
        bad.0.insert(name.clone(), format!("{}\n", lines.join("\n")).into_bytes());
        assert!(!check(&bad, &keys).passed(), "{lines:?}");
    }
}

#[test]
fn a_log_of_test_shown_as_live_is_found() {
    let (copy, keys) = export("test#acct_1#0", &[0, 1], 2);
    let renamed = Copy(copy.0.iter().map(|(n, b)| (n.replace("/test/", "/live/"), b.clone())).collect());
    assert!(!check(&renamed, &keys).passed());
    let (_, live) = signer(1, "axiru.t/ledger/live/acct_1/0");
    assert!(!check(&renamed, &[live]).passed());
}

#[test]
fn the_wrong_key_and_no_key_are_found() {
    let (copy, keys) = export(LOG, &[0], 1);
    let (_, other) = signer(9, keys[0].name());
    assert!(!check(&copy, &[other]).passed());
    assert!(!check(&copy, &[]).passed());
}

#[test]
fn entries_without_a_checkpoint_and_a_checkpoint_without_entries_are_found() {
    let (longer, keys) = export(LOG, &[0, 1, 2], 1);
    let id = LogId::from_key(LOG).unwrap();
    let mut unsigned = longer.clone();
    unsigned.0.remove(&Name::Note(id.clone(), 3).text());
    unsigned.0.insert(Name::Newest(id.clone()).text(), longer.0[&Name::Note(id.clone(), 2).text()].clone());
    assert!(!check(&unsigned, &keys).passed());
    let mut cut = longer.clone();
    cut.0.retain(|name, _| !name.ends_with("00000000000000000002.ndjson"));
    assert!(!check(&cut, &keys).passed());
}

#[test]
fn a_plan_that_is_not_its_hash_is_found() {
    let (mut copy, keys) = export(LOG, &[0], 1);
    let scope: Scope = "live/acct_1".parse().unwrap();
    copy.0.insert(Name::Plan(scope.clone(), Hash::of(b"{}")).text(), b"{}".to_vec());
    assert!(check(&copy, &keys).passed());
    copy.0.insert(Name::Plan(scope, Hash::of(b"{}")).text(), b"{ }".to_vec());
    assert!(!check(&copy, &keys).passed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_times_and_any_cut_pass(mut times in prop::collection::vec(0..5 * DAY, 1..20), step in 1..6usize) {
        times.sort_unstable();
        let (copy, keys) = export(LOG, &times, step);
        let report = check(&copy, &keys);
        prop_assert_eq!(report.faults, vec![]);
    }
}
