//! `axiru connect`: two doors to a Stripe account. A one-time link for the merchant's own app, or a restricted key of the account.

mod key;
mod link;
mod secret;

use std::io::Write;
use std::process::ExitCode;

use axiru_aws::admin::ChangeId;
use axiru_domain::{AccountId, Scope};
use clap::Args;

use crate::api::Deployment;

/// Connect a Stripe account: mint a one-time link for your Stripe App, or hand over a restricted key.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
    axiru connect --mode both                                     a link for your own Stripe App
    axiru connect --restricted-key < key.txt                      whose the key is and what it may do; connects nothing
    axiru connect --restricted-key --account acct_1 < key.txt     connects that account with it, or replaces its key
    axiru connect --webhook-secret --scope test/acct_1 < secret   the signing secret of the account's webhook endpoint

Keys and secrets are read from standard input, so that they stand in no list of processes and no shell's history. Let a password manager
print them, or paste them when asked; a terminal does not show them.")]
pub(crate) struct ConnectCommand {
    /// Stripe's mode in which an account may be connected with the link.
    #[arg(long, value_enum, required_unless_present_any = ["restricted_key", "webhook_secret"])]
    mode: Option<link::Modes>,
    /// How long the link is valid, in hours: at most 168.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=168))]
    hours: u32,
    /// Connect with a restricted key of the account (`rk_test_…`, `rk_live_…`), read from standard input.
    ///
    /// Its permissions are tried and listed first; nothing is made or changed by that. Without --account nothing is connected.
    #[arg(long, conflicts_with = "mode")]
    restricted_key: bool,
    /// The account that the key must be of.
    #[arg(long, requires = "restricted_key", value_name = "ACCOUNT")]
    account: Option<AccountId>,
    /// Add the signing secret (`whsec_…`) of the webhook endpoint that the account has of its own, read from standard input.
    ///
    /// The one before it stays good, for while Stripe signs with both after a roll.
    #[arg(long, conflicts_with_all = ["mode", "restricted_key"], requires = "scope")]
    webhook_secret: bool,
    /// The account whose endpoint it is: `test/acct_1`.
    #[arg(long, requires = "webhook_secret", value_name = "MODE/ACCOUNT")]
    scope: Option<Scope>,
    /// Repeat an earlier command whose answer was lost: its change id. What was done is not done twice.
    #[arg(long, value_name = "CHANGE", conflicts_with = "mode")]
    change: Option<ChangeId>,
    #[command(flatten)]
    deployment: Deployment,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// With what went wrong and what to do about it.
pub(crate) async fn run(command: &ConnectCommand, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let ConnectCommand { mode, hours, account, scope, deployment, json, .. } = command;
    match (mode, scope) {
        (Some(mode), _) => link::run(*mode, *hours, deployment, *json, out).await,
        (None, Some(scope)) => secret::run(scope, command.change.clone(), deployment, *json, out).await,
        (None, None) => key::run(account.as_ref(), command.change.clone(), deployment, *json, out).await,
    }
}
