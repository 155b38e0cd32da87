//! The gate: every HTTP attempt passes it, is numbered and recorded there, and is told what goes wrong with it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::call::{Call, Calls, Service};
use crate::fault::Fault;

/// The plan of what goes wrong. A clone speaks of the same account.
#[derive(Clone)]
pub struct Faults {
    gate: Arc<Gate>,
}

type Rule = Box<dyn FnMut(&Call) -> Option<Fault> + Send>;

/// Work that is done before a call is applied.
type Doing = Pin<Box<dyn Future<Output = ()> + Send>>;

type Hook = Box<dyn FnMut(&Call) -> Doing + Send>;

/// A request that is applied later.
type Late = Box<dyn FnOnce() + Send>;

/// Counts, records, decides.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    /// Beside the state: a hook may ask the account for anything while it is asked.
    hooks: Mutex<Vec<Hook>>,
}

/// A request at the gate.
pub(crate) struct Arrival {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) targets: Vec<String>,
    pub(crate) body: Bytes,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    rules: Vec<Rule>,
    late: Vec<(usize, Late)>,
    clock: u64,
    /// Grows whenever the calls are cleared, so that a call under way then does not mark another as answered.
    generation: u64,
}

/// A call that has entered the gate.
pub(crate) struct Entered {
    pub(crate) number: usize,
    pub(crate) fault: Option<Fault>,
    generation: u64,
    pub(crate) call: Call,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, process: usize, arrival: Arrival) -> Entered {
        let mut guard = self.state();
        let state = &mut *guard;
        state.clock += 1;
        let mut call = Call {
            number: state.calls.len(),
            process,
            service: arrival.service,
            operation: arrival.operation,
            targets: arrival.targets,
            body: arrival.body,
            fault: None,
            status: None,
            capacity_units: None,
            entered: state.clock,
            left: None,
        };
        call.fault = state.rules.iter_mut().find_map(|rule| rule(&call));
        let entered =
            Entered { number: call.number, fault: call.fault, generation: state.generation, call: call.clone() };
        state.calls.push(call);
        entered
    }

    pub(crate) fn leave(&self, entered: &Entered, status: Option<u16>, capacity_units: Option<f64>) {
        let mut state = self.state();
        state.clock += 1;
        let now = state.clock;
        if state.generation != entered.generation {
            return;
        }
        if let Some(call) = state.calls.get_mut(entered.number) {
            call.left = Some(now);
            call.status = status;
            call.capacity_units = capacity_units;
        }
    }

    /// Keeps a request to be applied just before attempt number `due`.
    pub(crate) fn hold(&self, due: usize, late: impl FnOnce() + Send + 'static) {
        self.state().late.push((due, Box::new(late)));
    }

    /// Applies the held requests that are due at attempt `number`.
    pub(crate) fn apply_due(&self, number: usize) {
        let due = {
            let mut state = self.state();
            let late = std::mem::take(&mut state.late);
            let (due, later) = late.into_iter().partition::<Vec<_>, _>(|(at, _)| *at <= number);
            state.late = later;
            due
        };
        due.into_iter().for_each(|(_, late)| late());
    }

    /// What comes between a call's arrival and its being applied: what is late, then what hooks do.
    pub(crate) async fn before(&self, entered: &Entered) {
        self.apply_due(entered.number);
        for doing in self.ask_hooks(&entered.call) {
            doing.await;
        }
    }

    fn ask_hooks(&self, call: &Call) -> Vec<Doing> {
        let mut hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        hooks.iter_mut().map(|hook| hook(call)).collect()
    }

    pub(crate) fn add_hook(&self, hook: Hook) {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    pub(crate) fn calls(&self) -> Calls {
        Calls(self.state().calls.clone())
    }

    /// Forgets the calls made; the next one is number 0. Held requests keep their distance.
    pub(crate) fn clear_calls(&self) {
        let mut state = self.state();
        let made = state.calls.len();
        state.generation += 1;
        state.calls.clear();
        for (due, _) in &mut state.late {
            *due = due.saturating_sub(made);
        }
    }
}

impl Faults {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Self { gate }
    }

    /// Asks `rule` at every attempt. Rules are asked in the order they were added; the first fault holds.
    pub fn decide(&self, rule: impl FnMut(&Call) -> Option<Fault> + Send + 'static) {
        self.gate.state().rules.push(Box::new(rule));
    }

    /// One fault at one attempt.
    pub fn at(&self, number: usize, fault: Fault) {
        self.decide(move |call| (call.number == number).then_some(fault));
    }

    /// One fault at the next attempt of an operation.
    pub fn next(&self, operation: &'static str, fault: Fault) {
        let mut spent = false;
        self.decide(move |call| {
            let hit = !spent && call.operation == operation;
            spent |= hit;
            hit.then_some(fault)
        });
    }

    /// A fault at every attempt of an operation, until [`Faults::clear`].
    pub fn always(&self, operation: &'static str, fault: Fault) {
        self.decide(move |call| (call.operation == operation).then_some(fault));
    }

    /// Nothing goes wrong any more. Requests held by [`Fault::ApplyLate`] are still applied when they are due.
    pub fn clear(&self) {
        self.gate.state().rules.clear();
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("rules", &self.gate.state().rules.len()).finish()
    }
}
