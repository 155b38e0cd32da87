use std::collections::BTreeMap;
use std::io;

use aws_lc_rs::signature::Ed25519KeyPair;
use axiru_domain::{Actor, LogId, Scope, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::checkpoint::origin;
use crate::daily::DayWriter;
use crate::entry::tests::changed;
use crate::entry::{Draft, Entry, Tip};
use crate::growth::{bundle_start, grow};
use crate::hash::Hash;
use crate::layout::{DailyFile, Name};
use crate::merkle::CompactRange;
use crate::note::tests::signer;
use crate::readers;
use crate::segment;
use crate::tile::{Kind, Tile, TilePath};
use crate::types::EntryType;

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

/// A log that is written and exported step by step, as the exporter does.
struct Sample {
    copy: Copy,
    pair: Ed25519KeyPair,
    key: VerifierKey,
    log: LogId,
    tip: Tip,
    tree: CompactRange,
    entries: Vec<Entry>,
    /// Entries that are signed.
    signed: usize,
    above: Vec<Vec<Hash>>,
    /// Where the day under way begins.
    day: usize,
    before: Option<Hash>,
}

impl Sample {
    fn new(log: &str) -> Self {
        let log = LogId::from_key(log).unwrap();
        let (pair, key) = signer(1, &origin("t", &log));
        let mut copy = Copy::default();
        copy.0.insert(Name::Key(log.clone()).text(), format!("{key}\n").into_bytes());
        copy.0.insert(Name::AllKeys.text(), format!("{key}\n").into_bytes());
        copy.0.insert(Name::Readme(log.clone()).text(), readers::README.into());
        copy.0.insert(Name::Script(log.clone()).text(), readers::SCRIPT.into());
        let (tip, tree, entries) = (Tip::EMPTY, CompactRange::new(), Vec::new());
        Self { copy, pair, key, log, tip, tree, entries, signed: 0, above: Vec::new(), day: 0, before: None }
    }

    fn append(&mut self, ty: EntryType, fields: Value, at: i64) {
        let Value::Object(fields) = fields else { panic!("no object") };
        let draft = Draft { log: self.log.clone(), actor: Actor::Axiru, ty, fields };
        self.push(&draft, at);
    }

    fn push(&mut self, draft: &Draft, at: i64) {
        let entry = draft.at_tip(&self.tip, Timestamp::from_millis(at).unwrap()).unwrap();
        self.tip = entry.next_tip();
        self.entries.push(entry);
    }

    /// Signs what is there, and writes its files.
    fn sign(&mut self) {
        let rest = &self.entries[self.signed..];
        let Some(segment) = segment::cut(rest) else { return };
        assert_eq!(segment.last + 1, self.tip.seq, "one day at a time");
        let start = usize::try_from(bundle_start(segment.first)).unwrap();
        let growth = grow(segment.first, &self.above, &self.entries[start..]).unwrap();
        rest.iter().for_each(|entry| self.tree.push(entry.leaf_hash()));
        assert_eq!(growth.edge.range(), self.tree);
        self.above = growth.edge.levels().get(1..).unwrap_or_default().to_vec();
        for Tile { path, bytes } in growth.full.into_iter().chain(growth.partial) {
            self.copy.0.insert(Name::Tile(self.log.clone(), path).text(), bytes);
        }
        let size = self.tree.size();
        let note = self.note(size, self.tree.root());
        self.copy.0.insert(segment.name().text(), segment.bytes);
        self.copy.0.insert(Name::Note(self.log.clone(), size).text(), note.clone().into_bytes());
        self.copy.0.insert(Name::Newest(self.log.clone()).text(), note.into_bytes());
        self.signed = self.entries.len();
    }

    fn note(&self, size: u64, root: Hash) -> String {
        let text = Checkpoint { origin: self.key.name().to_owned(), size, root }.text();
        self.key.sign_with(&text, self.pair.sign(text.as_bytes()).as_ref()).unwrap()
    }

    /// Writes the files of the day under way, and the entry of `at`, on a later day, that seals it.
    fn seal(&mut self, at: i64) {
        let says = self.write_day();
        self.append(EntryType::ExportSealed, says, at);
    }

    /// Writes the files of the day under way. Gives what the entry that seals it says.
    fn write_day(&mut self) -> Value {
        self.sign();
        let entries = &self.entries[self.day..];
        let day = entries[0].at().date();
        let mut writer = DayWriter::new(&self.log, day);
        entries.iter().for_each(|entry| writer.push(entry).unwrap());
        let (first, last) = (entries[0].seq(), entries[entries.len() - 1].seq());
        let made = writer.finish(self.key.name(), self.tree.root(), self.before, None).unwrap();
        let sha256 = made.manifest_sha256();
        self.before = Some(sha256);
        for (file, bytes) in
            [(DailyFile::Gzip, made.gzip), (DailyFile::Csv, made.csv), (DailyFile::Manifest, made.manifest)]
        {
            self.copy.0.insert(Name::Daily(self.log.clone(), day, file).text(), bytes);
        }
        self.day = self.entries.len();
        json!({"day": day.to_string(), "first": first, "last": last, "manifest_sha256": sha256.to_string()})
    }
}

/// A log with an entry at each of these moments, exported in segments of at most `step` entries, its finished days sealed.
fn sample(log: &str, times: &[i64], step: usize) -> Sample {
    let mut sample = Sample::new(log);
    for (i, at) in times.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| times.get(i));
        if before.is_some_and(|before| before / DAY != at / DAY) {
            sample.seal(*at);
        }
        sample.push(&changed(log, &format!("re_{i}"), "failed"), *at);
        if sample.entries.len() - sample.signed >= step {
            sample.sign();
        }
    }
    sample.sign();
    sample
}

