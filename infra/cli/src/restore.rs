//! `axiru restore`: from tables as they were at a moment, and the export, into new ones.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use axiru_aws::restore::{Restored, Restorer, exported};
use axiru_aws::{Clients, Store};
use axiru_domain::Timestamp;
use axiru_ledger::verify::{Trusted, verify};

use crate::bar::bar;
use crate::copy;
use crate::verify::keys;

/// Bring both tables back after a restore to an earlier moment: into new tables, stopped, with what the export tells of the time since.
///
/// Reads and writes tables with the AWS credentials of the environment; the ledger's own policy lets only a principal with the tag
/// `axiru-ledger` = `append` write to it. Running it again goes on where it ended. See docs/restore.md.
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArguments {
    /// The export: a folder, or `s3://bucket`. It is verified first.
    #[arg(value_name = "EXPORT")]
    export: String,
    /// The verifier keys of its logs: a file, or one key. From elsewhere than the export.
    #[arg(long, value_name = "KEYS")]
    vkey: String,
    /// The moment that the tables were restored to, such as 2026-10-31T12:00:00.000Z.
    #[arg(long, value_name = "MOMENT")]
    at: Timestamp,
    /// The restored state table.
    #[arg(long, value_name = "TABLE")]
    from_state: String,
    /// The restored ledger table, or the one in use where only the state is restored.
    #[arg(long, value_name = "TABLE")]
    from_ledger: String,
    /// The new state table, which the stack uses from now on.
    #[arg(long, value_name = "TABLE")]
    to_state: String,
    /// The new ledger table, or once more the one in use.
    #[arg(long, value_name = "TABLE")]
    to_ledger: String,
    /// Write nothing, and say what would be written.
    #[arg(long)]
    check: bool,
}

/// Restores.
pub(crate) async fn run(arguments: &RestoreArguments, out: &mut dyn Write) -> Result<ExitCode> {
    let (from, to) = ((&arguments.from_state, &arguments.from_ledger), (&arguments.to_state, &arguments.to_ledger));
    if from.0 == to.0 {
        bail!("a table cannot be restored into itself: deploy the stack with a new one first");
    }
    let trusted = Trusted::keys(keys(&arguments.vkey)?);
    let bar = bar("files read");
    let opened = copy::open(&arguments.export, |done, _| bar.set_position(done as u64)).await?;
    let report = verify(opened.folder.as_ref(), &trusted, &mut |_| {});
    bar.finish_and_clear();
    let report = report.with_context(|| format!("`{}` cannot be listed", arguments.export))?;
    if !report.passed() || !opened.faults.is_empty() {
        bail!("the export does not verify, and nothing is restored from it: `axiru verify` says what is wrong");
    }
    let logs = exported(opened.folder.as_ref()).context("the export cannot be read")?;
    let client = Clients::load().await.dynamodb;
    let source = Store::new(client.clone(), from.0, from.1);
    let target = Store::new(client, to.0, to.1);
    let restorer = Restorer::new(source, target, arguments.at, Timestamp::now());
    let restorer = if arguments.check { restorer.looking_only() } else { restorer };
    let restored =
        restorer.run(logs).await.context("the restore does not go on; nothing runs, everything is stopped")?;
    tell(&restored, arguments.check, out)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(restored: &Restored, check: bool, out: &mut dyn Write) -> Result<()> {
    let Restored { entries, from_export, rows, left_out, .. } = restored;
    let verb = if check { "would be" } else { "are" };
    writeln!(out, "{entries} entries and {rows} rows {verb} in the new tables, and everything is stopped.")?;
    writeln!(out, "  {from_export:>6} entries that only the export had")?;
    writeln!(out, "  {:>6} requests with the outcome that the ledger tells", restored.ended)?;
    writeln!(out, "  {:>6} requests that wait, and are over with the next sweep", restored.over)?;
    writeln!(out, "  {:>6} requests that are looked for at Stripe", restored.looked_for)?;
    writeln!(out, "  {:>6} requests that were decided since", restored.made_known)?;
    writeln!(out, "  {:>6} keys that were revoked since", restored.keys_revoked)?;
    writeln!(out, "  {:>6} connections that ended since", restored.disconnected)?;
    writeln!(out, "  {left_out:>6} rows left out: set-up links, and installs under way")?;
    if restored.again.is_empty() {
        return Ok(writeln!(out, "Operators changed nothing since.")?);
    }
    writeln!(out, "Operators changed this since; do it again before anything is started:")?;
    for line in &restored.again {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}
