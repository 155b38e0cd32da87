//! Path A: from an intent to a decision in the ledger.
//!
//! Two waits where memory is warm: every row the decision depends on, beside the tip of the request's log; then one transaction of
//! the entry, the request's row, what the movement is the same as, and the counters. All or none: without its entry there is no
//! decision. Every try reads anew, so a write of an earlier try whose answer was lost is found by the request's own row.
//! Whatever cannot be decided in time is [`DecideError::Undecided`]: never an allow.

mod ask;
mod asking;
mod memory;
mod plan;
mod remarks;
mod standing;
mod view;

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::TransactWriteItem;
use axiru_domain::{ObjectRole, Outcome, RateLimited, RequestId, RequestStatus, Scope, Timestamp, sameness};
use axiru_ledger::entry::{Entry, Tip};

pub(crate) use ask::told;
pub use ask::{Ask, Parameters, Purpose};
pub use remarks::Remarks;
pub use standing::Standing;

use crate::approval::LinkCaps;
use crate::connect::token::random_id;
use crate::error::{AwsError, Retry};
use crate::facts::{self, StripeFacts};
use crate::item::RowError;
use crate::ledger::{CommitError, TRIES, wait};
use crate::plans::Plans;
use crate::reads::Reads;
use crate::requests::{self, Found, RequestRow};
use crate::seal::Seal;
use crate::sealed;
use crate::similar::{self, SimilarRow};
use crate::store::{Store, StoreError};
use crate::switches::{self, Stopped};
use memory::Memory;
use view::{Learnt, View, usage};

/// How long a request may take in all. Stripe gives the authorisations of its own Issuing as long.
pub const DEADLINE: Duration = Duration::from_secs(2);

/// Reads of one try: cold it takes three (who and where, plans and counters, what Stripe's facts lead to), and a change between them
/// one more.
const ROUNDS: usize = 6;

/// A decision, as it stands in the ledger.
#[derive(Debug, Clone)]
pub struct Decided {
    /// Its entry.
    pub entry: Entry,
    /// Where the request stands.
    pub row: RequestRow,
    /// Whether it had been decided before this call.
    pub cached: bool,
    /// Whether something of its family is enforced now. What was decided while nothing was is only passed on while nothing is.
    pub governed: bool,
    /// Whether it was decided on exactly what this call asks: an equal open request may differ in what no policy sees, such as metadata.
    pub exact: bool,
    /// What this call wrote, which has the right to send where the request is under way.
    pub attempt: String,
    /// What an operator has stopped since it was decided: nothing more is sent for it meanwhile.
    pub stopped: Option<Stopped>,
}

impl Decided {
    /// What stops a repeated call, where its answer would have something started now: the caller's own movement, or one passed on in
    /// shadow. What has an outcome, waits, or may have been sent already is told as it stands.
    fn would_start(&self, purpose: Purpose) -> Option<&Stopped> {
        let starts = match self.row.status {
            RequestStatus::Allowed => true,
            RequestStatus::Settled | RequestStatus::Expired => purpose == Purpose::Send && !self.governed,
            _ => false,
        };
        self.stopped.as_ref().filter(|_| starts)
    }
}

