//! What follows from a question: a pure function from what was read to the writes.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{
    Decision, Execution, LogId, OpenRequest, Per, RequestId, RequestStatus, Stage, Starter, Subject, Taken, Timestamp,
};
use axiru_ledger::entry::{Draft, Tip};
use axiru_ledger::types::EntryType;
use axiru_policy::{CountedFor, PlanSet, record};
use serde_json::{Map, Value};

use super::asking::Asking;
use super::memory::Who;
use super::view::View;
use super::{Course, DecideError, Purpose, Undecided, status};
use crate::approval::terms;
use crate::counters::{self, CounterRow};
use crate::keys::Key;
use crate::ledger::Writes;
use crate::reads::Version;
use crate::requests::RequestRow;
use crate::similar::{self, SimilarRow};
use crate::store::Store;

/// How long an advisory allow may be used, in seconds: one hour.
const ADVISORY_SECS: i64 = 3_600;

/// How long what is under way is found to be equal, in seconds: longer than any outcome takes.
const UNDER_WAY_SECS: i64 = 2 * 86_400;

/// Everything that a decision depends on, read.
pub(super) struct Question<'a> {
    pub(super) course: &'a Course<'a>,
    pub(super) view: &'a View,
    pub(super) who: &'a Who,
    pub(super) key: &'a Key,
    pub(super) request: &'a RequestId,
    pub(super) log: &'a LogId,
    pub(super) plans: &'a PlanSet,
    pub(super) tip: &'a Tip,
    pub(super) now: Timestamp,
}

/// The writes of a decision, and the request's row that is among them.
pub(super) struct Planned {
    pub(super) writes: Writes,
    pub(super) row: RequestRow,
}

fn asker(who: &Who) -> Result<Subject, Undecided> {
    Subject::new(Per::Actor, &who.actor.to_string()).map_err(|_| crate::item::RowError("actor").into())
}

/// Counts the request in its key's minute.
///
/// # Errors
/// [`DecideError::RateLimited`], with nothing to write.
pub(super) fn count(
    counters: &mut BTreeMap<Subject, CounterRow>,
    who: &Who,
    key: &Key,
    now: Timestamp,
) -> Result<(), DecideError> {
    let own = counters.entry(asker(who)?).or_default();
    Ok(own.rates.count(key.id.as_str(), now, key.per_minute)?)
}

/// The writes that make the decision.
///
/// # Errors
/// [`DecideError`], with nothing to write.
pub(super) fn writes(
    store: &Store,
    question: &Question<'_>,
    decision: Decision,
    asking: Option<Asking>,
    mut similar: SimilarRow,
    mut counters: BTreeMap<Subject, CounterRow>,
) -> Result<Planned, DecideError> {
    let Question { course, who, key, now, .. } = question;
    let mut changed = BTreeSet::from([asker(who)?]);
    let governed = question.plans.enforces(course.ask.intent.kind().family());
    let status = status(decision.outcome(), course.ask.purpose, governed);
    let execution = execution(question, status);
    let open_until = open_until(asking.as_ref(), status, execution.as_ref(), *now);
    let counted = if status.is_open() { take(question, &mut counters, &mut changed) } else { Vec::new() };

    similar.similar.see(&who.actor, *now);
    if let Some(until) = open_until {
        // What is under way ends by its outcome alone; a day is longer than that takes.
        let until = if status.is_under_way() { now.plus_secs(UNDER_WAY_SECS) } else { until };
        similar.similar.open(OpenRequest {
            actor: who.actor.clone(),
            request: question.request.clone(),
            until: until.millis(),
            may_move: status == RequestStatus::Allowed,
        });
    }
    let row = RequestRow {
        id: question.request.clone(),
        scope: course.scope.clone(),
        status,
        actor: who.actor.clone(),
        key: key.id.clone(),
        digest: course.digest.clone(),
        kind: course.ask.intent.kind(),
        outcome: decision.outcome(),
        lane: question.log.lane,
        seq: question.tip.seq,
        decided_at: *now,
        open_until,
        execution,
        approval: asking.as_ref().map(|asking| asking.approval.clone()),
        object: None,
        failure: None,
        similar: course.sameness.clone(),
        counted,
        attempt: course.attempt.clone(),
        rationale: course.ask.rationale.clone(),
        version: Version::default(),
    };
    let mut rows = vec![row.put(store).map_err(Undecided::from)?];
    let similar_key = similar::key_of(&course.scope, &course.sameness);
    rows.push(similar.put(store, &similar_key).map_err(Undecided::from)?);
    for subject in &changed {
        if let Some(row) = counters.get(subject) {
            let key = counters::key_of(&course.scope, subject);
            rows.push(row.put(store, &key, *now).map_err(Undecided::from)?);
        }
    }
    let mut drafts = vec![made(question, &decision, &row)];
    drafts.extend(asking.map(|asking| terms::requested(question.log, &row.id, &asking.approval, &asking.facts)));
    Ok(Planned { writes: Writes { drafts, rows }, row })
}

