//! The rows that observing depends on, as read and as the news so far would leave them, and writing them back.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use axiru_domain::{
    FactValue, Money, MovementKey, RequestId, RequestStatus, Scope, Similar, Subject, Taken, Timestamp, Usage, sameness,
};
use axiru_ledger::entry::Entry;
use axiru_policy::{CountedFor, PlanSet};
use axiru_stripe::report::{News, Sighting};

use super::ObserveError;
use super::link;
use super::plan::movement_of;
use super::told::Told;
use crate::counters::{self, CounterRow};
use crate::error::AwsError;
use crate::item::{RowError, key, n};
use crate::movement::{self, MovementRow};
use crate::reads::{Reads, RowKey};
use crate::requests::{self, Found, RequestRow};
use crate::similar::{self, SimilarRow};
use crate::store::{Store, StoreError};

/// How long it is remembered that an event was taken as a fact, in seconds: Stripe delivers for 3 days, and by hand for 30.
const EVENT_KEPT_SECS: i64 = 40 * 86_400;

/// Reads that lead to further rows: movements, requests that they may be the effect of and what they are the same as, then the decisions
/// on those requests and the requests that they settle, then whose windows.
const ROUNDS: usize = 5;

/// Rows as read, and as the news so far would leave them.
#[derive(Debug, Default)]
pub(super) struct Rows {
    movements: BTreeMap<RowKey, MovementRow>,
    events: BTreeSet<String>,
    similar: BTreeMap<RowKey, SimilarRow>,
    counters: BTreeMap<Subject, CounterRow>,
    requests: BTreeMap<RequestId, RequestRow>,
    /// The decisions on those requests that a movement may be the effect of.
    decisions: BTreeMap<RequestId, Entry>,
    reviewed: BTreeMap<String, bool>,
    touched: Touched,
    /// The connection's state; revoked by the news of its end.
    pub(super) revoked: bool,
}

/// What is to be written.
#[derive(Debug, Default)]
struct Touched {
    movements: BTreeSet<RowKey>,
    events: BTreeSet<String>,
    similar: BTreeSet<RowKey>,
    counters: BTreeSet<Subject>,
    requests: BTreeSet<RequestId>,
    /// Requests that were made: their sealed parameters go.
    made: BTreeSet<RequestId>,
}

/// What a round asks for.
#[derive(Debug, Default)]
struct Wanted {
    rows: BTreeSet<RowKey>,
    decisions: Vec<RequestRow>,
}

pub(super) fn movement_key(sighting: &Sighting) -> MovementKey {
    MovementKey { kind: sighting.kind, object: sighting.object.clone(), ordinal: sighting.ordinal }
}

pub(super) fn event_pk(scope: &Scope, told: &Told) -> String {
    format!("{}#{}", scope.key(), told.event)
}

pub(super) const EVENT_SK: &str = "event";

/// Where what a movement is the same as stands: by everything that a request may have named it by, the closest first.
pub(super) fn similar_keys(scope: &Scope, sighting: &Sighting) -> Vec<RowKey> {
    let Ok(money) = Money::new(sighting.amount_minor, sighting.currency) else { return Vec::new() };
    let fact = |name: &str| match sighting.facts.get(name) {
        Some(Some(FactValue::Text(id))) => Some(id.clone()),
        _ => None,
    };
    let dispute =
        Some(sighting.object.as_str().to_owned()).filter(|_| sighting.kind.family() == axiru_domain::Family::Disputes);
    let named = ["charge", "payment_intent", "transfer", "destination"].map(fact);
    let parents = dispute.into_iter().map(Some).chain(named.into_iter().flatten().map(Some)).chain([None]);
    parents.map(|parent| similar::key_of(scope, &sameness(scope, sighting.kind, parent.as_deref(), money))).collect()
}

fn review_row(scope: &Scope, sighting: &Sighting) -> Option<RowKey> {
    match sighting.facts.get("destination") {
        Some(Some(FactValue::Text(destination))) => Some((format!("{}#review", scope.key()), destination.clone())),
        _ => None,
    }
}

