//! The cases beside a plan: movements with the outcome and the reasons that the plan must give.
//!
//! A fact that a case does not name is unknown, as it would be in production; `null` says that Stripe has none. `used` says what
//! the windows of limits hold before the movement; those it does not name are empty.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{
    Actor, Claimed, Counters, Currency, Fact, FactValue, Facts, Kind, Money, Movement, Outcome, PolicyMode, Reading,
    Reason, Scope, Sum, Timestamp, Usage, Verdict,
};
use serde::Deserialize;

use crate::asked::{Asked, CountedFor};
use crate::document::read;
use crate::plan::Plan;
use crate::problem::{PlanError, Source};
use crate::question::Question;

/// Longest cases.json, in bytes.
const MAX_CASES_BYTES: usize = 1 << 20;

/// The cases of one plan.
#[derive(Debug)]
pub struct Cases {
    cases: Vec<Case>,
}

/// One movement and what the plan must say of it.
#[derive(Debug)]
pub struct Case {
    name: String,
    movement: Movement,
    actor: Actor,
    operator: Option<String>,
    claimed: Claimed,
    /// What the window of the limit of that id holds.
    used: BTreeMap<String, Reading>,
    expect: Outcome,
    reasons: BTreeSet<String>,
}

/// How a case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// The case's name.
    pub name: String,
    /// The outcome that the case expects.
    pub expected: Outcome,
    /// The plan's outcome; none where the plan does not cover the case's kind.
    pub got: Option<Outcome>,
    /// The reasons that the case expects, as [`Reason`] writes them.
    pub expected_reasons: BTreeSet<String>,
    /// The plan's reasons; where the case names a limit that the plan does not have, only that.
    pub reasons: BTreeSet<String>,
}

impl CaseResult {
    /// Whether outcome and reasons are as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.got == Some(self.expected) && self.reasons == self.expected_reasons
    }
}

/// How all cases of a plan went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CasesReport {
    /// One result per case, in the order of the file.
    pub results: Vec<CaseResult>,
    /// Rules and limits that no case makes decide anything, in the order of the plan.
    pub silent_rules: Vec<String>,
}

impl CasesReport {
    /// How many cases failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.results.iter().filter(|result| !result.passed()).count()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CasesFile {
    v: u32,
    cases: Vec<CaseFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    name: String,
    kind: Kind,
    actor: Actor,
    scope: Option<Scope>,
    amount_minor: i64,
    currency: Currency,
    #[serde(default)]
    facts: BTreeMap<String, Option<FactValue>>,
    operator: Option<String>,
    #[serde(default)]
    claimed: serde_json::Value,
    #[serde(default)]
    used: BTreeMap<String, UsedFile>,
    expect: Outcome,
    reasons: BTreeSet<String>,
}

/// What a window holds before the movement.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UsedFile {
    #[serde(default)]
    amount_minor: u64,
    #[serde(default)]
    count: u64,
}

impl Cases {
    /// Reads a `cases.json`.
    ///
    /// # Errors
    /// [`PlanError`] with the place of what is wrong.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let source = Source { file: "cases.json", text };
        let file: CasesFile = read(source, MAX_CASES_BYTES)?;
        let mut problems = Vec::new();
        if file.v != 1 {
            problems.push(source.problem(0, None, format!("`v` is {}", file.v), "write `\"v\": 1`"));
        }
        if file.cases.is_empty() {
            problems.push(source.problem(0, None, "there is no case".to_owned(), "write at least one"));
        }
        let (mut cases, mut names) = (Vec::new(), BTreeSet::new());
        for case in file.cases {
            let at = text.find(&format!("\"{}\"", case.name)).unwrap_or(0);
            if !names.insert(case.name.clone()) {
                problems.push(source.problem(at, None, format!("two cases are named `{}`", case.name), "rename one"));
            }
            let name = case.name.clone();
            match Case::new(case) {
                Ok(case) => cases.push(case),
                Err(message) => problems.push(source.problem(at, None, format!("case `{name}`: {message}"), "")),
            }
        }
        if problems.is_empty() { Ok(Self { cases }) } else { Err(PlanError::new(problems)) }
    }

    /// Asks the plan about every case.
    #[must_use]
    pub fn run(&self, plan: &Plan) -> CasesReport {
        let results: Vec<_> = self.cases.iter().map(|case| case.run(plan)).collect();
        let fired = |reason: &Reason| results.iter().any(|result| result.reasons.contains(&reason.to_string()));
        let rules = plan.rules().iter().map(|rule| (rule.id(), Reason::Policy(rule.id().to_owned())));
        let limits = plan.limits().iter().map(|limit| (limit.id.as_str(), Reason::Limit(limit.id.clone())));
        let silent = rules.chain(limits).filter(|(_, reason)| !fired(reason));
        let silent_rules = silent.map(|(id, _)| id.to_owned()).collect();
        CasesReport { results, silent_rules }
    }
}

