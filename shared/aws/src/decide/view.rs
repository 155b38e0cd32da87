//! What one try knows: from the rows it has read, and for those it has not, from memory.
//!
//! A try reads until the view asks for nothing more. With a warm memory that is once; every prediction is read in the same
//! wait, so a wrong one shows and costs one wait more.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{
    Counters, Fact, FactValue, Facts, LogId, Movement, Per, RequestId, Scope, Subject, Timestamp, Usage,
};
use axiru_policy::{Asked, CountedFor, PlanSet};

use super::ask::Ask;
use super::memory::{Memory, Place, Who};
use super::{Course, DecideError, Undecided};
use crate::connection::{self, Connection, ConnectionState};
use crate::counters::{self, CounterRow};
use crate::facts;
use crate::item::{Item, RowError, bytes};
use crate::keys::{self, Key};
use crate::plans::{self, Assembled, PlanHeads, Plans};
use crate::reads::{Reads, RowKey};
use crate::requests;
use crate::similar::{self, SimilarRow};
use crate::switches;

/// Facts learnt from Stripe, by name; absent ones are none.
pub(super) type Learnt = BTreeMap<&'static str, Option<FactValue>>;

/// What is known, and what is still to be read.
pub(super) struct View {
    /// The key, once its row was read and accepted.
    pub(super) key: Option<Key>,
    /// For whom it acts.
    pub(super) who: Option<Who>,
    pub(super) plans: Option<PlanSet>,
    pub(super) request: Option<RequestId>,
    pub(super) log: Option<LogId>,
    pub(super) movement: Movement,
    /// Whom the movement is counted for.
    pub(super) subjects: BTreeSet<Subject>,
    /// Every row that the try needs.
    pub(super) rows: BTreeSet<RowKey>,
    /// Facts that only Stripe knows and that somebody reads.
    pub(super) wanted: BTreeSet<&'static str>,
}

/// Rows that every try reads, whatever it learns.
fn fixed(ask: &Ask, scope: &Scope, sameness: &str) -> BTreeSet<RowKey> {
    [key_row(ask), connection_row(scope), heads_row(scope), similar::key_of(scope, sameness)].into()
}

fn key_row(ask: &Ask) -> RowKey {
    (keys::pk(ask.token.mode()), ask.token.id().as_str().to_owned())
}

fn connection_row(scope: &Scope) -> RowKey {
    (connection::pk(scope.mode()), scope.account().as_str().to_owned())
}

fn heads_row(scope: &Scope) -> RowKey {
    (plans::heads_pk(scope), "heads".to_owned())
}

fn review_row(scope: &Scope, destination: &str) -> RowKey {
    (format!("{}#review", scope.key()), destination.to_owned())
}

impl View {
    /// What is known of a request after `reads`.
    ///
    /// # Errors
    /// [`DecideError`] as soon as a row says that the request is refused.
    pub(super) fn new(
        course: &Course<'_>,
        reads: &Reads,
        memory: &Memory,
        kept: &Plans,
        now: Timestamp,
    ) -> Result<Self, DecideError> {
        let Course { ask, scope, sameness, learnt, .. } = course;
        let key = accepted(ask, reads, now)?;
        if let Some(key) = &key {
            memory.accepted(key, &ask.token, now);
        }
        let own = key.as_ref().map(|key| Who { actor: key.actor.clone(), operator: key.operator.clone() });
        let who = own.or_else(|| memory.who(&ask.token, now));
        // Nothing is read for, or told to, somebody whose key was not accepted yet, beside what the key itself needs.
        let remembered = who.as_ref().and_then(|_| memory.place(scope, now));
        let connection = connected(scope, reads)?;
        let heads = heads(scope, reads)?;
        let place = match (&connection, heads) {
            (Some(connection), Some(heads)) => {
                let place = Place { lanes: connection.lanes, heads };
                memory.read(scope, place.clone(), now);
                Some(place)
            }
            _ => remembered,
        };
        let mut rows = fixed(ask, scope, sameness);
        rows.extend(switches::keys_of(scope, who.as_ref().map(|who| &who.actor)));
        let plans = place.as_ref().and_then(|place| assembled(kept, scope, &place.heads, reads, &mut rows));
        let request = who.as_ref().map(|who| RequestId::of(scope, &who.actor, &ask.idempotency_key));
        rows.extend(request.as_ref().map(|request| requests::key_of(scope, request)));
        let log = match (&place, &request) {
            (Some(place), Some(request)) => {
                Some(LogId { scope: scope.clone(), lane: place.lanes.lane_of(request.as_str()) })
            }
            _ => None,
        };
        let movement = Movement {
            scope: scope.clone(),
            kind: ask.intent.kind(),
            money: ask.money(),
            facts: facts(ask, learnt.as_ref()),
        };
        let mut view =
            Self { key, who, plans, request, log, movement, subjects: BTreeSet::new(), rows, wanted: BTreeSet::new() };
        view.count(ask, scope, now);
        Ok(view)
    }

    /// Finds whom the movement is counted for, and which facts somebody reads.
    fn count(&mut self, ask: &Ask, scope: &Scope, now: Timestamp) {
        let Some(who) = &self.who else { return };
        // The actor's row is always read: it counts the requests of the minute.
        self.subjects.extend(Subject::new(Per::Actor, &who.actor.to_string()).ok());
        if let Some(plans) = &self.plans {
            let kind = self.movement.kind;
            let read = plans.facts_read(kind);
            for (counted_for, _) in plans.series_for(&self.asked(ask, who, now)) {
                self.subjects.extend(match counted_for {
                    CountedFor::Subject(subject) => Some(subject),
                    CountedFor::Nobody | CountedFor::Unknown(_) => None,
                });
            }
            let of_stripe =
                |name: &&str| facts::askable(kind).contains(name) && self.movement.facts.get(name) == &Fact::Unknown;
            self.wanted = read.iter().copied().filter(of_stripe).collect();
            if read.contains("destination_under_review")
                && let Fact::Known(FactValue::Text(destination)) = self.movement.facts.get("destination")
            {
                self.rows.insert(review_row(scope, destination));
            }
        }
        self.rows.extend(self.subjects.iter().map(|subject| counters::key_of(scope, subject)));
    }

