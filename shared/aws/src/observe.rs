//! Path B: from reports of Stripe's events to observations in the ledger.
//!
//! Reports of one scope and lane are committed together, at most [`MAX_NEWS`] pieces of news in one transaction, so that a
//! burst of webhooks does not starve those who decide on the same tip. Every piece of news finds its own earlier write
//! by its row: a movement's row says which statuses are recorded, a fact's row that its event was. So a redelivered,
//! duplicated or reordered event changes nothing.

mod enforce;
mod entry;
mod known;
mod link;
mod plan;
mod row;
mod told;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axiru_domain::{Date, LogId, Scope, StripeId, Timestamp};
use axiru_ledger::entry::Entry;
use axiru_ledger::types::EntryType;
use axiru_stripe::report::{News, Report, Sighting};

use crate::connection::{Connection, ConnectionState};
use crate::error::Retry;
use crate::facts::{self, StripeFacts};
use crate::jobs::{Job, JobQueue};
use crate::ledger::CommitError;
use crate::plans::Plans;
use crate::store::{Store, StoreError};
pub(crate) use plan::rank;
use told::Told;

/// Most pieces of news in one transaction. Each writes its row, what it is the same as, up to four entries, a request and its sealed parameters, and the counters of its
/// own subjects, of which there are three beside those that all share: some 90 of DynamoDB's 100 items. A batch that comes to more is
/// committed piece by piece.
pub const MAX_NEWS: usize = 10;

/// Why a report could not be observed.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The commit.
    #[error("{0}")]
    Commit(#[from] CommitError),
    /// A row or a plan could not be read.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The report says something that is not possible, such as an amount beyond 2^53.
    #[error("the report is not one: {0}")]
    Report(&'static str),
}

impl ObserveError {
    /// Whether delivering the report again can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Commit(error) => error.retry(),
            Self::Store(StoreError::Aws(error)) => error.retry(),
            Self::Store(StoreError::Row(_)) | Self::Report(_) => Retry::Never,
        }
    }
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// Everything it says is in the ledger; these entries are new.
    Recorded(Vec<Recorded>),
    /// Its scope is not connected: nothing is accepted for it.
    NotConnected,
}

impl Observed {
    /// How many of the new entries tell that a movement which an enforced plan blocks can no longer be undone.
    #[must_use]
    pub fn ungoverned(&self) -> u64 {
        let Self::Recorded(entries) = self else { return 0 };
        entries.iter().filter(|entry| entry.ty == EntryType::MovementTooLate.as_str()).count() as u64
    }
}

/// A new entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Where it stands.
    pub log: LogId,
    /// Its number.
    pub seq: u64,
    /// Its type.
    pub ty: String,
    /// Its day.
    pub day: Date,
}

/// Observes reports.
pub struct Observer {
    store: Store,
    plans: Plans,
    facts: Option<StripeFacts>,
    jobs: Option<JobQueue>,
    clock: fn() -> Timestamp,
}

/// A piece of news on its way into a lane.
struct Piece {
    /// Which report it is of.
    report: usize,
    told: Told,
    news: News,
}

impl Piece {
    /// The movement that it tells of.
    const fn sighting(&mut self) -> Option<&mut Sighting> {
        if let News::Movement(sighting) = &mut self.news { Some(sighting) } else { None }
    }
}

