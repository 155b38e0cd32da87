//! Builds what runs: the functions, the Stripe sandbox and the `axiru` command, in one cargo invocation and in the dev profile.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::folders::Folders;
use crate::progress::Progress;

/// Builds every binary of the workspace. With this one among them, so that cargo resolves the same features as it did to run it.
pub(crate) async fn binaries(folders: &Folders, progress: &Progress) -> Result<()> {
    let step = progress.loud_step("building the functions");
    let status = cargo(folders)
        .args(["build", "--quiet", "--workspace", "--bins"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("the functions do not build");
    }
    step.done();
    Ok(())
}

/// Cargo, for this clone and this target folder.
pub(crate) fn cargo(folders: &Folders) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(&folders.root).env("CARGO_TARGET_DIR", &folders.target);
    cargo
}
