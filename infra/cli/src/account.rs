//! `axiru account …`: connected accounts that money is sent to.

use std::io::Write;
use std::process::ExitCode;

use axiru_domain::AccountId;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::scopes::{Doing, changed};

/// Say what Axiru should know about accounts that money is sent to.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Put a connected account under review, or take it off.
    ///
    /// Plans read it as the fact `destination_under_review` of transfers to it and payouts of it. The reason is kept beside the ledger,
    /// which holds only its hash, so that it can be erased.
    #[command(after_help = "Examples:
    axiru account review acct_1Seller --scope live/acct_1 --on --why \"chargebacks tripled this week\"
    axiru account review acct_1Seller --scope live/acct_1 --off --why \"cleared by Jo\"")]
    Review(Review),
}

/// A review.
#[derive(Debug, Args)]
pub(crate) struct Review {
    /// The connected account.
    account: AccountId,
    #[command(flatten)]
    switch: Switch,
    /// Why, in a sentence.
    #[arg(long)]
    why: String,
    #[command(flatten)]
    doing: Doing,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Switch {
    /// It is under review from now on.
    #[arg(long)]
    on: bool,
    /// It no longer is.
    #[arg(long)]
    off: bool,
}

/// Runs the command.
pub(crate) async fn run(command: &AccountCommand, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let AccountCommand::Review(Review { account, switch, why, doing }) = command;
    let body = json!({"connected": account, "under_review": switch.on, "why": why});
    let answers = doing.act(&["review"], &doing.change()?, body).await?;
    doing.place.tell(&answers, out, |scope, answer, out| {
        let state = if switch.on { "under review" } else { "not under review" };
        let when = if changed(answer) { "now" } else { "already" };
        Ok(writeln!(out, "{scope}: {account} is {state} {when}")?)
    })?;
    Ok(ExitCode::SUCCESS)
}
