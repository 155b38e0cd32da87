//! What an engineer does with the AWS SAM CLI to deploy, upgrade, go back and remove, on an empty local stack: `infra/local/deployed.py`.

use std::path::Path;

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::folders::Folders;
use crate::progress::Progress;
use crate::venv::Venv;
use crate::{build, ministack, ports, said};

/// Deploys what `sam build` left in `built`, or, without it, functions that start the binaries of the tests.
pub(crate) async fn check(folders: &Folders, progress: &Progress, local: &Venv, built: Option<&Path>) -> Result<()> {
    let tools = Venv::make(folders, progress, "venv-sam", "sam.txt").await?;
    let folder = folders.run("deployment");
    // Nothing of an earlier run is taken for one of this.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("logs")).context("cannot make the folder of the run")?;
    if built.is_none() {
        build::binaries(folders, progress).await?;
    }
    let step = progress.loud_step("deploying with the SAM CLI");
    let port = ports::free()?;
    let aws = ministack::start(folders, local, &folder, port, false).await?;
    let endpoint = format!("http://127.0.0.1:{port}");
    let mut command = Command::new(local.python());
    command.arg("-B").arg(folders.local().join("deployed.py")).arg(tools.program("sam")).arg(endpoint).arg(&folder);
    match built {
        Some(built) => command.arg(std::path::absolute(built)?),
        None => command.arg(&folders.root).arg(&folders.binaries),
    };
    let done = said::run(&mut command).await;
    let stopped = aws.stop().await;
    done.with_context(|| format!("the check of the deployment, whose logs are in {}", folder.display()))?;
    stopped?;
    step.done();
    Ok(())
}
