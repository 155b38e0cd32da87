//! The limits that apply, before and after.

use axiru_domain::{LimitLine, Sheet};

use super::movement::amount;
use super::{Row, Value};
use crate::text;

/// The row of all limits.
pub(super) fn row(sheet: &Sheet) -> Row {
    let mut values: Vec<Value> = sheet.limits.iter().map(|limit| line(sheet, limit)).collect();
    if values.is_empty() {
        values.push(Value::plain("none applies"));
    }
    Row { label: "Limits", values }
}

/// `agent-per-day (agent:ag_1): 1,200.00 USD before, 2,450.00 USD after, at most 2,000.00 USD`.
fn line(sheet: &Sheet, limit: &LimitLine) -> Value {
    let money = |minor: u64| amount(i64::try_from(minor).unwrap_or(i64::MAX), sheet.money.currency());
    let amounts = limit.amount.map(|(before, after, most)| counted(&money(before), &money(after), &money(most)));
    let counts = limit.count.map(|(before, after, most)| {
        format!("in number {}", counted(&before.to_string(), &after.to_string(), &most.to_string()))
    });
    let readings: Vec<String> = amounts.into_iter().chain(counts).collect();
    let text = format!("{} ({}): {}", text::name(&limit.limit), text::name(&limit.subject), readings.join("; "));
    if limit.passed { Value::heed(format!("this goes beyond {text}")) } else { Value::plain(text) }
}

fn counted(before: &str, after: &str, most: &str) -> String {
    format!("{before} before, {after} after, at most {most}")
}
