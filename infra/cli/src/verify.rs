//! `axiru verify`: checks a copy of an export without trusting anybody but the key.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use axiru_ledger::note::VerifierKey;
use axiru_ledger::verify::{Report, Trusted, parse_keys, verify};
use serde_json::{Value, json};

use crate::bar::bar;
use crate::copy;
use crate::ledger_table;

/// Faults shown one by one.
const SHOWN: usize = 20;

/// Check a copy of the ledger: that nothing was changed, left out or reordered up to its newest checkpoint.
///
/// Checks every log in the copy: entries 0, 1, 2 … without a gap, each chained to the one before by its hash, in order of time, of the right
/// mode and account; every checkpoint signed with the key, its root the Merkle root of the entries; tiles, bundles and the files of
/// every sealed day made anew and compared to the byte; no lane missing or short; the plans that decided, the reports that entries name.
/// Works offline. Trust nothing that came with the copy: take the key from whoever runs the deployment, by another way.
///
/// A copy alone cannot show that it is the newest, or that nobody wrote all of it anew and signed it again. Keep a `checkpoint` file of
/// each visit, and give it as `--since` the next time: then both show.
///
/// Exit code 0: everything is right. 1: something is wrong, the first fault is named. 2: it could not be checked.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArguments {
    /// The folder that holds `v1/`, or `s3://bucket` (then also: that no locked file has a second version or was deleted).
    #[arg(value_name = "DIR")]
    place: String,
    /// The verifier keys: a file with one a line (`log.vkey`), or one key as text.
    #[arg(long, value_name = "KEY")]
    vkey: String,
    /// A checkpoint that you kept from an earlier visit: the copy must continue it. Once for each.
    #[arg(long, value_name = "NOTE")]
    since: Vec<String>,
    /// Compare the copy with the ledger table of this name, too, entry by entry (with AWS credentials).
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the check.
pub(crate) async fn run(arguments: &VerifyArguments, out: &mut dyn Write) -> Result<ExitCode> {
    let mut trusted = Trusted::keys(keys(&arguments.vkey)?);
    for file in &arguments.since {
        let note = std::fs::read(file).with_context(|| format!("the checkpoint `{file}` cannot be read"))?;
        if let Err(what) = trusted.remember(&note) {
            bail!("the checkpoint `{file}` is not one to compare with: {what}");
        }
    }
    let bar = bar("entries checked");
    let opened = copy::open(&arguments.place, |_, _| bar.tick()).await?;
    let report = verify(opened.folder.as_ref(), &trusted, &mut |done| bar.set_position(done));
    let mut report = report.with_context(|| format!("`{}` cannot be listed", arguments.place))?;
    report.faults.extend(opened.faults);
    if !opened.versions_seen {
        report
            .unchecked
            .push("whether a file was replaced or deleted in the bucket: give `s3://bucket` for that".to_owned());
    }
    match &arguments.table {
        Some(table) => {
            ledger_table::compare(table, opened.folder.as_ref(), &mut report, |done| bar.set_position(done)).await?
        }
        None => report.unchecked.push("whether the table holds the same: give `--table` for that".to_owned()),
    }
    bar.finish_and_clear();
    if arguments.json {
        writeln!(out, "{:#}", as_json(&report))?;
    } else {
        print(&report, out)?;
    }
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Keys from a file, or from the argument itself.
pub(crate) fn keys(given: &str) -> Result<Vec<VerifierKey>> {
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
    for alarm in &report.alarms {
        writeln!(out, "  alarm told in {alarm}")?;
    }
    let width = report.logs.iter().map(|log| log.log.path().len()).max().unwrap_or(3).max(3);
    writeln!(
        out,
        "  {:width$}  {:>9}  {:>11}  {:>5}  {:>4}  from, to",
        "log", "entries", "checkpoints", "tiles", "days"
    )?;
    for log in &report.logs {
        let span = log.span.map(|(first, last)| format!("{first}, {last}")).unwrap_or_else(|| "-".to_owned());
        let (path, entries, checkpoints) = (log.log.path(), log.entries, log.checkpoints);
        writeln!(out, "  {path:width$}  {entries:>9}  {checkpoints:>11}  {:>5}  {:>4}  {span}", log.tiles, log.days)?;
    }
    writeln!(out)?;
    writeln!(
        out,
        "Checked: chain, gaps, order of time, scope, ids, Merkle roots, signatures; {} plan documents, {} statements of how far lanes go,\n{} reports of comparisons with Stripe.",
        report.plans, report.heads, report.reconciled
    )?;
    for remembered in &report.remembered {
        writeln!(out, "Continues the checkpoint you gave: {} at {} entries.", remembered.log.path(), remembered.size)?;
    }
    print_unchecked(report, out)
}

fn print_unchecked(report: &Report, out: &mut dyn Write) -> Result<()> {
    if let Some(newest) = report.newest() {
        writeln!(out, "Not checked:")?;
        writeln!(out, "  whether there are entries after {newest}: a copy does not know")?;
        if report.remembered.is_empty() {
            writeln!(
                out,
                "  whether all of it was written and signed anew: keep its checkpoints, and give one as `--since` next time"
            )?;
        }
        for what in &report.unchecked {
            writeln!(out, "  {what}")?;
        }
        for log in report.logs.iter().filter(|log| !log.unsealed.is_empty()) {
            let days: Vec<_> = log.unsealed.iter().map(ToString::to_string).collect();
            writeln!(out, "  files of the days {} of {}: not written yet", days.join(", "), log.log.path())?;
        }
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
        "heads": report.heads,
        "reconciled": report.reconciled,
        "faults": report.faults.iter().map(|f| json!({"file": f.file, "seq": f.seq, "what": f.what})).collect::<Vec<_>>(),
        "alarms": report.alarms,
        "unchecked": report.unchecked,
        "foreign": report.foreign,
        "unknown_types": report.unknown_types,
        "continues": report.remembered.iter().map(|r| json!({"log": r.log.path(), "size": r.size})).collect::<Vec<_>>(),
        "logs": report.logs.iter().map(|log| json!({
            "log": log.log.path(), "entries": log.entries, "checkpoints": log.checkpoints, "root": log.root.base64(),
            "tiles": log.tiles, "days": log.days, "unsealed": log.unsealed.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "first": log.span.map(|(first, _)| first.to_string()), "last": log.span.map(|(_, last)| last.to_string()),
            "types": log.types,
        })).collect::<Vec<_>>(),
    })
}
