//! The browser that opens the pages: Debian's `chromium`, from the PATH, or installed where this may be done.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::progress::Progress;

/// The package, and the program that it brings. Not pinned: Debian keeps one version, the one that is safe.
const CHROMIUM: &str = "chromium";

const WHAT_TO_DO: &str =
    "the check `pages` needs the browser Chromium as `chromium` on the PATH. On Debian: apt-get install chromium";

/// The program, installed if it is missing and if that is allowed here.
pub(crate) async fn ready(progress: &Progress) -> Result<PathBuf> {
    if let Some(program) = on_the_path() {
        return Ok(program);
    }
    if !rustix::process::geteuid().is_root() || !has_apt() {
        bail!("{WHAT_TO_DO}");
    }
    let step = progress.step("installing Chromium with apt-get");
    apt(&["update", "-qq"]).await?;
    apt(&["install", "-y", "-qq", "--no-install-recommends", CHROMIUM]).await?;
    step.done();
    on_the_path().context(WHAT_TO_DO)
}

fn on_the_path() -> Option<PathBuf> {
    find(CHROMIUM)
}

fn has_apt() -> bool {
    find("apt-get").is_some()
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

async fn apt(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.context("cannot start apt-get")?;
    if !output.status.success() {
        bail!("apt-get failed: {}\n{WHAT_TO_DO}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
