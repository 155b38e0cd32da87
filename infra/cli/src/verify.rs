//! `axiru verify`: checks a copy of an export without trusting anybody but the key.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use axiru_ledger::note::VerifierKey;
use axiru_ledger::verify::{Report, parse_keys, verify};
use serde_json::{Value, json};

use crate::bar::bar;
use crate::copy;

/// Faults shown one by one.
const SHOWN: usize = 20;

/// Check a copy of the ledger: that nothing was changed, left out or reordered up to its newest checkpoint.
///
/// Checks every log in the copy: entries 0, 1, 2 … without a gap, each chained to the one before by its hash, in order of time, of the right
/// mode and account; every checkpoint signed with the key, its root the Merkle root of the entries; the plans that decided.
/// Works offline. Trust nothing that came with the copy: take the key from whoever runs the deployment, by another way.
///
/// Exit code 0: everything is right. 1: something is wrong, the first fault is named. 2: it could not be checked.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArguments {
    /// The folder that holds `v1/`, or `s3://bucket`.
    #[arg(value_name = "DIR")]
    place: String,
    /// The verifier keys: a file with one a line (`log.vkey`), or one key as text.
    #[arg(long, value_name = "KEY")]
    vkey: String,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the check.
pub(crate) async fn run(arguments: &VerifyArguments, out: &mut dyn Write) -> Result<ExitCode> {
    let keys = keys(&arguments.vkey)?;
    let bar = bar("entries checked");
    let folder = copy::open(&arguments.place, |_, _| bar.tick()).await?;
    let report = verify(folder.as_ref(), &keys, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    let report = report.with_context(|| format!("`{}` cannot be listed", arguments.place))?;
    if arguments.json {
        writeln!(out, "{:#}", as_json(&report))?;
    } else {
        print(&report, out)?;
    }
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Keys from a file, or from the argument itself.
fn keys(given: &str) -> Result<Vec<VerifierKey>> {
    if Path::new(given).is_file() {
        let bytes = std::fs::read(given).with_context(|| format!("the keys in `{given}` cannot be read"))?;
        return parse_keys(&bytes).map_err(|what| anyhow::anyhow!("the keys in `{given}` are not usable: {what}"));
    }
    let key = given.parse::<VerifierKey>();
    Ok(vec![key.with_context(|| format!("`{given}` is neither a file nor a verifier key"))?])
}

fn print(report: &Report, out: &mut dyn Write) -> Result<()> {
    let (entries, logs) = (report.entries(), report.logs.len());
    if report.passed() {
        let (entry, log) = (if entries == 1 { "entry" } else { "entries" }, if logs == 1 { "log" } else { "logs" });
        writeln!(out, "PASS: {entries} {entry} in {logs} {log}: complete, in order and signed")?;
    } else if let Some(first) = report.faults.first() {
        let entry = first.seq.map(|seq| format!(", entry {seq}")).unwrap_or_default();
        writeln!(out, "FAIL: {}{entry}: {}", first.file, first.what)?;
    } else {
        writeln!(out, "FAIL: there is no entry in the copy, so nothing was checked")?;
    }
    writeln!(out)?;
    for fault in report.faults.iter().skip(1).take(SHOWN) {
        let entry = fault.seq.map(|seq| format!(", entry {seq}")).unwrap_or_default();
        writeln!(out, "  also: {}{entry}: {}", fault.file, fault.what)?;
    }
    if report.faults.len() > SHOWN + 1 {
        writeln!(out, "  and {} more", report.faults.len() - SHOWN - 1)?;
    }
    let width = report.logs.iter().map(|log| log.log.path().len()).max().unwrap_or(3).max(3);
    writeln!(out, "  {:width$}  {:>9}  {:>11}  from, to", "log", "entries", "checkpoints")?;
    for log in &report.logs {
        let span = log.span.map(|(first, last)| format!("{first}, {last}")).unwrap_or_else(|| "-".to_owned());
        writeln!(out, "  {:width$}  {:>9}  {:>11}  {span}", log.log.path(), log.entries, log.checkpoints)?;
    }
    writeln!(out)?;
    writeln!(
        out,
        "Checked: chain, gaps, order of time, scope, ids, Merkle roots, signatures, {} plan documents.",
        report.plans
    )?;
    if let Some(newest) = report.newest() {
        writeln!(out, "Not checkable from the copy alone: whether there are entries after {newest}.")?;
        writeln!(out, "Keep its checkpoints: a later copy must still contain them.")?;
    }
    if !report.unknown_types.is_empty() {
        let types: Vec<_> = report.unknown_types.iter().map(String::as_str).collect();
        writeln!(out, "Checked by their bytes only, for this program does not know them: {}.", types.join(", "))?;
    }
    if !report.foreign.is_empty() {
        writeln!(out, "Not part of an export, not looked at: {}.", report.foreign.join(", "))?;
    }
    Ok(())
}

fn as_json(report: &Report) -> Value {
    json!({
        "passed": report.passed(),
        "entries": report.entries(),
        "newest": report.newest().map(|at| at.to_string()),
        "plans": report.plans,
        "faults": report.faults.iter().map(|f| json!({"file": f.file, "seq": f.seq, "what": f.what})).collect::<Vec<_>>(),
        "foreign": report.foreign,
        "unknown_types": report.unknown_types,
        "logs": report.logs.iter().map(|log| json!({
            "log": log.log.path(), "entries": log.entries, "checkpoints": log.checkpoints, "root": log.root.base64(),
            "first": log.span.map(|(first, _)| first.to_string()), "last": log.span.map(|(_, last)| last.to_string()),
            "types": log.types,
        })).collect::<Vec<_>>(),
    })
}
