//! What the steps of a row are played on: plans, a clock, counters, and the movements that were counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axiru_domain::{
    Actor, Claimed, Counters, Decision, Fact, FactValue, Facts, Kind, Money, Movement, Outcome, PolicyMode,
    Stage as Counted, Subject, Taken, Timestamp, Usage,
};
use axiru_policy::{Asked, CountedFor, Plan, PlanSet, decide};
use serde_json::{Value, json};

/// The rows of counters are kept as text, as a table would, and every plan there is by name.
pub(crate) struct Stage {
    plans: BTreeMap<String, Arc<Plan>>,
    active: PlanSet,
    at: Timestamp,
    rows: BTreeMap<Subject, String>,
    /// The rows before the last `ask` or `see`.
    before: BTreeMap<Subject, String>,
    taken: BTreeMap<String, (i64, Vec<Taken>)>,
    last_was_ask: bool,
}

/// The parts of `ask`, `see`, `stale` and `read` that describe a movement.
struct Order {
    movement: Movement,
    actor: Actor,
    operator: Option<String>,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let full = match text.len() {
        17 => text.replace('Z', ":00.000Z"),
        _ => text.to_owned(),
    };
    full.parse().map_err(|_| format!("`{text}` is not a time"))
}

fn fact(text: &str) -> Fact {
    match text {
        "none" => Fact::Absent,
        "unknown" => Fact::Unknown,
        id => Fact::Known(FactValue::Text(id.to_owned())),
    }
}

fn plan(name: &str, limits: &[Value], policies: &str) -> Result<Plan, String> {
    let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let head = json!({"v": 1, "name": name, "description": "d", "kinds": kinds, "limits": limits});
    Plan::parse(&head.to_string(), policies).map_err(|error| error.to_string())
}

impl Order {
    fn parse(words: &[&str], amount_minor: i64) -> Result<Self, String> {
        let (mut kind, mut currency) = (Kind::Refund, "usd".parse().unwrap());
        let (mut actor, mut operator) = (Actor::Agent("ag_1".into()), Some("per_1".to_owned()));
        let mut named = BTreeMap::from([("charge", "ch_1"), ("customer", "cus_1"), ("destination", "ba_1")]);
        for word in words {
            match word.split_once('=') {
                Some(("by", id)) => actor = id.parse().map_err(|_| format!("`{id}` is no actor"))?,
                Some(("for", id)) => operator = (id != "none").then(|| id.to_owned()),
                Some(("charge", id)) => drop(named.insert("charge", id)),
                Some(("customer", id)) => drop(named.insert("customer", id)),
                Some(("to", id)) => drop(named.insert("destination", id)),
                Some(_) => return Err(format!("`{word}` says nothing")),
                None => match (word.parse(), word.parse()) {
                    (Ok(found), _) => kind = found,
                    (_, Ok(found)) => currency = found,
                    _ => return Err(format!("`{word}` says nothing")),
                },
            }
        }
        let mut facts = Facts::unknown(kind);
        for (name, id) in named {
            // A kind does not have all of them.
            let _ = facts.set(name, fact(id));
        }
        let money = Money::new(amount_minor, currency).map_err(|error| error.to_string())?;
        Ok(Self { movement: Movement { scope: "live/acct_1".parse().unwrap(), kind, money, facts }, actor, operator })
    }
}

impl Stage {
    pub(crate) fn new(limits: &BTreeMap<String, Value>, policies: &str, active: &str) -> Result<Self, String> {
        let mut plans = BTreeMap::new();
        for (name, limit) in limits {
            let mut limit = limit.clone();
            limit["id"] = json!(name);
            plans.insert(name.clone(), Arc::new(plan(name, &[limit], policies)?));
        }
        let mut stage = Self {
            plans,
            active: PlanSet::new(),
            at: moment("2026-11-02T12:00Z")?,
            rows: BTreeMap::new(),
            before: BTreeMap::new(),
            taken: BTreeMap::new(),
            last_was_ask: false,
        };
        stage.activate(&active.split(' ').collect::<Vec<_>>())?;
        Ok(stage)
    }

