//! Programs that run beside the command and must never outlive it.
//!
//! Each is started through `infra/local/attached.py` in a process group of its own: stopping signals the group, so what the program
//! started ends too; and if this command is killed, the closing pipe ends the group.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;

/// Time for a clean stop: the local stack writes its state to disk first.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// A program beside the command. Dropping it kills its group; [`Child::stop`] lets it end by itself.
#[derive(Debug)]
pub(crate) struct Child {
    name: &'static str,
    process: tokio::process::Child,
    group: Pid,
}

impl Child {
    /// Starts `command` with `attached` (Python and the script) before it, output to the end of `log`.
    pub(crate) fn start(
        name: &'static str,
        python: &Path,
        attached: &Path,
        command: &Command,
        log: &Path,
    ) -> Result<Self> {
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let inner = command.as_std();
        let mut starter = Command::new(python);
        starter.arg(attached).arg(inner.get_program()).args(inner.get_args());
        // Only what was set: a program beside the command must not see the user's own AWS settings.
        starter.env_clear();
        for (key, value) in inner.get_envs() {
            if let Some(value) = value {
                starter.env(key, value);
            }
        }
        if let Some(path) = std::env::var_os("PATH") {
            starter.env("PATH", path);
        }
        let process = starter
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let group = process
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw)
            .with_context(|| format!("{name} ended at once"))?;
        Ok(Self { name, process, group })
    }

    /// An error with the end of its log if the program has ended.
    pub(crate) fn still_running(&mut self, log: &Path) -> Result<()> {
        if let Some(status) = self.process.try_wait()? {
            bail!("{} ended with {status}; the end of {}:\n{}", self.name, log.display(), tail(log));
        }
        Ok(())
    }

    /// Asks the program to end, waits, and kills what is left of its group.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let _ = kill_process_group(self.group, Signal::TERM);
        if tokio::time::timeout(STOP_TIMEOUT, self.process.wait()).await.is_err() {
            bail!("{} did not stop within {} s and was killed", self.name, STOP_TIMEOUT.as_secs());
        }
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // An error means that nobody is left in the group.
        let _ = kill_process_group(self.group, Signal::KILL);
    }
}

/// The last lines of a log, for an error message.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(15)).copied().collect::<Vec<_>>().join("\n")
}
