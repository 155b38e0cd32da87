//! `axiru plan …`: for people who write plans. Works on files only; nothing is sent anywhere.

mod check;
mod files;
mod test;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

/// What can be done with a plan.
#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {
    /// Check a plan as strictly as Axiru does when it is saved, and print the SHA-256 that names this version.
    ///
    /// A plan is a folder with plan.json (name, description, kinds) and policies.cedar. Give the folder, one of its files,
    /// a folder of such folders, or an exported plan document (plans/<sha256>.json).
    ///
    /// Each problem is one line `file:line:column: what is wrong; what to do`. Exit code 0: sound; 1: problems; 2: no plan there.
    Check(Target),
    /// Ask a plan about the cases in cases.json beside it, and compare.
    ///
    /// A case names a movement (kind, actor, amount_minor, currency, facts), the outcome to expect (allow, require_approval,
    /// block) and all reasons (`policy:<id>`, `nothing_permits`, `fact_unknown:<name>`, `block_possible`,
    /// `evaluation_error:<id>`). A fact that is not named is unknown, as it can be in production; null says that Stripe has none.
    ///
    /// Exit code 0: all as expected; 1: not, or the plan has problems; 2: no plan or no cases there.
    Test(Target),
    /// Print the Cedar schema: every action, principal and fact that a policy may use.
    Schema,
}

/// Where the plan is, and how to report.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Folder or file of the plan.
    #[arg(value_name = "FILE|DIR")]
    path: PathBuf,
    /// Print JSON for programs instead of text for people.
    #[arg(long)]
    json: bool,
}

/// Runs a command; an error means that nothing could be looked at.
pub(crate) fn run(command: &PlanCommand, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let sound = match command {
        PlanCommand::Check(target) => check::run(target, out)?,
        PlanCommand::Test(target) => test::run(target, out)?,
        PlanCommand::Schema => {
            out.write_all(axiru_policy::schema_text().as_bytes())?;
            true
        }
    };
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
