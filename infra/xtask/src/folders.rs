//! Where things are: the clone, the target folder, and what a run keeps below it. Nothing is ever written into the clone.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folders of this clone and of its build.
#[derive(Clone, Debug)]
pub(crate) struct Folders {
    /// The root of the clone.
    pub(crate) root: PathBuf,
    /// Cargo's target folder, in the clone or wherever `CARGO_TARGET_DIR` says.
    pub(crate) target: PathBuf,
    /// Where built binaries are.
    pub(crate) binaries: PathBuf,
}

impl Folders {
    /// Finds the folders from the running program: cargo put it into the folder of binaries.
    pub(crate) fn find() -> Result<Self> {
        // Cargo says where it runs from; a program that is started by itself goes by where it was compiled.
        let room = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&room)
            .ancestors()
            .nth(2)
            .context("xtask is not two folders below the root of the clone")?
            .to_path_buf();
        let program = std::env::current_exe().context("cannot find the running program")?;
        let binaries = program.parent().context("the running program has no folder")?.to_path_buf();
        let target = binaries.parent().context("the folder of binaries has no parent")?.to_path_buf();
        Ok(Self { root, target, binaries })
    }

    /// `infra/local`: the scripts and requirements of the local stack.
    pub(crate) fn local(&self) -> PathBuf {
        self.root.join("infra/local")
    }

    /// The folder of one kind of run, such as `up`: its logs, and its state if it keeps any.
    pub(crate) fn run(&self, name: &str) -> PathBuf {
        self.target.join("local").join(name)
    }
}