/// Why there is no decision.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The key is unknown, wrong, revoked or expired: one answer for all.
    #[error("the key is not accepted")]
    Key,
    /// The key is not for this account.
    #[error("the key is not for this account")]
    Account,
    /// The account is not connected in the key's mode.
    #[error("the account is not connected")]
    NotConnected,
    /// An operator has stopped it. Nothing is decided meanwhile.
    #[error("stopped: {0}")]
    Stopped(Stopped),
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for another request")]
    OtherContent,
    /// The key has used up its minute.
    #[error("{0}")]
    RateLimited(#[from] RateLimited),
    /// Stripe knows no such object.
    #[error("Stripe knows no such `{0}` on this account")]
    Object(&'static str),
    /// Nobody can say. Asking again with the same key is safe.
    #[error("undecided: {0}")]
    Undecided(#[from] Undecided),
}

/// What kept a request from being decided.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    /// The time was up.
    #[error("not within {DEADLINE:?}")]
    Deadline,
    /// The store did not do it.
    #[error("{0}")]
    Commit(#[from] CommitError),
    /// A row is not as this program writes it.
    #[error("{0}")]
    Row(#[from] RowError),
    /// The scope has no row that says which plans it has.
    #[error("the scope's plans are missing")]
    NoPlans,
    /// The rows kept changing while they were read.
    #[error("what the decision depends on kept changing")]
    Unsettled,
    /// An entry that a row names is not there.
    #[error("entry {0} is missing")]
    Entry(u64),
    /// The system has no random bytes to give.
    #[error("no random bytes")]
    Random,
    /// Nothing can be sealed here, so nothing can be made later.
    #[error("no key that seals")]
    NoSeal,
}

impl From<StoreError> for Undecided {
    fn from(error: StoreError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<AwsError> for Undecided {
    fn from(error: AwsError) -> Self {
        Self::Commit(error.into())
    }
}

impl Undecided {
    /// Whether another try in this call can help.
    fn retry(&self) -> Retry {
        match self {
            Self::Commit(error) => error.retry(),
            Self::Unsettled => Retry::Later,
            Self::Deadline | Self::Row(_) | Self::NoPlans | Self::Entry(_) | Self::Random | Self::NoSeal => {
                Retry::Never
            }
        }
    }
}

/// Decides requests.
pub struct Decider {
    store: Store,
    plans: Plans,
    memory: Memory,
    facts: Option<StripeFacts>,
    seal: Option<Seal>,
    caps: LinkCaps,
    clock: fn() -> Timestamp,
    deadline: Duration,
}

/// What one request carries through its tries.
struct Course<'a> {
    ask: &'a Ask,
    scope: Scope,
    digest: String,
    sameness: String,
    /// Marks what this call writes.
    attempt: String,
    learnt: Option<Learnt>,
    /// The object that Stripe does not know. Told only to whom the key is accepted, and where there is no decision yet.
    no_such: Option<&'static str>,
    /// What people are shown beside what plans read, once Stripe was asked for it.
    shown: Option<Learnt>,
}

/// What one try came to.
enum Tried {
    Decided(Box<Decided>),
    /// An equal request that is still open, of the same actor under another idempotency key.
    SameAs(RequestId, bool),
}

impl Decider {
    /// On that store, with the machine's clock.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            plans: Plans::default(),
            memory: Memory::default(),
            facts: None,
            seal: None,
            caps: LinkCaps::default(),
            clock: Timestamp::now,
            deadline: DEADLINE,
        }
    }

    /// Asking Stripe for the facts that plans read and the request does not tell.
    #[must_use]
    pub fn with_facts(mut self, facts: StripeFacts) -> Self {
        self.facts = Some(facts);
        self
    }

    /// Sealing what has to wait with that key.
    #[must_use]
    pub fn with_seal(mut self, seal: Seal) -> Self {
        self.seal = Some(seal);
        self
    }

    /// With the most that the link of one person may release.
    #[must_use]
    pub fn with_link_caps(mut self, caps: LinkCaps) -> Self {
        self.caps = caps;
        self
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> Timestamp) -> Self {
        self.clock = clock;
        self
    }

    /// Decides a request, or gives the decision it already has.
    ///
    /// # Errors
    /// [`DecideError`]. Only [`DecideError::Undecided`] may have been decided all the same: the same request finds out.
    pub async fn decide(&self, ask: &Ask) -> Result<Decided, DecideError> {
        let scope = ask.scope();
        let sameness = sameness(&scope, ask.intent.kind(), ask.intent.parent(), ask.money());
        let attempt = random_id("att_").map_err(|_| Undecided::Random)?;
        let digest = ask.digest();
        let mut course = Course { ask, scope, digest, sameness, attempt, learnt: None, no_such: None, shown: None };
        let work = Box::pin(self.tries(&mut course));
        tokio::time::timeout(self.deadline, work).await.unwrap_or(Err(Undecided::Deadline.into()))
    }

    async fn tries(&self, course: &mut Course<'_>) -> Result<Decided, DecideError> {
        let mut last = Undecided::Unsettled;
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(wait(attempt)).await;
            }
            match self.one_try(course).await {
                Ok(Tried::Decided(decided)) => return Ok(*decided),
                Ok(Tried::SameAs(request, governed)) => match self.same_as(course, &request, governed).await {
                    Ok(decided) => return Ok(decided),
                    Err(DecideError::Undecided(error)) if error.retry() == Retry::Later => last = error,
                    Err(error) => return Err(error),
                },
                Err(DecideError::Undecided(error)) if error.retry() == Retry::Later => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last.into())
    }

    async fn one_try(&self, course: &mut Course<'_>) -> Result<Tried, DecideError> {
        let now = (self.clock)();
        let (reads, mut view, tip) = self.read(course, now).await?;
        let (Some(key), Some(who), Some(request), Some(log), Some(plans)) =
            (view.key.clone(), view.who.clone(), view.request.clone(), view.log.clone(), view.plans.clone())
        else {
            return Err(Undecided::Unsettled.into());
        };
        let stopped = switches::among(&reads, &course.scope, Some(&who.actor)).map_err(Undecided::from)?;
        if let Some(row) = reads.get(&requests::key_of(&course.scope, &request)) {
            let found = Found::of(&course.scope, &request, row).map_err(Undecided::from)?;
            let governed = plans.enforces(course.ask.intent.kind().family());
            let decided = Decided { stopped, ..self.again(course, found, governed).await? };
            if let Some(stopped) = decided.would_start(course.ask.purpose) {
                return Err(self.stopped(course, stopped.clone()));
            }
            return Ok(Tried::Decided(Box::new(decided)));
        }
        if let Some(stopped) = stopped {
            return Err(self.stopped(course, stopped));
        }
        let similar_key = similar::key_of(&course.scope, &course.sameness);
        let similar = SimilarRow::of(reads.get(&similar_key)).map_err(Undecided::from)?;
        let governed = plans.enforces(course.ask.intent.kind().family());
        let same = match course.ask.purpose {
            Purpose::Advise => similar.similar.open_for(&who.actor, now),
            // In shadow every call is passed on, and told by itself.
            Purpose::Send if !governed => None,
            Purpose::Send | Purpose::Queue => similar.similar.waiting_for(&who.actor, now),
        };
        if let Some(open) = same {
            return Ok(Tried::SameAs(open.request.clone(), governed));
        }
        if let Some(role) = course.no_such {
            return Err(DecideError::Object(role));
        }
        view.learn(&course.scope, &reads, &similar, now).map_err(Undecided::from)?;
        let mut counters = view.counter_rows(&course.scope, &reads).map_err(Undecided::from)?;
        plan::count(&mut counters, &who, &key, now)?;
        let asked = view.asked(course.ask, &who, now);
        let decision = axiru_policy::decide(&plans, &asked, &usage(&counters));
        let asking = match decision.outcome() {
            Outcome::RequireApproval => Some(self.asking(course, &view, &key, &plans, &decision, now).await?),
            Outcome::Allow | Outcome::Block => None,
        };
        let question = plan::Question {
            course,
            view: &view,
            who: &who,
            key: &key,
            request: &request,
            log: &log,
            plans: &plans,
            tip: &tip,
            now,
        };
        let mut planned = plan::writes(&self.store, &question, decision, asking, similar, counters)?;
        planned.writes.rows.extend(self.sealed(course, &planned.row, now).await?);
        let entries = self.store.append_at(&log, &tip, now, planned.writes).await.map_err(Undecided::from)?;
        let entry = entries.into_iter().next().ok_or(Undecided::Entry(tip.seq))?;
        let attempt = course.attempt.clone();
        let row = planned.row.written();
        Ok(Tried::Decided(Box::new(Decided {
            entry,
            row,
            cached: false,
            governed,
            exact: true,
            attempt,
            stopped: None,
        })))
    }

    /// The refusal of what is stopped. Nothing of it is passed on by memory, either.
    fn stopped(&self, course: &Course<'_>, stopped: Stopped) -> DecideError {
        self.memory.forget(course.ask.token.id(), &course.scope);
        DecideError::Stopped(stopped)
    }

    /// The write of the parameters of a request that has to wait.
    async fn sealed(
        &self,
        course: &Course<'_>,
        row: &RequestRow,
        now: Timestamp,
    ) -> Result<Option<TransactWriteItem>, Undecided> {
        let waits = match row.status {
            RequestStatus::Pending => true,
            RequestStatus::Executing => course.ask.purpose == Purpose::Queue,
            _ => false,
        };
        let Some(parameters) = course.ask.parameters.as_ref().filter(|_| waits) else { return Ok(None) };
        let seal = self.seal.as_ref().ok_or(Undecided::NoSeal)?;
        Ok(Some(sealed::put(&self.store, seal, &course.scope, &row.id, &parameters.stored, now).await?))
    }

    /// Reads until nothing more is asked for: once, where memory is warm.
    async fn read(&self, course: &mut Course<'_>, now: Timestamp) -> Result<(Reads, View, Tip), DecideError> {
        let mut reads = Reads::default();
        let mut tip = None;
        for _ in 0..ROUNDS {
            let view = View::new(course, &reads, &self.memory, &self.plans, now)?;
            let missing = view.rows.iter().filter(|row| !reads.knows(row)).cloned().collect();
            let log = view.log.clone().filter(|log| tip.as_ref().is_none_or(|(of, _)| of != log));
            let wanted =
                (course.learnt.is_none() && view.who.is_some() && view.plans.is_some()).then_some(&view.wanted);
            if let (true, None, None, Some((_, tip))) = (BTreeSet::is_empty(&missing), &log, wanted, &tip) {
                return Ok((reads, view, *tip));
            }
            let rows = async {
                if missing.is_empty() { Ok(Reads::default()) } else { Reads::fetch(&self.store, &missing).await }
            };
            let next_tip = async {
                match &log {
                    Some(log) => self.store.tip(log).await.map(Some),
                    None => Ok(None),
                }
            };
            let learning = async {
                match wanted {
                    Some(wanted) => Some(self.learn(course, wanted, now).await),
                    None => None,
                }
            };
            let (rows, next_tip, learnt) = tokio::join!(rows, next_tip, learning);
            reads.extend(rows.map_err(Undecided::from)?);
            if let (Some(log), Some(next)) = (log, next_tip.map_err(Undecided::from)?) {
                tip = Some((log, next));
            }
            if let Some((learnt, no_such)) = learnt {
                (course.learnt, course.no_such) = (Some(learnt), no_such);
            }
        }
        Err(Undecided::Unsettled.into())
    }

    /// Asks Stripe for the facts that somebody reads. What it cannot say stays unknown; an object that it does not know is named.
    async fn learn(
        &self,
        course: &Course<'_>,
        wanted: &BTreeSet<&'static str>,
        now: Timestamp,
    ) -> (Learnt, Option<&'static str>) {
        let Some(stripe) = self.facts.as_ref().filter(|_| !wanted.is_empty()) else { return (Learnt::new(), None) };
        let object = |role| course.ask.intent.object(role).cloned();
        let subject = facts::Subject {
            kind: course.ask.intent.kind(),
            charge: object(ObjectRole::Charge),
            payment_intent: object(ObjectRole::PaymentIntent),
            transfer: object(ObjectRole::Transfer),
            dispute: object(ObjectRole::Dispute),
            at: now,
            made: None,
        };
        let learnt = stripe.learn(&course.scope, &subject, wanted).await;
        for (name, why) in &learnt.unknown {
            tracing::warn!(scope = %course.scope, fact = name, why = %why, "a fact is not known");
        }
        let no_such = learnt.no_such();
        (learnt.facts, no_such)
    }

    /// The decision that a request already has.
    async fn again(&self, course: &Course<'_>, found: Found, governed: bool) -> Result<Decided, DecideError> {
        let row = match found {
            Found::Request(row) if row.digest == course.digest => row,
            Found::Alias { of, digest } if digest == course.digest => self.store.request(&course.scope, &of).await?,
            Found::Request(_) | Found::Alias { .. } => return Err(DecideError::OtherContent),
        };
        // What this very call wrote, and lost the answer of, is no repetition.
        let cached = row.attempt != course.attempt;
        let attempt = course.attempt.clone();
        let exact = row.digest == course.digest;
        Ok(Decided {
            entry: self.store.decision_entry(&row).await?,
            row: *row,
            cached,
            governed,
            exact,
            attempt,
            stopped: None,
        })
    }

    /// The decision on an equal request that is open, which from now on answers this idempotency key too.
    async fn same_as(&self, course: &Course<'_>, open: &RequestId, governed: bool) -> Result<Decided, DecideError> {
        let row = self.store.request(&course.scope, open).await?;
        let alias = RequestId::of(&course.scope, &row.actor, &course.ask.idempotency_key);
        self.store.put_alias(&course.scope, &alias, open, &course.digest).await.map_err(Undecided::from)?;
        let attempt = course.attempt.clone();
        let exact = row.digest == course.digest;
        Ok(Decided {
            entry: self.store.decision_entry(&row).await?,
            row: *row,
            cached: true,
            governed,
            exact,
            attempt,
            stopped: None,
        })
    }
}

/// The status of a request that was just decided so.
const fn status(outcome: axiru_domain::Outcome, purpose: Purpose, governed: bool) -> RequestStatus {
    match (outcome, purpose) {
        (axiru_domain::Outcome::Block, _) => RequestStatus::Denied,
        (axiru_domain::Outcome::RequireApproval, _) => RequestStatus::Pending,
        (axiru_domain::Outcome::Allow, Purpose::Advise) => RequestStatus::Allowed,
        // What is passed on in shadow is the caller's own doing, and told as that.
        (axiru_domain::Outcome::Allow, Purpose::Send) if !governed => RequestStatus::Allowed,
        (axiru_domain::Outcome::Allow, Purpose::Send | Purpose::Queue) => RequestStatus::Executing,
    }
}
