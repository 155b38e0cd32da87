//! The report for people.

use std::io::Write;

use anyhow::Result;
use axiru_domain::{Currency, Money, Outcome};

use super::report::{Count, ScopeSummary, Summary};

/// Prints one table per scope.
pub(super) fn print(summary: &Summary, out: &mut dyn Write) -> Result<()> {
    if summary.scopes.is_empty() {
        writeln!(out, "No movement was observed in that period.")?;
    }
    for (i, (scope, found)) in summary.scopes.iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        let days = match found.days {
            Some((first, last)) if first == last => format!("on {first}"),
            Some((first, last)) => format!("from {first} to {last}"),
            None => String::new(),
        };
        writeln!(out, "{scope}: what would have happened {days} if every plan were enforced")?;
        writeln!(out)?;
        movements(found, out)?;
        if !found.rules.is_empty() {
            writeln!(out)?;
            rules(found, out)?;
        }
    }
    Ok(())
}

/// What an outcome is called here.
const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "allowed",
        Outcome::RequireApproval => "held",
        Outcome::Block => "blocked",
    }
}

fn movements(found: &ScopeSummary, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "  {:18} {:8} {:>9}  sums", "movement", "would be", "movements")?;
    for (kind, outcomes) in &found.kinds {
        for (outcome, count) in outcomes {
            let sums = sums(count);
            writeln!(out, "  {:18} {:8} {:>9}  {sums}", kind.as_str(), word(*outcome), count.movements)?;
        }
    }
    Ok(())
}

fn rules(found: &ScopeSummary, out: &mut dyn Write) -> Result<()> {
    let width = found.rules.keys().map(|rule| rule.plan.len() + rule.reason.len() + 1).max().unwrap_or(0).max(20);
    writeln!(out, "  {:width$} {:8} {:>9}  sums", "rule that fired", "verdict", "movements")?;
    for (rule, count) in &found.rules {
        let name = format!("{} {}", rule.plan, rule.reason);
        let verdict = if rule.outcome == Outcome::Block { "block" } else { "hold" };
        writeln!(out, "  {name:width$} {verdict:8} {:>9}  {}", count.movements, sums(count))?;
    }
    Ok(())
}

/// The sums of a count, currency by currency.
fn sums(count: &Count) -> String {
    let text = |(currency, sum): (&Currency, &i128)| {
        let money = i64::try_from(*sum).ok().and_then(|sum| Money::new(sum, *currency).ok());
        money.map_or_else(|| format!("{sum} minor units {currency}"), |money| money.to_string())
    };
    count.sums_minor.iter().map(text).collect::<Vec<_>>().join(", ")
}
