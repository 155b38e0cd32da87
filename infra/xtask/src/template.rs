//! The template as AWS expands it.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::folders::Folders;
use crate::venv::Venv;

/// Expands it into a file in the target folder, for the linter and for whoever reads it.
pub(crate) async fn expand(folders: &Folders, venv: &Venv) -> Result<PathBuf> {
    let expanded = folders.target.join("template.json");
    let status = Command::new(venv.python())
        .arg("-B")
        .arg(folders.local().join("template.py"))
        .arg(folders.root.join("template.yaml"))
        .arg(&expanded)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .context("cannot expand the template")?;
    if !status.success() {
        bail!("template.yaml does not expand");
    }
    Ok(expanded)
}
