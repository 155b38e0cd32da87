//! The Stripe sandbox beside the stack: the binary `stripe-sandbox` as a child process.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::child::Child;
use crate::folders::Folders;
use crate::venv::Venv;

/// It starts in milliseconds; more means that it hangs.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// Starts the sandbox on `port` and waits until it listens. With `keep`, it goes on from where it stopped; with the address of a local
/// stack, it shows the mails of that.
pub(crate) async fn start(
    folders: &Folders,
    venv: &Venv,
    folder: &Path,
    port: u16,
    keep: bool,
    mails_of: Option<&str>,
) -> Result<Child> {
    let program = folders.binaries.join("stripe-sandbox");
    if !program.is_file() {
        bail!("no Stripe sandbox at {}", program.display());
    }
    let mut command = Command::new(program);
    command.args(["--port", &port.to_string()]);
    if let Some(endpoint) = mails_of {
        command.args(["--mailbox", endpoint]);
    }
    if keep {
        command.arg("--state").arg(folder.join("stripe-sandbox.json"));
    }
    let log = folder.join("logs/stripe-sandbox.log");
    let mut child =
        Child::start("the Stripe sandbox", &venv.python(), &folders.local().join("attached.py"), &command, &log)?;
    let started = Instant::now();
    while started.elapsed() < START_TIMEOUT {
        child.still_running(&log)?;
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Ok(child);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("the Stripe sandbox did not listen within {} s; see {}", START_TIMEOUT.as_secs(), log.display())
}
