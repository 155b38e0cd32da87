//! Programs that are no crates and no wheels: taken from the machine, or installed with `apt-get` where this may be done.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::progress::Progress;

/// A program of that name on the PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Installs Debian packages, as root on a machine with `apt-get`; elsewhere it fails with `what_to_do`.
/// The packages are not pinned: Debian keeps one version, the one that is safe.
pub(crate) async fn install(packages: &[&str], what: &str, what_to_do: &str, progress: &Progress) -> Result<()> {
    if !rustix::process::geteuid().is_root() || find("apt-get").is_none() {
        bail!("{what_to_do}");
    }
    let step = progress.step(&format!("installing {what} with apt-get"));
    run(&["update", "-qq"], what_to_do).await?;
    run(&[&["install", "-y", "-qq", "--no-install-recommends"], packages].concat(), what_to_do).await?;
    step.done();
    Ok(())
}

async fn run(arguments: &[&str], what_to_do: &str) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.context("cannot start apt-get")?;
    if !output.status.success() {
        bail!("apt-get failed: {}\n{what_to_do}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
