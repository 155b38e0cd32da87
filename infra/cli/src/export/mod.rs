//! `axiru export`: lists of entries on demand, from a copy that was checked first.

mod merged;
mod pinned;
mod selection;
#[cfg(test)]
mod tests;

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use axiru_domain::{Date, Scope};
use axiru_ledger::daily::csv;
use axiru_ledger::entry::Entry;
use axiru_ledger::verify::{Report, Trusted, verify};

use crate::bar::bar;
use crate::copy;
use crate::new_file::NewFile;
use crate::verify::keys;
use merged::Merged;
use pinned::Pinned;
use selection::Selection;

/// How often the progress bar moves, in entries.
const STEP: u64 = 1_000;

/// Write a list of entries, as NDJSON or as a table for spreadsheets, from a copy that is checked first.
///
/// The whole copy is checked as by `axiru verify` before a line is written. If anything in it is wrong, nothing is exported.
///
/// Entries of all lanes come in order of time (`at`), then lane, then number. A line of NDJSON holds the entry's exact bytes, so its
/// hash can be compared with the log. The table is that of the daily files with `mode`, `account` and `lane` in front.
///
/// Exit code 0: exported. 1: the copy is not sound; nothing was exported. 2: it could not be done.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
    axiru export copy --vkey log.vkey --from 2026-10-01 --to 2026-10-31 --format csv --out october.csv
    axiru export copy --vkey log.vkey --scope live/acct_1 --type decision.made --type approval.denied
    axiru export s3://my-export-bucket --vkey log.vkey | jq .amount_minor")]
pub(crate) struct ExportArguments {
    /// The folder that holds `v1/`, or `s3://bucket`.
    #[arg(value_name = "PLACE")]
    place: String,
    /// The verifier keys: a file with one a line (`log.vkey`), or one key as text.
    #[arg(long, value_name = "KEY")]
    vkey: String,
    /// Only this scope. Once for each; all if not given.
    #[arg(long, value_name = "MODE/ACCOUNT")]
    scope: Vec<Scope>,
    /// First day, in UTC: 2026-10-01. The first of the ledger if not given.
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Last day, in UTC, itself included. The last of the ledger if not given.
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// Only entries of this type, such as `decision.made`. Once for each; all if not given.
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// `ndjson`: a JSON object a line. `csv`: a table that spreadsheets open.
    #[arg(long, default_value = "ndjson")]
    format: Format,
    /// Write to this file, which must not exist, instead of printing. It appears when it is whole.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What a list looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Ndjson,
    Csv,
}

/// Exports.
pub(crate) async fn run(arguments: &ExportArguments, out: &mut dyn Write) -> Result<ExitCode> {
    run_with(arguments, out, &mut std::io::stderr()).await
}

/// Exports; what is not the list goes to `told`.
async fn run_with(arguments: &ExportArguments, out: &mut dyn Write, told: &mut dyn Write) -> Result<ExitCode> {
    let trusted = Trusted::keys(keys(&arguments.vkey)?);
    if let (Some(from), Some(to)) = (arguments.from, arguments.to)
        && to < from
    {
        bail!("`--to {to}` is before `--from {from}`");
    }
    let file = arguments.out.as_deref().map(NewFile::create).transpose()?;
    let progress = bar("entries checked");
    let opened = copy::open(&arguments.place, |_, _| progress.tick()).await?;
    let folder = Pinned::new(opened.folder);
    let report = verify(&folder, &trusted, &mut |done| progress.set_position(done));
    progress.finish_and_clear();
    let mut report = report.with_context(|| format!("`{}` cannot be listed", arguments.place))?;
    report.faults.extend(opened.faults);
    if !report.passed() {
        refuse(arguments, &report, told)?;
        return Ok(ExitCode::from(1));
    }
    let selection = Selection::of(arguments, &report)?;
    let entries = Merged::of(&folder, &selection)?;
    let written = match file {
        Some(mut file) => {
            let written = write(entries, arguments.format, &mut file)?;
            file.finish()?;
            written
        }
        None => write(entries, arguments.format, out)?,
    };
    let to = arguments.out.as_ref().map(|file| format!(" in {}", file.display())).unwrap_or_default();
    let noun = if written == 1 { "entry" } else { "entries" };
    writeln!(told, "{written} {noun}{to}: {selection}")?;
    if let Some(newest) = report.newest() {
        writeln!(
            told,
            "The copy was checked first and is sound. Its newest entry is of {newest}: later ones are not in it."
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says why nothing is exported.
fn refuse(arguments: &ExportArguments, report: &Report, told: &mut dyn Write) -> Result<()> {
    match report.faults.first() {
        Some(first) => {
            let entry = first.seq.map(|seq| format!(", entry {seq}")).unwrap_or_default();
            writeln!(told, "FAIL: {}{entry}: {}", first.file, first.what)?;
            let more = report.faults.len() - 1;
            if more > 0 {
                writeln!(told, "and {more} more")?;
            }
        }
        None => writeln!(told, "FAIL: there is no entry in the copy")?,
    }
    writeln!(told, "Nothing was exported. `axiru verify {}` shows all that is wrong.", arguments.place)?;
    Ok(())
}

/// Writes the list. Gives the number of entries.
fn write(entries: Merged<'_>, format: Format, out: &mut dyn Write) -> Result<u64> {
    let progress = bar("entries written");
    let mut out = BufWriter::new(out);
    if format == Format::Csv {
        out.write_all(&csv::head_with_log())?;
    }
    let mut written = 0;
    for entry in entries {
        out.write_all(&line(&entry?, format))?;
        written += 1;
        if written % STEP == 0 {
            progress.set_position(written);
        }
    }
    out.flush()?;
    progress.finish_and_clear();
    Ok(written)
}

fn line(entry: &Entry, format: Format) -> Vec<u8> {
    let mut line = Vec::new();
    match format {
        Format::Ndjson => {
            line.extend_from_slice(entry.bytes());
            line.push(b'\n');
        }
        Format::Csv => csv::row_with_log(&mut line, entry),
    }
    line
}
