//! The gate: every HTTP attempt passes it, is numbered and recorded there, and is told what goes wrong with it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::call::{Call, Calls};
use crate::fault::Fault;
use crate::wire::{Reply, WireRequest};

/// The plan of what goes wrong. A clone speaks of the same account.
#[derive(Clone)]
pub struct Faults {
    gate: Arc<Gate>,
}

type Rule = Box<dyn FnMut(&Call) -> Option<Fault> + Send>;

/// Counts, records, decides.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    rules: Vec<Rule>,
    late: Vec<(usize, WireRequest)>,
    clock: u64,
    /// Grows whenever the calls are cleared, so that a call under way then does not mark another as answered.
    generation: u64,
}

/// A call that has entered the gate.
pub(crate) struct Entered {
    pub(crate) number: usize,
    pub(crate) fault: Option<Fault>,
    generation: u64,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, process: usize, request: &WireRequest) -> Entered {
        let mut guard = self.state();
        let state = &mut *guard;
        state.clock += 1;
        let mut call = Call {
            number: state.calls.len(),
            process,
            service: request.service,
            operation: request.operation.clone(),
            targets: request.targets(),
            body: request.body.clone(),
            fault: None,
            status: None,
            capacity_units: None,
            entered: state.clock,
            left: None,
        };
        call.fault = state.rules.iter_mut().find_map(|rule| rule(&call));
        let entered = Entered { number: call.number, fault: call.fault, generation: state.generation };
        state.calls.push(call);
        entered
    }

    pub(crate) fn leave(&self, entered: &Entered, reply: Option<&Reply>) {
        let mut state = self.state();
        state.clock += 1;
        let now = state.clock;
        if state.generation != entered.generation {
            return;
        }
        if let Some(call) = state.calls.get_mut(entered.number) {
            call.left = Some(now);
            call.status = reply.map(|reply| reply.status);
            call.capacity_units = reply.and_then(|reply| reply.capacity_units);
        }
    }

    /// Keeps a request to be applied just before attempt number `due`.
    pub(crate) fn hold(&self, due: usize, request: WireRequest) {
        self.state().late.push((due, request));
    }

    /// The held requests that are due at attempt `number`.
    pub(crate) fn due(&self, number: usize) -> Vec<WireRequest> {
        let mut state = self.state();
        let (due, later) = std::mem::take(&mut state.late).into_iter().partition::<Vec<_>, _>(|(at, _)| *at <= number);
        state.late = later;
        due.into_iter().map(|(_, request)| request).collect()
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
