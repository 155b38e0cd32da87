//! The crash enumerator: a scenario, run once per (attempt, fault, SDK retries), recovered, checked.
//!
//! Each point has an account of its own, made by the set-up closure, and a tokio runtime of its own with a paused
//! clock: back-off costs no time, a task that was left behind dies with the point, and a scenario that waits for ever
//! ends at [`LIMIT`] of virtual time. Points run on all processors.

use std::fmt::Display;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime;

use crate::call::{Call, Calls};
use crate::clients::Retries;
use crate::fault::Fault;
use crate::process::Outcome;
use crate::report::{Point, Report, Violation};
use crate::world::InProcess;

/// Virtual time after which a run counts as stuck.
const LIMIT: Duration = Duration::from_hours(24);

/// Tries every fault at every call of a scenario.
///
/// The four closures get what the first of them made: typically handlers and clients of one [`InProcess`].
#[derive(Debug, Clone)]
pub struct Enumerator {
    name: String,
    second_every: Option<usize>,
    delays: Vec<Duration>,
    threads: usize,
}

/// What one run showed.
struct Run {
    scenario: Calls,
    recovery: Calls,
    end: End,
}

enum End {
    Survived,
    Recovered,
    Crashed,
}

type Found = Result<Run, (String, Calls)>;

impl Enumerator {
    /// An enumeration with this name in its report.
    pub fn new(name: &str) -> Self {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        Self { name: name.to_owned(), second_every: None, delays: Vec::new(), threads }
    }

    /// After each first fault, also tries a second one at the calls of the recovery: at every `every`-th of all such
    /// pairs, evenly spread (1 is all of them).
    #[must_use]
    pub fn second_faults(mut self, every: usize) -> Self {
        self.second_every = Some(every.max(1));
        self
    }

    /// Also delays each call, which matters where the code under test has time-outs.
    #[must_use]
    pub fn delays(mut self, delays: &[Duration]) -> Self {
        self.delays = delays.to_vec();
        self
    }

    /// Enumerates and prints the count.
    ///
    /// - `set_up` makes what the scenario needs in a fresh account. Its calls are not counted.
    /// - `scenario` is the work; an error it ends with is an outcome like any other.
    /// - `recover` is what SQS or the caller would do next, after a success too (a duplicate delivery): it runs without faults
    ///   and must succeed, unless the second fault is in it; then it runs once more.
    /// - `check` says whether the account is as it must be.
    ///
    /// # Errors
    /// The first violation, in the order of the points.
    pub fn run<S, E1, E2, E3>(
        &self,
        set_up: impl AsyncFn(InProcess, Retries) -> S + Sync,
        scenario: impl AsyncFn(&S) -> Result<(), E1> + Sync,
        recover: impl AsyncFn(&S) -> Result<(), E2> + Sync,
        check: impl AsyncFn(&S) -> Result<(), E3> + Sync,
    ) -> Result<Report, Box<Violation>>
    where
        E1: Display,
        E2: Display,
        E3: Display,
    {
        let started = Instant::now();
        let run = |retries: Retries, faults: &[Vec<(usize, Fault)>]| {
            on_a_paused_clock(async {
                let account = InProcess::new().map_err(|error| (error.to_string(), Calls::default()))?;
                let stack = set_up(account.clone(), retries).await;
                one_run(&account, &stack, faults, &scenario, &recover, &check).await
            })
        };
        let mut report = Report { name: self.name.clone(), ..Report::default() };
        let mut points = Vec::new();
        for retries in Retries::BOTH {
            let plain = run(retries, &[]).map_err(|found| violation(None, found))?;
            points.extend(self.first_points(retries, &plain.scenario));
            if retries == Retries::On {
                report.calls = plain.scenario.operations().into_iter().map(str::to_owned).collect();
            }
        }
        let runs = self.all(points, &mut report, &|point| run(point.retries, &point.plan()))?;
        if let Some(every) = self.second_every {
            let seconds = runs.iter().flat_map(|(point, run)| second_points(point, &run.recovery));
            let seconds = seconds.step_by(every).collect::<Vec<_>>();
            report.second_points = seconds.len();
            self.all(seconds, &mut report, &|point| run(point.retries, &point.plan()))?;
        }
        report.took = started.elapsed();
        print(&report);
        Ok(report)
    }

    fn first_points(&self, retries: Retries, calls: &Calls) -> Vec<Point> {
        let delays = self.delays.iter().map(|delay| Fault::Delay(*delay)).collect::<Vec<_>>();
        let faults = |call: &Call| [Fault::applicable(call.service, &call.operation), delays.clone()].concat();
        let points = calls.0.iter().flat_map(|call| {
            let first = (call.number, call.operation.clone());
            faults(call).into_iter().map(move |fault| Point { retries, first: first.clone(), fault, second: None })
        });
        points.collect()
    }