    fn activate(&mut self, plans: &[&str]) -> Result<(), String> {
        self.active = PlanSet::new();
        for plan in plans {
            let (name, mode) = match (plan.strip_suffix('!'), plan.strip_suffix('?')) {
                (Some(name), _) => (name, PolicyMode::Enforce),
                (_, Some(name)) => (name, PolicyMode::Shadow),
                _ => return Err(format!("`{plan}` is neither enforced nor in shadow")),
            };
            let plan = self.plans.get(name).ok_or_else(|| format!("there is no plan `{name}`"))?;
            self.active.push(Arc::clone(plan), mode);
        }
        Ok(())
    }

    pub(crate) fn run(&mut self, step: &str) -> Result<(), String> {
        let (head, expected) = match step.split_once(" -> ").or_else(|| step.split_once(" = ")) {
            Some((head, expected)) => (head, Some(expected)),
            None => (step, None),
        };
        let words: Vec<&str> = head.split_whitespace().collect();
        match (&words[..], expected) {
            ([how @ ("ask" | "see" | "stale"), name, amount, rest @ ..], Some(expected)) => {
                let amount: i64 = amount.parse().map_err(|_| format!("`{amount}` is no amount"))?;
                self.decide(how, name, &Order::parse(rest, amount)?, expected)
            }
            (["read", limit, rest @ ..], Some(expected)) => self.read(limit, &Order::parse(rest, 1)?, expected),
            (["at", at], None) => moment(at).map(|at| self.at = at),
            (["plans", plans @ ..], None) => self.activate(plans),
            (["commit", name], None) => {
                let (amount, _) = self.counted(name)?;
                self.commit(name, amount)
            }
            (["commit", name, amount], None) => self.commit(name, amount.parse().map_err(|_| "no amount".to_owned())?),
            (["release" | "deny" | "expire" | "fail", name], None) => self.release(name),
            (["adopt", seen, asked], None) => {
                let (amount, _) = self.counted(seen)?;
                self.release(seen)?;
                self.commit(asked, amount)
            }
            (["windows", n, verdict], None) => windows(n.parse().map_err(|_| "no number".to_owned())?, verdict),
            _ => Err("this is no step".to_owned()),
        }
    }

    fn counted(&self, name: &str) -> Result<(i64, Vec<Taken>), String> {
        self.taken.get(name).cloned().ok_or_else(|| format!("`{name}` was not counted"))
    }

    /// The rows of these subjects, as they are read from their text.
    fn usage(rows: &BTreeMap<Subject, String>, subjects: impl Iterator<Item = Subject>) -> Usage {
        let mut usage = Usage::nothing();
        for subject in subjects {
            let counters = rows.get(&subject).map_or_else(Counters::default, |text| Counters::from_text(text).unwrap());
            usage.insert(subject, counters);
        }
        usage
    }

    fn write(&mut self, usage: &Usage) {
        for (subject, counters) in usage.iter() {
            self.rows.insert(subject.clone(), counters.text());
        }
    }

    fn decide(&mut self, how: &str, name: &str, order: &Order, expected: &str) -> Result<(), String> {
        let Order { movement, actor, operator } = order;
        let claimed = Claimed::nothing();
        let asked = Asked { movement, actor, operator: operator.as_deref(), claimed: &claimed, at: self.at };
        let series = self.active.series_for(&asked);
        let subjects = series.iter().filter_map(|(who, _)| match who {
            CountedFor::Subject(subject) => Some(subject.clone()),
            _ => None,
        });
        let rows = if how == "stale" { &self.before } else { &self.rows };
        let mut usage = Self::usage(rows, subjects);
        let decision = decide(&self.active, &asked, &usage);
        check(&decision, expected)?;
        if how == "stale" {
            let moved = usage.iter().any(|(subject, _)| self.rows.get(subject) != self.before.get(subject));
            return if moved && self.last_was_ask {
                Ok(())
            } else {
                Err("the version check would let it through".into())
            };
        }
        self.before = self.rows.clone();
        self.last_was_ask = how == "ask";
        if how == "ask" && decision.outcome() == Outcome::Block {
            return Ok(());
        }
        let stage = if how == "see" { Counted::Committed } else { Counted::Held };
        let amount = movement.money.amount_minor();
        let mut taken = Vec::new();
        for (who, series) in &series {
            if let CountedFor::Subject(subject) = who {
                taken.extend(usage.take(subject, series, self.at, amount, stage));
            }
        }
        // What the row of the movement remembers goes through its text as well.
        let text = serde_json::to_string(&taken).unwrap();
        self.taken.insert(name.to_owned(), (amount, serde_json::from_str(&text).unwrap()));
        self.write(&usage);
        Ok(())
    }

