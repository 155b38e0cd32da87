//! The `axiru` command: what operators and auditors run.
//!
//! This file only dispatches: every subcommand is a module of its own. Exit codes: 0 as hoped, 1 not as hoped, 2 not understood.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod account;
mod api;
mod approval;
mod approver;
mod bar;
mod connect;
mod copy;
mod decision;
mod disconnect;
mod duration;
mod export;
mod key;
mod ledger_table;
mod limits;
mod new_file;
mod person;
mod place;
mod plan;
mod proof;
mod pull;
mod random;
mod reconcile;
mod restore;
#[cfg(test)]
mod sample;
mod scopes;
mod shadow;
mod status;
mod stop;
mod table;
mod tiles;
mod verify;
mod witness;

/// Axiru's command for operators, authors of plans, and auditors.
#[derive(Debug, Parser)]
#[command(name = "axiru", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

// What has arguments of its own is described where they are.
#[derive(Debug, Subcommand)]
enum Command {
    #[command(subcommand)]
    Account(account::AccountCommand),
    #[command(subcommand)]
    Approval(approval::ApprovalCommand),
    #[command(subcommand)]
    Approver(approver::ApproverCommand),
    Connect(connect::ConnectCommand),
    #[command(subcommand)]
    Decision(decision::DecisionCommand),
    Disconnect(disconnect::DisconnectCommand),
    Export(export::ExportArguments),
    #[command(subcommand)]
    Key(key::KeyCommand),
    #[command(subcommand)]
    Limits(limits::LimitsCommand),
    #[command(subcommand)]
    Person(person::PersonCommand),
    /// Check and try out plans, put them in force, and switch them between shadow and enforce.
    #[command(subcommand)]
    Plan(plan::PlanCommand),
    Proof(proof::ProofCommand),
    Pull(pull::PullArguments),
    Reconcile(reconcile::ReconcileCommand),
    Restore(restore::RestoreArguments),
    /// See what the plans would have done.
    #[command(subcommand)]
    Shadow(shadow::ShadowCommand),
    Start(stop::StartCommand),
    Status(status::StatusCommand),
    Stop(stop::StopCommand),
    Verify(verify::VerifyArguments),
    Witness(witness::WitnessCommand),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let result = match Cli::parse().command {
        Command::Account(command) => account::run(&command, &mut out).await,
        Command::Approval(command) => approval::run(&command, &mut out).await,
        Command::Approver(command) => approver::run(&command, &mut out).await,
        Command::Connect(command) => connect::run(&command, &mut out).await,
        Command::Decision(command) => decision::run(&command, &mut out).await,
        Command::Disconnect(command) => disconnect::run(&command, &mut out).await,
        Command::Export(arguments) => export::run(&arguments, &mut out).await,
        Command::Key(command) => key::run(&command, &mut out).await,
        Command::Limits(command) => limits::run(&command, &mut out).await,
        Command::Person(command) => person::run(&command, &mut out).await,
        Command::Plan(command) => plan::run(&command, &mut out).await,
        Command::Proof(command) => proof::run(&command, &mut out).await,
        Command::Pull(arguments) => pull::run(&arguments, &mut out).await,
        Command::Reconcile(command) => reconcile::run(&command, &mut out).await,
        Command::Restore(arguments) => restore::run(&arguments, &mut out).await,
        Command::Shadow(command) => shadow::run(&command, &mut out).await,
        Command::Start(command) => stop::start(&command, &mut out).await,
        Command::Status(command) => status::run(&command, &mut out).await,
        Command::Stop(command) => stop::stop(&command, &mut out).await,
        Command::Verify(arguments) => verify::run(&arguments, &mut out).await,
        Command::Witness(command) => witness::run(&command, &mut out).await,
    };
    result.unwrap_or_else(|error| {
        // A reader that went away (`axiru … | head`) is no error.
        let gone = error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe);
        if gone {
            return ExitCode::SUCCESS;
        }
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("axiru: {}\n", said(&error)).as_bytes());
        ExitCode::from(2)
    })
}

