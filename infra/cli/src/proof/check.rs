//! `axiru proof check`: the half that the receiver of a proof runs.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use axiru_domain::{LogId, Mode};
use axiru_ledger::checkpoint::Checkpoint;
use axiru_ledger::entry::Entry;
use axiru_ledger::note::VerifierKey;
use axiru_ledger::tlog_proof::{EXTENSION, TlogProof};
use axiru_ledger::verify::{Fault, log_of};
use serde_json::{Value, json};

use super::shown::README;
use crate::table;
use crate::verify::keys;

/// Check a folder that `axiru proof` has written: that each entry in it stands in the log, with these bytes.
///
/// Works offline, and needs nothing but the folder and the log's public key. Take the key from whoever runs the ledger, not from whoever
/// gave you the folder.
///
/// Exit code 0: every entry is proven. 1: something is not, the first is named. 2: it could not be checked.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    /// The folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The verifier keys: a file with one a line (`log.vkey`), or one key as text.
    #[arg(long, value_name = "KEY")]
    vkey: String,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// An entry that is proven.
struct Shown {
    entry: Entry,
    log: LogId,
    checkpoint: Checkpoint,
}

/// What a check found.
#[derive(Default)]
struct Checked {
    shown: Vec<Shown>,
    faults: Vec<Fault>,
    foreign: Vec<String>,
}

/// Checks.
pub(super) fn run(arguments: &CheckArguments, out: &mut dyn Write) -> Result<ExitCode> {
    let keys = keys(&arguments.vkey)?;
    let checked = check(&arguments.folder, &keys)?;
    if arguments.json {
        writeln!(out, "{:#}", checked.as_json())?
    } else {
        checked.print(out)?
    }
    Ok(if checked.passed() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn check(folder: &Path, keys: &[VerifierKey]) -> Result<Checked> {
    let mut checked = Checked::default();
    let mut numbers = BTreeSet::new();
    let listed = std::fs::read_dir(folder).with_context(|| format!("`{}` cannot be read", folder.display()))?;
    for found in listed {
        let name = found?.file_name().to_string_lossy().into_owned();
        let stem = name.strip_suffix(".json").or_else(|| name.strip_suffix(&format!(".{EXTENSION}")));
        match stem.and_then(|stem| stem.parse().ok().filter(|number: &u64| number.to_string() == stem)) {
            Some(number) => {
                numbers.insert(number);
            }
            None if name == README => {}
            None => checked.foreign.push(name),
        }
    }
    checked.foreign.sort();
    for number in numbers {
        match check_one(folder, number, keys) {
            Ok(shown) => checked.shown.push(shown),
            Err((file, what)) => checked.faults.push(Fault { file, seq: Some(number), what }),
        }
    }
    Ok(checked)
}

/// One entry and its proof. What is wrong is told with the file it is about.
fn check_one(folder: &Path, number: u64, keys: &[VerifierKey]) -> Result<Shown, (String, String)> {
    let (json, proof) = (format!("{number}.json"), format!("{number}.{EXTENSION}"));
    let read = |name: &str| std::fs::read(folder.join(name)).map_err(|error| (name.to_owned(), error.to_string()));
    let (bytes, proof_bytes) = (read(&json)?, read(&proof)?);
    let in_proof = |what: String| (proof.clone(), what);
    let parsed = TlogProof::parse(&proof_bytes).map_err(|error| in_proof(error.to_string()))?;
    let origin = parsed.note.split('\n').next().unwrap_or_default();
    let mut result =
        Err(in_proof(format!("no key was given for the log `{}` that it speaks of", origin.escape_debug())));
    for key in keys.iter().filter(|key| key.name() == origin) {
        match parsed.verify(&bytes, key) {
            Ok(checkpoint) => {
                result = Ok((key, checkpoint));
                break;
            }
            Err(error) => result = Err(in_proof(error.to_string())),
        }
    }
    let (key, checkpoint) = result?;
    let in_entry = |what: String| (json.clone(), what);
    let entry =
        Entry::parse(bytes).map_err(|error| in_entry(format!("it is in the log, and not an entry: {error}")))?;
    if entry.seq() != number || parsed.index != number {
        return Err(in_entry(format!("it is entry {} and proven as number {}", entry.seq(), parsed.index)));
    }
    let log = log_of(key).filter(|log| log == entry.log());
    let log = log.ok_or_else(|| in_entry(format!("it says it is of {}, and is in `{origin}`", entry.log().path())))?;
    Ok(Shown { entry, log, checkpoint })
}

impl Checked {
    fn passed(&self) -> bool {
        self.faults.is_empty() && !self.shown.is_empty()
    }

    fn requests(&self) -> Vec<&str> {
        let requests: BTreeSet<_> = self.shown.iter().filter_map(|shown| request(&shown.entry)).collect();
        requests.into_iter().collect()
    }

    fn print(&self, out: &mut dyn Write) -> Result<()> {
        let (count, about) = (self.shown.len(), self.requests().join(", "));
        if self.passed() {
            let noun = if count == 1 { "entry" } else { "entries" };
            writeln!(out, "PASS: {count} {noun} about {about}: in the log, as signed")?;
        } else if let Some(first) = self.faults.first() {
            writeln!(out, "FAIL: {}: {}", first.file, first.what)?;
        } else {
            writeln!(out, "FAIL: there is no entry with a proof in the folder, so nothing was checked")?;
        }
        for fault in self.faults.iter().skip(1) {
            writeln!(out, "  also: {}: {}", fault.file, fault.what)?;
        }
        writeln!(out)?;
        let row = |Shown { entry, log, checkpoint }: &Shown| {
            let included = format!("of {} entries, root {}", checkpoint.size, checkpoint.root.base64());
            [log.path(), entry.seq().to_string(), entry.at().to_string(), entry.ty().to_owned(), included]
        };
        if count > 0 {
            let rows: Vec<_> = self.shown.iter().map(row).collect();
            table::print(["log", "entry", "at", "type", "included in the checkpoint"], &rows, out)?;
        }
        if self.shown.iter().any(|shown| shown.log.scope.mode() == Mode::Test) {
            writeln!(out, "\nThese are of test mode: no money moved.")?;
        }
        if !self.foreign.is_empty() {
            writeln!(out, "\nNot looked at, and no part of a proof: {}", self.foreign.join(", "))?;
        }
        if count > 0 {
            writeln!(out, "\nNot shown: whether there are further entries about it.")?;
        }
        Ok(())
    }

    fn as_json(&self) -> Value {
        let entries = self.shown.iter().map(|Shown { entry, log, checkpoint }| {
            json!({
                "log": log.path(), "origin": checkpoint.origin, "seq": entry.seq(), "at": entry.at().to_string(),
                "type": entry.ty(), "request": request(entry), "leaf": entry.leaf_hash().to_string(),
                "checkpoint": {"size": checkpoint.size, "root": checkpoint.root.to_string()},
            })
        });
        let faults = self.faults.iter().map(|fault| json!({"file": fault.file, "what": fault.what}));
        json!({
            "verdict": if self.passed() { "PASS" } else { "FAIL" },
            "entries": entries.collect::<Vec<_>>(),
            "faults": faults.collect::<Vec<_>>(),
            "not_looked_at": self.foreign,
        })
    }
}

fn request(entry: &Entry) -> Option<&str> {
    entry.fields().get("request").and_then(Value::as_str)
}

/// Whether a folder passes.
#[cfg(test)]
pub(super) fn passes(folder: &Path, keys: &[VerifierKey]) -> bool {
    check(folder, keys).unwrap().passed()
}
