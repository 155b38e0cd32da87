//! `axiru witness …`: remembers how far each log went, and refuses whatever does not continue it.

mod key;
mod look;
mod memory;
#[cfg(test)]
mod tests;
mod told;
mod visit;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use axiru_domain::Timestamp;

use crate::duration::Span;
use crate::place::Place;
use crate::verify::keys;
use key::Cosigner;
use memory::Memory;
use visit::Visitor;

/// Watch the ledger from outside: refuse any history that does not continue the one seen before.
///
/// Run it where whoever runs Axiru has no rights: in another AWS account, or on an auditor's laptop. It reads the newest checkpoint of each
/// log, and the hashes that show that it is the one of the last visit with entries added behind. It reads no entry.
///
/// What it remembers (size and root of each log) is in the state file: keep it, for without it any history is accepted. A log that was cut
/// back, changed, signed anew, put in another's place or removed is named and refused; what is remembered of it stays, and the others go on.
///
/// Give the keys that you have from elsewhere, not those that lie beside the log.
///
/// Exit code 0: every log continues. 1: one does not, the first is named. 2: it could not be done.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
    axiru witness s3://my-export-bucket --vkey log.vkey --state witness.state
    axiru witness s3://my-export-bucket --vkey log.vkey --state witness.state --every 10m --max-age 30h
    axiru witness key new witness.key --name witness.example/w1
    axiru witness copy --vkey log.vkey --state witness.state --cosign witness.key --out cosigned"
)]
pub(crate) struct WitnessCommand {
    #[command(subcommand)]
    key: Option<KeyOf>,
    #[command(flatten)]
    visit: Option<VisitArguments>,
}

/// What belongs to a witness.
#[derive(Debug, clap::Subcommand)]
enum KeyOf {
    /// The key that a witness signs with.
    #[command(subcommand)]
    Key(KeyCommand),
}

/// What can be done with a key.
#[derive(Debug, clap::Subcommand)]
enum KeyCommand {
    /// Make a key: the private half into a new file that only you can read, the verifier key to the screen.
    ///
    /// Give the verifier key to whoever shall check your cosignatures.
    New {
        /// The file, which must not exist.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The name of the witness, such as `witness.example/w1`: it stands in every signature, so choose one that is yours.
        #[arg(long)]
        name: String,
    },
}

/// A visit, or many.
#[derive(Debug, clap::Args)]
pub(crate) struct VisitArguments {
    /// The folder that holds `v1/`, or `s3://bucket`.
    #[arg(value_name = "PLACE")]
    place: String,
    /// The verifier keys of the logs to watch: a file with one a line (`log.vkey`), or one key as text.
    #[arg(long, value_name = "KEYS")]
    vkey: String,
    /// What is remembered. The first visit makes it. One witness at a time may use it.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Cosign each checkpoint that is accepted with this key (`axiru witness key new`), into `--out`.
    #[arg(long, value_name = "KEYFILE", requires = "out")]
    cosign: Option<PathBuf>,
    /// The folder for cosigned notes (format c2sp.org/tlog-cosignature): `<mode>/<account>/<lane>/<size>.note`.
    #[arg(long, value_name = "DIR", requires = "cosign")]
    out: Option<PathBuf>,
    /// Fail when a log has not grown for so long. Without it, a log that has not grown for 25 hours is a warning.
    #[arg(long, value_name = "AGE")]
    max_age: Option<Span>,
    /// Go on, with a visit in each such time, until interrupted. Visits that go well are told in one line.
    #[arg(long, value_name = "TIME")]
    every: Option<Span>,
    /// Print each visit as JSON.
    #[arg(long)]
    json: bool,
}

/// Visits, or makes a key.
pub(crate) async fn run(command: &WitnessCommand, out: &mut dyn Write) -> Result<ExitCode> {
    match (&command.key, &command.visit) {
        (Some(KeyOf::Key(KeyCommand::New { file, name })), _) => {
            writeln!(out, "{}", Cosigner::create(file, name)?)?;
            Ok(ExitCode::SUCCESS)
        }
        (None, Some(arguments)) => watch(arguments, Timestamp::now, out).await,
        // The parser demands one of them.
        (None, None) => Ok(ExitCode::from(2)),
    }
}

async fn watch(arguments: &VisitArguments, clock: fn() -> Timestamp, out: &mut dyn Write) -> Result<ExitCode> {
    let every = arguments.every.map(|every| u64::try_from(every.secs()).unwrap_or(0));
    if every == Some(0) {
        bail!("`--every` needs a time above zero, such as `10m`");
    }
    let keys = keys(&arguments.vkey)?;
    let cosigner = arguments.cosign.as_deref().map(Cosigner::read).transpose()?;
    let mut memory = Memory::open(&arguments.state)?;
    let place = Place::open(&arguments.place).await?;
    let visitor = Visitor {
        place: &place,
        keys: &keys,
        max_age_secs: arguments.max_age.map(Span::secs),
        cosign: cosigner.as_ref().zip(arguments.out.as_deref()),
    };
    let mut worst = 0;
    loop {
        match visitor.visit(&mut memory, clock()).await {
            Ok(visit) => {
                if arguments.json {
                    writeln!(out, "{}", visit.as_json())?;
                } else {
                    visit.print(every.is_some(), out)?;
                }
                worst = worst.max(u8::from(!visit.passed()));
            }
            // A network that is away for a while does not end the watch.
            Err(error) if every.is_some() => {
                writeln!(std::io::stderr(), "axiru: the visit could not be made: {error:#}")?;
                worst = 2;
            }
            Err(error) => return Err(error),
        }
        out.flush()?;
        let Some(every) = every else { break };
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(every)) => {}
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    Ok(ExitCode::from(worst))
}
