//! Programs whose output is shown as it comes, and whose last lines are told again when they fail: a run of all checks is long, and what
//! went wrong in the middle must stand at its end, too.

use std::collections::VecDeque;
use std::fmt;
use std::io::{IsTerminal, Write};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

/// Lines that are kept: more than a failed test says, and less than a screen of them.
const KEPT: usize = 60;

/// How long after a program's end the rest of what it said is read. What it has started and left behind may hold its output open for good.
const REST: Duration = Duration::from_secs(2);

/// A program did not end well.
#[derive(Debug)]
pub(crate) struct Ended {
    status: ExitStatus,
    /// Its last lines, of both streams as they came.
    pub(crate) said: Vec<String>,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it ended with {}", self.status)
    }
}

impl std::error::Error for Ended {}

/// Runs a program to its end, without input.
///
/// # Errors
///
/// It does not start, or it ends with another status than 0: [`Ended`], with what it said.
pub(crate) async fn run(command: &mut Command) -> Result<()> {
    if std::io::stderr().is_terminal() && std::env::var_os("CARGO_TERM_COLOR").is_none() {
        // It would take the pipes for a file.
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut program = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("it does not start")?;
    let kept = Mutex::new(VecDeque::with_capacity(KEPT));
    let (out, err) = (program.stdout.take(), program.stderr.take());
    let mut shown = pin!(async {
        tokio::try_join!(show(out, std::io::stdout(), &kept), show(err, std::io::stderr(), &kept)).map(drop)
    });
    let status = tokio::select! {
        done = &mut shown => {
            done.context("cannot read what it says")?;
            program.wait().await?
        }
        status = program.wait() => {
            if let Ok(done) = tokio::time::timeout(REST, shown).await {
                done.context("cannot read what it says")?;
            }
            status?
        }
    };
    if status.success() {
        return Ok(());
    }
    let said = kept.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
    Err(Ended { status, said }.into())
}

/// Shows every line of a stream and keeps the last ones.
async fn show(
    stream: Option<impl AsyncRead + Unpin>,
    mut to: impl Write,
    kept: &Mutex<VecDeque<String>>,
) -> std::io::Result<()> {
    let Some(stream) = stream else { return Ok(()) };
    let (mut stream, mut line) = (BufReader::new(stream), Vec::new());
    while stream.read_until(b'\n', &mut line).await? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn the_last_lines_of_both_streams_are_kept_of_a_program_that_fails() {
        let error = run(&mut shell("seq 100; echo oh >&2; exit 3")).await.unwrap_err();
        let ended = error.downcast_ref::<Ended>().unwrap();
        assert_eq!(ended.to_string(), "it ended with exit status: 3");
        assert_eq!(ended.said.len(), KEPT);
        assert!(ended.said.contains(&"100".to_owned()) && ended.said.contains(&"oh".to_owned()), "{:?}", ended.said);
        assert!(!ended.said.contains(&"1".to_owned()));
    }

    #[tokio::test]
    async fn what_a_program_leaves_behind_is_not_waited_for() {
        let started = std::time::Instant::now();
        let error = run(&mut shell("sleep 20 & echo oh; exit 3")).await.unwrap_err();
        assert_eq!(error.downcast_ref::<Ended>().unwrap().said, ["oh"]);
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn a_program_that_ends_well_is_no_error_whatever_it_says() {
        run(&mut shell("printf 'no end of line \\377' >&2")).await.unwrap();
        let error = run(&mut Command::new("/no/such/program")).await.unwrap_err();
        assert_eq!(error.to_string(), "it does not start");
    }
}