    /// The question to the plans.
    pub(super) fn asked<'a>(&'a self, ask: &'a Ask, who: &'a Who, at: Timestamp) -> Asked<'a> {
        Asked {
            movement: &self.movement,
            actor: &who.actor,
            operator: Some(who.operator.as_str()),
            claimed: &ask.claimed,
            at,
        }
    }

    /// Adds the facts that Axiru's own rows tell, all of which were read.
    pub(super) fn learn(
        &mut self,
        scope: &Scope,
        reads: &Reads,
        similar: &SimilarRow,
        now: Timestamp,
    ) -> Result<(), RowError> {
        let Some(who) = &self.who else { return Ok(()) };
        let mut set = |name: &str, value: FactValue| {
            // A fact that the kind does not have is none of its facts.
            let _ = self.movement.facts.set(name, Fact::Known(value));
        };
        set("similar_24h", FactValue::Long(similar.similar.count(&who.actor, now)));
        if let Fact::Known(FactValue::Text(destination)) = self.movement.facts.get("destination").clone() {
            let key = review_row(scope, &destination);
            if reads.knows(&key) {
                let under_review = match reads.get(&key) {
                    None => false,
                    Some(row) => {
                        let flag = row.get("under_review").and_then(|value| value.as_bool().ok());
                        *flag.ok_or(RowError("under_review"))?
                    }
                };
                let _ = self.movement.facts.set("destination_under_review", Fact::Known(FactValue::Bool(under_review)));
            }
        }
        Ok(())
    }

    /// The counters of everybody the movement is counted for.
    pub(super) fn counter_rows(&self, scope: &Scope, reads: &Reads) -> Result<BTreeMap<Subject, CounterRow>, RowError> {
        let row = |subject: &Subject| {
            let row = CounterRow::of(reads.get(&counters::key_of(scope, subject)))?;
            Ok((subject.clone(), row))
        };
        self.subjects.iter().map(row).collect()
    }
}

/// What those rows hold, for the decision.
pub(super) fn usage(rows: &BTreeMap<Subject, CounterRow>) -> Usage {
    let mut usage = Usage::nothing();
    for (subject, row) in rows {
        let counters: Counters = row.counters.clone();
        usage.insert(subject.clone(), counters);
    }
    usage
}

/// The key, if its row was read.
fn accepted(ask: &Ask, reads: &Reads, now: Timestamp) -> Result<Option<Key>, DecideError> {
    let at = key_row(ask);
    if !reads.knows(&at) {
        return Ok(None);
    }
    let key = reads.get(&at).map(Key::from_row).transpose().map_err(Undecided::from)?;
    let key = key.filter(|key| key.accepts(&ask.token, now).is_ok()).ok_or(DecideError::Key)?;
    if !key.accounts.contains(&ask.account) {
        return Err(DecideError::Account);
    }
    Ok(Some(key))
}

/// The connection, if its row was read.
fn connected(scope: &Scope, reads: &Reads) -> Result<Option<Connection>, DecideError> {
    let at = connection_row(scope);
    if !reads.knows(&at) {
        return Ok(None);
    }
    let row = reads.get(&at).map(|row| Connection::from_row(scope.mode(), row)).transpose().map_err(Undecided::from)?;
    // Tokens that died keep facts from being asked; they do not keep plans from deciding.
    row.filter(|row| row.state != ConnectionState::Revoked).map(Some).ok_or(DecideError::NotConnected)
}

/// The heads, if their row was read. A connected scope always has the row: without it nobody can say what the plans are.
fn heads(scope: &Scope, reads: &Reads) -> Result<Option<PlanHeads>, DecideError> {
    let at = heads_row(scope);
    if !reads.knows(&at) {
        return Ok(None);
    }
    let row: &Item = reads.get(&at).ok_or(Undecided::NoPlans)?;
    Ok(Some(PlanHeads::from_row(Some(row)).map_err(Undecided::from)?))
}

/// The plans, or which documents are to be read for them.
fn assembled(
    kept: &Plans,
    scope: &Scope,
    heads: &PlanHeads,
    reads: &Reads,
    rows: &mut BTreeSet<RowKey>,
) -> Option<PlanSet> {
    let missing = match kept.from_heads(heads) {
        Assembled::Whole(plans) => return Some(plans),
        Assembled::Missing(missing) => missing,
    };
    let at = |sha256: &str| (plans::documents_pk(scope), sha256.to_owned());
    let all_read = missing.iter().all(|sha256| reads.knows(&at(sha256)));
    rows.extend(missing.iter().map(|sha256| at(sha256)));
    let document =
        |sha256: &str| reads.get(&at(sha256)).and_then(|row| bytes(row, "document").ok().map(<[u8]>::to_vec));
    all_read.then(|| kept.with(heads, document))
}

/// What the request and Stripe tell of the movement.
fn facts(ask: &Ask, learnt: Option<&Learnt>) -> Facts {
    let mut facts = ask.facts();
    for (name, value) in learnt.into_iter().flatten() {
        let fact = value.clone().map_or(Fact::Absent, Fact::Known);
        // A value that no fact can have is none that Stripe has told.
        let _ = facts.set(name, fact);
    }
    facts
}
