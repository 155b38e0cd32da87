//! `axiru shadow`: what shadow mode has seen.

mod report;
mod table;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use axiru_domain::{Date, Scope};

use crate::copy;
use report::{Period, Summary};

/// See what the plans would have done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ShadowCommand {
    /// Show what would have been allowed, held and blocked over a period, and by which rules.
    ///
    /// Read from a copy of the export, never from tables: run `axiru verify` on the same copy to know that it is complete.
    /// The outcome that counts is the one over all plans, enforced or not: the reason to switch enforcement on, or not yet.
    Report(ReportArguments),
}

/// What `axiru shadow report` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArguments {
    /// The folder that holds `v1/`, or `s3://bucket`.
    #[arg(value_name = "DIR")]
    place: String,
    /// Only this scope: `live/acct_…` or `test/acct_…`.
    #[arg(long)]
    scope: Option<Scope>,
    /// First day, in UTC: 2026-10-01. The first of the ledger if not given.
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Last day, in UTC, itself included. The last of the ledger if not given.
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a subcommand.
pub(crate) async fn run(command: &ShadowCommand, out: &mut dyn Write) -> Result<ExitCode> {
    let ShadowCommand::Report(arguments) = command;
    let folder = copy::open(&arguments.place, |_, _| {}).await?.folder;
    let period = Period { from: arguments.from, to: arguments.to };
    let summary = Summary::of(folder.as_ref(), arguments.scope.as_ref(), period)
        .with_context(|| format!("`{}` cannot be read", arguments.place))?;
    if arguments.json {
        writeln!(out, "{:#}", summary.as_json())?;
    } else {
        table::print(&summary, out)?;
    }
    Ok(ExitCode::SUCCESS)
}
