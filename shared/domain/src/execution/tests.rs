//! The state machine, exhaustively: every order of a few processes, faults, looks and hours that there can be.
//!
//! A model of Stripe beside it: a key, once it was executed, gives its answer again; a send that was lost may still arrive, but not as
//! late as the second look. Every state that can be reached within a number of steps is visited once.

use std::collections::HashSet;
use std::rc::Rc;

use super::*;

/// What one world is: the row, Stripe, and the sends that are under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    status: RequestStatus,
    execution: Execution,
    /// Seconds since the decision.
    clock: i64,
    /// How often Stripe made it.
    effects: u8,
    /// Whether Stripe has the key of an execution.
    kept: bool,
    /// Whether somebody was told that it failed for good.
    told_failed: bool,
    /// Sends under way: the attempt, what Stripe has said to it, and when it left.
    sends: Vec<Send>,
    /// Attempts so far.
    attempts: u8,
    /// Outcome entries.
    outcomes: u8,
    unknowns: u8,
    /// The result of a look at Stripe that is not recorded yet: what was seen, and whether the row has changed since.
    look: Option<(bool, bool)>,
    /// How often time has passed.
    ticks: u8,
    /// Somebody sent it who may not start it.
    foreign: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Send {
    attempt: String,
    left: i64,
    /// Arrived, and what Stripe answered; none while it is on the way.
    answer: Option<Answer>,
    /// Nobody waits for it any more.
    orphan: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Answer {
    Made,
    Refused,
    Busy,
    Error,
}

/// Most attempts: the first caller, a retry, and one more.
const ATTEMPTS: u8 = 3;

/// Most times that time passes: past a lease, to a look, past the key's day.
const TICKS: u8 = 4;

/// Longest that a lost send can still arrive, in seconds: Stripe's own time limits are below two minutes.
const LATEST: i64 = 120;

impl World {
    fn new(starter: Starter) -> Self {
        let at = Timestamp::from_secs(1_000_000).unwrap();
        let mut world = Self {
            status: RequestStatus::Executing,
            execution: Execution::new(starter, "a0", at),
            clock: 0,
            effects: 0,
            kept: false,
            told_failed: false,
            sends: Vec::new(),
            attempts: 1,
            outcomes: 0,
            unknowns: 0,
            look: None,
            ticks: 0,
            foreign: false,
        };
        if starter == Starter::Caller {
            world.send("a0");
        }
        world
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_000_000 + self.clock).unwrap()
    }

    fn send(&mut self, attempt: &str) {
        self.sends.push(Send { attempt: attempt.to_owned(), left: self.clock, answer: None, orphan: false });
    }

    fn record(&mut self, next: Next) {
        let before = self.status;
        self.status = match next {
            Next::Succeeded => RequestStatus::Succeeded,
            Next::Failed => RequestStatus::Failed,
            Next::Unknown => RequestStatus::Unknown,
            Next::Free | Next::Nothing => before,
        };
        if matches!(next, Next::Succeeded | Next::Failed) {
            self.outcomes += 1;
        }
        if next == Next::Unknown && before == RequestStatus::Executing {
            self.unknowns += 1;
        }
        if next == Next::Failed {
            self.told_failed = true;
        }
        if next != Next::Nothing {
            self.changed();
        }
    }

    /// The row is not as a look under way has read it.
    fn changed(&mut self) {
        self.look = self.look.map(|(found, _)| (found, true));
    }

    /// Everything that can happen next.
    fn steps(&self, rules: &Rules) -> Vec<Self> {
        let mut all = Vec::new();
        // Time: to the end of the lease, to the looks, past the key's day.
        for secs in [LEASE_SECS + WEBHOOK_SECS, LOOK_AGAIN_SECS, KEY_SECS + 2 * 3_600] {
            if self.ticks < TICKS && self.status.is_under_way() {
                let mut world = self.clone();
                (world.clock, world.ticks) = (world.clock + secs, world.ticks + 1);
                // What is on its way for longer than that never arrives.
                world.sends.retain(|send| send.answer.is_some() || world.clock - send.left <= LATEST);
                // Stripe forgets the key after a day; a process that waited for an answer has long given up.
                if world.clock > 24 * 3_600 {
                    world.kept = false;
                }
                world.sends.retain(|send| world.clock - send.left <= LATEST);
                all.push(world);
            }
        }
        for i in 0..self.sends.len() {
            let send = &self.sends[i];
            match send.answer {
                // It arrives: Stripe does it, refuses it, is busy, or fails before or after doing it.
                None => {
                    for answer in [Answer::Made, Answer::Refused, Answer::Busy, Answer::Error] {
                        for acts in [false, true] {
                            all.extend(self.arrives(i, answer, acts));
                        }
                    }
                    // Nobody waits for it any more: its process died, or gave up.
                    if !send.orphan {
                        let mut world = self.clone();
                        world.sends[i].orphan = true;
                        all.push(world);
                        let mut gives_up = self.clone();
                        let attempt = send.attempt.clone();
                        gives_up.sends[i].orphan = true;
                        let next = rules.heard(&mut gives_up.execution, self.status, &attempt, Heard::Unclear);
                        gives_up.record(next);
                        all.push(gives_up);
                    }
                }
                // Its answer reaches the process, which records it; or the process dies with it.
                Some(answer) => {
                    let mut dies = self.clone();
                    dies.sends.remove(i);
                    if !send.orphan {
                        let mut world = dies.clone();
                        let heard = match answer {
                            Answer::Made => Heard::Made,
                            Answer::Refused => Heard::Refused,
                            Answer::Busy => Heard::NotTaken,
                            Answer::Error => Heard::Unclear,
                        };
                        let next = rules.heard(&mut world.execution, self.status, &send.attempt, heard);
                        world.record(next);
                        all.push(world);
                    }
                    all.push(dies);
                }
            }
        }
        // Somebody retries: the caller with the same key, or the queue.
        if self.attempts < ATTEMPTS {
            for who in [Starter::Caller, Starter::Worker] {
                let mut world = self.clone();
                let attempt = format!("a{}", self.attempts);
                if rules.claim(&mut world.execution, self.status, who, &attempt, self.now()) == Claim::Send {
                    world.attempts += 1;
                    world.changed();
                    world.foreign |= who != self.execution.starter;
                    world.send(&attempt);
                    all.push(world);
                }
            }
        }
        // The sweeper looks at Stripe, and later records what it saw.
        match self.look {
            None if self.execution.chore(self.status, self.now()) == Chore::Look => {
                let mut world = self.clone();
                world.look = Some((self.effects > 0, false));
                all.push(world);
            }
            None => {}
            Some((found, stale)) => {
                let mut world = self.clone();
                world.look = None;
                let next = if found {
                    rules.heard(&mut world.execution, self.status, "", Heard::Made)
                } else if !stale {
                    rules.not_found(&mut world.execution, self.status, self.now())
                } else {
                    Next::Nothing
                };
                world.record(next);
                all.push(world);
            }
        }
        // The webhook of what was made.
        if self.effects > 0 && self.status.is_under_way() {
            let mut world = self.clone();
            let next = rules.heard(&mut world.execution, self.status, "", Heard::Made);
            world.record(next);
            all.push(world);
        }
        all
    }

    /// The send arrives, and Stripe answers so; none where Stripe does not.
    fn arrives(&self, i: usize, answer: Answer, acts: bool) -> Option<Self> {
        let mut world = self.clone();
        let answer = match (self.kept, answer, acts) {
            // What was executed is answered again, whatever came of the answer.
            (true, Answer::Made, false) => Answer::Made,
            (true, ..) => return None,
            (false, Answer::Made | Answer::Error, true) => {
                world.effects += 1;
                world.kept = true;
                answer
            }
            (false, Answer::Made, false) | (false, Answer::Refused | Answer::Busy, true) => return None,
            (false, Answer::Refused | Answer::Busy | Answer::Error, false) => answer,
        };
        world.sends[i].answer = Some(answer);
        Some(world)
    }

    /// What must hold in every world.
    fn check(&self) -> Result<(), &'static str> {
        if self.effects > 1 {
            return Err("two effects");
        }
        if self.foreign {
            return Err("sent by somebody who may not start it");
        }
        if self.outcomes > 1 {
            return Err("two outcomes");
        }
        if self.unknowns > 1 {
            return Err("told as unknown twice");
        }
        if self.told_failed && self.effects > 0 {
            return Err("made, and told as failed");
        }
        if self.status == RequestStatus::Succeeded && self.effects == 0 {
            return Err("told as made, and not made");
        }
        Ok(())
    }
}

