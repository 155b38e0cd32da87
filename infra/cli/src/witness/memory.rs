//! What a witness remembers from one visit to the next, in a file.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use axiru_domain::Timestamp;
use axiru_ledger::witness::State;

use crate::new_file::replace;

/// The memory, locked against a second witness as long as this value lives.
pub(super) struct Memory {
    path: PathBuf,
    /// Size and root of each log.
    pub(super) state: State,
    /// When each log was first seen at its size, by origin.
    pub(super) moved: BTreeMap<String, Timestamp>,
    stored: String,
    _lock: File,
}

impl Memory {
    /// Opens the file at `path`; it need not be there. The lock is a file of its own beside it, for the file itself is replaced.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&lock_path);
        let lock = lock.with_context(|| format!("`{}` cannot be made", Path::new(&lock_path).display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another `axiru witness` is running with `{}`; two must not decide on one state", path.display())
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("`{}` cannot be locked", path.display()));
            }
        }
        let stored = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("`{}` cannot be read", path.display())),
        };
        let (state, moved) = match stored.as_str() {
            "" if !path.exists() => Default::default(),
            text => parse(text).with_context(|| {
                format!(
                    "`{}` is not what a witness has stored. Do not delete it: a witness without its memory would accept any \
                     history. Restore it from a backup",
                    path.display()
                )
            })?,
        };
        Ok(Self { path: path.to_owned(), state, moved, stored, _lock: lock })
    }

    /// Stores what changed, in one step.
    pub(super) fn store(&mut self) -> Result<()> {
        let text = text(&self.state, &self.moved);
        if text != self.stored {
            replace(&self.path, text.as_bytes())?;
            self.stored = text;
        }
        Ok(())
    }
}

/// The state in its own form, an empty line, and one line for each log in the same order.
fn text(state: &State, moved: &BTreeMap<String, Timestamp>) -> String {
    let lines: String = moved.iter().map(|(origin, at)| format!("{origin} {at}\n")).collect();
    format!("{}\n{lines}", state.text())
}

fn parse(stored: &str) -> Option<(State, BTreeMap<String, Timestamp>)> {
    let (head, lines) = stored.split_once("\n\n")?;
    let state = State::parse(&format!("{head}\n")).ok()?;
    let line = |line: &str| {
        let (origin, at) = line.split_once(' ')?;
        Some((origin.to_owned(), at.parse().ok()?))
    };
    let moved: BTreeMap<_, _> = lines.lines().map(line).collect::<Option<_>>()?;
    // Every log has its time, and there is one spelling.
    let same = state.logs().map(|(origin, _)| origin).eq(moved.keys().map(String::as_str));
    (same && text(&state, &moved) == stored).then_some((state, moved))
}
