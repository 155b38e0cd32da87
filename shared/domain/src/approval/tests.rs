//! The state machine, exhaustively: every order in which two requests, two approvers, a limit, time and a worker can act.
//!
//! A model of the rows beside it: what the limit holds, the job of an approved request, a link that is answered with again. Every world
//! that can be reached is visited once.

use std::collections::HashSet;
use std::rc::Rc;

use super::*;
use crate::{Claim, Execution, Starter};

/// What one request would move, and the most that may move in all: one fits, two do not.
const AMOUNT: u32 = 6;
const CAP: u32 = 10;

/// How long people have, in seconds.
const UNTIL: i64 = 3_600;

fn person(i: usize) -> PersonId {
    format!("per_{:016}", i).parse().unwrap()
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Asked {
    /// None: not asked for yet.
    status: Option<RequestStatus>,
    approval: Rc<Approval>,
    held: u32,
    committed: u32,
    execution: Option<Execution>,
    /// How often the worker has sent it.
    effects: u8,
    /// Whether somebody was told that it is denied, expired or cancelled.
    told_ended: bool,
    /// The votes of each person that were recorded.
    recorded: [u8; 3],
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    requests: [Asked; 2],
    clock: i64,
    ticks: u8,
    /// Who is still of the group: the two approvers, and the one who asked.
    member: [bool; 3],
    /// Whether the plan still lets it pass when it is decided again.
    passes: bool,
    faults: Vec<&'static str>,
}

/// The rules under test, each of which can be left out.
#[derive(Clone, Copy)]
struct Rules {
    quorum: u32,
    four_eyes: bool,
    members_only: bool,
    once_each: bool,
    in_time: bool,
    begins_in_time: bool,
    decided_again: bool,
    begun_once: bool,
    held_while_it_waits: bool,
}

impl Rules {
    const fn all(quorum: u32) -> Self {
        Self {
            quorum,
            four_eyes: true,
            members_only: true,
            once_each: true,
            in_time: true,
            begins_in_time: true,
            decided_again: true,
            begun_once: true,
            held_while_it_waits: true,
        }
    }
}

fn at(clock: i64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + clock).unwrap()
}

impl World {
    fn new(rules: &Rules) -> Self {
        let approval = Approval {
            groups: vec![AskedGroup {
                group: "finance".to_owned(),
                quorum: rules.quorum,
                approvers: (0..if rules.four_eyes { 2 } else { 3 }).map(person).collect(),
            }],
            requesters: if rules.four_eyes { [person(2)].into() } else { BTreeSet::new() },
            reasons: [("refunds policy:large".to_owned(), None)].into(),
            until: at(UNTIL).millis(),
            action: "0".to_owned(),
            epoch: 0,
            votes: Vec::new(),
            begins_by: None,
        };
        let asked = Asked {
            status: None,
            approval: Rc::new(approval),
            held: 0,
            committed: 0,
            execution: None,
            effects: 0,
            told_ended: false,
            recorded: [0; 3],
        };
        Self { requests: [asked.clone(), asked], clock: 0, ticks: 0, member: [true; 3], passes: true, faults: vec![] }
    }

    fn used(&self) -> u32 {
        self.requests.iter().map(|request| request.held + request.committed).sum()
    }

    fn is_member(&self, rules: &Rules, who: &PersonId) -> bool {
        !rules.members_only || (0..3).any(|i| person(i) == *who && self.member[i])
    }

    /// Everything that can happen next.
    fn steps(&self, rules: &Rules) -> Vec<Self> {
        let mut all = Vec::new();
        // Time: to the end of what people have, and of what an approved request has.
        for secs in [APPROVED_SECS, UNTIL] {
            if self.ticks < 3 {
                all.push(Self { clock: self.clock + secs, ticks: self.ticks + 1, ..self.clone() });
            }
        }
        for i in 0..2 {
            if self.member[i] {
                let mut world = self.clone();
                world.member[i] = false;
                all.push(world);
            }
        }
        if self.passes {
            all.push(Self { passes: false, ..self.clone() });
        }
        for i in 0..2 {
            all.extend(self.asked(rules, i));
            for who in 0..3 {
                for choice in [Choice::Approve, Choice::Deny] {
                    all.extend(self.answered(rules, i, who, choice));
                }
            }
            all.extend(self.swept(i));
            all.extend(self.begun(rules, i));
            all.extend(self.sent(i));
        }
        all
    }