/// An error with its causes. Many errors of libraries repeat their cause in their own words: it is said once.
fn said(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        if said.is_empty() {
            said = cause;
        } else if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn taken(line: &str) -> bool {
        Cli::try_parse_from(line.split_whitespace()).is_ok()
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_cause_is_said_once() {
        let error =
            anyhow::anyhow!("no such table").context("reading: no such table").context("the log cannot be read");
        assert_eq!(said(&error), "the log cannot be read: reading: no such table");
        assert_eq!(said(&anyhow::anyhow!("a").context("b")), "b: a");
    }

    /// The words of a line as a shell cuts it: quotes, and a comment or a redirection at its end.
    fn cut(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                _ => words.last_mut().unwrap().push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        words.into_iter().take_while(|word| !matches!(word.as_str(), "<" | ">" | "|" | "#")).collect()
    }

    #[test]
    fn every_command_in_the_documents_is_understood() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let pages = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
        let pages = pages.chain([root.join("README.md")]).filter(|page| page.extension().is_some_and(|of| of == "md"));
        let stands_for = [
            ("per_…", "per_0123456789abcdef"),
            ("dec_…", "dec_0123456789abcdef0123456789abcdef"),
            ("chg_…", "chg_0123456789abcdef0123456789abcdef"),
            ("<32 hex digits>", "0123456789abcdef0123456789abcdef"),
            ("\"…\"", "\"a reason\""),
            ("<plan>", "refunds-starter"),
            ("<key>", "0123456789ab"),
            ("<T>", "2026-10-31T12:00:00.000Z"),
            ("<change>", "chg_0123456789abcdef0123456789abcdef"),
        ];
        let (mut seen, mut wrong) = (0, Vec::new());
        for page in pages {
            // A line that goes on is one.
            let text = std::fs::read_to_string(&page).unwrap();
            let parts: Vec<&str> = text
                .split(" \\\n")
                .enumerate()
                .map(|(i, part)| if i == 0 { part } else { part.trim_start() })
                .collect();
            let text = parts.join(" ");
            let mut fenced = false;
            for line in text.lines() {
                fenced ^= line.starts_with("```");
                if !fenced && !line.starts_with("    ") {
                    continue;
                }
                let line = stands_for.iter().fold(line.trim().to_owned(), |line, (from, to)| line.replace(from, to));
                for command in line.split(" && ") {
                    let command = command.trim_start_matches("cargo run --bin ").replacen("axiru -- ", "axiru ", 1);
                    // The pause before what a line means is wider than any between words.
                    let command = command.split("   ").next().unwrap_or_default();
                    if !command.starts_with("axiru ") || command.contains('…') {
                        continue;
                    }
                    let words = cut(command);
                    if let Err(error) = Cli::try_parse_from(&words) {
                        wrong.push(format!("{}: {command}\n{error}", page.display()));
                    }
                    seen += 1;
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(seen > 45, "{seen} commands");
    }

    #[test]
    fn what_is_meant_is_said() {
        let dec = format!("dec_{}", "0".repeat(32));
        let per = "per_0123456789abcdef";
        let at = "--scope live/acct_1";
        for good in [
            format!("axiru approver add {per} --group finance {at}"),
            format!("axiru approver group finance --quorum 2 --clear-expires {at}"),
            format!("axiru approver group finance --expires 8h {at}"),
            format!("axiru approver revoke-links --request {dec} --why x {at}"),
            format!("axiru approver revoke-links --all --why x {at}"),
            format!("axiru approval show {dec} {at}"),
            format!("axiru stop --why x {at}"),
            format!("axiru stop --actor agent:ag_1 --why x {at}"),
            "axiru stop --all --why x".to_owned(),
            format!("axiru reconcile --month 2026-10 {at}"),
            format!("axiru reconcile --day 2026-10-31 --no-wait --json {at}"),
        ] {
            assert!(taken(&good), "{good}");
        }
        for bad in [
            format!("axiru approver add {per} {at}"),
            format!("axiru approver add jo@example.com --group finance {at}"),
            format!("axiru approver group finance {at}"),
            format!("axiru approver group finance --quorum 2 --clear-quorum {at}"),
            format!("axiru approver revoke-links --why x {at}"),
            format!("axiru approver revoke-links --all --person {per} --why x {at}"),
            format!("axiru approver revoke-links --request {per} --why x {at}"),
            format!("axiru approver revoke-links --all {at}"),
            format!("axiru approval cancel {dec} {at}"),
            format!("axiru reconcile {at}"),
            format!("axiru reconcile --month 2026-10-31 {at}"),
            format!("axiru reconcile --day 2026-10 {at}"),
            format!("axiru reconcile --month 2026-10 --day 2026-10-31 {at}"),
            format!("axiru stop {at}"),
            "axiru stop --all --actor agent:ag_1 --why x".to_owned(),
        ] {
            assert!(!taken(&bad), "{bad}");
        }
    }
}