fn export(log: &str, times: &[i64], step: usize) -> (Copy, Vec<VerifierKey>) {
    let sample = sample(log, times, step);
    (sample.copy, vec![sample.key])
}

fn check(copy: &Copy, keys: &[VerifierKey]) -> Report {
    verify(copy, &Trusted::keys(keys.to_vec()), &mut |_| {}).unwrap()
}

#[test]
fn a_true_copy_passes() {
    let (copy, keys) = export(LOG, &[0, 1, 2, DAY - 1, DAY, 3 * DAY], 2);
    let report = check(&copy, &keys);
    assert_eq!(report.faults, []);
    assert!(report.passed());
    // Two finished days, each sealed by an entry of the next.
    assert_eq!((report.entries(), report.logs[0].checkpoints, report.logs[0].days), (8, 4, 2));
    assert_eq!((report.logs[0].unsealed.clone(), report.unchecked.clone()), (vec![], Vec::<String>::new()));
    assert!(report.logs[0].tiles >= 8);
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
    for (name, bytes) in copy.0.iter().filter(|(name, _)| !is_help(name)) {
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
        // The list of all keys is a convenience, the auditor's own is the one that counts; and tiles of an edge that was are no longer needed.
        let spare = *name == Name::AllKeys.text() || ends_before(name, 5);
        assert_eq!(check(&bad, &keys).passed(), spare, "without {name}");
        for end in (0..bytes.len()).step_by(if is_help(name) { 997 } else { 1 }) {
            let mut bad = copy.clone();
            bad.0.insert(name.clone(), bytes[..end].to_vec());
            assert!(!check(&bad, &keys).passed(), "{name} cut at {end}");
        }
        let mut bad = copy.clone();
        bad.0.insert(name.clone(), [&bytes[..], b"x"].concat());
        assert!(!check(&bad, &keys).passed(), "{name} made longer");
    }
}

/// True for the files that are compared as a whole, and are long: the stories of the whole export try each of their bits.
fn is_help(name: &str) -> bool {
    name.ends_with("README.txt") || name.ends_with("verify.py")
}

