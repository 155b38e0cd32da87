//! Deploys `template.yaml` to the local stack, by `infra/local/deploy.py`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::folders::Folders;
use crate::venv::Venv;

/// What is said to the template: parameters by name, and the value of the secret that an output names.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// Template parameter -> value.
    pub(crate) parameters: Vec<(&'static str, String)>,
    /// Output that names a secret -> its value.
    pub(crate) secrets: Vec<(&'static str, String)>,
}

/// Deploys and returns the stack's outputs.
pub(crate) async fn deploy(
    folders: &Folders,
    venv: &Venv,
    endpoint: &str,
    logs: &Path,
    values: &Values,
) -> Result<BTreeMap<String, String>> {
    let mut command = Command::new(venv.python());
    command
        .arg(folders.local().join("deploy.py"))
        .args(["--endpoint", endpoint])
        .arg("--template")
        .arg(folders.root.join("template.yaml"))
        .arg("--bin-dir")
        .arg(&folders.binaries)
        .arg("--log-dir")
        .arg(logs)
        // No byte code beside the scripts: nothing is written into the clone.
        .env("PYTHONDONTWRITEBYTECODE", "1");
    for (name, value) in &values.parameters {
        command.arg("--parameter").arg(format!("{name}={value}"));
    }
    for (output, value) in &values.secrets {
        command.arg("--secret").arg(format!("{output}={value}"));
    }
    let output =
        command.stdin(Stdio::null()).kill_on_drop(true).output().await.context("cannot start the deployment")?;
    if !output.status.success() {
        bail!("the template was not deployed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("the deployment printed no outputs")
}
