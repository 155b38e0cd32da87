//! Axiru's own decision, and what limits and unknown facts add to it.

use std::sync::Arc;

use axiru_domain::{
    Actor, Claimed, Counters, Fact, FactSpec, FactType, FactValue, Facts, Kind, Money, Movement, PolicyMode, Reason,
    Stage, Timestamp, Usage,
};
use axiru_policy::{Asked, CountedFor, Plan, PlanSet, decide};

use crate::rules::Rule;

/// A refund of which every fact is known; with `fires`, that the rule `rule-0` holds.
pub(crate) fn movement(fires: bool) -> Movement {
    let kind = Kind::Refund;
    let mut facts = Facts::unknown(kind);
    for spec in FactSpec::of(kind) {
        let value = match (spec.name, spec.ty) {
            ("reason", _) => FactValue::Text(if fires { "word_0" } else { "requested_by_customer" }.into()),
            (name, FactType::Text) => FactValue::Text(format!("{name}_1")),
            (_, FactType::Long) => FactValue::Long(0),
            (_, FactType::Bool) => FactValue::Bool(false),
        };
        facts.set(spec.name, Fact::Known(value)).unwrap();
    }
    Movement {
        scope: "live/acct_1".parse().unwrap(),
        kind,
        money: Money::new(12_000, "usd".parse().unwrap()).unwrap(),
        facts,
    }
}

fn plan(rules: &[Rule], limits: &str, plain: bool) -> Plan {
    let kinds: Vec<_> = Kind::ALL.into_iter().filter(|kind| rules.iter().any(|rule| rule.kind == *kind)).collect();
    let head = format!(
        "{{\"v\":1,\"name\":\"p\",\"description\":\"d\",\"kinds\":{},\"limits\":[{limits}]}}",
        serde_json::to_string(&kinds).unwrap()
    );
    let permits = kinds.iter().map(|kind| {
        format!(
            "@id(\"ok-{}\") permit(principal, action == Axiru::Action::\"{kind}\", resource);\n",
            kind.as_str().replace('_', "-")
        )
    });
    let text: String = permits.chain(rules.iter().map(|rule| rule.cedar(plain))).collect();
    Plan::parse(&head, &text).unwrap()
}

pub(crate) struct Plans {
    plans: PlanSet,
    actor: Actor,
    claimed: Claimed,
    at: Timestamp,
    usage: Usage,
}

impl Plans {
    pub(crate) fn of(rules: &[Rule], plain: bool) -> Self {
        Self::with(plan(rules, "", plain))
    }

    fn with(plan: Plan) -> Self {
        let mut plans = PlanSet::new();
        plans.push(Arc::new(plan), PolicyMode::Enforce);
        let at = Timestamp::from_secs(1_793_404_800).unwrap();
        Self { plans, actor: Actor::Agent("ag_1".into()), claimed: Claimed::nothing(), at, usage: Usage::nothing() }
    }

    fn asked<'a>(&'a self, movement: &'a Movement) -> Asked<'a> {
        Asked { movement, actor: &self.actor, operator: Some("per_1"), claimed: &self.claimed, at: self.at }
    }

    /// How many rules fire beside the permit.
    pub(crate) fn decide(&self, movement: &Movement) -> usize {
        let decision = decide(&self.plans, &self.asked(movement), &self.usage);
        let reasons = decision.verdicts().iter().flat_map(|verdict| &verdict.reasons);
        reasons.filter(|reason| !matches!(reason, Reason::Policy(id) if id.starts_with("ok-"))).count()
    }

    /// The same, with every counter read from its text, and written again.
    fn decide_and_count(&self, movement: &Movement, rows: &[(axiru_domain::Subject, String)]) -> usize {
        let asked = self.asked(movement);
        let mut usage = Usage::nothing();
        for (subject, text) in rows {
            usage.insert(subject.clone(), Counters::from_text(text).unwrap());
        }
        let decision = decide(&self.plans, &asked, &usage);
        for (who, series) in self.plans.series_for(&asked) {
            if let CountedFor::Subject(subject) = who {
                usage.take(&subject, &series, self.at, 12_000, Stage::Held).unwrap();
            }
        }
        let texts: usize = usage.iter().map(|(_, counters)| counters.text().len()).sum();
        std::hint::black_box(texts);
        decision
            .verdicts()
            .iter()
            .flat_map(|verdict| &verdict.reasons)
            .filter(|r| matches!(r, Reason::Limit(_)))
            .count()
    }
}

/// What this engine alone does: limits, and facts that nobody knows.
pub(crate) fn limits_and_unknowns(measure: impl Fn(Box<dyn FnMut() -> usize>, usize) -> (f64, f64)) {
    println!("\nAxiru alone, 100 rules over 6 kinds\n\n| what | p50 µs | p99 µs |\n|---|---|---|");
    let window = r#""kinds":["refund"],"currency":"usd","on_exceed":"block","max_amount":9000000000"#;
    let limits = format!(
        r#"{{"id":"a","per":"actor","window":{{"rolling":"24h"}},{window}}},{{"id":"b","per":"account","window":{{"calendar":"day","zone":"Europe/Berlin"}},{window}}}"#
    );
    let plans = Plans::with(plan(&crate::rules::spread(6), &limits, true));
    let known = movement(false);
    let mut usage = Usage::nothing();
    for (who, series) in plans.plans.series_for(&plans.asked(&known)) {
        let CountedFor::Subject(subject) = who else { continue };
        let mut counters = Counters::default();
        for hour in (0..24).rev() {
            counters.take(&series, plans.at.plus_secs(-3_600 * hour), 5_000, Stage::Committed);
        }
        usage.insert(subject, counters);
    }
    let rows: Vec<_> = usage.iter().map(|(subject, counters)| (subject.clone(), counters.text())).collect();
    let bytes: Vec<_> = rows.iter().map(|(_, text)| text.len()).collect();
    let (p50, p99) = measure(Box::new(move || plans.decide_and_count(&known, &rows)), 0);
    println!("| two limits read, taken and written, rows of {bytes:?} bytes | {p50:.1} | {p99:.1} |");
    for unknown in [1, 3] {
        let plans = Plans::with(plan(&crate::rules::spread(6), "", true));
        let mut movement = movement(false);
        for name in ["reason", "similar_24h", "charge_disputed"].iter().take(unknown) {
            movement.facts.set(name, Fact::Unknown).unwrap();
        }
        let fired = plans.decide(&movement);
        let (p50, p99) = measure(Box::new(move || plans.decide(&movement)), fired);
        println!("| {unknown} facts unknown, one of them read by every rule | {p50:.1} | {p99:.1} |");
    }
}
