//! Beginning what people have approved: decided again on the plans, limits and facts of now, with the votes of those who may still vote.
//!
//! INVARIANT: an approval answers the reasons it was asked about and nothing else. A block, a new reason, a quorum that is no longer there,
//! or a payment that is no longer as it was shown ends the request; what nobody can tell at the moment puts it off until its time is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use axiru_domain::{
    Actor, Claim, Claimed, Decision, Execution, Fact, FactValue, Facts, Intent, Movement, Outcome, PolicyMode, Reason,
    RequestStatus, Stage, Starter, Subject, Taken, Timestamp, Usage,
};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use axiru_policy::{Asked, CountedFor, PlanSet, decide, record};
use axiru_stripe::gateway::Moves;
use serde_json::{Map, Value, json};

use super::{intent_of, money_of};
use crate::approval::{Held, HeldError, LinkCaps, action_sha256, terms};
use crate::connect::token::random_id;
use crate::connection::ConnectionState;
use crate::counters::{self, CounterRow};
use crate::decide::told;
use crate::ended;
use crate::error::AwsError;
use crate::facts::{self, StripeFacts};
use crate::groups::{self, Group};
use crate::item::RowError;
use crate::keys::{self, Key};
use crate::ledger::{CommitError, Writes};
use crate::plans::Plans;
use crate::reads::{Reads, RowKey};
use crate::requests::{Failure, RequestRow};
use crate::similar::{self, SimilarRow};
use crate::store::{Store, StoreError};

/// Begins approved requests.
pub struct Beginner {
    store: Store,
    facts: StripeFacts,
    plans: Plans,
    caps: LinkCaps,
    clock: fn() -> Timestamp,
}