    /// Runs all points on all processors and counts them into the report.
    fn all(
        &self,
        points: Vec<Point>,
        report: &mut Report,
        run: &(impl Fn(&Point) -> Found + Sync),
    ) -> Result<Vec<(Point, Run)>, Box<Violation>> {
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| {
                    while let Some(index) =
                        Some(next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < points.len())
                    {
                        let Some(point) = points.get(index) else { break };
                        let outcome = run(point);
                        let failed = outcome.is_err();
                        found.lock().unwrap_or_else(PoisonError::into_inner).push((index, outcome));
                        if failed {
                            next.store(points.len(), Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_by_key(|(index, _)| *index);
        let mut runs = Vec::with_capacity(points.len());
        for (point, (_, outcome)) in points.into_iter().zip(found) {
            let run = outcome.map_err(|found| violation(Some(point.clone()), found))?;
            report.points += 1;
            *report.by_fault.entry(point.fault.to_string()).or_default() += 1;
            match run.end {
                End::Survived => report.survived += 1,
                End::Recovered => report.recovered += 1,
                End::Crashed => report.crashed += 1,
            }
            runs.push((point, run));
        }
        Ok(runs)
    }
}

impl Point {
    /// The faults of the scenario, then those of its recovery.
    fn plan(&self) -> Vec<Vec<(usize, Fault)>> {
        let second = self.second.iter().map(|(number, _, fault)| (*number, *fault)).collect();
        vec![vec![(self.first.0, self.fault)], second]
    }
}

fn second_points(point: &Point, recovery: &Calls) -> Vec<Point> {
    let calls = recovery.0.iter();
    let points = calls.flat_map(|call| {
        Fault::applicable(call.service, &call.operation)
            .into_iter()
            .map(move |fault| (call.number, call.operation.clone(), fault))
    });
    points.map(|second| Point { second: Some(second), ..point.clone() }).collect()
}

/// Set-up is done: scenario under the first faults, recovery under the second ones and again without, check.
async fn one_run<S, E1: Display, E2: Display, E3: Display>(
    account: &InProcess,
    stack: &S,
    faults: &[Vec<(usize, Fault)>],
    scenario: &impl AsyncFn(&S) -> Result<(), E1>,
    recover: &impl AsyncFn(&S) -> Result<(), E2>,
    check: &impl AsyncFn(&S) -> Result<(), E3>,
) -> Found {
    let mut history = Calls::default();
    let plan = |part: usize| faults.get(part).map(Vec::as_slice).unwrap_or_default();
    let outcome = under(account, plan(0), scenario(stack)).await;
    let calls = account.calls();
    history.0.extend(calls.0.iter().cloned());
    let end = match outcome {
        Outcome::Ended(Ok(())) => End::Survived,
        Outcome::Ended(Err(error)) if faults.is_empty() => {
            return Err((format!("the scenario failed: {error}"), history));
        }
        Outcome::Ended(Err(_)) => End::Recovered,
        Outcome::Crashed => End::Crashed,
    };
    if !plan(1).is_empty() {
        // Whatever comes of it: the next recovery has to mend it.
        let _ = under(account, plan(1), recover(stack)).await;
        history.0.extend(account.calls().0);
    }
    let recovered = under(account, &[], recover(stack)).await;
    let recovery = account.calls();
    history.0.extend(recovery.0.iter().cloned());
    if let Outcome::Ended(Err(error)) = recovered {
        return Err((format!("the recovery failed: {error}"), history));
    }
    account.apply_late();
    check(stack).await.map_err(|error| (error.to_string(), history))?;
    Ok(Run { scenario: calls, recovery, end })
}

async fn under<T>(account: &InProcess, faults: &[(usize, Fault)], future: impl Future<Output = T>) -> Outcome<T> {
    account.faults().clear();
    account.clear_calls();
    for (number, fault) in faults {
        account.faults().at(*number, *fault);
    }
    let outcome = account.run(future).await;
    account.faults().clear();
    outcome
}

fn on_a_paused_clock(future: impl Future<Output = Found>) -> Found {
    let build = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = build.map_err(|error| (error.to_string(), Calls::default()))?;
    let stuck = || (format!("still not ended after {LIMIT:?} of virtual time"), Calls::default());
    runtime.block_on(async { tokio::time::timeout(LIMIT, future).await.unwrap_or_else(|_| Err(stuck())) })
}

fn violation(point: Option<Point>, (reason, calls): (String, Calls)) -> Box<Violation> {
    let line = |call: &Call| {
        let fault = call.fault.map(|fault| format!("  <- {fault}")).unwrap_or_default();
        let status = call.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        format!("  {:>3} {status:>3} {} {}{fault}", call.number, call.operation, call.targets.join(" "))
    };
    Box::new(Violation { point, reason, calls: calls.0.iter().map(line).collect::<Vec<_>>().join("\n") })
}

#[expect(clippy::print_stdout, reason = "the count of points is the result of the test that runs it")]
fn print(report: &Report) {
    println!("{report}");
}
