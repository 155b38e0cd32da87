//! What follows from news: a pure function from the rows as read to the writes.

use std::sync::LazyLock;

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use axiru_domain::{
    Actor, Claimed, Decision, Fact, FactValue, Facts, Kind, LogId, Money, Movement, Scope, StripeId, Timestamp,
};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use axiru_policy::{Asked, CountedFor, PlanSet, decide, record};
use axiru_stripe::report::{News, Report, ReportedFact, Sighting};
use serde_json::{Map, Value, json};

use super::ObserveError;
use super::row::Rows;
use crate::connection::{self, Connection, ConnectionState};
use crate::error::AwsError;
use crate::item::{key, s};
use crate::ledger::{CommitError, Writes};
use crate::movement::MovementRow;
use crate::reads::Version;
use crate::requests::RequestRow;
use crate::store::Store;

/// A movement that is this much older than the connection was not made under it, in seconds. Stripe's clock counts whole
/// seconds and is not ours.
const SLACK_SECS: i64 = 60;

/// The event that told the news.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) event: StripeId,
    pub(super) event_at: Timestamp,
    event_type: String,
    stripe_request: Option<StripeId>,
}

impl Told {
    pub(super) fn of(report: &Report) -> Self {
        Self {
            event: report.event.clone(),
            event_at: report.event_at,
            event_type: report.event_type.clone(),
            stripe_request: report.stripe_request.clone(),
        }
    }

    fn fields(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("event".into(), self.event.as_str().into());
        fields.insert("event_type".into(), self.event_type.clone().into());
        fields.insert("event_at".into(), self.event_at.to_string().into());
        fields
    }
}

/// The writes that record all `news` that is not recorded yet, in order.
pub(super) fn writes(
    store: &Store,
    log: &LogId,
    connection: &Connection,
    plans: &PlanSet,
    mut rows: Rows,
    news: &[(&Told, &News)],
    now: Timestamp,
) -> Result<Writes, ObserveError> {
    let mut drafts = Vec::new();
    for (told, news) in news {
        match news {
            News::Movement(sighting) => drafts.extend(movement(log, connection, plans, &mut rows, told, sighting)?),
            News::Fact(fact) if rows.take_event(&log.scope, told) => drafts.push(reported(log, told, fact)),
            // An uninstall of an earlier install says nothing of this one.
            News::Uninstalled if !rows.revoked && told.event_at.secs() >= connection.connected_at.secs() => {
                rows.revoked = true;
                drafts.push(revoked(log, told));
            }
            News::Fact(_) | News::Uninstalled => {}
        }
    }
    let revoke = rows.revoked;
    let mut items = rows.writes(store, &log.scope, news, now).map_err(CommitError::from)?;
    if revoke {
        items.push(revocation(store, connection).map_err(CommitError::from)?);
    }
    Ok(Writes { drafts, rows: items })
}

fn movement(
    log: &LogId,
    connection: &Connection,
    plans: &PlanSet,
    rows: &mut Rows,
    told: &Told,
    sighting: &Sighting,
) -> Result<Vec<Draft>, ObserveError> {
    let mut drafts = Vec::new();
    let known = rows.movement(&log.scope, sighting).cloned();
    let mut row = match known.clone() {
        Some(row) => row,
        None if !sighting.announced && is_older(sighting, connection) => return Ok(drafts),
        None => first(log, plans, rows, told, sighting, &mut drafts)?,
    };
    if let Some(status) = &sighting.later_status
        && !row.statuses.contains(status)
    {
        let late =
            row.current.as_ref().is_some_and(|current| rank(sighting.kind, status) < rank(sighting.kind, current));
        drafts.push(changed(log, told, sighting, status, late));
        row.statuses.push(status.clone());
        if !late {
            row.current = Some(status.clone());
        }
    }
    if row.statuses.iter().any(|status| has_not_moved(status)) {
        // The money stayed, or came back: it leaves room for other movements. Once, for then nothing is counted any more.
        rows.release(&std::mem::take(&mut row.counted));
    }
    if known.as_ref() != Some(&row) {
        rows.set_movement(&log.scope, sighting, row);
    }
    Ok(drafts)
}