impl Rows {
    /// Reads the rows of all `news`, consistently.
    pub(super) async fn read(
        store: &Store,
        scope: &Scope,
        plans: &PlanSet,
        news: &[(&Told, &News)],
    ) -> Result<Self, ObserveError> {
        let mut reads = Reads::default();
        // An entry never changes: it is read once, whatever the rows do.
        let mut decisions = BTreeMap::new();
        for _ in 0..ROUNDS {
            let mut rows = Self { decisions: decisions.clone(), ..Self::default() };
            let wanted = rows.fill(scope, plans, news, &reads)?;
            let missing: BTreeSet<_> = wanted.rows.into_iter().filter(|key| !reads.knows(key)).collect();
            let unread: BTreeMap<_, _> = wanted.decisions.iter().map(|row| (&row.id, row)).collect();
            if missing.is_empty() && unread.is_empty() {
                return Ok(rows);
            }
            for row in unread.into_values() {
                // A request without its decision is not as this program writes it.
                let entry = store.entry(&row.log(), row.seq).await?.ok_or(StoreError::Row(RowError("seq")))?;
                decisions.insert(row.id.clone(), entry);
            }
            reads.extend(Reads::fetch(store, &missing).await?);
        }
        // Each round leads at most one step further, and there are four.
        Err(StoreError::from(AwsError::busy("reading rows")).into())
    }

    /// Takes what was read; gives everything that is needed.
    fn fill(
        &mut self,
        scope: &Scope,
        plans: &PlanSet,
        news: &[(&Told, &News)],
        reads: &Reads,
    ) -> Result<Wanted, StoreError> {
        let mut wanted = Wanted::default();
        let mut subjects = BTreeSet::new();
        for (told, news) in news {
            match news {
                News::Movement(sighting) => {
                    subjects.extend(self.fill_movement(scope, plans, told, sighting, reads, &mut wanted)?);
                }
                News::Fact(_) => {
                    let key = (event_pk(scope, told), EVENT_SK.to_owned());
                    self.events.extend(reads.get(&key).map(|_| key.0.clone()));
                    wanted.rows.insert(key);
                }
                News::Uninstalled => {}
            }
        }
        for subject in subjects {
            let key = counters::key_of(scope, &subject);
            let row = CounterRow::of(reads.get(&key))?;
            self.counters.insert(subject, row);
            wanted.rows.insert(key);
        }
        Ok(wanted)
    }

    /// Takes what was read for one movement; gives whom it is counted for.
    fn fill_movement(
        &mut self,
        scope: &Scope,
        plans: &PlanSet,
        told: &Told,
        sighting: &Sighting,
        reads: &Reads,
        wanted: &mut Wanted,
    ) -> Result<BTreeSet<Subject>, StoreError> {
        let mut subjects = BTreeSet::new();
        let at = movement::key_of(scope, &movement_key(sighting));
        let known = reads.get(&at).map(MovementRow::of).transpose()?;
        wanted.rows.insert(at.clone());
        let (mut is_new, mut is_nobodys) = (true, true);
        if let Some(row) = known {
            subjects.extend(row.counted.iter().map(|taken| taken.subject.clone()));
            (is_new, is_nobodys) = (row.unseen, row.request.is_none() && !row.unseen);
            self.movements.insert(at, row);
        }
        if is_nobodys {
            subjects.extend(self.fill_candidates(scope, told, sighting, reads, wanted)?);
        }
        if is_new {
            subjects.extend(self.fill_new(scope, plans, sighting, reads, wanted)?);
        }
        Ok(subjects)
    }

    /// Takes the requests that a movement may be the effect of; gives whose windows hold them.
    fn fill_candidates(
        &mut self,
        scope: &Scope,
        told: &Told,
        sighting: &Sighting,
        reads: &Reads,
        wanted: &mut Wanted,
    ) -> Result<BTreeSet<Subject>, StoreError> {
        let mut subjects = BTreeSet::new();
        for id in link::candidates(told, sighting) {
            let at = requests::key_of(scope, id);
            if let Some(Found::Request(request)) = reads.get(&at).map(|row| Found::of(scope, id, row)).transpose()?
                && request.status.is_under_way()
            {
                let similar = similar::key_of(scope, &request.similar);
                self.fill_similar(&similar, reads, wanted)?;
                subjects.extend(request.counted.iter().map(|taken| taken.subject.clone()));
                if !self.decisions.contains_key(id) {
                    wanted.decisions.push((*request).clone());
                }
                self.requests.insert(request.id.clone(), *request);
            }
            wanted.rows.insert(at);
        }
        Ok(subjects)
    }