impl Observer {
    /// On that store, with the machine's clock.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, plans: Plans::default(), facts: None, jobs: None, clock: Timestamp::now }
    }

    /// Asking Stripe for the facts that plans read and events do not tell.
    #[must_use]
    pub fn with_facts(mut self, facts: StripeFacts) -> Self {
        self.facts = Some(facts);
        self
    }

    /// Sending what is to be cancelled to the worker at once. Without it, or where a job is lost, the sweeper finds it.
    #[must_use]
    pub fn with_jobs(mut self, jobs: JobQueue) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> Timestamp) -> Self {
        self.clock = clock;
        self
    }

    /// Observes a batch. The results are in the order of the reports: each fails or succeeds by itself.
    pub async fn observe(&self, reports: Vec<Report>) -> Vec<Result<Observed, ObserveError>> {
        let mut results: Vec<Result<Observed, ObserveError>> =
            reports.iter().map(|_| Ok(Observed::Recorded(Vec::new()))).collect();
        let mut scopes: BTreeMap<Scope, Vec<(usize, Report)>> = BTreeMap::new();
        for (i, report) in reports.into_iter().enumerate() {
            scopes.entry(report.scope.clone()).or_default().push((i, report));
        }
        for (scope, reports) in scopes {
            let numbers: Vec<usize> = reports.iter().map(|(i, _)| *i).collect();
            match Box::pin(self.observe_scope(&scope, reports)).await {
                Ok(outcomes) => outcomes.into_iter().for_each(|(i, outcome)| note(&mut results, i, outcome)),
                // The same fault for all: each is given its own error, the first one the cause.
                Err(error) => {
                    let retry = error.retry();
                    let mut error = Some(error);
                    for i in numbers {
                        let error = error.take().unwrap_or_else(|| again(retry));
                        note(&mut results, i, Err(error));
                    }
                }
            }
        }
        results
    }

    async fn observe_scope(
        &self,
        scope: &Scope,
        reports: Vec<(usize, Report)>,
    ) -> Result<Vec<(usize, Result<Observed, ObserveError>)>, ObserveError> {
        let mut outcomes = Vec::new();
        // Beside each other: the plans are seldom read in vain.
        let (connection, plans) = tokio::join!(self.store.connection(scope), self.plans.of(&self.store, scope));
        let Some(connection) = connection?.filter(|c| c.state != ConnectionState::Revoked) else {
            return Ok(reports.into_iter().map(|(i, _)| (i, Ok(Observed::NotConnected))).collect());
        };
        let plans = plans?;
        let mut lanes: BTreeMap<LogId, Vec<Piece>> = BTreeMap::new();
        for (report, said) in reports {
            outcomes.push((report, Ok(Observed::Recorded(Vec::new()))));
            let told = Told::of(&said);
            for news in said.news {
                let lane = subject(&news).map_or(axiru_domain::Lane::ZERO, |id| connection.lanes.lane_of(id.as_str()));
                let log = LogId { scope: scope.clone(), lane };
                lanes.entry(log).or_default().push(Piece { report, told: told.clone(), news });
            }
        }
        let sightings = lanes.values_mut().flatten().filter_map(Piece::sighting);
        facts::before(self.facts.as_ref(), scope, &plans, sightings).await;
        for (log, pieces) in lanes {
            for chunk in pieces.chunks(MAX_NEWS) {
                match Box::pin(self.commit(&log, &connection, &plans, chunk)).await {
                    Err(error) if error.retry() == Retry::Never && chunk.len() > 1 => {
                        // One piece is poison: the others must not wait for it in the dead-letter queue.
                        for piece in chunk {
                            let outcome =
                                Box::pin(self.commit(&log, &connection, &plans, std::slice::from_ref(piece))).await;
                            outcomes.extend(share(std::slice::from_ref(piece), outcome));
                        }
                    }
                    outcome => outcomes.extend(share(chunk, outcome)),
                }
            }
        }
        Ok(outcomes)
    }

    async fn commit(
        &self,
        log: &LogId,
        connection: &Connection,
        plans: &axiru_policy::PlanSet,
        pieces: &[Piece],
    ) -> Result<Vec<Entry>, ObserveError> {
        let news: Vec<(&Told, &News)> = pieces.iter().map(|piece| (&piece.told, &piece.news)).collect();
        // Of the try that counts: the last one.
        let jobs = Mutex::new(Vec::new());
        let plan = async || {
            let rows = row::Rows::read(&self.store, &log.scope, plans, &news).await?;
            let planned = plan::writes(&self.store, log, connection, plans, rows, &news, (self.clock)())?;
            *jobs.lock().unwrap_or_else(PoisonError::into_inner) = planned.jobs;
            Ok::<_, ObserveError>(planned.writes)
        };
        let entries = self.store.commit(log, self.clock, plan).await?;
        self.send(jobs.into_inner().unwrap_or_else(PoisonError::into_inner)).await;
        Ok(entries)
    }

    /// Sends what is to be cancelled. It stands in the rows: what cannot be sent is found by the sweeper.
    async fn send(&self, jobs: Vec<(Job, Timestamp)>) {
        let Some(queue) = &self.jobs else { return };
        for (job, since) in jobs {
            let Job::Cancel { object, .. } = &job else { continue };
            if let Err(error) = queue.send(&job, object.as_str(), &since.to_string()).await {
                tracing::warn!(scope = %job.scope(), movement.object = %object, error = %error, "a job could not be sent");
            }
        }
    }
}

/// The object whose lane a piece of news belongs to; none for what is administrative.
const fn subject(news: &News) -> Option<&StripeId> {
    match news {
        News::Movement(sighting) => Some(&sighting.object),
        News::Fact(fact) => Some(&fact.object),
        News::Uninstalled => None,
    }
}

type Outcome = (usize, Result<Observed, ObserveError>);

/// The outcome of a chunk, for each report in it. The entries are told to the first.
fn share(pieces: &[Piece], outcome: Result<Vec<Entry>, ObserveError>) -> Vec<Outcome> {
    match outcome {
        Ok(entries) => {
            let recorded = entries.iter().map(|entry| Recorded {
                log: entry.log().clone(),
                seq: entry.seq(),
                ty: entry.ty().to_owned(),
                day: entry.at().date(),
            });
            let first = pieces.first().map_or(0, |piece| piece.report);
            vec![(first, Ok(Observed::Recorded(recorded.collect())))]
        }
        Err(error) => {
            let retry = error.retry();
            let mut error = Some(error);
            pieces.iter().map(|piece| (piece.report, Err(error.take().unwrap_or_else(|| again(retry))))).collect()
        }
    }
}

/// The error of a report that failed together with another.
fn again(retry: Retry) -> ObserveError {
    match retry {
        Retry::Later => ObserveError::Commit(CommitError::Contended),
        Retry::Never => ObserveError::Report("committed together with one that cannot be"),
    }
}

/// Adds an outcome to those of a report: one failure fails it.
fn note(results: &mut [Result<Observed, ObserveError>], report: usize, outcome: Result<Observed, ObserveError>) {
    let Some(result) = results.get_mut(report) else {
        return;
    };
    match (result.as_mut(), outcome) {
        (Err(_), _) => {}
        (Ok(Observed::Recorded(all)), Ok(Observed::Recorded(more))) => all.extend(more),
        (Ok(_), outcome) => *result = outcome,
    }
}