/// True for a partial tile of a tree smaller than `size`.
fn ends_before(name: &str, size: u16) -> bool {
    name.rsplit_once(".p/").is_some_and(|(_, width)| width.parse::<u16>().unwrap() < size)
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
fn a_checkpoint_that_no_segment_ends_at_is_found() {
    let id = LogId::from_key(LOG).unwrap();
    let (note, newest) = (|size| Name::Note(id.clone(), size).text(), Name::Newest(id.clone()).text());
    // Signed, and the entries behind it were taken away with their tiles.
    let (mut short, keys) = export(LOG, &[0, 1], 1);
    let (longer, _) = export(LOG, &[0, 1, 2], 1);
    for name in [note(3), newest] {
        short.0.insert(name.clone(), longer.0[&name].clone());
    }
    let report = check(&short, &keys);
    assert_eq!((report.faults[0].file.as_str(), report.faults[0].seq), (note(3).as_str(), Some(2)), "{report:?}");
    // In the middle of a segment.
    let (mut coarse, keys) = export(LOG, &[0, 1], 2);
    coarse.0.insert(note(1), longer.0[&note(1)].clone());
    let report = check(&coarse, &keys);
    assert_eq!(report.faults[0].what, "no segment ends at this checkpoint", "{report:?}");
    // The newest one is of another history, truly signed and of the same size.
    let (mut copy, keys) = export(LOG, &[0, 1], 2);
    let (other, _) = export(LOG, &[0, 2], 2);
    let newest = Name::Newest(id.clone()).text();
    copy.0.insert(newest.clone(), other.0[&newest].clone());
    let report = check(&copy, &keys);
    assert_eq!(report.faults[0].what, "it is none of the checkpoints in the copy", "{report:?}");
}

/// What is found first in a log that is signed with the right key all the same.
fn first_fault(sample: &Sample) -> String {
    let report = check(&sample.copy, std::slice::from_ref(&sample.key));
    report.faults.first().map(|fault| fault.what.clone()).unwrap_or_default()
}

#[test]
fn what_is_signed_and_untrue_is_found() {
    let honest = || sample(LOG, &[DAY, DAY + 1], 2);
    assert_eq!(first_fault(&honest()), "");
    let pushed = |draft: &Draft, at: i64| {
        let mut sample = honest();
        sample.push(&changed(LOG, "re_8", "failed"), DAY + 2);
        // An exporter that wrote this would have believed anything.
        sample.tip.at = None;
        sample.push(draft, at);
        sample.sign();
        first_fault(&sample)
    };
    let next = changed(LOG, "re_9", "failed");
    assert_eq!(pushed(&next, DAY + 3), "");
    assert_eq!(pushed(&next, DAY + 1), "its time is before that of the entry before");
    assert_eq!(pushed(&changed("live#acct_2#0", "re_9", "failed"), DAY + 3), "it is an entry of live/acct_2/0");
    assert!(pushed(&changed(LOG, "re_0", "failed"), DAY + 3).ends_with("stands twice in the log"));

    let mut sample = honest();
    let (size, name) = (sample.tree.size(), |size| Name::Note(LogId::from_key(LOG).unwrap(), size).text());
    let note = sample.note(size, Hash::of(b"another history")).into_bytes();
    for name in [name(size), Name::Newest(sample.log.clone()).text()] {
        sample.copy.0.insert(name, note.clone());
    }
    assert_eq!(first_fault(&sample), "its root is not the root of the entries");
    let mut sample = honest();
    let note = sample.note(size + 1, sample.tree.root()).into_bytes();
    sample.copy.0.insert(name(size), note);
    assert_eq!(first_fault(&sample), format!("it is of size {}", size + 1));

    // The segment under the name of another day.
    let mut sample = honest();
    let segment = sample.copy.0.keys().find(|name| name.ends_with(".ndjson")).unwrap().clone();
    let bytes = sample.copy.0.remove(&segment).unwrap();
    sample.copy.0.insert(segment.replace("1970-01-02", "1970-01-03"), bytes);
    assert_eq!(first_fault(&sample), "it is of 1970-01-02, in a file of 1970-01-03");

    // Tiles that the tree does not have.
    for (kind, index, width) in
        [(Kind::Hashes(0), 5, 256), (Kind::Hashes(0), 0, 3), (Kind::Hashes(1), 0, 1), (Kind::Entries, 0, 3)]
    {
        let mut sample = honest();
        let path = TilePath::new(kind, index, width).unwrap();
        sample.copy.0.insert(Name::Tile(sample.log.clone(), path).text(), vec![0; 32]);
        assert_eq!(first_fault(&sample), "there are no entries for it", "{path:?}");
    }
}

#[test]
fn a_seal_that_says_something_else_is_found() {
    for (field, value) in [
        ("manifest_sha256", json!("0".repeat(64))),
        ("first", json!(1)),
        ("last", json!(0)),
        ("day", json!("1970-01-03")),
    ] {
        let mut sample = sample(LOG, &[0, 1], 2);
        let mut says = sample.write_day();
        says[field] = value;
        sample.append(EntryType::ExportSealed, says, DAY);
        sample.sign();
        let report = check(&sample.copy, &[sample.key.clone()]);
        // A day that nobody sealed is no fault of the copy; one that is sealed and has no files is.
        assert!(!report.passed(), "{field}");
        assert!(report.faults[0].file.ends_with("manifest.json"), "{:?}", report.faults);
    }
}

#[test]
fn a_day_under_way_has_no_files() {
    let mut sample = sample(LOG, &[0, 1], 2);
    sample.write_day();
    let report = check(&sample.copy, &[sample.key.clone()]);
    assert_eq!(report.faults[0].what, "the day is not over");
    // Written, and not yet sealed by an entry: the exporter is between the two.
    sample.push(&changed(LOG, "re_9", "failed"), DAY);
    sample.sign();
    let report = check(&sample.copy, &[sample.key.clone()]);
    assert!(report.passed() && report.unchecked.len() == 1, "{report:?}");
}

#[test]
fn files_of_a_day_without_entries_are_found() {
    let (copy, keys) = export(LOG, &[0, DAY, 2 * DAY], 2);
    let id = LogId::from_key(LOG).unwrap();
    for file in DailyFile::ALL {
        let mut more = copy.clone();
        let name = Name::Daily(id.clone(), "1999-12-31".parse().unwrap(), file).text();
        more.0.insert(name.clone(), b"x".to_vec());
        let report = check(&more, &keys);
        let found: Vec<_> = report.faults.iter().map(|fault| (fault.file.as_str(), fault.what.as_str())).collect();
        assert_eq!(found, [(name.as_str(), "there are no entries of this day")]);
    }
}

#[test]
fn the_list_of_keys_names_trusted_ones_only() {
    let (copy, keys) = export(LOG, &[0, 1], 2);
    let id = LogId::from_key(LOG).unwrap();
    let other = signer(2, &origin("t", &id)).1;
    let foreign = signer(2, &origin("t", &LogId::from_key("live#acct_2#0").unwrap())).1;
    let own = &keys[0];
    for (list, what) in [
        (format!("{own}\n"), None),
        (format!("{own}\n{foreign}\n"), Some("is not among the trusted keys")),
        (format!("{other}\n"), Some("is not the trusted one")),
        (format!("{own}"), Some("not one key a line")),
        (format!("{own}\n\n"), Some("not one key a line")),
    ] {
        let mut more = copy.clone();
        more.0.insert(Name::AllKeys.text(), list.clone().into_bytes());
        let report = check(&more, &keys);
        let found: Vec<_> = report.faults.iter().map(|fault| fault.file == Name::AllKeys.text()).collect();
        assert_eq!(found, vec![true; usize::from(what.is_some())], "{list}");
        assert!(report.faults.iter().all(|fault| fault.what.contains(what.unwrap_or_default())), "{:?}", report.faults);
    }
}

#[test]
fn a_checkpoint_that_is_remembered_must_be_continued() {
    let earlier = sample(LOG, &[0, 1], 1);
    let note = |sample: &Sample| sample.copy.0[&Name::Newest(sample.log.clone()).text()].clone();
    let check = |sample: &Sample, note: &[u8]| {
        let mut trusted = Trusted::keys(vec![sample.key.clone()]);
        trusted.remember(note).unwrap();
        verify(&sample.copy, &trusted, &mut |_| {}).unwrap()
    };
    let (later, other) = (sample(LOG, &[0, 1, 2, 3], 3), sample(LOG, &[0, 2, 3], 1));
    // At a size that is no checkpoint of the later copy, too.
    let report = check(&later, &note(&earlier));
    assert_eq!((report.faults, report.remembered.len()), (vec![], 1));
    assert!(check(&other, &note(&earlier)).faults[0].what.contains("history was changed"));
    assert!(check(&earlier, &note(&later)).faults[0].what.contains("has 2 right ones"));
    let mut trusted = Trusted::keys(vec![later.key.clone()]);
    assert!(trusted.remember(b"axiru.t/ledger/live/acct_2/0\n1\n").is_err());
    assert!(trusted.remember(&note(&later)[1..]).is_err());
}

#[test]
fn what_lane_0_says_of_the_lanes_must_be_so() {
    let other = sample("live#acct_1#1", &[0, 1, 2], 1);
    let (size, root) = (2, *sample("live#acct_1#1", &[0, 1], 1).tree.root().as_bytes());
    let root = Hash::from_slice(&root).unwrap();
    let empty = CompactRange::new().root();
    for (size, root, fine) in [
        (size, root, true),
        (0, empty, true),
        (size, empty, false),
        (0, root, false),
        (4, root, false),
        (3, root, false),
    ] {
        let mut first = Sample::new(LOG);
        let head = |lane: u64, size: u64, root: Hash| json!({"lane": lane, "size": size, "root": root.to_string()});
        let heads = json!({"day": "1970-01-01", "heads": [head(0, 0, empty), head(1, size, root)]});
        first.append(EntryType::LanesHeads, heads, 0);
        first.sign();
        let mut copy = other.copy.clone();
        let keys = format!("{}\n{}\n", first.key, other.key);
        copy.0.extend(first.copy.0.clone());
        copy.0.insert(Name::AllKeys.text(), keys.into_bytes());
        let report = check(&copy, &[first.key.clone(), other.key.clone()]);
        assert_eq!(report.passed(), fine, "{size} {root}: {:?}", report.faults);
        // Without the lane, only a list that says it is empty is true.
        copy.0.retain(|name, _| !name.contains("/acct_1/1/"));
        assert_eq!(check(&copy, &[first.key.clone(), other.key.clone()]).passed(), size == 0 && root == empty);
    }
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