    /// Takes what a movement that is told for the first time needs; gives whom it is counted for.
    fn fill_new(
        &mut self,
        scope: &Scope,
        plans: &PlanSet,
        sighting: &Sighting,
        reads: &Reads,
        wanted: &mut Wanted,
    ) -> Result<BTreeSet<Subject>, StoreError> {
        let mut subjects = BTreeSet::new();
        if let Some(key) = review_row(scope, sighting) {
            if let Some(row) = reads.get(&key) {
                let flag = row.get("under_review").and_then(|value| value.as_bool().ok());
                self.reviewed.insert(key.1.clone(), *flag.ok_or(RowError("under_review"))?);
            }
            wanted.rows.insert(key);
        }
        for key in similar_keys(scope, sighting) {
            let settles = self.fill_similar(&key, reads, wanted)?.settled_by(sighting.moved_at);
            if let Some(id) = settles.map(|open| open.request.clone()) {
                let at = requests::key_of(scope, &id);
                if let Some(Found::Request(request)) =
                    reads.get(&at).map(|row| Found::of(scope, &id, row)).transpose()?
                {
                    subjects.extend(request.counted.iter().map(|taken| taken.subject.clone()));
                    self.requests.insert(request.id.clone(), *request);
                }
                wanted.rows.insert(at);
            }
        }
        // A movement that cannot be one is refused later, with its reason.
        if let Ok(movement) = movement_of(scope, sighting) {
            let asked = super::plan::asked(&movement, sighting);
            subjects.extend(plans.series_for(&asked).into_iter().filter_map(|(who, _)| match who {
                CountedFor::Subject(subject) => Some(subject),
                CountedFor::Nobody | CountedFor::Unknown(_) => None,
            }));
        }
        Ok(subjects)
    }

    fn fill_similar(&mut self, key: &RowKey, reads: &Reads, wanted: &mut Wanted) -> Result<&Similar, StoreError> {
        let row = SimilarRow::of(reads.get(key))?;
        wanted.rows.insert(key.clone());
        self.similar.insert(key.clone(), row);
        Ok(&self.similar.entry(key.clone()).or_default().similar)
    }

    /// The request that a movement is the effect of.
    pub(super) fn linked(&self, told: &Told, sighting: &Sighting) -> Option<&RequestRow> {
        link::candidates(told, sighting).find_map(|id| {
            let (request, entry) = (self.requests.get(id)?, self.decisions.get(id)?);
            link::links(told, sighting, request, entry).then_some(request)
        })
    }

    /// What is recorded of a movement; none where nothing is.
    pub(super) fn movement(&self, scope: &Scope, sighting: &Sighting) -> Option<&MovementRow> {
        self.movements.get(&movement::key_of(scope, &movement_key(sighting)))
    }

    /// Notes what a movement's row is to become.
    pub(super) fn set_movement(&mut self, scope: &Scope, sighting: &Sighting, row: MovementRow) {
        let key = movement::key_of(scope, &movement_key(sighting));
        self.touched.movements.insert(key.clone());
        self.movements.insert(key, row);
    }

    /// True the first time that an event is taken as a fact.
    pub(super) fn take_event(&mut self, scope: &Scope, told: &Told) -> bool {
        let pk = event_pk(scope, told);
        self.events.insert(pk.clone()) && self.touched.events.insert(pk)
    }

    /// Whether the destination of a movement is under review; none where it has none.
    pub(super) fn under_review(&self, scope: &Scope, sighting: &Sighting) -> Option<bool> {
        let (_, destination) = review_row(scope, sighting)?;
        Some(self.reviewed.get(&destination).copied().unwrap_or(false))
    }

    /// The record of what a movement is the same as, by the closest name.
    pub(super) fn similar(&self, scope: &Scope, sighting: &Sighting) -> Option<&SimilarRow> {
        similar_keys(scope, sighting).first().and_then(|key| self.similar.get(key))
    }

    /// Notes that a movement was seen.
    pub(super) fn see(&mut self, scope: &Scope, sighting: &Sighting) {
        if let Some(key) = similar_keys(scope, sighting).first()
            && let Some(row) = self.similar.get_mut(key)
        {
            row.similar.see(&sighting.actor, sighting.moved_at);
            self.touched.similar.insert(key.clone());
        }
    }

    /// The open request that a movement settles.
    pub(super) fn settled_by(&self, scope: &Scope, sighting: &Sighting) -> Option<&RequestRow> {
        similar_keys(scope, sighting).iter().find_map(|key| {
            let open = self.similar.get(key)?.similar.settled_by(sighting.moved_at)?;
            self.requests.get(&open.request).filter(|row| row.status == RequestStatus::Allowed)
        })
    }

    /// Settles a request: what it held is committed. Gives what windows count from now on.
    pub(super) fn settle(&mut self, scope: &Scope, sighting: &Sighting, id: &RequestId) -> Vec<Taken> {
        self.end(scope, sighting, id, RequestStatus::Settled)
    }

