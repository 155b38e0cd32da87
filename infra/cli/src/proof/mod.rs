//! `axiru proof …`: shows to somebody that a decision is in the ledger, without showing the rest of it.

mod about;
mod check;
mod made;
mod shown;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use axiru_domain::{RequestId, Scope};
use serde_json::json;

use crate::place::Place;
use crate::verify::keys;
use made::Proven;

/// Prove one decision to somebody who may not see the rest of the ledger.
///
/// For every entry that is about the request (its decision, approvals and votes, execution, how it was settled or expired) a folder is written with
/// the entry's exact bytes (`<number>.json`) and a proof that it stands in the log (`<number>.tlog-proof`, format c2sp.org/tlog-proof) up to
/// the newest checkpoint. Of other entries the folder holds hashes, and nothing else. Whoever gets it runs `axiru proof check`.
///
/// It shows that these entries are in the log. It does not show that there are no more of them about the request.
///
/// Exit code 0: proven. 1: the entries are there, and cannot be proven. 2: it could not be done.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
    axiru proof dec_0123456789abcdef0123456789abcdef --from copy --vkey log.vkey --out for-the-bank
    axiru proof check for-the-bank --vkey log.vkey"
)]
pub(crate) struct ProofCommand {
    #[command(subcommand)]
    check: Option<CheckCommand>,
    #[command(flatten)]
    make: Option<MakeArguments>,
}

/// The other half.
#[derive(Debug, clap::Subcommand)]
enum CheckCommand {
    Check(check::CheckArguments),
}

/// What is to be proven.
#[derive(Debug, clap::Args)]
pub(crate) struct MakeArguments {
    /// The request.
    #[arg(value_name = "DECISION_ID")]
    request: RequestId,
    /// The folder that holds `v1/`, or `s3://bucket`.
    #[arg(long, value_name = "PLACE")]
    from: String,
    /// The verifier keys: a file with one a line (`log.vkey`), or one key as text.
    #[arg(long, value_name = "KEY")]
    vkey: String,
    /// Look in this scope only, which is quicker.
    #[arg(long, value_name = "MODE/ACCOUNT")]
    scope: Option<Scope>,
    /// The folder to write, which must not exist. By default it is named as the request.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Proves, or checks a proof.
pub(crate) async fn run(command: &ProofCommand, out: &mut dyn Write) -> Result<ExitCode> {
    match (&command.check, &command.make) {
        (Some(CheckCommand::Check(arguments)), _) => check::run(arguments, out),
        (None, Some(arguments)) => make(arguments, out).await,
        // The parser demands one of them.
        (None, None) => Ok(ExitCode::from(2)),
    }
}

async fn make(arguments: &MakeArguments, out: &mut dyn Write) -> Result<ExitCode> {
    let keys = keys(&arguments.vkey)?;
    let request = arguments.request.as_str();
    let folder = arguments.out.clone().unwrap_or_else(|| PathBuf::from(request));
    shown::must_be_free(&folder)?;
    let place = Place::open(&arguments.from).await?;
    let found = about::find(&place, request, arguments.scope.as_ref())
        .await?
        .with_context(|| about::nothing(request, &arguments.from))?;
    let proven = match made::prove(&place, &found, &keys).await? {
        Ok(proven) => proven,
        Err(what) => {
            tell_failure(arguments, &what, out)?;
            return Ok(ExitCode::from(1));
        }
    };
    shown::write(&folder, request, &proven)?;
    tell(arguments, &folder, &proven, out)?;
    Ok(ExitCode::SUCCESS)
}

fn tell_failure(arguments: &MakeArguments, what: &str, out: &mut dyn Write) -> Result<()> {
    if arguments.json {
        writeln!(out, "{:#}", json!({"verdict": "FAIL", "what": what}))?;
    } else {
        writeln!(out, "FAIL: {what}")?;
        writeln!(out, "Nothing was written. `axiru verify {}` shows what is wrong with the copy.", arguments.from)?;
    }
    Ok(())
}

fn tell(arguments: &MakeArguments, folder: &std::path::Path, proven: &Proven, out: &mut dyn Write) -> Result<()> {
    let checkpoint = &proven.checkpoint;
    if arguments.json {
        let numbers: Vec<_> = proven.entries.iter().map(|(entry, _)| entry.seq()).collect();
        let value = json!({
            "verdict": "PASS", "folder": folder, "origin": checkpoint.origin, "size": checkpoint.size,
            "root": checkpoint.root.to_string(), "entries": numbers,
        });
        writeln!(out, "{value:#}")?;
        return Ok(());
    }
    let (count, size) = (proven.entries.len(), checkpoint.size);
    let noun = if count == 1 { "entry" } else { "entries" };
    writeln!(out, "{count} {noun} about {} in `{}`, each with its proof:", arguments.request, folder.display())?;
    for (entry, _) in &proven.entries {
        writeln!(out, "  {:>6}  {}  {}", entry.seq(), entry.at(), entry.ty())?;
    }
    writeln!(out, "Proven against the checkpoint of {size} entries of `{}`.", checkpoint.origin)?;
    writeln!(out, "Whoever gets the folder runs: axiru proof check {} --vkey log.vkey", folder.display())?;
    Ok(())
}