    /// Somebody asks: held for people where the limit lets it in, and never asked for again.
    fn asked(&self, rules: &Rules, i: usize) -> Option<Self> {
        if self.requests[i].status.is_some() {
            return None;
        }
        let mut world = self.clone();
        if self.used() + AMOUNT > CAP {
            world.requests[i].status = Some(RequestStatus::Denied);
        } else {
            world.requests[i].status = Some(RequestStatus::Pending);
            world.requests[i].held = if rules.held_while_it_waits { AMOUNT } else { 0 };
            Rc::make_mut(&mut world.requests[i].approval).until = at(self.clock + UNTIL).millis();
        }
        Some(world)
    }

    /// Somebody answers, by a link that was opened before or just now.
    fn answered(&self, rules: &Rules, i: usize, who: usize, choice: Choice) -> Option<Self> {
        let status = self.requests[i].status?;
        let now = if rules.in_time { at(self.clock) } else { at(0) };
        let still = |_: &str, person: &PersonId| self.is_member(rules, person);
        let mut approval = Approval::clone(&self.requests[i].approval);
        let before = approval.votes.clone();
        if !rules.once_each {
            // As if every answer were another person's: what the row keeps by person is kept by answer.
            approval.votes.retain(|vote| vote.person != person(who));
        }
        let voted = approval.vote(status, &person(who), choice, still, now).ok()?;
        if voted == Voted::Before {
            return None;
        }
        if !rules.once_each {
            approval.votes.splice(0..0, before);
        }
        let mut world = self.clone();
        let request = &mut world.requests[i];
        request.recorded[who] = request.recorded[who].saturating_add(1);
        request.approval = Rc::new(approval);
        let (in_time, own, left) = (at(self.clock).millis() < request.approval.until, who == 2, !self.member[who]);
        let fault = match (in_time, own, left) {
            (false, ..) => Some("answered too late"),
            (_, true, _) => Some("who asked has answered"),
            (.., true) => Some("who has left has answered"),
            _ => None,
        };
        match voted {
            Voted::Approved => request.status = Some(RequestStatus::Approved),
            Voted::Denied => {
                request.status = Some(RequestStatus::Denied);
                (request.held, request.told_ended) = (0, true);
            }
            _ => {}
        }
        if request.recorded[who] > 1 {
            world.faults.push("answered twice");
        }
        world.faults.extend(fault);
        Some(world)
    }

    /// The sweeper ends what is over.
    fn swept(&self, i: usize) -> Option<Self> {
        let mut world = self.clone();
        let request = &mut world.requests[i];
        let until = match request.status? {
            RequestStatus::Pending => request.approval.until,
            RequestStatus::Approved => request.approval.begins_by?,
            _ => return None,
        };
        if at(self.clock).millis() < until {
            return None;
        }
        request.status = Some(RequestStatus::Expired);
        (request.held, request.told_ended) = (0, true);
        Some(world)
    }

    /// The worker begins what is approved; a job is delivered as often as it likes.
    fn begun(&self, rules: &Rules, i: usize) -> Option<Self> {
        let mut world = self.clone();
        let status = self.requests[i].status?;
        let approved = matches!(status, RequestStatus::Approved)
            || (!rules.begun_once && matches!(status, RequestStatus::Executing | RequestStatus::Succeeded));
        if !approved {
            return None;
        }
        let still = |_: &str, person: &PersonId| self.is_member(rules, person);
        let now = at(self.clock);
        let mut approval = Approval::clone(&self.requests[i].approval);
        if !rules.begins_in_time {
            approval.begins_by = Some(now.plus_secs(1).millis());
        }
        let may = approval.may_begin(RequestStatus::Approved, still, now);
        let others = self.used() - self.requests[i].held;
        let passes = !rules.decided_again || (self.passes && others + AMOUNT <= CAP);
        let request = &mut world.requests[i];
        if !may || !passes {
            request.status = Some(RequestStatus::Cancelled);
            (request.held, request.told_ended) = (0, true);
            return Some(world);
        }
        let real = (0..2).filter(|who| self.member[*who]).filter(|who| {
            self.requests[i].approval.vote_of(&person(*who)).is_some_and(|vote| vote.choice == Choice::Approve)
        });
        let real = u32::try_from(real.count()).unwrap();
        let late = self.requests[i].approval.begins_by.is_none_or(|until| now.millis() >= until);
        let mut execution = Execution::new(Starter::Worker, "a", now);
        assert_eq!(execution.claim(RequestStatus::Executing, Starter::Worker, "a", now), Claim::Send);
        request.execution = Some(execution);
        request.status = Some(RequestStatus::Executing);
        request.held = AMOUNT;
        request.effects += 1;
        if real < rules.quorum {
            world.faults.push("begun without a quorum of members");
        }
        if late {
            world.faults.push("begun too late");
        }
        if !self.passes {
            world.faults.push("begun against a plan");
        }
        Some(world)
    }

