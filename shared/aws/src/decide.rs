//! Path A: from an intent to a decision in the ledger.
//!
//! Two waits where memory is warm: every row the decision depends on, beside the tip of the request's log; then one transaction of
//! the entry, the request's row, what the movement is the same as, and the counters. All or none: without its entry there is no
//! decision. Every try reads anew, so a write of an earlier try whose answer was lost is found by the request's own row.
//! Whatever cannot be decided in time is [`DecideError::Undecided`]: never an allow.

mod again;
mod answer;
mod ask;
mod asking;
mod memory;
mod plan;
mod reading;
mod remarks;
mod standing;
mod view;

use std::time::Duration;

use aws_sdk_dynamodb::types::TransactWriteItem;
use axiru_domain::{Outcome, RequestId, RequestStatus, Scope, Timestamp, sameness};

pub use answer::{DecideError, Decided, Undecided};
pub(crate) use ask::told;
pub use ask::{Ask, Parameters, Purpose};
pub use remarks::Remarks;
pub use standing::Standing;

use crate::approval::LinkCaps;
use crate::connect::token::random_id;
use crate::error::Retry;
use crate::facts::StripeFacts;
use crate::ledger::{TRIES, wait};
use crate::plans::Plans;
use crate::requests::{self, Found, RequestRow};
use crate::seal::Seal;
use crate::sealed;
use crate::similar::{self, SimilarRow};
use crate::store::Store;
use crate::switches::{self, Stopped};
use memory::Memory;
use view::{Learnt, usage};

/// How long a request may take in all. Stripe gives the authorisations of its own Issuing as long.
pub const DEADLINE: Duration = Duration::from_secs(2);

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