/// Counts the movement for everybody it is counted for.
fn take(
    question: &Question<'_>,
    counters: &mut BTreeMap<Subject, CounterRow>,
    changed: &mut BTreeSet<Subject>,
) -> Vec<Taken> {
    let asked = question.view.asked(question.course.ask, question.who, question.now);
    let amount = question.course.ask.money().amount_minor();
    let series = question.plans.series_for(&asked).into_iter();
    let taken = series.filter_map(|(counted_for, series)| {
        let CountedFor::Subject(subject) = counted_for else { return None };
        let count = counters.get_mut(&subject)?.counters.take(&series, question.now, amount, Stage::Held);
        changed.insert(subject.clone());
        Some(Taken { subject, count })
    });
    taken.collect()
}

/// Making it, where it is made now: the entry of the decision is then the one that says so beforehand.
fn execution(question: &Question<'_>, status: RequestStatus) -> Option<Execution> {
    let starter = match (status, question.course.ask.purpose) {
        (RequestStatus::Executing, Purpose::Send) => Starter::Caller,
        (RequestStatus::Executing, Purpose::Advise | Purpose::Queue) => Starter::Worker,
        _ => return None,
    };
    Some(Execution::new(starter, &question.course.attempt, question.now))
}

/// When an open request ends by itself; or when somebody looks after it.
fn open_until(
    asking: Option<&Asking>,
    status: RequestStatus,
    execution: Option<&Execution>,
    now: Timestamp,
) -> Option<Timestamp> {
    match status {
        RequestStatus::Executing => execution.map(|execution| execution.check_at(now)),
        RequestStatus::Allowed => Some(now.plus_secs(ADVISORY_SECS)),
        RequestStatus::Pending => asking.and_then(|asking| Timestamp::from_millis(asking.approval.until).ok()),
        RequestStatus::Denied
        | RequestStatus::Approved
        | RequestStatus::Cancelled
        | RequestStatus::Unknown
        | RequestStatus::Succeeded
        | RequestStatus::Failed
        | RequestStatus::Settled
        | RequestStatus::Expired => None,
    }
}

/// The entry of the decision.
fn made(question: &Question<'_>, decision: &Decision, row: &RequestRow) -> Draft {
    let ask = question.course.ask;
    let money = ask.money();
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    set("request", row.id.as_str().into());
    set("key", row.key.as_str().into());
    set("operator", question.who.operator.as_str().into());
    set("digest", row.digest.clone().into());
    set("kind", row.kind.as_str().into());
    set("amount_minor", money.amount_minor().into());
    set("currency", money.currency().as_str().into());
    set("objects", ask.objects());
    set("execute", ask.is_executed().into());
    set("facts", record::facts(&question.view.movement.facts));
    set("claimed", ask.claimed.to_json());
    set("evaluated_at", question.now.to_string().into());
    set("decision", record::decision(decision));
    set("status", row.status.as_str().into());
    set("open_until", row.open_until.map(|until| until.to_string()).into());
    Draft { log: question.log.clone(), actor: row.actor.clone(), ty: EntryType::DecisionMade, fields }
}
