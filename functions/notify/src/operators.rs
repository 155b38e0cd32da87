//! Telling operators, as a digest: what happened in a scope since they were told last. Nothing happened, no mail.

use std::collections::BTreeMap;

use axiru_aws::Retry;
use axiru_aws::connection::Connection;
use axiru_aws::follow::{Digest, Range};
use axiru_aws::groups::OPERATORS;
use axiru_aws::mail::{Mail, Mailer};
use axiru_domain::{LogId, PersonId, Scope};
use axiru_ledger::entry::Entry;
use axiru_pages::mail::{self, Letter};
use axiru_runtime::metrics::{self, Metric};

use crate::NAME;
use crate::app::App;
use crate::lines;
use crate::post::{self, PostError};

/// Entries of a lane that one digest looks through at most; the next one goes on behind them.
const MOST: usize = 4_096;

/// Entries of one type that are told with a line each, the newest; the others are counted.
const LINES: usize = 20;

/// Mails the operators of a scope what they were not told yet, unless they were mailed only just now.
pub(crate) async fn tell(app: &App, mailer: &Mailer, connection: &Connection) -> Result<(), PostError> {
    let Some(mut digest) = app.store.digest(&connection.scope, app.digest_secs, (app.now)()).await? else {
        return Ok(());
    };
    match send(app, mailer, connection, &mut digest).await {
        Ok(Told::All) => Ok(digest.finish((app.now)()).await?),
        Ok(Told::Nothing(upto)) => Ok(digest.skip(upto).await?),
        Err(error) => {
            if let Err(error) = digest.release().await {
                tracing::warn!(scope = %connection.scope, error = %error, "the right to mail could not be given back");
            }
            Err(error)
        }
    }
}

/// What came of it.
enum Told {
    /// Every operator has got it.
    All,
    /// There was nothing to tell up to there, or nobody to tell it.
    Nothing(Range),
}

async fn send(app: &App, mailer: &Mailer, connection: &Connection, digest: &mut Digest) -> Result<Told, PostError> {
    let (entries, upto) = unread(app, connection, digest).await?;
    let lines = lines_of(&entries);
    let people = if lines.is_empty() { Vec::new() } else { operators(app, &connection.scope).await? };
    if people.is_empty() {
        if !lines.is_empty() {
            metrics::count(NAME, Some(connection.scope.mode()), Metric::NoOperators, 1);
        }
        return Ok(Told::Nothing(upto));
    }
    if !digest.begin(upto, (app.now)()).await? {
        return Err(PostError::Busy);
    }
    let letter = mail::operators(&connection.scope, &lines);
    for (person, to) in people {
        if !digest.has(&person) {
            one(app, mailer, &connection.scope, &person, &to, &letter).await?;
            if !digest.told(&person, (app.now)()).await? {
                return Err(PostError::Busy);
            }
        }
    }
    Ok(Told::All)
}

/// What was not told, and where that ends; exactly what a mail under way tells, where one is.
async fn unread(app: &App, connection: &Connection, digest: &Digest) -> Result<(Vec<Entry>, Range), PostError> {
    let (mut found, mut upto) = (Vec::new(), Range::new());
    for log in connection.logs() {
        let from = digest.next(log.lane);
        let end = digest.upto(log.lane);
        let most = end.map_or(MOST, |end| usize::try_from(end.saturating_sub(from)).unwrap_or(MOST).min(MOST));
        let entries = if most == 0 { Vec::new() } else { read(app, &log, from, most).await? };
        let next = entries.last().map_or(from, |entry| entry.seq() + 1);
        upto.insert(log.lane.number(), next);
        found.extend(entries);
    }
    found.sort_by_key(Entry::at);
    Ok((found, upto))
}

async fn read(app: &App, log: &LogId, from: u64, most: usize) -> Result<Vec<Entry>, PostError> {
    Ok(app.store.entries(log, from, most).await?)
}

