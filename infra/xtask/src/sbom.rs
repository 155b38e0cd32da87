//! `cargo xtask sbom`: what the functions consist of, as a CycloneDX bill of materials.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use crate::folders::Folders;
use crate::progress::Progress;
use crate::venv::Venv;

/// What `sbom` can be told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where to write it; `axiru.cdx.json` in the target folder if nothing is said.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Writes the bill, validated against the schema of CycloneDX.
pub(crate) async fn run(arguments: &Arguments, progress: &Progress) -> Result<()> {
    let folders = Folders::find()?;
    let file = arguments.file.clone().unwrap_or_else(|| folders.target.join("axiru.cdx.json"));
    write(&folders, progress, &std::path::absolute(file)?).await
}

/// Writes it twice and compares: the same clone must give the same bytes, or nobody could make it again.
pub(crate) async fn check(folders: &Folders, progress: &Progress) -> Result<()> {
    let (one, other) = (folders.target.join("axiru.cdx.json"), folders.target.join("axiru-again.cdx.json"));
    write(folders, progress, &one).await?;
    write(folders, progress, &other).await?;
    ensure!(std::fs::read(&one)? == std::fs::read(&other)?, "two bills of the same clone differ");
    std::fs::remove_file(&other)?;
    Ok(())
}

async fn write(folders: &Folders, progress: &Progress, file: &Path) -> Result<()> {
    let venv = Venv::make(folders, progress, "sbom", "sbom.txt").await?;
    let status = Command::new(venv.python())
        .arg("-B")
        .arg(folders.local().join("sbom.py"))
        .arg(&folders.root)
        .arg(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .arg(file)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .context("cannot write the bill of materials")?;
    if !status.success() {
        bail!("no bill of materials");
    }
    Ok(())
}