/// The first news of a movement: what the plans say of it, and what windows count of it. It settles an advisory decision that
/// allowed it and is still open; otherwise nobody asked, and it counts all the same.
fn first(
    log: &LogId,
    plans: &PlanSet,
    rows: &mut Rows,
    told: &Told,
    sighting: &Sighting,
    drafts: &mut Vec<Draft>,
) -> Result<MovementRow, ObserveError> {
    let scope = &log.scope;
    let mut movement = movement_of(scope, sighting)?;
    let similar = rows.similar(scope, sighting).map_or(0, |row| row.similar.count(&sighting.actor, sighting.moved_at));
    let own = [
        ("similar_24h", Some(FactValue::Long(similar))),
        ("destination_under_review", rows.under_review(scope, sighting).map(FactValue::Bool)),
    ];
    for (name, value) in own {
        if let Some(value) = value {
            // A fact that the kind does not have is none of its facts.
            let _ = movement.facts.set(name, Fact::Known(value));
        }
    }
    let request = rows.settled_by(scope, sighting).cloned();
    let held = request.as_ref().map(|request| request.counted.clone()).unwrap_or_default();
    let asked = asked(&movement, sighting);
    // A movement is not held against itself.
    let decision = decide(plans, &asked, &rows.usage(&held));
    drafts.push(observed(log, told, sighting, &movement, &decision));
    let counted = match &request {
        Some(request) => {
            drafts.push(settled(log, sighting, request));
            rows.settle(scope, sighting, &request.id)
        }
        None => {
            rows.see(scope, sighting);
            let series = plans.series_for(&asked).into_iter();
            let taken = series.filter_map(|(who, series)| match who {
                CountedFor::Subject(subject) => rows.take(subject, &series, sighting.moved_at, sighting.amount_minor),
                CountedFor::Nobody | CountedFor::Unknown(_) => None,
            });
            taken.collect()
        }
    };
    Ok(MovementRow {
        statuses: sighting.first_status.iter().cloned().collect(),
        current: sighting.first_status.clone(),
        counted,
        request: request.map(|request| request.id),
        unseen: false,
        version: Version::default(),
    })
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
fn has_not_moved(status: &str) -> bool {
    matches!(status, "failed" | "canceled")
}

/// True for a movement that was made before the account was connected.
fn is_older(sighting: &Sighting, connection: &Connection) -> bool {
    sighting.moved_at.plus_secs(SLACK_SECS) < connection.connected_at
}

/// How far in its life an object with that status is: webhooks have no order, statuses do. A paid payout can still fail.
fn rank(kind: Kind, status: &str) -> u8 {
    match (kind, status) {
        (Kind::Refund, "requires_action") | (Kind::Payout, "pending") => 0,
        (Kind::Refund, "pending") | (Kind::Payout, "in_transit") => 1,
        (Kind::Refund, "succeeded") | (Kind::Payout, "paid") => 2,
        // Failed, canceled, and whatever Stripe may add: taken as later than all that is known.
        _ => 3,
    }
}

fn moved(told: &Told, sighting: &Sighting) -> Map<String, Value> {
    let mut fields = told.fields();
    fields.insert("kind".into(), sighting.kind.as_str().into());
    fields.insert("object".into(), sighting.object.as_str().into());
    fields.insert("ordinal".into(), sighting.ordinal.into());
    fields.insert("amount_minor".into(), sighting.amount_minor.into());
    fields.insert("currency".into(), sighting.currency.as_str().into());
    fields
}

fn observed(log: &LogId, told: &Told, sighting: &Sighting, movement: &Movement, decision: &Decision) -> Draft {
    let mut fields = moved(told, sighting);
    fields.insert("status".into(), sighting.first_status.clone().into());
    fields.insert("moved_at".into(), sighting.moved_at.to_string().into());
    fields.insert("stripe_request".into(), told.stripe_request.as_ref().map(StripeId::as_str).into());
    fields.insert("facts".into(), record::facts(&movement.facts));
    fields.insert("decision".into(), record::decision(decision));
    Draft { log: log.clone(), actor: sighting.actor.clone(), ty: EntryType::MovementObserved, fields }
}

fn settled(log: &LogId, sighting: &Sighting, request: &RequestRow) -> Draft {
    let fields = json!({
        "request": request.id.as_str(),
        "kind": sighting.kind.as_str(),
        "object": sighting.object.as_str(),
        "ordinal": sighting.ordinal,
        "amount_minor": sighting.amount_minor,
        "currency": sighting.currency.as_str(),
    });
    let fields = fields.as_object().cloned().unwrap_or_default();
    Draft { log: log.clone(), actor: Actor::Axiru, ty: EntryType::DecisionSettled, fields }
}

fn changed(log: &LogId, told: &Told, sighting: &Sighting, status: &str, late: bool) -> Draft {
    let mut fields = moved(told, sighting);
    fields.insert("status".into(), status.into());
    fields.insert("late".into(), late.into());
    fields.insert("failure_code".into(), sighting.failure_code.clone().into());
    Draft { log: log.clone(), actor: Actor::Stripe, ty: EntryType::MovementChanged, fields }
}

fn reported(log: &LogId, told: &Told, fact: &ReportedFact) -> Draft {
    let mut fields = told.fields();
    fields.insert("object".into(), fact.object.as_str().into());
    fields.insert("fact".into(), fact.fact.as_str().into());
    fields.insert("status".into(), fact.status.clone().into());
    fields.insert("amount_minor".into(), fact.amount_minor.into());
    fields.insert("currency".into(), fact.currency.as_str().into());
    fields.insert("reason".into(), fact.reason.clone().into());
    fields.insert("charge".into(), fact.charge.as_ref().map(StripeId::as_str).into());
    fields.insert("submission_count".into(), fact.submission_count.into());
    Draft { log: log.clone(), actor: Actor::Stripe, ty: EntryType::FactRecorded, fields }
}

fn revoked(log: &LogId, told: &Told) -> Draft {
    let fields = json!({"event": told.event.as_str(), "reason": "uninstalled"});
    let fields = fields.as_object().cloned().unwrap_or_default();
    Draft { log: log.clone(), actor: Actor::External, ty: EntryType::ConnectionRevoked, fields }
}

/// Ends the connection: its tokens, which are dead, are deleted; its logs stay.
fn revocation(store: &Store, connection: &Connection) -> Result<TransactWriteItem, AwsError> {
    let scope = &connection.scope;
    let update = Update::builder()
        .table_name(&store.state)
        .set_key(Some(key(connection::pk(scope.mode()), scope.account().as_str())))
        .update_expression("SET #state = :revoked REMOVE tokens")
        // The same install, and nobody else has ended it.
        .condition_expression("attempt = :attempt AND #state <> :revoked")
        .expression_attribute_names("#state", "state")
        .expression_attribute_values(":revoked", s(ConnectionState::Revoked.as_str()))
        .expression_attribute_values(":attempt", s(&connection.attempt))
        .build();
    let update = update.map_err(|_| AwsError::unexpected("committing", "request not built"))?;
    Ok(TransactWriteItem::builder().update(update).build())
}
