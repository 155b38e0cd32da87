//! The auditor's side of the story: pull, verify, and the `axiru` command in general.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::folders::Folders;
use crate::stack::Stack;

/// Runs `axiru` as on AWS, only with the local stack's address.
pub(super) struct Axiru<'a> {
    program: PathBuf,
    stack: &'a Stack,
}

impl<'a> Axiru<'a> {
    pub(super) fn new(folders: &Folders, stack: &'a Stack) -> Self {
        Self { program: folders.binaries.join("axiru"), stack }
    }

    /// Runs the command to its end.
    pub(super) async fn output(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(&self.program);
        command.args(arguments).envs(self.stack.environment()).stdin(Stdio::null()).kill_on_drop(true);
        command.output().await.with_context(|| format!("`axiru {}` does not start", arguments.join(" ")))
    }

    /// Runs the command to its end, with that on its standard input.
    pub(super) async fn fed(&self, arguments: &[&str], input: &str) -> Result<Output> {
        let mut command = Command::new(&self.program);
        command.args(arguments).envs(self.stack.environment()).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("`axiru {}` does not start", arguments.join(" ")))?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        stdin.write_all(input.as_bytes()).await?;
        drop(stdin);
        Ok(child.wait_with_output().await?)
    }

    /// What such a command that must succeed prints as JSON.
    pub(super) async fn fed_json(&self, arguments: &[&str], input: &str) -> Result<Value> {
        let output = self.fed(arguments, input).await?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`axiru {}` failed: {}", arguments.join(" "), told.trim());
        serde_json::from_slice(&output.stdout).context("axiru printed no JSON")
    }

    /// What a command that must succeed prints.
    pub(super) async fn text(&self, arguments: &[&str]) -> Result<String> {
        let output = self.output(arguments).await?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`axiru {}` failed: {}", arguments.join(" "), told.trim());
        String::from_utf8(output.stdout).context("axiru printed no text")
    }

    /// What a command that must succeed prints as JSON.
    pub(super) async fn json(&self, arguments: &[&str]) -> Result<Value> {
        serde_json::from_str(&self.text(arguments).await?).context("axiru printed no JSON")
    }
}

/// Rings the exporter, which otherwise runs when the ledger grows and once a minute.
pub(super) async fn ring(stack: &Stack) -> Result<()> {
    invoke(stack, "ExportFunctionName").await
}

/// Runs a function that otherwise runs by its schedule; the template's output names it.
pub(super) async fn invoke(stack: &Stack, output: &str) -> Result<()> {
    let name = stack.output(output)?;
    let url = format!("{}/2015-03-31/functions/{name}/invocations", stack.endpoint_url);
    let answer = reqwest::Client::new().post(url).body("{}").send().await;
    let answer = answer.with_context(|| format!("{output} cannot be called"))?;
    ensure!(answer.status().is_success(), "{output} answered {}", answer.status());
    let failed = answer.headers().contains_key("x-amz-function-error");
    let said = answer.text().await?;
    ensure!(!failed, "{output} failed: {said}");
    Ok(())
}

/// Copies a folder and changes one byte of its first segment, which stays as long as it was.
pub(super) fn copy_with_one_changed_byte(from: &Path, to: &Path) -> Result<PathBuf> {
    let mut changed = None;
    for file in files_below(from)? {
        let target = to.join(file.strip_prefix(from)?);
        std::fs::create_dir_all(target.parent().context("a file without a folder")?)?;
        let mut bytes = std::fs::read(&file)?;
        if changed.is_none() && file.extension().is_some_and(|end| end == "ndjson") {
            let middle = bytes.len() / 2;
            let byte = bytes.get_mut(middle).context("an empty segment")?;
            *byte ^= 1;
            changed = Some(target.clone());
        }
        std::fs::write(&target, bytes)?;
    }
    match changed {
        Some(changed) => Ok(changed),
        None => bail!("the export holds no segment"),
    }
}

/// Every file below a folder, sorted.
pub(super) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    list(folder, &mut files)?;
    files.sort();
    Ok(files)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for found in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = found?.path();
        if path.is_dir() { list(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
