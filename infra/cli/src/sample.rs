//! Exported folders to try commands on. The key's seed is in this file: its signatures prove nothing.

use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axiru_domain::{Actor, LogId, Timestamp};
use axiru_ledger::checkpoint::{Checkpoint, origin};
use axiru_ledger::entry::{Draft, Entry, Tip};
use axiru_ledger::layout::{ALL_KEYS, Name, log_prefix};
use axiru_ledger::note::VerifierKey;
use axiru_ledger::readers;
use axiru_ledger::segment;
use axiru_ledger::tile::{self, Edge, TilePath, WIDTH};
use axiru_ledger::types::EntryType;
use axiru_ledger::verify::Folder as _;
use serde_json::{Value, json};
use tempfile::TempDir;

/// 2026-10-29T22:00:00Z.
const BEGIN_MILLIS: i64 = 1_793_311_200_000;

/// Between two entries of a log.
const STEP_MILLIS: i64 = 210_000;

/// Most entries of a checkpoint.
const CUT: usize = 97;

/// A request that every log of the sample can hold.
pub(crate) fn request(number: u32) -> String {
    format!("dec_{number:032x}")
}

pub(crate) fn log(text: &str) -> LogId {
    LogId::from_key(&text.replace('/', "#")).unwrap()
}

/// An exported folder.
pub(crate) struct Sample {
    folder: TempDir,
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With these logs, each with so many entries of the history `0`.
    pub(crate) fn of(logs: &[(&str, u32)]) -> Self {
        let sample = Self::new();
        for (log, count) in logs {
            sample.log(log, *count, 0);
        }
        sample
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn place(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }

    pub(crate) fn file(&self, name: &Name) -> PathBuf {
        self.path().join(name.text())
    }

    /// The segment that holds an entry.
    pub(crate) fn segment_of(&self, log_text: &str, seq: u64) -> PathBuf {
        let names = crate::copy::Directory::open(self.path()).unwrap().names().unwrap();
        let holds = |name: &String| matches!(Name::parse(name), Some(Name::Segment(of, _, first, last)) if of == log(log_text) && (first..=last).contains(&seq));
        self.path().join(names.iter().find(|name| holds(name)).unwrap())
    }

    /// The file with every log's key.
    pub(crate) fn vkey(&self) -> String {
        self.path().join(ALL_KEYS).to_str().unwrap().to_owned()
    }

    /// Writes a log anew: `history` changes its entries from `forks_at` on.
    pub(crate) fn forked(&self, log_text: &str, count: u32, history: u32, forks_at: u32) {
        let log = log(log_text);
        let _ = fs::remove_dir_all(self.path().join(log_prefix(&log)));
        let (pair, key) = signer(&log);
        self.list(&key);
        self.put(&format!("{}log.vkey", log_prefix(&log)), format!("{key}\n").as_bytes());
        self.put(&Name::Readme(log.clone()).text(), readers::README.as_bytes());
        self.put(&Name::Script(log.clone()).text(), readers::SCRIPT.as_bytes());
        let entries = entries(&log, count, history, forks_at);
        let mut edge = Edge::new();
        let mut rest = &entries[..];
        while let Some(segment) = segment::cut(&rest[..CUT.min(rest.len())]) {
            let (new, behind) = rest.split_at(usize::try_from(segment.len()).unwrap());
            rest = behind;
            self.put(&segment.name().text(), &segment.bytes);
            let mut tiles: Vec<_> = new.iter().flat_map(|entry| edge.push(entry.leaf_hash())).collect();
            tiles.extend(edge.partials());
            for tile in tiles {
                self.put(&Name::Tile(log.clone(), tile.path).text(), &tile.bytes);
            }
            for first in (segment.first / 256 * 256..edge.size()).step_by(WIDTH.into()) {
                let end = edge.size().min(first + 256);
                let bundled = &entries[usize::try_from(first).unwrap()..usize::try_from(end).unwrap()];
                let path = TilePath::last_bundle(end).unwrap();
                let bytes = tile::bundle(bundled.iter().map(Entry::bytes)).unwrap();
                self.put(&Name::Tile(log.clone(), path).text(), &bytes);
            }
            let checkpoint = Checkpoint { origin: key.name().to_owned(), size: edge.size(), root: edge.range().root() };
            let text = checkpoint.text();
            let note = key.sign_with(&text, pair.sign(text.as_bytes()).as_ref()).unwrap();
            self.put(&Name::Note(log.clone(), edge.size()).text(), note.as_bytes());
            self.put(&Name::Newest(log.clone()).text(), note.as_bytes());
        }
    }

    /// Writes a log of a history.
    pub(crate) fn log(&self, log: &str, count: u32, history: u32) {
        self.forked(log, count, history, 0);
    }

    fn list(&self, key: &VerifierKey) {
        let keys = fs::read_to_string(self.path().join(ALL_KEYS)).unwrap_or_default();
        let line = format!("{key}\n");
        if !keys.contains(&line) {
            self.put(ALL_KEYS, (keys + &line).as_bytes());
        }
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let file = self.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

/// The key of every log of the sample.
pub(crate) fn signer(log: &LogId) -> (Ed25519KeyPair, VerifierKey) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[42; 32]).unwrap();
    let key = VerifierKey::new(&origin("sample", log), pair.public_key().as_ref().try_into().unwrap()).unwrap();
    (pair, key)
}

pub(crate) fn entries(log: &LogId, count: u32, history: u32, forks_at: u32) -> Vec<Entry> {
    let mut tip = Tip::EMPTY;
    let entry = |number: u32| {
        let at = Timestamp::from_millis(BEGIN_MILLIS + i64::from(number) * STEP_MILLIS).unwrap();
        let history = if number < forks_at { 0 } else { history };
        let entry = draft(log, number, history).at_tip(&tip, at).unwrap();
        tip = entry.next_tip();
        entry
    };
    (0..count).map(entry).collect()
}

/// Of seven entries, the first and the fifth are about a request.
fn draft(log: &LogId, number: u32, history: u32) -> Draft {
    let (ty, fields) = match number % 7 {
        0 => (EntryType::ExecutionUnknown, json!({ "request": request(number), "reason": "timeout" })),
        4 => (
            EntryType::ExecutionFailed,
            json!({ "request": request(number - 4), "reason": "not_executed", "stripe_status": null, "stripe_code": null,
                "stripe_request": null }),
        ),
        _ => (
            EntryType::MovementChanged,
            json!({
                "kind": "refund", "object": format!("re_{number}"), "ordinal": 0, "status": "succeeded", "late": false,
                "failure_code": null, "event": format!("evt_{number}"), "event_type": "refund.updated",
                "event_at": "2026-10-29T21:59:59.000Z", "amount_minor": number * 7 + 1 + history, "currency": "usd",
            }),
        ),
    };
    let Value::Object(fields) = fields else { panic!("no object") };
    let actor = if history == 0 { Actor::Stripe } else { Actor::External };
    Draft { log: log.clone(), actor, ty, fields }
}
