//! `cargo xtask`: what a developer of Axiru types. `demo` plays the whole story, `up` brings Axiru up and stays, `test` runs every
//! check that CI runs. Needs Rust, a C compiler and Python 3.10 or later, nothing else: no Docker, no AWS account, no Stripe account.
//!
//! Nothing here is part of the product. A step that is off ends the command with a non-zero exit and one clear line.

// A command talks to its user.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod apt;
mod artefacts;
mod bare_account;
mod bench;
mod build;
mod check;
mod child;
mod chromium;
mod demo;
mod deploy;
mod deployment;
mod elf;
mod features;
mod folders;
mod function;
mod golang;
mod interrupt;
mod ministack;
mod node;
mod ports;
mod progress;
mod proxy;
mod rights;
mod runtime_api;
mod said;
mod sandbox;
mod sbom;
mod stack;
mod template;
mod tools;
mod up;
mod venv;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::progress::Progress;

/// Everything a developer of Axiru runs, on one machine and without accounts.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    after_help = "Start with `cargo xtask demo`. Needs Rust, a C compiler and Python 3.10 or later; everything else is set up in the \
                  target folder on the first run, which takes some minutes. AXIRU_PYTHON names the Python to use."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play Axiru's main job from connecting an account to a verified export, then stop.
    ///
    /// Builds the functions, brings template.yaml up on the local stack and the Stripe sandbox beside it, and ends with a summary.
    /// Keeps nothing but the logs, the export and the pages that people were shown, in the target folder.
    Demo(demo::Arguments),
    /// Bring Axiru up at http://127.0.0.1:8787 and the Stripe sandbox at http://127.0.0.1:8788, and stay until Ctrl-C.
    ///
    /// What happened is kept for the next `up`, unless it is started with --fresh. A rebuilt function is used from the next `up` on.
    Up(up::Arguments),
    /// Measure the functions: size, start to ready and first call beside a function that does nothing; decisions and observations; verification.
    Bench(bench::Arguments),
    /// Write down what the functions consist of, as a CycloneDX bill of materials (JSON).
    Sbom(sbom::Arguments),
    /// Run every check that CI runs: format, lints, dependencies, template, tests, the functions' artefacts, the official Stripe
    /// package, other programs that read the ledger, and the demo's story.
    ///
    /// All checks run, even after one has failed; the exit status is non-zero if any did.
    Test(check::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let progress = Progress::new();
    let run = async {
        match arguments.command {
            Command::Demo(arguments) => demo::run(&arguments, &progress).await,
            Command::Up(arguments) => up::run(&arguments, &progress).await,
            Command::Bench(arguments) => bench::run(&arguments, &progress).await,
            Command::Sbom(arguments) => sbom::run(&arguments, &progress).await,
            Command::Test(arguments) => check::run(&arguments, &progress).await,
        }
    };
    match run.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