impl Case {
    fn new(case: CaseFile) -> Result<Self, String> {
        let mut facts = Facts::unknown(case.kind);
        for (name, value) in case.facts {
            facts.set(&name, value.map_or(Fact::Absent, Fact::Known)).map_err(|error| error.to_string())?;
        }
        let scope = match case.scope {
            Some(scope) => scope,
            None => "test/acct_case".parse().map_err(|error| format!("{error}"))?,
        };
        let money = Money::new(case.amount_minor, case.currency).map_err(|error| error.to_string())?;
        let movement = Movement { scope, kind: case.kind, money, facts };
        let claimed = if case.claimed.is_null() { Ok(Claimed::nothing()) } else { Claimed::from_json(&case.claimed) };
        let used = |used: UsedFile| Reading {
            used: Sum { amount: used.amount_minor, count: used.count },
            held: Sum::default(),
        };
        let case = Self {
            name: case.name,
            movement,
            actor: case.actor,
            operator: case.operator,
            claimed: claimed.map_err(|error| error.to_string())?,
            used: case.used.into_iter().map(|(limit, file)| (limit, used(file))).collect(),
            expect: case.expect,
            reasons: case.reasons,
        };
        Question::new(&case.asked()).map_err(|error| error.to_string())?;
        Ok(case)
    }

    /// The case as a plan is asked about it. The moment is any: windows are as `used` says.
    fn asked(&self) -> Asked<'_> {
        let at = Timestamp::from_secs(1_750_000_000).unwrap_or_else(|_| Timestamp::now());
        let operator = self.operator.as_deref();
        Asked { movement: &self.movement, actor: &self.actor, operator, claimed: &self.claimed, at }
    }

    fn run(&self, plan: &Plan) -> CaseResult {
        let has = |id: &str| plan.limits().iter().any(|limit| limit.id == id);
        let verdict = self.verdict(plan);
        let reasons = match self.used.keys().find(|id| !has(id)) {
            Some(id) => [format!("the plan has no limit `{id}`")].into(),
            None => verdict.iter().flat_map(|verdict| &verdict.reasons).map(ToString::to_string).collect(),
        };
        CaseResult {
            name: self.name.clone(),
            expected: self.expect,
            got: verdict.map(|verdict| verdict.outcome),
            expected_reasons: self.reasons.clone(),
            reasons,
        }
    }

    fn verdict(&self, plan: &Plan) -> Option<Verdict> {
        let asked = self.asked();
        let question = Question::new(&asked).ok()?;
        plan.verdict(&question, &self.usage(plan, &asked), PolicyMode::Shadow)
    }

    /// What has been counted before the case.
    fn usage(&self, plan: &Plan, asked: &Asked<'_>) -> Usage {
        let mut usage = Usage::nothing();
        for limit in plan.limits() {
            let CountedFor::Subject(subject) = asked.counted_for(limit.per) else { continue };
            let mut counters: Counters = usage.get(&subject).cloned().unwrap_or_default();
            if let Some(reading) = self.used.get(&limit.id) {
                counters.restore(&limit.series, asked.at, *reading);
            }
            usage.insert(subject, counters);
        }
        usage
    }
}