/// The rules under test, each of which can be left out.
struct Rules {
    only_the_starter: bool,
    key_ends: bool,
    doubts: bool,
    two_looks: bool,
    claim_resets_looks: bool,
    ended_is_ended: bool,
}

impl Rules {
    const fn all() -> Self {
        Self {
            only_the_starter: true,
            key_ends: true,
            doubts: true,
            two_looks: true,
            claim_resets_looks: true,
            ended_is_ended: true,
        }
    }

    fn claim(
        &self,
        execution: &mut Execution,
        status: RequestStatus,
        who: Starter,
        attempt: &str,
        now: Timestamp,
    ) -> Claim {
        let status = if self.ended_is_ended || status.is_under_way() { status } else { RequestStatus::Unknown };
        let who = if self.only_the_starter { who } else { execution.starter };
        let (began, looked, doubts) = (execution.began, execution.looked, execution.doubts);
        if !self.key_ends {
            execution.began = now.millis();
        }
        let claim = execution.claim(status, who, attempt, now);
        execution.began = began;
        if !self.claim_resets_looks {
            execution.looked = looked;
        }
        if !self.doubts {
            execution.doubts = doubts.min(1);
        }
        claim
    }

    fn heard(&self, execution: &mut Execution, status: RequestStatus, attempt: &str, heard: Heard) -> Next {
        execution.heard(status, attempt, heard)
    }

