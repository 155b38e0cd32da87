//! A visit in words, and for programs.

use std::io::Write;

use anyhow::Result;
use axiru_domain::LogId;
use serde_json::{Value, json};

use super::visit::{Finding, Visit, WARN_SECS};
use crate::table;

impl Visit {
    /// The verdict, and every log. Where all is well and `short`, the verdict alone.
    pub(super) fn print(&self, short: bool, out: &mut dyn Write) -> Result<()> {
        writeln!(out, "{}", self.verdict())?;
        if short && self.passed() && !self.logs.iter().any(|(.., finding)| stale(finding)) {
            return Ok(());
        }
        writeln!(out)?;
        let row = |(log, size, finding): &(LogId, Option<u64>, Finding)| {
            [log.path(), size.map_or_else(|| "-".to_owned(), |size| size.to_string()), self.words(finding)]
        };
        table::print(["log", "entries", "what"], &self.logs.iter().map(row).collect::<Vec<_>>(), out)?;
        for note in &self.notes {
            writeln!(out, "\nnote: {note}")?;
        }
        if self.wrong().any(|(.., finding)| matches!(finding, Finding::Trouble(_))) {
            writeln!(
                out,
                "\nOf a log that is refused, what was remembered stays. Keep this copy: it is the evidence."
            )?;
        }
        if self.cosigned > 0 {
            let noun = if self.cosigned == 1 { "checkpoint" } else { "checkpoints" };
            writeln!(out, "\nCosigned: {} {noun}.", self.cosigned)?;
        }
        Ok(())
    }

    fn verdict(&self) -> String {
        let (at, seen) = (self.at, self.seen());
        let mut wrong = self.wrong();
        if let Some((log, _, finding)) = wrong.next() {
            let more = wrong.count();
            let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            return format!("FAIL at {at}: {}: {}{more}", log.path(), self.words(finding));
        }
        if seen == 0 {
            return format!("FAIL at {at}: no log of these keys has a checkpoint here, so nothing was checked");
        }
        let first = self.logs.iter().filter(|(.., finding)| matches!(finding, Finding::First)).count();
        let (log, continues) = if seen == 1 { ("log", "continues") } else { ("logs", "continue") };
        match first {
            0 => format!("PASS at {at}: {seen} {log} {continues} what was seen before"),
            _ if first == seen => format!("PASS at {at}: {seen} {log} remembered, nothing to compare with yet"),
            _ => format!(
                "PASS at {at}: {} of {seen} logs continue what was seen before, {first} remembered",
                seen - first
            ),
        }
    }

    fn words(&self, finding: &Finding) -> String {
        match finding {
            Finding::Nothing => "nothing signed yet".to_owned(),
            Finding::First => "remembered, nothing to compare with".to_owned(),
            Finding::Grown(from) => format!("continues the {from} entries seen before"),
            Finding::Unmoved(since, age) if self.too_old(finding) => {
                format!("STALE: unmoved since {since}, {} hours: longer than `--max-age` allows", age / 3_600)
            }
            Finding::Unmoved(since, age) if stale(finding) => {
                let hours = age / 3_600;
                format!(
                    "WARNING: unmoved since {since}, {hours} hours, though a heartbeat comes every day: is the export running?"
                )
            }
            Finding::Unmoved(since, _) => format!("unchanged since {since}"),
            Finding::Trouble(trouble) => trouble.to_string(),
        }
    }

    /// The same for programs.
    pub(super) fn as_json(&self) -> Value {
        let logs = self.logs.iter().map(|(log, size, finding)| {
            let word = match finding {
                Finding::Nothing => "nothing",
                Finding::First => "first",
                Finding::Grown(_) => "grown",
                Finding::Unmoved(..) if self.too_old(finding) => "stale",
                Finding::Unmoved(..) => "unmoved",
                Finding::Trouble(trouble) => trouble.word(),
            };
            let since = if let Finding::Unmoved(since, _) = finding { Some(since.to_string()) } else { None };
            json!({
                "log": log.path(), "size": size, "found": word, "what": self.words(finding), "unmoved_since": since,
                "warning": stale(finding),
            })
        });
        json!({
            "verdict": if self.passed() { "PASS" } else { "FAIL" },
            "at": self.at.to_string(),
            "logs": logs.collect::<Vec<_>>(),
            "cosigned": self.cosigned,
            "notes": self.notes,
        })
    }
}

/// Whether a log has not moved for longer than heartbeats let it.
fn stale(finding: &Finding) -> bool {
    matches!(finding, Finding::Unmoved(_, age) if *age > WARN_SECS)
}
