//! The figures of a report, gathered from the entries of a copy.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use axiru_domain::{Currency, Date, Kind, Outcome, Scope};
use axiru_ledger::entry::Entry;
use axiru_ledger::layout::Name;
use axiru_ledger::types::EntryType;
use axiru_ledger::verify::Folder;
use serde_json::{Value, json};

/// Days, both included; open where there is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    pub(super) from: Option<Date>,
    pub(super) to: Option<Date>,
}

impl Period {
    fn holds(self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

/// Movements counted together: how many, and how much of each currency. Currencies are never added to each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Count {
    pub(super) movements: u64,
    pub(super) sums_minor: BTreeMap<Currency, i128>,
}

impl Count {
    fn add(&mut self, amount_minor: i64, currency: Currency) {
        self.movements += 1;
        *self.sums_minor.entry(currency).or_default() += i128::from(amount_minor);
    }
}

/// A rule of a plan that determined verdicts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rule {
    pub(super) plan: String,
    pub(super) reason: String,
    pub(super) outcome: Outcome,
}

/// The report of one scope.
#[derive(Clone, Debug, Default)]
pub(super) struct ScopeSummary {
    /// Movements by kind and by what would have become of them.
    pub(super) kinds: BTreeMap<Kind, BTreeMap<Outcome, Count>>,
    /// How often each rule made a verdict that was not `allow`.
    pub(super) rules: BTreeMap<Rule, Count>,
    /// First and last day with a movement.
    pub(super) days: Option<(Date, Date)>,
}

/// The report.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    pub(super) scopes: BTreeMap<Scope, ScopeSummary>,
}

impl Summary {
    /// Gathers the figures of a copy.
    pub(super) fn of(folder: &dyn Folder, only: Option<&Scope>, period: Period) -> Result<Self> {
        let mut summary = Self::default();
        let mut names = folder.names()?;
        names.sort();
        for name in names {
            let Some(Name::Segment(log, day, ..)) = Name::parse(&name) else {
                continue;
            };
            if !period.holds(day) || only.is_some_and(|only| *only != log.scope) {
                continue;
            }
            let bytes = folder.read(&name).with_context(|| format!("`{name}` cannot be read"))?;
            for (i, line) in bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
                let place = || format!("line {} of `{name}` is not an entry; run `axiru verify`", i + 1);
                let entry = Entry::parse(line.to_vec()).with_context(place)?;
                if entry.ty() == EntryType::MovementObserved.as_str() {
                    let scope = summary.scopes.entry(log.scope.clone()).or_default();
                    scope.add(&entry, day).with_context(place)?;
                }
            }
        }
        Ok(summary)
    }

    /// The report for machines. Amounts are in minor units.
    pub(super) fn as_json(&self) -> Value {
        let count = |count: &Count| {
            let sums: BTreeMap<_, _> = count
                .sums_minor
                .iter()
                .map(|(currency, sum)| (currency.as_str().to_owned(), sum.to_string()))
                .collect();
            json!({"movements": count.movements, "sums_minor": sums})
        };
        let scopes = self.scopes.iter().map(|(scope, summary)| {
            let kinds: BTreeMap<_, _> = summary
                .kinds
                .iter()
                .map(|(kind, outcomes)| {
                    let outcomes: BTreeMap<_, _> =
                        outcomes.iter().map(|(outcome, found)| (outcome.as_str(), count(found))).collect();
                    (kind.as_str(), outcomes)
                })
                .collect();
            let rules: Vec<_> = summary
                .rules
                .iter()
                .map(|(rule, found)| {
                    json!({"plan": rule.plan, "reason": rule.reason, "outcome": rule.outcome.as_str(), "fired": count(found)})
                })
                .collect();
            json!({
                "scope": scope.to_string(),
                "first_day": summary.days.map(|(first, _)| first.to_string()),
                "last_day": summary.days.map(|(_, last)| last.to_string()),
                "would_be": kinds,
                "rules": rules,
            })
        });
        json!({ "scopes": scopes.collect::<Vec<_>>() })
    }
}

impl ScopeSummary {
    fn add(&mut self, entry: &Entry, day: Date) -> Result<()> {
        let fields = entry.fields();
        let text = |name: &str| fields.get(name).and_then(Value::as_str).with_context(|| format!("no `{name}`"));
        let kind: Kind = text("kind")?.parse()?;
        let currency: Currency = text("currency")?.parse()?;
        let amount_minor = fields.get("amount_minor").and_then(Value::as_i64).context("no `amount_minor`")?;
        let decision = fields.get("decision").context("no `decision`")?;
        let outcome_of = |value: &Value, name: &str| -> Result<Outcome> {
            Ok(value.get(name).and_then(Value::as_str).with_context(|| format!("no `{name}`"))?.parse()?)
        };
        let would_be = outcome_of(decision, "would_be")?;
        self.kinds.entry(kind).or_default().entry(would_be).or_default().add(amount_minor, currency);
        let first = self.days.map_or(day, |(first, _)| first.min(day));
        self.days = Some((first, self.days.map_or(day, |(_, last)| last.max(day))));
        let Some(verdicts) = decision.get("verdicts").and_then(Value::as_array) else {
            bail!("no `verdicts`");
        };
        for verdict in verdicts {
            let outcome = outcome_of(verdict, "outcome")?;
            if outcome == Outcome::Allow {
                continue;
            }
            let plan = verdict.get("plan").and_then(Value::as_str).context("no `plan`")?;
            for reason in verdict.get("reasons").and_then(Value::as_array).into_iter().flatten() {
                let reason = reason.as_str().unwrap_or_default().to_owned();
                let rule = Rule { plan: plan.to_owned(), reason, outcome };
                self.rules.entry(rule).or_default().add(amount_minor, currency);
            }
        }
        Ok(())
    }
}
