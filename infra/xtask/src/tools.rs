//! Cargo subcommands that the checks need and a machine may lack: taken from the PATH if they are there, else installed as pinned,
//! prebuilt wheels into a virtual environment of their own.

use std::process::Stdio;

use anyhow::Result;
use tokio::process::Command;

use crate::folders::Folders;
use crate::progress::Progress;
use crate::venv::Venv;

/// The subcommands, as cargo calls them.
const SUBCOMMANDS: [&str; 2] = ["nextest", "deny"];

/// A `PATH` on which every subcommand is found.
pub(crate) async fn path(folders: &Folders, progress: &Progress) -> Result<std::ffi::OsString> {
    let present = std::env::var_os("PATH").unwrap_or_default();
    for subcommand in SUBCOMMANDS {
        if !installed(subcommand).await {
            let venv = Venv::make(folders, progress, "tools", "tools.txt").await?;
            // Last: what the machine has goes first.
            let folders = std::env::split_paths(&present).chain([venv.programs()]);
            return Ok(std::env::join_paths(folders)?);
        }
    }
    Ok(present)
}

async fn installed(subcommand: &str) -> bool {
    let mut command = Command::new(format!("cargo-{subcommand}"));
    command.args([subcommand, "--version"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().await.is_ok_and(|status| status.success())
}
