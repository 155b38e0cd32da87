//! One visit: a look at every log, then the memory, then the signatures.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use axiru_domain::{LogId, Timestamp};
use axiru_ledger::layout::Name;
use axiru_ledger::note::VerifierKey;
use axiru_ledger::verify::{log_of, parse_keys};

use super::key::Cosigner;
use super::look::{Fine, Look, Trouble, look};
use super::memory::Memory;
use crate::new_file::replace;
use crate::place::Place;

/// Heartbeats come daily, an hour for the export.
pub(super) const WARN_SECS: i64 = 25 * 3_600;

/// What a visit found of one log.
pub(super) enum Finding {
    /// No checkpoint yet.
    Nothing,
    /// Seen for the first time.
    First,
    /// Grown from so many entries.
    Grown(u64),
    /// As it was, since then, for so many seconds.
    Unmoved(Timestamp, i64),
    /// Refused.
    Trouble(Trouble),
}

/// What a visit found.
pub(super) struct Visit {
    pub(super) at: Timestamp,
    /// Each log with the entries that it shows, where that is known.
    pub(super) logs: Vec<(LogId, Option<u64>, Finding)>,
    /// Files with cosigned notes.
    pub(super) cosigned: usize,
    pub(super) notes: Vec<String>,
    max_age_secs: Option<i64>,
}

/// Who visits, and with what.
pub(super) struct Visitor<'a> {
    pub(super) place: &'a Place,
    pub(super) keys: &'a [VerifierKey],
    pub(super) max_age_secs: Option<i64>,
    /// The key, and the folder for what it signs.
    pub(super) cosign: Option<(&'a Cosigner, &'a Path)>,
}

impl Visitor<'_> {
    /// Looks at every log. Memory is stored before anything is signed.
    pub(super) async fn visit(&self, memory: &mut Memory, now: Timestamp) -> Result<Visit> {
        let mut visit =
            Visit { at: now, logs: Vec::new(), cosigned: 0, notes: Vec::new(), max_age_secs: self.max_age_secs };
        let mut accepted = Vec::new();
        for (origin, log) in self.logs(memory, &mut visit).await? {
            let (size, finding) = match look(self.place, &log, &origin, self.keys, &memory.state).await? {
                Look::Nothing => (None, Finding::Nothing),
                Look::Refused(trouble) => (None, Finding::Trouble(trouble)),
                Look::Fine(fine) => {
                    let size = fine.accepted.checkpoint.size;
                    let finding = remember(memory, &origin, &fine, now);
                    accepted.push((log.clone(), fine));
                    (Some(size), finding)
                }
            };
            visit.logs.push((log, size, finding));
        }
        memory.store()?;
        if let Some((cosigner, folder)) = self.cosign {
            for (log, fine) in &accepted {
                write_cosigned(cosigner, folder, log, fine, now)?;
                visit.cosigned += 1;
            }
        }
        Ok(visit)
    }

    /// Every log that a key was given for, that is remembered, or that the place lists: by origin.
    async fn logs(&self, memory: &Memory, visit: &mut Visit) -> Result<BTreeMap<String, LogId>> {
        let mut logs = BTreeMap::new();
        for key in self.keys {
            let log = log_of(key).with_context(|| format!("the key `{}` is of no log of Axiru", key.name()))?;
            logs.insert(key.name().to_owned(), log);
        }
        for (origin, _) in memory.state.logs() {
            if let Some(log) = log_of_origin(origin) {
                logs.entry(origin.to_owned()).or_insert(log);
            }
        }
        if let Some(bytes) = self.place.read(&Name::AllKeys).await? {
            match parse_keys(&bytes) {
                Ok(listed) => logs.extend(listed.iter().filter_map(|key| Some((key.name().to_owned(), log_of(key)?)))),
                Err(what) => visit.notes.push(format!("the list of keys in `{}`: {what}", Name::AllKeys.text())),
            }
        }
        Ok(logs)
    }
}

fn log_of_origin(origin: &str) -> Option<LogId> {
    LogId::from_key(&origin.split_once("/ledger/")?.1.replace('/', "#")).ok()
}

/// Takes an accepted checkpoint into the memory.
fn remember(memory: &mut Memory, origin: &str, fine: &Fine, now: Timestamp) -> Finding {
    let size = fine.accepted.checkpoint.size;
    let finding = match (fine.before, memory.moved.get(origin)) {
        (Some(seen), Some(&since)) if seen.size == size => Finding::Unmoved(since, now.secs() - since.secs()),
        (Some(seen), _) => Finding::Grown(seen.size),
        (None, _) => Finding::First,
    };
    // States of one visit build on each other.
    memory.state = fine.accepted.state.clone();
    if !matches!(finding, Finding::Unmoved(..)) {
        memory.moved.insert(origin.to_owned(), now);
    }
    finding
}

/// Writes `<mode>/<account>/<lane>/<size>.note` below the folder. Signed again at the same size, it says a later time.
fn write_cosigned(cosigner: &Cosigner, folder: &Path, log: &LogId, fine: &Fine, now: Timestamp) -> Result<()> {
    let seconds = u64::try_from(now.secs()).context("a clock before 1970")?;
    let note = cosigner.cosign(&fine.accepted.text(), &fine.note, seconds)?;
    let file = folder.join(log.path()).join(format!("{:020}.note", fine.accepted.checkpoint.size));
    let parent = file.parent().context("a file without a folder")?;
    std::fs::create_dir_all(parent).with_context(|| format!("`{}` cannot be made", parent.display()))?;
    replace(&file, note.as_bytes())
}

impl Visit {
    /// Whether a log has not moved for longer than was allowed.
    pub(super) fn too_old(&self, finding: &Finding) -> bool {
        matches!((finding, self.max_age_secs), (Finding::Unmoved(_, age), Some(max)) if *age > max)
    }

    /// Logs that do not continue, or that stand still for too long.
    pub(super) fn wrong(&self) -> impl Iterator<Item = &(LogId, Option<u64>, Finding)> {
        self.logs.iter().filter(|(.., finding)| matches!(finding, Finding::Trouble(_)) || self.too_old(finding))
    }

    /// Logs with a checkpoint.
    pub(super) fn seen(&self) -> usize {
        self.logs.iter().filter(|(_, size, _)| size.is_some()).count()
    }

    /// True when every log continues, and there is one.
    pub(super) fn passed(&self) -> bool {
        self.wrong().next().is_none() && self.seen() > 0
    }
}