    fn not_found(&self, execution: &mut Execution, status: RequestStatus, now: Timestamp) -> Next {
        if !self.two_looks && status.is_under_way() && execution.lease.is_none() {
            return Next::Failed;
        }
        execution.not_found(status, now)
    }
}

/// Visits every world that can be reached; how many there are, or the first that must not be, with the way to it.
fn explore(starter: Starter, rules: &Rules) -> Result<usize, String> {
    let first = Rc::new(World::new(starter));
    let mut seen = HashSet::from([Rc::clone(&first)]);
    // Each world with the place of the one that it came from.
    let mut all = vec![(first, 0)];
    let mut at = 0;
    while let Some((world, came)) = all.get(at).cloned() {
        if let Err(fault) = world.check() {
            let (mut way, mut from) = (vec![format!("{world:?}")], came);
            while from > 0 {
                way.push(format!("{:?}", all[from].0));
                from = all[from].1;
            }
            way.reverse();
            return Err(format!("{fault}, after\n{}", way.join("\n")));
        }
        for next in world.steps(rules).into_iter().map(Rc::new) {
            if seen.insert(Rc::clone(&next)) {
                all.push((next, at));
            }
        }
        at += 1;
    }
    Ok(all.len())
}

#[test]
#[expect(clippy::print_stdout, reason = "the count is a result")]
fn no_order_of_events_makes_it_twice_or_after_it_was_told_as_failed() {
    for starter in [Starter::Caller, Starter::Worker] {
        let worlds = explore(starter, &Rules::all()).unwrap_or_else(|fault| panic!("{starter:?}: {fault}"));
        println!("{starter:?}: {worlds} worlds, none wrong");
        assert!(worlds > 1_000, "{worlds}");
    }
}

/// Every rule is needed: without it some order of events goes wrong. Three guards are not among them, because the others cover them: the lease
/// against a second sender (two sends under one key are one effect), a look that waits for the lease, and a look that is of this version of the
/// row (a claim starts the looks anew). They save calls to Stripe, and time.
#[test]
#[expect(clippy::print_stdout, reason = "what was caught is a result")]
fn without_any_one_of_the_rules_something_goes_wrong() {
    type LeaveOut = fn(&mut Rules);
    let without: [(&str, LeaveOut); 6] = [
        ("one starter", |rules| rules.only_the_starter = false),
        ("the key's end", |rules| rules.key_ends = false),
        ("counting doubts", |rules| rules.doubts = false),
        ("two looks", |rules| rules.two_looks = false),
        ("a claim that resets the looks", |rules| rules.claim_resets_looks = false),
        ("outcomes that stand", |rules| rules.ended_is_ended = false),
    ];
    let mut missed = Vec::new();
    for (name, leave_out) in without {
        let mut rules = Rules::all();
        leave_out(&mut rules);
        let found = [Starter::Caller, Starter::Worker].iter().any(|starter| explore(*starter, &rules).is_err());
        println!("without {name}: {}", if found { "caught" } else { "NOT CAUGHT" });
        missed.extend((!found).then_some(name));
    }
    assert!(missed.is_empty(), "nothing goes wrong without {missed:?}");
}
