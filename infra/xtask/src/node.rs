//! Node with the packages of a `package-lock.json`, below the target folder.
//!
//! A Node of the machine is used if it is new enough; otherwise one is installed as a pinned, prebuilt wheel.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::folders::Folders;
use crate::progress::Progress;
use crate::venv::Venv;

/// The oldest Node that the pinned packages support.
const OLDEST: u32 = 20;

/// A Node with packages.
pub(crate) struct Node {
    folder: PathBuf,
    path: OsString,
}

impl Node {
    /// Installs what is missing of the packages of a folder of `tests`, such as `sdk`.
    pub(crate) async fn ready(folders: &Folders, progress: &Progress, room: &str) -> Result<Self> {
        let present = std::env::var_os("PATH").unwrap_or_default();
        let path = if new_enough(&present).await {
            present
        } else {
            let venv = Venv::make(folders, progress, "node-tools", "node.txt").await?;
            std::env::join_paths([venv.programs()].into_iter().chain(std::env::split_paths(&present)))?
        };
        let node = Self { folder: folders.target.join("node-packages").join(room), path };
        node.install(&folders.root.join("tests").join(room), progress).await?;
        Ok(node)
    }

    /// The program, to be found on [`Node::path`].
    pub(crate) fn program(&self) -> PathBuf {
        let mut folders = std::env::split_paths(&self.path).map(|folder| folder.join("node"));
        folders.find(|program| program.is_file()).unwrap_or_else(|| "node".into())
    }

    /// The `PATH` with the program.
    pub(crate) const fn path(&self) -> &OsString {
        &self.path
    }

    /// The folder that holds `node_modules`.
    pub(crate) fn packages(&self) -> &Path {
        &self.folder
    }

    /// Installs exactly what the lock names, each by its hash, unless the same lock was installed before.
    async fn install(&self, from: &Path, progress: &Progress) -> Result<()> {
        let lock = "package-lock.json";
        let wanted =
            std::fs::read(from.join(lock)).with_context(|| format!("cannot read {lock} of {}", from.display()))?;
        let stamp = self.folder.join("stamp");
        if std::fs::read(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        let step = progress.step(&format!("installing packages for Node into {}", self.folder.display()));
        std::fs::create_dir_all(&self.folder).context("cannot make the folder of packages")?;
        for name in ["package.json", lock] {
            std::fs::copy(from.join(name), self.folder.join(name)).with_context(|| format!("cannot copy {name}"))?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&self.folder);
        let output = npm.env("PATH", &self.path).stdin(Stdio::null()).kill_on_drop(true).output().await;
        let output = output.context("cannot start npm")?;
        if !output.status.success() {
            bail!("npm failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        std::fs::write(stamp, wanted)?;
        step.done();
        Ok(())
    }
}

/// Whether that `PATH` has a Node that is new enough, and npm beside it.
async fn new_enough(path: &OsString) -> bool {
    let version = |program: &str| {
        let mut command = Command::new(program);
        command.arg("--version").env("PATH", path).stdin(Stdio::null()).kill_on_drop(true);
        async move {
            let output = command.output().await.ok().filter(|output| output.status.success())?;
            let text = String::from_utf8(output.stdout).ok()?;
            text.trim().trim_start_matches('v').split('.').next()?.parse::<u32>().ok()
        }
    };
    version("node").await.is_some_and(|major| major >= OLDEST) && version("npm").await.is_some()
}
