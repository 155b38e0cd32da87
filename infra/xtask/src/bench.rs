//! `cargo xtask bench`: figures of the functions, measured in one run.

mod events;
mod starts;

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Result, ensure};
use tokio::process::Command;

use crate::build::{self, cargo};
use crate::folders::Folders;
use crate::function::Function;
use crate::progress::Progress;
use crate::template;
use crate::venv::Venv;

/// Examples that measure inside one process.
const SPEEDS: [&str; 3] = ["observe_speed", "decide_speed", "verify_speed"];

/// Stripe's official package for Node, pinned.
const NODE_PACKAGE: &str = "stripe@23.1.0";

/// What `bench` can be told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Measure the functions as they ship (a release build, which takes long) and not as they are tested.
    #[arg(long)]
    release: bool,
    /// Measure the functions in this folder, one `NAME/bootstrap` or `NAME` for each, such as what `sam build` left.
    #[arg(long, value_name = "FOLDER", conflicts_with = "release")]
    binaries: Option<PathBuf>,
    /// Measure starts and first calls only.
    #[arg(long)]
    starts: bool,
    /// Let the functions trust the certificates of this file (PEM) instead of the machine's, to see what reading those costs.
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
}

/// Measures and prints.
pub(crate) async fn run(arguments: &Arguments, progress: &Progress) -> Result<()> {
    let folders = Folders::find()?;
    let venv = Venv::ready(&folders, progress).await?;
    let functions = Function::all(&template::expand(&folders, &venv).await?)?;
    let binaries = match &arguments.binaries {
        Some(folder) => folder.clone(),
        None if arguments.release => release(&functions, &folders, progress).await?,
        None => {
            build::binaries(&folders, progress).await?;
            folders.binaries.clone()
        }
    };
    let roots = arguments.roots.as_ref().map(std::path::absolute).transpose()?;
    starts::print(functions, &binaries, roots.as_deref()).await?;
    if arguments.starts {
        return Ok(());
    }
    println!();
    for name in SPEEDS {
        let mut speed = cargo(&folders);
        speed.args(["run", "--quiet", "--example", name]);
        ensure!(speed.status().await?.success(), "{name} failed");
        println!();
    }
    webhooks(&folders, &venv).await
}

/// Builds the functions as they ship, and the empty one; where they are.
async fn release(functions: &[Function], folders: &Folders, progress: &Progress) -> Result<PathBuf> {
    let step = progress.loud_step("building the functions as they ship");
    let mut build = cargo(folders);
    // All at once, so that each dependency is compiled once.
    build.args(["build", "--quiet", "--release", "--bin", starts::EMPTY]);
    for function in functions {
        build.args(["--bin", &function.name]);
    }
    ensure!(build.status().await?.success(), "the functions do not build");
    step.done();
    Ok(folders.target.join("release"))
}

/// Verification beside Stripe's own packages, as far as this machine has Node.
async fn webhooks(folders: &Folders, venv: &Venv) -> Result<()> {
    let packages = folders.target.join("node");
    if !packages.join("node_modules/stripe").is_dir() {
        std::fs::create_dir_all(&packages)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", NODE_PACKAGE]);
        // Without npm or a registry the other two are measured.
        let _ = npm.current_dir(&packages).stdout(Stdio::null()).status().await;
    }
    let mut speed = cargo(folders);
    speed.args(["run", "--quiet", "--example", "webhook_speed", "--"]).arg(venv.python()).arg("node").arg(&packages);
    ensure!(speed.status().await?.success(), "webhook_speed failed");
    Ok(())
}
