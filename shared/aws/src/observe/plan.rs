//! What follows from news: a pure function from the rows as read to the writes.

use std::sync::LazyLock;

use axiru_domain::{Claimed, Decision, Fact, FactValue, Facts, Kind, LogId, Money, Movement, Scope, Taken, Timestamp};
use axiru_ledger::entry::Draft;
use axiru_policy::{Asked, CountedFor, PlanSet, decide};
use axiru_stripe::report::{News, Sighting};

use super::ObserveError;
use super::enforce::{self, Answer};
use super::entry;
use super::row::{Rows, movement_key};
use super::told::Told;
use crate::cancel::{self, CANCELED};
use crate::connection::{Connection, Credential};
use crate::jobs::Job;
use crate::ledger::{CommitError, Writes};
use crate::movement::{CancelNote, MovementRow};
use crate::store::Store;

/// What follows from news.
pub(super) struct Planned {
    /// The writes.
    pub(super) writes: Writes,
    /// What is to be done after them, and since when.
    pub(super) jobs: Vec<(Job, Timestamp)>,
}

/// A movement that is this much older than the connection was not made under it, in seconds. Stripe's clock counts whole
/// seconds and is not ours.
const SLACK_SECS: i64 = 60;

/// The writes that record all `news` that is not recorded yet, in order.
pub(super) fn writes(
    store: &Store,
    log: &LogId,
    connection: &Connection,
    plans: &PlanSet,
    mut rows: Rows,
    news: &[(&Told, &News)],
    now: Timestamp,
) -> Result<Planned, ObserveError> {
    let (mut drafts, mut jobs) = (Vec::new(), Vec::new());
    for (told, news) in news {
        match news {
            News::Movement(sighting) => {
                let mut course = Course { log, plans, rows: &mut rows, told, sighting, now, drafts: Vec::new() };
                course.movement(connection)?;
                drafts.append(&mut course.drafts);
                // Told again while it is not done: a job may be lost, and is done once.
                let note = rows.movement(&log.scope, sighting).and_then(|row| row.cancel);
                jobs.extend(note.map(|note| (job(&log.scope, sighting), note.since)));
            }
            News::Fact(fact) if rows.take_event(&log.scope, told) => drafts.push(entry::reported(log, told, fact)),
            // An uninstall of an earlier install says nothing of this one, and nothing of a key that no app needs.
            News::Uninstalled
                if !rows.revoked
                    && connection.credential == Credential::App
                    && told.event_at.secs() >= connection.connected_at.secs() =>
            {
                rows.revoked = true;
                drafts.push(entry::revoked(log, told));
            }
            News::Fact(_) | News::Uninstalled => {}
        }
    }
    let revoke = rows.revoked;
    let mut items = rows.writes(store, &log.scope, news, now).map_err(CommitError::from)?;
    if revoke {
        items.push(connection.revoked(store).map_err(CommitError::from)?);
    }
    Ok(Planned { writes: Writes { drafts, rows: items }, jobs })
}

fn job(scope: &Scope, sighting: &Sighting) -> Job {
    Job::Cancel { scope: scope.clone(), kind: sighting.kind, object: sighting.object.clone() }
}

/// One sighting on its way into the rows.
struct Course<'a> {
    log: &'a LogId,
    plans: &'a PlanSet,
    rows: &'a mut Rows,
    told: &'a Told,
    sighting: &'a Sighting,
    now: Timestamp,
    drafts: Vec<Draft>,
}