    fn commit(&mut self, name: &str, amount: i64) -> Result<(), String> {
        let (_, taken) = self.counted(name)?;
        let mut usage = Self::usage(&self.rows, taken.iter().map(|taken| taken.subject.clone()));
        let taken = taken.iter().filter_map(|taken| usage.commit(taken, amount)).collect();
        self.taken.insert(name.to_owned(), (amount, taken));
        self.write(&usage);
        Ok(())
    }

    fn release(&mut self, name: &str) -> Result<(), String> {
        let (_, taken) = self.counted(name)?;
        let mut usage = Self::usage(&self.rows, taken.iter().map(|taken| taken.subject.clone()));
        for taken in &taken {
            usage.release(taken);
        }
        self.taken.remove(name);
        self.write(&usage);
        Ok(())
    }

    fn read(&self, limit: &str, order: &Order, expected: &str) -> Result<(), String> {
        let plan = self.plans.get(limit).ok_or_else(|| format!("there is no limit `{limit}`"))?;
        let limit = &plan.limits()[0];
        let Order { actor, operator, .. } = order;
        // The subject is that of a movement of the limit's own kind.
        let kind = limit.series.kinds()[0];
        let mut movement = Order::parse(&[kind.as_str()], 1)?.movement;
        for name in ["charge", "customer", "destination"] {
            let _ = movement.facts.set(name, order.movement.facts.get(name).clone());
        }
        if order.movement.facts.get("destination") == &Fact::Unknown {
            let _ = movement.facts.set("destination", fact("ba_1"));
        }
        let claimed = Claimed::nothing();
        let asked = Asked { movement: &movement, actor, operator: operator.as_deref(), claimed: &claimed, at: self.at };
        let CountedFor::Subject(subject) = asked.counted_for(limit.per) else { return Err("nobody".into()) };
        let usage = Self::usage(&self.rows, [subject.clone()].into_iter());
        let reading = usage.reading(&subject, &limit.series, self.at).unwrap();
        let mut text = format!("{}/{}", reading.used.amount, reading.used.count);
        if reading.held != axiru_domain::Sum::default() {
            text.push_str(&format!(" held {}/{}", reading.held.amount, reading.held.count));
        }
        if text == expected { Ok(()) } else { Err(format!("it is {text}")) }
    }
}

/// `allow`, `hold limit:x policy:y`, `allow / block limit:x`.
fn check(decision: &Decision, expected: &str) -> Result<(), String> {
    let word = |outcome| match outcome {
        Outcome::Allow => "allow",
        Outcome::RequireApproval => "hold",
        Outcome::Block => "block",
    };
    let (outcome, would_be) =
        expected.split_once(" / ").unwrap_or((expected.split(' ').next().unwrap_or(""), expected));
    let mut words = would_be.split_whitespace();
    let would_be = words.next().unwrap_or("");
    let expected_reasons: BTreeSet<String> = words.map(str::to_owned).collect();
    let strictest = decision.verdicts().iter().filter(|verdict| verdict.outcome == decision.would_be());
    let reasons: BTreeSet<String> =
        strictest.flat_map(|v| &v.reasons).map(ToString::to_string).filter(|r| r != "policy:ok").collect();
    let said = (word(decision.outcome()), word(decision.would_be()), &reasons);
    if said == (outcome, would_be, &expected_reasons) { Ok(()) } else { Err(format!("it is {said:?}")) }
}

/// A plan whose limits put one movement into `n` windows.
fn windows(n: u32, verdict: &str) -> Result<(), String> {
    let limit = |i: u32| {
        json!({"id": format!("l{i}"), "per": "account", "kinds": ["refund"], "currency": "usd",
            "window": {"rolling": format!("{}m", 5 + i)}, "max_count": 1, "on_exceed": "block"})
    };
    let limits: Vec<_> = (0..n).map(limit).collect();
    let result = plan("many", &limits, "@id(\"ok\") permit(principal, action, resource);");
    match (&result, verdict) {
        (Ok(_), "accepted") => Ok(()),
        (Err(error), "refused") if error.contains("more than 20 windows") => Ok(()),
        _ => Err(format!("it is {result:?}")),
    }
}
