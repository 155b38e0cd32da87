//! `axiru limits …`: how much of each limit is used.

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use axiru_domain::{Currency, Money, Per, Scope, Subject};
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::scopes::{Where, list, text};
use crate::table;

/// See how much of each limit is used, held and left.
#[derive(Debug, Subcommand)]
pub(crate) enum LimitsCommand {
    /// Show every limit of the active plans, with what is left of it in its current window.
    ///
    /// Shown are the account as a whole, the actors of live keys and the persons who answer for them. Charges, customers and
    /// destinations are too many to list: name them. What is held is part of what is used: decided, and not yet moved.
    #[command(after_help = "Examples:
    axiru limits show --scope live/acct_1
    axiru limits show --scope live/acct_1 --subject charge=ch_1 --subject customer=cus_1")]
    Show(Show),
}

/// Whose limits.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// One more subject: `charge=ch_1`, `customer=cus_1`, `destination=acct_2`, `actor=agent:ag_1`.
    #[arg(long, value_name = "PER=ID", value_parser = subject)]
    subject: Vec<Subject>,
    #[command(flatten)]
    place: Where,
}

fn subject(text: &str) -> Result<Subject, String> {
    let known = Per::ALL.map(Per::as_str).join(", ");
    let (per, id) =
        text.split_once('=').ok_or_else(|| format!("expected `charge=ch_1`; what counts is one of {known}"))?;
    let per = Per::ALL
        .into_iter()
        .find(|known| known.as_str() == per)
        .ok_or_else(|| format!("`{per}` is none of {known}"))?;
    Subject::new(per, id).map_err(|error| error.to_string())
}

/// Runs the command.
pub(crate) async fn run(command: &LimitsCommand, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let LimitsCommand::Show(Show { subject, place }) = command;
    if subject.len() > 50 {
        bail!("at most 50 subjects at once");
    }
    let query: Vec<(&str, String)> = subject.iter().map(|subject| ("subject", subject.key())).collect();
    place.tell(&place.ask(&["limits"], &query).await?, out, table_of)?;
    Ok(ExitCode::SUCCESS)
}

fn table_of(scope: &Scope, answer: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let limits = list(answer, "limits");
    if limits.is_empty() {
        writeln!(out, "{scope}: no active plan has a limit for these subjects")?;
        return Ok(());
    }
    write!(out, "{scope}")?;
    let mut subject = "";
    let mut rows = Vec::new();
    for limit in limits {
        if text(limit, "subject") != subject {
            print(subject, &rows, out)?;
            subject = text(limit, "subject");
            rows.clear();
        }
        let block = if text(limit, "on_exceed") == "block" { "block" } else { "hold" };
        rows.push([
            format!("{}/{}", text(limit, "plan"), text(limit, "limit")),
            text(limit, "window").to_owned(),
            block.to_owned(),
            both(limit, "used"),
            if limit.get("held_count").and_then(Value::as_u64) == Some(0) {
                "-".to_owned()
            } else {
                both(limit, "held")
            },
            both(limit, "left"),
        ]);
    }
    print(subject, &rows, out)
}

fn print(subject: &str, rows: &[[String; 6]], out: &mut dyn Write) -> anyhow::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let (per, id) = subject.split_once('#').unwrap_or((subject, ""));
    writeln!(out, "\n{per}{}", if id == "-" { String::new() } else { format!(" {id}") })?;
    Ok(table::print(["plan/limit", "window", "then", "used", "held", "left"], rows, out)?)
}

/// An amount and a number of movements; what the limit does not cap is left out.
fn both(limit: &Value, what: &str) -> String {
    let number = |name: &str| limit.get(name).and_then(Value::as_i64);
    let capped = |part: &str| number(&format!("max_{part}")).is_some();
    let amount = number(&format!("{what}_amount")).filter(|_| capped("amount"));
    let amount = amount.map(|amount| money(amount, text(limit, "currency")));
    let count = number(&format!("{what}_count")).filter(|_| capped("count")).map(|count| format!("{count}x"));
    [amount, count].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn money(amount: i64, currency: &str) -> String {
    let money = currency.parse::<Currency>().ok().and_then(|currency| Money::new(amount, currency).ok());
    money.map_or_else(|| amount.to_string(), |money| money.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn subjects_are_written_as_people_would() {
        assert_eq!(subject("charge=ch_1").map(|subject| subject.key()), Ok("charge#ch_1".to_owned()));
        for bad in ["", "charge", "charge=", "card=1", "charge=a b", "charge#ch_1"] {
            assert!(subject(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_limit_is_a_line() {
        let answer = json!({"limits": [{
            "plan": "refunds", "limit": "day", "subject": "account#-", "currency": "usd", "window": "day@Europe/Berlin",
            "used_amount": 12_000, "used_count": 2, "held_amount": 2_000, "held_count": 1, "left_amount": 88_000, "left_count": null, "max_amount": 100_000, "max_count": null,
        }]});
        let mut out = Vec::new();
        table_of(&"live/acct_1".parse().unwrap(), &answer, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("880.00") && !text.contains("2x") && text.contains("account\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }
}