/// What came of it.
#[derive(Debug)]
pub enum Began {
    /// It is under way, under the lease of that attempt: send it.
    Send(Box<RequestRow>, String),
    /// It is not made, for that reason.
    Ended(&'static str),
    /// Nobody can tell now whether it may be made.
    Later(&'static str),
    /// It is not approved: somebody else was at it, or it has ended.
    Nothing,
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The rows.
    #[error("{0}")]
    Held(#[from] HeldError),
    /// The transaction.
    #[error("{0}")]
    Commit(#[from] CommitError),
}

impl From<StoreError> for BeginError {
    fn from(error: StoreError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<AwsError> for BeginError {
    fn from(error: AwsError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<RowError> for BeginError {
    fn from(error: RowError) -> Self {
        StoreError::from(error).into()
    }
}

/// Everything that an approved request depends on, read and asked now.
struct Standing {
    held: Held,
    intent: Intent,
    facts: Facts,
    claimed: Claimed,
    plans: PlanSet,
    groups: BTreeMap<String, Group>,
    /// Counters without what this request holds of them.
    counters: BTreeMap<Subject, CounterRow>,
    /// The subjects whose row it is in.
    released: BTreeSet<Subject>,
    now: Timestamp,
}

/// What keeps a request from beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hindrance {
    /// For good.
    Ends(&'static str),
    /// For now.
    Later(&'static str),
}

impl Beginner {
    /// On that store, asking Stripe for facts, with that clock.
    #[must_use]
    pub fn new(store: Store, facts: StripeFacts, clock: fn() -> Timestamp) -> Self {
        Self { store, facts, plans: Plans::default(), caps: LinkCaps::default(), clock }
    }

    /// With the most that the link of one person may release.
    #[must_use]
    pub fn with_link_caps(mut self, caps: LinkCaps) -> Self {
        self.caps = caps;
        self
    }

    /// Begins a request that is approved, if it may still be made. `moves` is what would be sent, as it was sealed.
    ///
    /// # Errors
    /// [`BeginError`]; it may have begun all the same, and whoever asks again finds out.
    pub async fn begin(&self, row: &RequestRow, moves: &Moves) -> Result<Began, BeginError> {
        let attempt = random_id("att_").map_err(|_| AwsError::unexpected("beginning", "no random bytes"))?;
        let log = row.log();
        let seen = Mutex::new(Began::Nothing);
        let note = |began: Began| *seen.lock().unwrap_or_else(PoisonError::into_inner) = began;
        let plan = || async {
            let Some(held) = self.store.held(&row.scope, &row.id).await? else { return Ok(Writes::default()) };
            if held.row.status != RequestStatus::Approved {
                // The answer to this very beginning was lost: then it stands in the row.
                note(mine(&held.row, &attempt));
                return Ok::<_, BeginError>(Writes::default());
            }
            let (began, writes) = self.one_try(held, moves, &attempt).await?;
            note(began);
            Ok(writes)
        };
        self.store.commit(&log, self.clock, plan).await?;
        Ok(seen.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    async fn one_try(&self, held: Held, moves: &Moves, attempt: &str) -> Result<(Began, Writes), BeginError> {
        let now = (self.clock)();
        if let Some(hindrance) = self.before(&held, moves, now).await? {
            return self.hinder(held, hindrance, now).await;
        }
        let standing = match self.standing(held, moves, now).await? {
            Ok(standing) => standing,
            Err((held, hindrance)) => return self.hinder(*held, hindrance, now).await,
        };
        let decision = standing.decision();
        if let Some(hindrance) = standing.hindrance(&decision, &self.caps) {
            return self.hinder(standing.held, hindrance, now).await;
        }
        self.started(standing, &decision, attempt)
    }

    /// What can be told without asking Stripe.
    async fn before(&self, held: &Held, moves: &Moves, now: Timestamp) -> Result<Option<Hindrance>, BeginError> {
        let action = action_sha256(held.scope(), moves, money_of(&held.made)?);
        let requested = held.requested.fields().get("action_sha256").and_then(Value::as_str);
        if action != held.approval.action || requested != Some(action.as_str()) {
            return Ok(Some(Hindrance::Ends("parameters_changed")));
        }
        if held.approval.begins_by.is_none_or(|until| now.millis() >= until) {
            return Ok(Some(Hindrance::Ends("begun_too_late")));
        }
        if !held.approval.may_begin(held.row.status, |group, person| held.is_member(group, person), now) {
            return Ok(Some(Hindrance::Ends("quorum_lost")));
        }
        if self.store.stopped(held.scope(), &held.row.actor).await?.is_some() {
            return Ok(Some(Hindrance::Ends("stopped")));
        }
        let rows: BTreeSet<RowKey> = [key_row(&held.row)].into();
        let reads = Reads::fetch(&self.store, &rows).await?;
        let key = reads.get(&key_row(&held.row)).map(Key::from_row).transpose()?;
        if !key.is_some_and(|key| key.is_live(now)) {
            return Ok(Some(Hindrance::Ends("key_revoked")));
        }
        let connection = self.store.connection(held.scope()).await?;
        Ok(match connection.map(|connection| connection.state) {
            None | Some(ConnectionState::Revoked) => Some(Hindrance::Ends("not_connected")),
            Some(ConnectionState::ReauthRequired) => Some(Hindrance::Later("reauth_required")),
            Some(ConnectionState::Active) => None,
        })
    }

    /// Reads and asks everything that the decision depends on.
    async fn standing(
        &self,
        held: Held,
        moves: &Moves,
        now: Timestamp,
    ) -> Result<Result<Standing, (Box<Held>, Hindrance)>, BeginError> {
        let scope = held.scope().clone();
        let intent = intent_of(&held.made)?;
        let plans = self.plans.of(&self.store, &scope).await?;
        let mut facts = told(&intent, moves.reason(), moves.method());
        let kind = intent.kind();
        // What people were shown is asked again, whether or not a plan reads it.
        let wanted: BTreeSet<&'static str> =
            facts::askable(kind).iter().copied().filter(|name| facts.get(name) == &Fact::Unknown).collect();
        let learnt = self.facts.learn(&scope, &subject(&intent, now), &wanted).await;
        for (name, value) in &learnt.facts {
            // A value that no fact can have is none that Stripe has told.
            let _ = facts.set(name, value.clone().map_or(Fact::Absent, Fact::Known));
        }
        if learnt.no_such().is_some() {
            return Ok(Err((Box::new(held), Hindrance::Ends("object_gone"))));
        }
        let claimed = held.made.fields().get("claimed").unwrap_or(&Value::Null);
        let claimed = Claimed::from_json(claimed).map_err(|_| RowError("claimed"))?;
        let mut standing = Standing {
            held,
            intent,
            facts,
            claimed,
            plans,
            groups: BTreeMap::new(),
            counters: BTreeMap::new(),
            released: BTreeSet::new(),
            now,
        };
        self.rows(&mut standing).await?;
        Ok(Ok(standing))
    }

    /// The rows of Axiru's own that the decision depends on.
    async fn rows(&self, standing: &mut Standing) -> Result<(), BeginError> {
        let scope = standing.held.scope().clone();
        let movement = standing.movement();
        let asked = standing.asked(&movement);
        let mut subjects: BTreeSet<Subject> =
            standing.held.row.counted.iter().map(|taken| taken.subject.clone()).collect();
        subjects.extend(standing.plans.series_for(&asked).into_iter().filter_map(
            |(counted_for, _)| match counted_for {
                CountedFor::Subject(subject) => Some(subject),
                CountedFor::Nobody | CountedFor::Unknown(_) => None,
            },
        ));
        let similar_key = similar::key_of(&scope, &standing.held.row.similar);
        let destination = match standing.facts.get("destination") {
            Fact::Known(FactValue::Text(destination)) => Some(destination.clone()),
            _ => None,
        };
        let review = destination.map(|destination| (format!("{}#review", scope.key()), destination));
        let names: BTreeSet<String> = standing
            .plans_demands()
            .chain(standing.held.approval.groups.iter().map(|asked| asked.group.clone()))
            .collect();
        let mut wanted: BTreeSet<RowKey> = subjects.iter().map(|subject| counters::key_of(&scope, subject)).collect();
        wanted.extend(names.iter().map(|name| groups::key_of(&scope, name)));
        wanted.extend([similar_key.clone()].into_iter().chain(review.clone()));
        let reads = Reads::fetch(&self.store, &wanted).await?;

        let similar = SimilarRow::of(reads.get(&similar_key))?;
        let own = i64::from(standing.held.row.decided_at.plus_secs(axiru_domain::SIMILAR_SECS) > standing.now);
        let count = similar.similar.count(&standing.held.row.actor, standing.now).saturating_sub(own).max(0);
        // A fact that the kind does not have is none of its facts.
        let _ = standing.facts.set("similar_24h", Fact::Known(FactValue::Long(count)));
        if let Some(review) = review {
            let under_review = crate::admin::review::under_review(reads.get(&review))?;
            let _ = standing.facts.set("destination_under_review", Fact::Known(FactValue::Bool(under_review)));
        }
        for name in names {
            let group = Group::of(&name, reads.get(&groups::key_of(&scope, &name)))?;
            standing.groups.insert(name, group);
        }
        for subject in subjects {
            let row = CounterRow::of(reads.get(&counters::key_of(&scope, &subject)))?;
            standing.counters.insert(subject, row);
        }
        standing.release();
        Ok(())
    }

    /// What is written where a request may not begin.
    async fn hinder(&self, held: Held, hindrance: Hindrance, now: Timestamp) -> Result<(Began, Writes), BeginError> {
        let reason = match hindrance {
            Hindrance::Ends(reason) => reason,
            Hindrance::Later(reason) => return Ok((Began::Later(reason), Writes::default())),
        };
        let mut row = held.row;
        row.failure = Some(Failure { reason: reason.to_owned(), status: None, code: None });
        let told = json!({"request": row.id.as_str(), "before": row.status.as_str(), "reason": reason});
        let drafts = vec![draft(&row, EntryType::ApprovalCancelled, told)];
        let writes = ended::end(&self.store, row, RequestStatus::Cancelled, drafts, now).await?;
        Ok((Began::Ended(reason), writes))
    }

    /// The writes of a request that is under way from now on: counted in the windows of now, its entry before anything is sent.
    fn started(
        &self,
        mut standing: Standing,
        decision: &Decision,
        attempt: &str,
    ) -> Result<(Began, Writes), BeginError> {
        let now = standing.now;
        let changed = standing.take();
        let movement = standing.movement();
        let mut row = standing.held.row.clone();
        let mut execution = Execution::new(Starter::Worker, attempt, now);
        row.status = RequestStatus::Executing;
        if execution.claim(row.status, Starter::Worker, attempt, now) != Claim::Send {
            return Ok((Began::Nothing, Writes::default()));
        }
        row.open_until = Some(execution.check_at(now));
        row.execution = Some(execution);
        let mut rows = vec![row.put(&self.store)?];
        for subject in &changed {
            if let Some(counter) = standing.counters.get(subject) {
                rows.push(counter.put(&self.store, &counters::key_of(&row.scope, subject), now)?);
            }
        }
        let told = json!({
            "request": row.id.as_str(),
            "asked_by": row.actor.to_string(),
            "operator": standing.operator(),
            "kind": row.kind.as_str(),
            "amount_minor": movement.money.amount_minor(),
            "currency": movement.money.currency().as_str(),
            "facts": record::facts(&movement.facts),
            "claimed": standing.claimed.to_json(),
            "evaluated_at": now.to_string(),
            "decision": record::decision(decision),
            "action_sha256": standing.held.approval.action,
        });
        let drafts = vec![draft(&row, EntryType::ExecutionStarted, told)];
        Ok((Began::Send(Box::new(row.written()), attempt.to_owned()), Writes { drafts, rows }))
    }
}

impl Standing {
    fn movement(&self) -> Movement {
        Movement {
            scope: self.held.scope().clone(),
            kind: self.intent.kind(),
            money: self.intent.money(),
            facts: self.facts.clone(),
        }
    }

    fn operator(&self) -> &str {
        self.held.made.fields().get("operator").and_then(Value::as_str).unwrap_or("-")
    }

    fn asked<'a>(&'a self, movement: &'a Movement) -> Asked<'a> {
        let operator = self.held.made.fields().get("operator").and_then(Value::as_str);
        Asked { movement, actor: &self.held.row.actor, operator, claimed: &self.claimed, at: self.now }
    }

    /// Every group that the plans may ask, by those that made this decision and any that came since.
    fn plans_demands(&self) -> impl Iterator<Item = String> {
        self.plans.demands().into_iter().map(|demand| demand.group).chain([groups::FALLBACK.to_owned()])
    }

    /// Takes out of the counters what the request itself holds.
    fn release(&mut self) {
        for taken in &self.held.row.counted {
            if let Some(row) = self.counters.get_mut(&taken.subject) {
                row.counters.release(&taken.count);
                self.released.insert(taken.subject.clone());
            }
        }
    }

    /// Counts it in the windows of now; the subjects whose rows change.
    fn take(&mut self) -> BTreeSet<Subject> {
        let movement = self.movement();
        let series = self.plans.series_for(&self.asked(&movement));
        let amount = movement.money.amount_minor();
        let (mut changed, mut counted) = (self.released.clone(), Vec::new());
        for (counted_for, series) in series {
            let CountedFor::Subject(subject) = counted_for else { continue };
            let Some(row) = self.counters.get_mut(&subject) else { continue };
            let count = row.counters.take(&series, self.now, amount, Stage::Held);
            changed.insert(subject.clone());
            counted.push(Taken { subject, count });
        }
        self.held.row.counted = counted;
        changed
    }

    /// What the plans of now say.
    fn decision(&self) -> Decision {
        let mut usage = Usage::nothing();
        for (subject, row) in &self.counters {
            usage.insert(subject.clone(), row.counters.clone());
        }
        let movement = self.movement();
        decide(&self.plans, &self.asked(&movement), &usage)
    }

    /// What keeps it from beginning, by that decision.
    fn hindrance(&self, decision: &Decision, caps: &LinkCaps) -> Option<Hindrance> {
        let shown = self.held.requested.fields().get("facts").and_then(Value::as_object);
        if let Some(reason) = shown.and_then(|shown| terms::drift(shown, &self.facts)) {
            return Some(Hindrance::Ends(reason));
        }
        match decision.outcome() {
            Outcome::Block => return Some(Hindrance::Ends("blocked_now")),
            Outcome::Allow => return None,
            Outcome::RequireApproval => {}
        }
        let enforced = decision.verdicts().iter().filter(|verdict| verdict.policy_mode == PolicyMode::Enforce);
        let holding = enforced.filter(|verdict| verdict.outcome == Outcome::RequireApproval);
        let new: Vec<&Reason> = holding
            .flat_map(|verdict| verdict.reasons.iter().map(|reason| (&verdict.plan, reason)))
            .filter(|(plan, reason)| !self.held.approval.reasons.contains_key(&terms::answered(plan, reason)))
            .map(|(_, reason)| reason)
            .collect();
        if !new.is_empty() {
            let untold = |reason: &&Reason| matches!(reason, Reason::FactUnknown(_) | Reason::BlockPossible);
            // Stripe could not be asked just now; when it can be, the facts speak for themselves.
            return Some(if new.iter().all(untold) {
                Hindrance::Later("facts_unknown")
            } else {
                Hindrance::Ends("new_rule")
            });
        }
        let least = caps.least(self.intent.money());
        let demands = terms::demands(decision, &self.plans, &self.groups, least);
        let still = |group: &str, person: &axiru_domain::PersonId| self.held.is_member(group, person);
        (!self.held.approval.satisfies(&demands, still)).then_some(Hindrance::Ends("asks_more"))
    }
}

/// What became of a request that is not approved any more: this attempt's own beginning, or somebody else's.
fn mine(row: &RequestRow, attempt: &str) -> Began {
    let lease = row.execution.as_ref().and_then(|execution| execution.lease.as_ref());
    match lease {
        Some(lease) if lease.attempt == attempt => Began::Send(Box::new(row.clone()), attempt.to_owned()),
        _ => Began::Nothing,
    }
}

fn key_row(row: &RequestRow) -> RowKey {
    (keys::pk(row.scope.mode()), row.key.as_str().to_owned())
}

/// The movement that facts are asked of.
fn subject(intent: &Intent, now: Timestamp) -> facts::Subject {
    use axiru_domain::ObjectRole::{Charge, Dispute, PaymentIntent, Transfer};
    let object = |role| intent.object(role).cloned();
    facts::Subject {
        kind: intent.kind(),
        charge: object(Charge),
        payment_intent: object(PaymentIntent),
        transfer: object(Transfer),
        dispute: object(Dispute),
        at: now,
        made: None,
    }
}

fn draft(row: &RequestRow, ty: EntryType, fields: Value) -> Draft {
    let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
    Draft { log: row.log(), actor: Actor::Axiru, ty, fields }
}