    /// Stripe has made it.
    fn sent(&self, i: usize) -> Option<Self> {
        let mut world = self.clone();
        let request = &mut world.requests[i];
        if request.status? != RequestStatus::Executing {
            return None;
        }
        request.status = Some(RequestStatus::Succeeded);
        (request.committed, request.held) = (request.held, 0);
        Some(world)
    }

    /// What must hold in every world.
    fn check(&self) -> Result<(), String> {
        if let Some(fault) = self.faults.first() {
            return Err((*fault).to_owned());
        }
        for request in &self.requests {
            if request.effects > 1 {
                return Err("made twice".to_owned());
            }
            if request.told_ended && request.effects > 0 {
                return Err("made, and told as ended".to_owned());
            }
            let open = request.status.is_some_and(RequestStatus::is_open);
            if !open && request.held > 0 {
                return Err("ended, and still held".to_owned());
            }
            let denied = request.approval.votes.iter().any(|vote| vote.choice == Choice::Deny);
            if denied && request.effects > 0 {
                return Err("denied, and made".to_owned());
            }
        }
        if self.used() > CAP {
            return Err("more than the limit".to_owned());
        }
        Ok(())
    }
}

/// Visits every world that can be reached; how many there are, or the first that must not be.
fn explore(rules: &Rules) -> Result<usize, String> {
    let first = World::new(rules);
    let mut seen = HashSet::from([first.clone()]);
    let mut todo = vec![first];
    while let Some(world) = todo.pop() {
        world.check().map_err(|fault| format!("{fault}: {world:?}"))?;
        for next in world.steps(rules) {
            if seen.insert(next.clone()) {
                todo.push(next);
            }
        }
    }
    Ok(seen.len())
}

#[test]
#[expect(clippy::print_stdout, reason = "the count is a result")]
fn no_order_of_answers_makes_what_its_people_have_not_approved() {
    for quorum in [1, 2] {
        let worlds = explore(&Rules::all(quorum)).unwrap_or_else(|fault| panic!("quorum {quorum}: {fault}"));
        println!("quorum {quorum}: {worlds} worlds, none wrong");
        assert!(worlds > 10_000, "{worlds}");
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "what was caught is a result")]
fn without_any_one_of_the_rules_something_goes_wrong() {
    type LeaveOut = fn(&mut Rules);
    let without: [(&str, LeaveOut); 8] = [
        ("four eyes", |rules| rules.four_eyes = false),
        ("members only", |rules| rules.members_only = false),
        ("one answer each", |rules| rules.once_each = false),
        ("a time to answer", |rules| rules.in_time = false),
        ("a time to begin", |rules| rules.begins_in_time = false),
        ("deciding again", |rules| rules.decided_again = false),
        ("beginning once", |rules| rules.begun_once = false),
        ("holding while it waits", |rules| {
            rules.held_while_it_waits = false;
            rules.decided_again = false;
        }),
    ];
    let mut missed = Vec::new();
    for (name, leave_out) in without {
        let caught = [1, 2].into_iter().any(|quorum| {
            let mut rules = Rules::all(quorum);
            leave_out(&mut rules);
            explore(&rules).is_err()
        });
        println!("without {name}: {}", if caught { "caught" } else { "NOT CAUGHT" });
        missed.extend((!caught).then_some(name));
    }
    assert!(missed.is_empty(), "nothing goes wrong without {missed:?}");
}
