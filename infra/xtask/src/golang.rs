//! The Go reader of the ledger, built offline from Debian's packages: the compiler, and the code of the Go checksum database.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::apt;
use crate::folders::Folders;
use crate::progress::Progress;

/// The compiler and the sources of golang.org/x/mod.
const PACKAGES: [&str; 2] = ["golang-go", "golang-golang-x-mod-dev"];

/// Where Debian puts the sources of Go packages.
const GOPATH: &str = "/usr/share/gocode";

const WHAT_TO_DO: &str = "the check `ledger` needs Go and the sources of golang.org/x/mod where Debian puts them. \
                          On Debian: apt-get install golang-go golang-golang-x-mod-dev";

/// Builds the one-file program `source` into `folder`; gives its path.
pub(crate) async fn build(source: &Path, folder: &Path, folders: &Folders, progress: &Progress) -> Result<PathBuf> {
    if !is_installed() {
        apt::install(&PACKAGES, "Go", WHAT_TO_DO, progress).await?;
        if !is_installed() {
            bail!("{WHAT_TO_DO}");
        }
    }
    let program = folder.join("sumdb");
    let mut command = Command::new("go");
    command.args(["build", "-o"]).arg(&program).arg(source);
    // Neither modules nor a network: what is compiled is what Debian ships.
    command.env("GO111MODULE", "off").env("GOPATH", GOPATH).env("GOFLAGS", "").env("CGO_ENABLED", "0");
    command.env("GOCACHE", folders.target.join("go-build"));
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.context("cannot start go")?;
    if !output.status.success() {
        bail!("go build failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(program)
}

fn is_installed() -> bool {
    apt::find("go").is_some() && Path::new(GOPATH).join("src/golang.org/x/mod/sumdb/tlog").is_dir()
}
