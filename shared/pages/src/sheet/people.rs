//! Who asks, why people are asked, and how it stands.

use axiru_domain::{Actor, Asking, GroupLine, Sheet};

use super::{Row, Value, grouped, utc};
use crate::text::{self, Plain};

/// Who asks, and for whom.
pub(super) fn who(sheet: &Sheet) -> Vec<Row> {
    let mut rows = vec![Row::new("Asked by", Value::plain(actor(&sheet.actor)))];
    if let Some(label) = &sheet.key_label {
        rows.push(Row::words("With the key", label));
    }
    rows.push(Row::new("Answers for it", Value::plain(text::address(&sheet.operator))));
    rows.push(Row::new("Asked at", Value::plain(utc(sheet.asked_at))));
    rows
}

fn actor(actor: &Actor) -> String {
    match actor {
        Actor::Agent(id) => format!("the program {}", text::name(id)),
        Actor::Staff(id) => format!("the member of staff {}", text::name(id)),
        Actor::Operator(id) => format!("the operator {}", text::name(id)),
        Actor::Person(id) => format!("the person {}", text::name(id)),
        Actor::External => "somebody outside Axiru".to_owned(),
        Actor::Stripe => "Stripe".to_owned(),
        Actor::Axiru => "Axiru".to_owned(),
    }
}

/// The rules that ask, and what nobody could tell.
pub(super) fn why(sheet: &Sheet) -> Vec<Row> {
    let mut rows = vec![some("Rules that ask", sheet.asking.iter().flat_map(asking).collect())];
    if !sheet.unknown.is_empty() {
        let mut values: Vec<_> =
            sheet.unknown.iter().map(|fact| Value::plain(text::name(&fact.replace('_', " ")))).collect();
        if sheet.block_possible {
            values.push(Value::heed("if this were known, a rule might forbid it altogether."));
        }
        rows.push(Row { label: "What nobody could tell", values });
    }
    rows
}

/// A row that says so where it has nothing to say.
fn some(label: &'static str, mut values: Vec<Value>) -> Row {
    if values.is_empty() {
        values.push(Value::plain("none"));
    }
    Row { label, values }
}

fn asking(asking: &Asking) -> Vec<Value> {
    let rule = format!("{} (plan {})", text::name(&asking.rule), text::name(&asking.plan));
    let mut values = vec![Value::plain(rule)];
    if let Some(why) = &asking.why {
        values.push(Value::plain(Plain::line(why, text::MAX_CHARS).to_string()));
    }
    values
}

/// What tells this request from others.
const CHECK_CODE: &str = "Check code";

/// What tells a request that ended from others.
pub(super) fn which(sheet: &Sheet) -> Vec<Row> {
    vec![
        Row::new(CHECK_CODE, Value::code(grouped(&sheet.digest))),
        Row::new("Request", Value::code(sheet.request.as_str())),
    ]
}

/// The votes, the time that is left, and what tells this request from others.
pub(super) fn standing(sheet: &Sheet) -> Vec<Row> {
    let then = if sheet.executes {
        "Axiru makes it at once, after it has checked again that nothing has changed."
    } else {
        "whoever asked may make it."
    };
    vec![
        some("Approvals", sheet.groups.iter().map(group).collect()),
        Row::new("Once approved", Value::plain(then)),
        Row::new("Open until", Value::plain(format!("{}. After that it ends, and nothing is made.", utc(sheet.until)))),
        Row {
            label: CHECK_CODE,
            values: vec![
                Value::code(grouped(&sheet.digest)),
                Value::plain("The same in the mail and on the page, or something is wrong: then answer nothing."),
            ],
        },
        Row::new("Alike in 24 hours", alike(sheet.similar_24h)),
        Row::new("Request", Value::code(sheet.request.as_str())),
    ]
}

fn group(line: &GroupLine) -> Value {
    let needed = line.quorum.saturating_sub(line.approved);
    let still = if needed == 0 { "enough".to_owned() } else { format!("{needed} more needed") };
    Value::plain(format!("{}: {} of {} approved, {still}", text::name(&line.group), line.approved, line.quorum))
}

fn alike(count: Option<i64>) -> Value {
    match count {
        Some(0) => Value::plain("none with the same caller, object and amount"),
        Some(1) => Value::heed("one more with the same caller, object and amount. Is this one a repetition?"),
        Some(n) => Value::heed(format!("{n} more with the same caller, object and amount. Is this one a repetition?")),
        None => Value::plain("not known"),
    }
}
