//! Writes an export to try readers on: `sample_log FOLDER`. The layout is that of `docs/ledger-format.md`, with tiles.
//!
//! Logs of 0, 1, 255, 256 and 257 entries, one of 2,000 over five days, and three more lanes. The same bytes on every run; the key's
//! seed is in this file, so its signatures prove nothing.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axiru_domain::{Actor, LogId, Timestamp};
use axiru_ledger::checkpoint::{Checkpoint, origin};
use axiru_ledger::entry::{Draft, Entry, Tip};
use axiru_ledger::layout::{ALL_KEYS, Name, log_prefix};
use axiru_ledger::note::VerifierKey;
use axiru_ledger::segment;
use axiru_ledger::tile::{self, Edge, TilePath, WIDTH};
use axiru_ledger::types::EntryType;
use serde_json::{Value, json};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Each log with its number of entries.
const LOGS: [(&str, u32); 9] = [
    ("test#acct_empty#0", 0),
    ("test#acct_one#0", 1),
    ("test#acct_255#0", 255),
    ("test#acct_256#0", 256),
    ("test#acct_257#0", 257),
    ("live#acct_shop#0", 2_000),
    ("live#acct_shop#1", 300),
    ("live#acct_shop#2", 41),
    ("live#acct_shop#3", 513),
];

/// 2026-10-29T22:00:00Z, so that the first midnight comes soon.
const BEGIN_MILLIS: i64 = 1_793_311_200_000;

/// Between two entries: 2,000 of them span a little less than five days.
const STEP_MILLIS: i64 = 210_000;

/// Most entries of a checkpoint: not a divisor of 256, so that partial tiles of many widths occur.
const STEP: usize = 97;

fn main() -> Outcome {
    let root: PathBuf = std::env::args_os().nth(1).ok_or("expected a folder to write to")?.into();
    let pair = Ed25519KeyPair::from_seed_unchecked(&[42; 32])?;
    let mut keys = String::new();
    for (log, entries) in LOGS {
        let log = LogId::from_key(log)?;
        let key = VerifierKey::new(&origin("sample", &log), pair.public_key().as_ref().try_into()?)?;
        keys.push_str(&format!("{key}\n"));
        Export { root: &root, pair: &pair, key, entries: entries_of(&log, entries)?, log }.write()?;
    }
    put(&root, ALL_KEYS, keys.as_bytes())
}

/// A log on its way to files. The partial tiles of every checkpoint stay, as they do for some days in an export.
struct Export<'a> {
    root: &'a Path,
    pair: &'a Ed25519KeyPair,
    key: VerifierKey,
    log: LogId,
    entries: Vec<Entry>,
}

impl Export<'_> {
    fn write(&self) -> Outcome {
        self.put("log.vkey", format!("{}\n", self.key).as_bytes())?;
        self.put("verify.py", include_bytes!("../readers/verify.py"))?;
        self.put("README.txt", include_bytes!("../readers/README.txt"))?;
        let mut edge = Edge::new();
        let mut rest = &self.entries[..];
        while let Some(segment) = segment::cut(rest.get(..STEP.min(rest.len())).unwrap_or_default()) {
            let (new, behind) = rest.split_at(usize::try_from(segment.len())?);
            rest = behind;
            put(self.root, &segment.name().text(), &segment.bytes)?;
            for entry in new {
                for full in edge.push(entry.leaf_hash()) {
                    self.put(&full.path.text(), &full.bytes)?;
                }
            }
            for partial in edge.partials() {
                self.put(&partial.path.text(), &partial.bytes)?;
            }
            self.bundles(segment.first, edge.size())?;
            self.checkpoint(&edge)?;
        }
        Ok(())
    }

    /// The bundles that hold entries `from` to `to`, the last one as wide as it is at that size.
    fn bundles(&self, from: u64, to: u64) -> Outcome {
        let width = u64::from(WIDTH);
        for first in (from / width * width..to).step_by(WIDTH.into()) {
            let end = to.min(first + width);
            let entries = self.entries.get(usize::try_from(first)?..usize::try_from(end)?).unwrap_or_default();
            let path = TilePath::last_bundle(end).ok_or("a bundle without entries")?;
            self.put(&path.text(), &tile::bundle(entries.iter().map(Entry::bytes))?)?;
        }
        Ok(())
    }

    fn checkpoint(&self, edge: &Edge) -> Outcome {
        let root = edge.range().root();
        let text = Checkpoint { origin: self.key.name().to_owned(), size: edge.size(), root }.text();
        let note = self.key.sign_with(&text, self.pair.sign(text.as_bytes()).as_ref())?;
        put(self.root, &Name::Note(self.log.clone(), edge.size()).text(), note.as_bytes())?;
        self.put("checkpoint", note.as_bytes())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Outcome {
        put(self.root, &format!("{}{name}", log_prefix(&self.log)), bytes)
    }
}

fn put(root: &Path, name: &str, bytes: &[u8]) -> Outcome {
    let file = root.join(name);
    fs::create_dir_all(file.parent().ok_or("a file without a folder")?)?;
    Ok(fs::write(file, bytes)?)
}

fn entries_of(log: &LogId, count: u32) -> Outcome<Vec<Entry>> {
    let mut tip = Tip::EMPTY;
    let mut entries = Vec::new();
    for number in 0..count {
        let now = Timestamp::from_millis(BEGIN_MILLIS + i64::from(number) * STEP_MILLIS)?;
        let entry = draft(log, number).at_tip(&tip, now)?;
        tip = entry.next_tip();
        entries.push(entry);
    }
    Ok(entries)
}

/// Entries of three types and different lengths.
fn draft(log: &LogId, number: u32) -> Draft {
    let (ty, fields) = match number % 3 {
        0 => (
            EntryType::MovementChanged,
            json!({
                "kind": "refund", "object": format!("re_{number}"), "ordinal": 0, "status": "succeeded", "late": false,
                "failure_code": null, "event": format!("evt_{number}"), "event_type": "refund.updated",
                "event_at": "2026-10-29T21:59:59.000Z", "amount_minor": number * 7 + 1, "currency": "usd",
            }),
        ),
        1 => (EntryType::ExecutionUnknown, json!({ "request": format!("dec_{number:032x}"), "reason": "timeout" })),
        _ => (
            EntryType::MovementCancelled,
            json!({ "kind": "payout", "object": format!("po_{number}"), "ordinal": 0, "status": "canceled" }),
        ),
    };
    let fields = if let Value::Object(fields) = fields { fields } else { serde_json::Map::new() };
    Draft { log: log.clone(), actor: Actor::Stripe, ty, fields }
}
