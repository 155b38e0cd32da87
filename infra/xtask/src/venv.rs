//! The virtual environment that holds the local stack and the checks' Python tools.
//!
//! It lives in the target folder and is stamped with the hash of what it was made from: a second run finds the stamp and does nothing.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::folders::Folders;
use crate::progress::Progress;

/// The oldest Python that the pinned packages support.
const OLDEST: (u32, u32) = (3, 10);

/// A virtual environment that holds everything its requirement files list.
#[derive(Clone, Debug)]
pub(crate) struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// The environment of the local stack, made or remade if its requirements changed.
    pub(crate) async fn ready(folders: &Folders, progress: &Progress) -> Result<Self> {
        Self::make(folders, progress, "venv", "requirements.txt").await
    }

    /// The environment `name` with exactly what `infra/local/{requirements}` lists.
    pub(crate) async fn make(folders: &Folders, progress: &Progress, name: &str, requirements: &str) -> Result<Self> {
        let folder = folders.target.join(name);
        let list = folders.local().join(requirements);
        let text = std::fs::read(&list).with_context(|| format!("cannot read {}", list.display()))?;
        let stamp = folder.join("stamp");
        let wanted = hex(&Sha256::digest(&text));
        let venv = Self { folder };
        if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(venv);
        }
        let step = progress.step(&format!("installing {requirements} into {}", venv.folder.display()));
        let python = find_python().await?;
        // A half-made environment has no stamp; start over.
        if venv.folder.exists() {
            std::fs::remove_dir_all(&venv.folder).context("cannot remove the outdated virtual environment")?;
        }
        run(Command::new(&python).args(["-m", "venv"]).arg(&venv.folder), "making a virtual environment")
            .await
            .context("on Debian and Ubuntu the package `python3-venv` is needed")?;
        step.detail("this takes some 20 seconds once");
        let mut pip = Command::new(venv.python());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r"]).arg(&list);
        run(&mut pip, "pip").await?;
        std::fs::write(&stamp, wanted)?;
        step.done();
        Ok(venv)
    }

    /// Its Python.
    pub(crate) fn python(&self) -> PathBuf {
        self.program("python")
    }

    /// A program that one of its packages installed.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// The folder of its programs, to be put on a `PATH`.
    pub(crate) fn programs(&self) -> PathBuf {
        self.folder.join("bin")
    }
}

/// The first Python that is new enough.
async fn find_python() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("AXIRU_PYTHON") {
        let named = PathBuf::from(named);
        return match version(&named).await {
            Some(version) if version >= OLDEST => Ok(named),
            Some((major, minor)) => bail!("AXIRU_PYTHON is Python {major}.{minor}; 3.10 or later is needed"),
            None => bail!("AXIRU_PYTHON names no Python that runs: `{}`", named.display()),
        };
    }
    for name in ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"] {
        let candidate = PathBuf::from(name);
        if version(&candidate).await.is_some_and(|version| version >= OLDEST) {
            return Ok(candidate);
        }
    }
    bail!("no Python 3.10 or later on the PATH; install one, or name it in AXIRU_PYTHON")
}

async fn version(python: &Path) -> Option<(u32, u32)> {
    let output = Command::new(python)
        .args(["-c", "import sys; print(sys.version_info.major, sys.version_info.minor)"])
        .stdin(Stdio::null())
        .output()
        .await
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

async fn run(command: &mut Command, what: &str) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot start {what}"))?;
    if !output.status.success() {
        bail!("{what} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
