//! The entries that are about a request.

use anyhow::{Context, Result, bail};
use axiru_domain::{LogId, Scope};
use axiru_ledger::entry::Entry;
use axiru_ledger::layout::Name;
use serde_json::Value;

use crate::bar::bar;
use crate::place::Place;

/// What entries about a request begin their type with. Others that name it (a mail that came back) are about something else.
const FAMILIES: [&str; 4] = ["decision.", "approval.", "vote.", "execution."];

/// The entries about one request, in order, and the segments of their log.
pub(super) struct About {
    pub(super) log: LogId,
    pub(super) entries: Vec<Entry>,
    /// For the case that there are no tiles.
    pub(super) segments: Vec<Name>,
}

/// Looks through the segments: nothing else tells where a request's entries are. Nothing when it has none.
pub(super) async fn find(place: &Place, request: &str, scope: Option<&Scope>) -> Result<Option<About>> {
    let progress = bar("files read");
    let names = place.names().await?;
    let mut entries: Vec<Entry> = Vec::new();
    for name in &names {
        let Name::Segment(log, ..) = name else { continue };
        if scope.is_some_and(|scope| *scope != log.scope) {
            continue;
        }
        progress.inc(1);
        let bytes = place.read(name).await?.with_context(|| format!("`{}` is gone", name.text()))?;
        entries.extend(of_segment(name, log, &bytes, request)?);
    }
    progress.finish_and_clear();
    let Some(log) = entries.first().map(|entry| entry.log().clone()) else { return Ok(None) };
    if let Some(other) = entries.iter().find(|entry| *entry.log() != log) {
        let way = if other.log().scope == log.scope {
            "one request has one log: run `axiru verify`"
        } else {
            "say which with `--scope`"
        };
        bail!("`{request}` stands in {} and in {}; {way}", log.path(), other.log().path());
    }
    let segments = names.into_iter().filter(|name| matches!(name, Name::Segment(of, ..) if *of == log)).collect();
    Ok(Some(About { log, entries, segments }))
}

/// The entries of a segment that are about the request. Only lines that hold its id are looked at.
fn of_segment(name: &Name, log: &LogId, bytes: &[u8], request: &str) -> Result<Vec<Entry>> {
    let broken = || format!("`{}` does not hold what its name says; run `axiru verify`", name.text());
    let text = std::str::from_utf8(bytes).with_context(broken)?;
    let mut found = Vec::new();
    for line in text.split('\n').filter(|line| line.contains(request)) {
        let entry = Entry::parse(line.as_bytes().to_vec()).with_context(broken)?;
        if entry.log() != log {
            bail!(broken());
        }
        let named = entry.fields().get("request").and_then(Value::as_str) == Some(request);
        if named && FAMILIES.iter().any(|family| entry.ty().starts_with(family)) {
            found.push(entry);
        }
    }
    Ok(found)
}

/// What to say when there are none.
pub(super) fn nothing(request: &str, place: &str) -> String {
    format!(
        "no entry about `{request}` in `{place}`; the export runs once a minute, so pull again if it was made just now"
    )
}
