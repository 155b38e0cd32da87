//! `axiru disconnect`: ends a connection from Axiru's side.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::scopes::{Doing, changed};

/// End the connection of an account.
///
/// Its tokens are deleted at once: nothing more is asked of Stripe, taken from its webhooks or made for it, and its keys get 403. What waits
/// for people, or was approved and has not begun, is cancelled within a minute. The logs stay, and connecting again resumes them.
///
/// At Stripe the app stays installed until it is uninstalled in the account's Dashboard, under "Installed apps"; the access token that was
/// deleted here would have been good for an hour at most.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
    axiru disconnect --scope test/acct_1 --why \"the trial is over\"
    axiru connect --mode test         connects again, and goes on in the same logs")]
pub(crate) struct DisconnectCommand {
    /// Why, in a sentence. It stands beside the ledger, which holds only its hash.
    #[arg(long)]
    why: String,
    #[command(flatten)]
    doing: Doing,
}

/// Runs the command.
pub(crate) async fn run(command: &DisconnectCommand, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let DisconnectCommand { why, doing } = command;
    let answers = doing.act(&["disconnect"], &doing.change()?, json!({"why": why})).await?;
    doing.place.tell(&answers, out, |scope, answer, out| {
        let when = if changed(answer) { "now: its tokens are deleted" } else { "already" };
        writeln!(out, "{scope} is disconnected {when}")?;
        if changed(answer) {
            writeln!(out, "In the account's Stripe Dashboard, uninstall the app too, under \"Installed apps\"; or, if it had a restricted key, end")?;
            writeln!(out, "the key under \"API keys\" and delete the webhook endpoint.")?;
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