    /// Axiru made what a request asked for: what it held is committed, and its sealed parameters go. Gives what windows count from now
    /// on.
    pub(super) fn succeed(&mut self, scope: &Scope, sighting: &Sighting, id: &RequestId) -> Vec<Taken> {
        if let Some(request) = self.requests.get_mut(id) {
            request.object = Some(sighting.object.clone());
        }
        self.touched.made.insert(id.clone());
        self.end(scope, sighting, id, RequestStatus::Succeeded)
    }

    fn end(&mut self, scope: &Scope, sighting: &Sighting, id: &RequestId, status: RequestStatus) -> Vec<Taken> {
        let Some(request) = self.requests.get_mut(id) else { return Vec::new() };
        let mut committed = Vec::with_capacity(request.counted.len());
        for taken in std::mem::take(&mut request.counted) {
            if let Some(row) = self.counters.get_mut(&taken.subject) {
                let count = row.counters.commit(&taken.count, sighting.amount_minor);
                self.touched.counters.insert(taken.subject.clone());
                committed.push(Taken { subject: taken.subject, count });
            }
        }
        request.status = status;
        request.open_until = None;
        self.touched.requests.insert(id.clone());
        let own = similar::key_of(scope, &request.similar);
        for key in similar_keys(scope, sighting).into_iter().chain([own]) {
            if let Some(row) = self.similar.get_mut(&key)
                && row.similar.is_open(id)
            {
                row.similar.close(id);
                self.touched.similar.insert(key);
            }
        }
        committed
    }

    /// What the windows hold, without what `taken` holds of them.
    pub(super) fn usage(&self, without: &[Taken]) -> Usage {
        let mut usage = Usage::nothing();
        for (subject, row) in &self.counters {
            usage.insert(subject.clone(), row.counters.clone());
        }
        for taken in without {
            usage.release(taken);
        }
        usage
    }

    /// Counts a movement for somebody.
    pub(super) fn take(
        &mut self,
        subject: Subject,
        series: &axiru_domain::Series,
        at: Timestamp,
        amount_minor: i64,
    ) -> Option<Taken> {
        let row = self.counters.get_mut(&subject)?;
        let count = row.counters.take(series, at, amount_minor, axiru_domain::Stage::Committed);
        self.touched.counters.insert(subject.clone());
        Some(Taken { subject, count })
    }

    /// Gives back what a movement took.
    pub(super) fn release(&mut self, counted: &[Taken]) {
        for taken in counted {
            if let Some(row) = self.counters.get_mut(&taken.subject) {
                row.counters.release(&taken.count);
                self.touched.counters.insert(taken.subject.clone());
            }
        }
    }

    /// The writes of everything that was noted, each on the condition that the row is as it was read.
    pub(super) fn writes(
        self,
        store: &Store,
        scope: &Scope,
        told: &[(&Told, &News)],
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, AwsError> {
        let mut items = Vec::new();
        for key in &self.touched.movements {
            if let Some(row) = self.movements.get(key) {
                items.push(row.put(store, key)?);
            }
        }
        for key in &self.touched.similar {
            if let Some(row) = self.similar.get(key) {
                items.push(row.put(store, key)?);
            }
        }
        for subject in &self.touched.counters {
            if let Some(row) = self.counters.get(subject) {
                items.push(row.put(store, &counters::key_of(scope, subject), now)?);
            }
        }
        for id in &self.touched.requests {
            if let Some(row) = self.requests.get(id) {
                items.push(row.put(store)?);
            }
        }
        for id in &self.touched.made {
            let (pk, sk) = requests::sealed_key(scope, id);
            let delete = Delete::builder().table_name(&store.state).set_key(Some(key(pk, sk))).build();
            let delete = delete.map_err(|_| AwsError::unexpected("committing", "request not built"))?;
            items.push(TransactWriteItem::builder().delete(delete).build());
        }
        let newest = told.iter().map(|(told, _)| told.event_at.secs()).max().unwrap_or(0);
        for pk in self.touched.events {
            let put = Put::builder()
                .table_name(&store.state)
                .set_item(Some(key(pk, EVENT_SK)))
                .item("expires_at", n(newest + EVENT_KEPT_SECS))
                .condition_expression("attribute_not_exists(pk)");
            items.push(write(put.build())?);
        }
        Ok(items)
    }
}

fn write<E>(put: Result<Put, E>) -> Result<TransactWriteItem, AwsError> {
    let put = put.map_err(|_| AwsError::unexpected("committing", "request not built"))?;
    Ok(TransactWriteItem::builder().put(put).build())
}