impl Course<'_> {
    fn movement(&mut self, connection: &Connection) -> Result<(), ObserveError> {
        let (log, sighting) = (self.log, self.sighting);
        let known = self.rows.movement(&log.scope, sighting).cloned();
        let mut row = match known.clone() {
            Some(row) if row.unseen => self.adopted(row)?,
            Some(row) => self.claimed(row),
            None if !sighting.announced && is_older(sighting, connection) => return Ok(()),
            None => self.first()?,
        };
        if let Some(status) = &sighting.later_status
            && !row.statuses.contains(status)
        {
            let late =
                row.current.as_ref().is_some_and(|current| rank(sighting.kind, status) < rank(sighting.kind, current));
            self.drafts.push(entry::changed(log, self.told, sighting, status, late));
            note_status(&mut row, sighting.kind, status);
        }
        if row.statuses.iter().any(|status| has_not_moved(status)) {
            // The money stayed, or came back: it leaves room for other movements. Once, for then nothing is counted any more.
            self.rows.release(&std::mem::take(&mut row.counted));
        }
        if known.as_ref() != Some(&row) {
            self.rows.set_movement(&log.scope, sighting, row);
        }
        Ok(())
    }

    /// The first news of a movement that Axiru's own outcome has claimed: it is told, and nothing is counted again.
    fn adopted(&mut self, mut row: MovementRow) -> Result<MovementRow, ObserveError> {
        let (movement, decision) = self.judged(&row.counted)?;
        self.drafts.push(entry::observed(self.log, self.told, self.sighting, &movement, &decision));
        row.unseen = false;
        if let Some(status) = &self.sighting.first_status {
            note_status(&mut row, self.sighting.kind, status);
        }
        Ok(row)
    }

    /// News of a movement that was nobody's: it may show only now whose it is. Then what it took is given back, and what the request
    /// held is committed in its place.
    fn claimed(&mut self, mut row: MovementRow) -> MovementRow {
        if row.request.is_none()
            && let Some(request) = self.rows.linked(self.told, self.sighting).cloned()
        {
            self.drafts.push(entry::succeeded(self.log, self.told, self.sighting, &request));
            let committed = self.rows.succeed(&self.log.scope, self.sighting, &request.id);
            let before = row.link(&request.id, committed);
            self.rows.release(&before);
        }
        row
    }

    /// The first news of a movement: what the plans say of it, and what windows count of it. It is the effect of a request that is under
    /// way, or settles an advisory decision that allowed it and is still open; otherwise nobody asked, and it counts all the same.
    fn first(&mut self) -> Result<MovementRow, ObserveError> {
        let (log, sighting) = (self.log, self.sighting);
        let scope = &log.scope;
        let linked = self.rows.linked(self.told, sighting).cloned();
        let settled = if linked.is_none() { self.rows.settled_by(scope, sighting).cloned() } else { None };
        let request = linked.as_ref().or(settled.as_ref());
        let held = request.map(|request| request.counted.clone()).unwrap_or_default();
        let (movement, decision) = self.judged(&held)?;
        self.drafts.push(entry::observed(log, self.told, sighting, &movement, &decision));
        let mut row = MovementRow {
            statuses: sighting.first_status.iter().cloned().collect(),
            current: sighting.first_status.clone(),
            request: request.map(|request| request.id.clone()),
            ..MovementRow::default()
        };
        row.counted = match (&linked, &settled) {
            (Some(request), _) => {
                self.drafts.push(entry::succeeded(log, self.told, sighting, request));
                self.rows.succeed(scope, sighting, &request.id)
            }
            (None, Some(request)) => {
                self.drafts.push(entry::settled(log, sighting, request));
                self.rows.settle(scope, sighting, &request.id)
            }
            (None, None) => {
                row.cancel = self.enforced(&decision);
                self.rows.see(scope, sighting);
                self.counted(&movement)
            }
        };
        Ok(row)
    }

    /// What is done about a movement that nobody asked for.
    fn enforced(&mut self, decision: &Decision) -> Option<CancelNote> {
        match enforce::answer(self.sighting, decision) {
            Answer::Nothing => None,
            Answer::Cancel => Some(CancelNote { since: self.now, tries: 0 }),
            Answer::TooLate => {
                let movement = movement_key(self.sighting);
                self.drafts.push(cancel::too_late(self.log, &movement, "not_cancellable", None));
                None
            }
        }
    }

    /// What windows count of a movement that is nobody's.
    fn counted(&mut self, movement: &Movement) -> Vec<Taken> {
        let sighting = self.sighting;
        let series = self.plans.series_for(&asked(movement, sighting)).into_iter();
        let taken = series.filter_map(|(who, series)| match who {
            CountedFor::Subject(subject) => self.rows.take(subject, &series, sighting.moved_at, sighting.amount_minor),
            CountedFor::Nobody | CountedFor::Unknown(_) => None,
        });
        taken.collect()
    }

    /// The movement with its facts, and what the plans say of it. It is not held against itself: `held` is what windows hold of it.
    fn judged(&self, held: &[Taken]) -> Result<(Movement, Decision), ObserveError> {
        let (scope, sighting) = (&self.log.scope, self.sighting);
        let mut movement = movement_of(scope, sighting)?;
        let similar = self.rows.similar(scope, sighting);
        let similar = similar.map_or(0, |row| row.similar.count(&sighting.actor, sighting.moved_at));
        let own = [
            ("similar_24h", Some(FactValue::Long(similar))),
            ("destination_under_review", self.rows.under_review(scope, sighting).map(FactValue::Bool)),
        ];
        for (name, value) in own {
            if let Some(value) = value {
                // A fact that the kind does not have is none of its facts.
                let _ = movement.facts.set(name, Fact::Known(value));
            }
        }
        let decision = decide(self.plans, &asked(&movement, sighting), &self.rows.usage(held));
        Ok((movement, decision))
    }
}