/// The lines of what is told, oldest first; of a type with many, the newest, and how many more there were.
fn lines_of(entries: &[Entry]) -> Vec<String> {
    let mut told: Vec<(&str, String)> =
        entries.iter().filter_map(|entry| Some((entry.ty(), lines::line(entry)?))).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    told.iter().for_each(|(ty, _)| *counts.entry(*ty).or_default() += 1);
    let mut surplus: BTreeMap<&str, usize> =
        counts.iter().map(|(ty, count)| (*ty, count.saturating_sub(LINES))).collect();
    told.retain(|(ty, _)| match surplus.get_mut(ty) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    });
    let more = counts.into_iter().filter(|(_, count)| *count > LINES);
    let more: Vec<String> =
        more.map(|(ty, count)| format!("{}: {} more, in the ledger", lines::spoken(ty), count - LINES)).collect();
    told.into_iter().map(|(_, line)| line).chain(more).collect()
}

/// Who is told, with the address: the group, or every person with an AWS principal while it has no members.
async fn operators(app: &App, scope: &Scope) -> Result<Vec<(PersonId, String)>, PostError> {
    let (group, people) = (app.store.group(scope, OPERATORS).await?, app.store.people(scope).await?);
    let silences = app.store.silenced(scope).await?;
    let chosen = people.into_iter().filter(|person| {
        if group.members.is_empty() { person.has_principal } else { group.members.contains(&person.id) }
    });
    let reached = chosen.filter_map(|person| {
        let to = post::address(scope, &person.id, &person.emails, &silences)?.clone();
        Some((person.id, to))
    });
    Ok(reached.collect())
}

async fn one(
    app: &App,
    mailer: &Mailer,
    scope: &Scope,
    person: &PersonId,
    to: &str,
    letter: &Letter,
) -> Result<(), PostError> {
    let Letter { subject, text, html } = letter;
    match mailer.send(&Mail { to, subject, text, html, scope, person, request: None }).await {
        Ok(message) => {
            tracing::info!(scope = %scope, person.id = %person, message.id = message, "an operator was mailed");
            metrics::count(NAME, Some(scope.mode()), Metric::MailsSent, 1);
            Ok(())
        }
        Err(error) if error.retry() == Retry::Later => Err(error.into()),
        Err(error) => {
            tracing::error!(scope = %scope, person.id = %person, error = %error, "a mail was refused for good");
            let at = (app.now)().millis();
            post::refused(app, scope, person, None, &format!("operators.{person}.{at}")).await
        }
    }
}

#[cfg(test)]
mod tests {
    use axiru_domain::{Actor, Timestamp};
    use axiru_ledger::entry::{Draft, Tip};
    use axiru_ledger::types::EntryType;
    use serde_json::json;

    use super::*;

    fn entries(count: usize, ty: EntryType) -> Vec<Entry> {
        let log = LogId::from_key("live#acct_1#0").unwrap();
        let mut tip = Tip::EMPTY;
        let make = |n: usize| {
            let fields = match ty {
                EntryType::PersonRemoved => json!({"change": format!("chg_{n}"), "person": "per_rosarosarosarosa"}),
                _ => json!({"request": format!("dec_{}", "0".repeat(32)), "before": "allowed"}),
            };
            let fields = fields.as_object().unwrap().clone();
            let entry = Draft { log: log.clone(), actor: Actor::Axiru, ty, fields }
                .at_tip(&tip, Timestamp::from_millis(1_000).unwrap())
                .unwrap();
            tip = entry.next_tip();
            entry
        };
        (0..count).map(make).collect()
    }

    #[test]
    fn of_many_the_newest_are_told_and_the_others_counted() {
        let lines = lines_of(&entries(25, EntryType::PersonRemoved));
        assert_eq!(lines.len(), 21);
        assert!(lines[0].contains("chg_5,") && lines[19].contains("chg_24,"), "{lines:?}");
        assert_eq!(lines[20], "person removed: 5 more, in the ledger");
    }

    #[test]
    fn of_what_operators_need_not_know_nothing_is_told() {
        assert!(lines_of(&entries(3, EntryType::DecisionExpired)).is_empty());
        assert!(lines_of(&[]).is_empty());
    }
}