/// Notes that an entry tells a status. It is the current one unless the object was further in its life already.
fn note_status(row: &mut MovementRow, kind: Kind, status: &str) {
    if !row.statuses.iter().any(|known| known == status) {
        row.statuses.push(status.to_owned());
    }
    if row.current.as_ref().is_none_or(|current| rank(kind, status) >= rank(kind, current)) {
        row.current = Some(status.to_owned());
    }
}

/// The movement that a sighting shows, with what its event tells.
pub(super) fn movement_of(scope: &Scope, sighting: &Sighting) -> Result<Movement, ObserveError> {
    let mut facts = Facts::unknown(sighting.kind);
    for (name, value) in &sighting.facts {
        let fact = value.clone().map_or(Fact::Absent, Fact::Known);
        facts.set(name, fact).map_err(|_| ObserveError::Report("a fact is not one of its kind"))?;
    }
    let money = Money::new(sighting.amount_minor, sighting.currency)
        .map_err(|_| ObserveError::Report("the amount is out of range"))?;
    Ok(Movement { scope: scope.clone(), kind: sighting.kind, money, facts })
}

/// Nothing is claimed of a movement that Stripe reports.
static NOTHING_CLAIMED: LazyLock<Claimed> = LazyLock::new(Claimed::nothing);

/// The question to the plans, as of the moment the money moved.
pub(super) fn asked<'a>(movement: &'a Movement, sighting: &'a Sighting) -> Asked<'a> {
    Asked { movement, actor: &sighting.actor, operator: None, claimed: &NOTHING_CLAIMED, at: sighting.moved_at }
}

/// Statuses of Stripe's in which no money has moved, or has come back.
pub(super) fn has_not_moved(status: &str) -> bool {
    status == "failed" || status == CANCELED
}

/// True for a movement that was made before the account was connected.
pub(super) fn is_older(sighting: &Sighting, connection: &Connection) -> bool {
    sighting.moved_at.plus_secs(SLACK_SECS) < connection.connected_at
}

/// How far in its life an object with that status is: webhooks have no order, statuses do. A paid payout can still fail.
pub(crate) fn rank(kind: Kind, status: &str) -> u8 {
    match (kind, status) {
        (Kind::Refund, "requires_action") | (Kind::Payout, "pending") => 0,
        (Kind::Refund, "pending") | (Kind::Payout, "in_transit") => 1,
        (Kind::Refund, "succeeded") | (Kind::Payout, "paid") => 2,
        // Failed, canceled, and whatever Stripe may add: taken as later than all that is known.
        _ => 3,
    }
}
