//! `axiru approval …`: what waits for people.

use std::io::Write;
use std::process::ExitCode;

use axiru_domain::{Currency, Money, Scope};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::scopes::{Doing, Where, changed, list, minute, text};
use crate::table;

/// Look at what waits for people, and end what should not be made.
///
/// Nobody approves here: those who were asked do, each by the link in their own mail (`axiru approver list` shows who is asked).
#[derive(Debug, Subcommand)]
pub(crate) enum ApprovalCommand {
    /// Show the requests that wait for people, the oldest first.
    #[command(after_help = "Examples:
    axiru approval list --scope live/acct_1
    axiru approval list --scope live/acct_1 --json")]
    List(Where),
    /// Show one request: what would be made, who was asked, who said what and when.
    #[command(after_help = "Example:
    axiru approval show dec_0123456789abcdef0123456789abcdef --scope live/acct_1")]
    Show(Show),
    /// End a request that waits, or that was approved and has not begun. What it holds of limits is free again.
    ///
    /// It is not made, whoever has approved it; the caller is told, and may ask anew under another idempotency key.
    #[command(after_help = "Example:
    axiru approval cancel dec_0123456789abcdef0123456789abcdef --scope live/acct_1 --why \"the customer took it back\"")]
    Cancel(Cancel),
}

/// One request.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The request (`dec_…`).
    #[arg(value_name = "DECISION")]
    id: String,
    #[command(flatten)]
    place: Where,
}

/// A request to be ended.
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// The request (`dec_…`).
    #[arg(value_name = "DECISION")]
    id: String,
    /// Why, in a sentence. It stands beside the ledger and can be erased.
    #[arg(long)]
    why: String,
    #[command(flatten)]
    doing: Doing,
}

/// Runs the command.
pub(crate) async fn run(command: &ApprovalCommand, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match command {
        ApprovalCommand::List(place) => place.tell(&place.ask(&["approvals"], &[]).await?, out, table_of)?,
        ApprovalCommand::Show(Show { id, place }) => {
            place.tell(&place.ask(&["approvals", id], &[]).await?, out, show)?;
        }
        ApprovalCommand::Cancel(Cancel { id, why, doing }) => {
            let answers = doing.act(&["approvals", id, "cancel"], &doing.change()?, json!({"why": why})).await?;
            doing.place.tell(&answers, out, |scope, answer, out| {
                let when = if changed(answer) { "is cancelled" } else { "was cancelled before" };
                Ok(writeln!(out, "{scope}: {id} {when}; it will not be made")?)
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The amount as people write it, with its currency.
fn amount(approval: &Value) -> String {
    let currency = text(approval, "currency").parse::<Currency>().ok();
    let minor = approval.get("amount_minor").and_then(Value::as_i64);
    let money = minor.zip(currency).and_then(|(minor, currency)| Money::new(minor, currency).ok());
    money.map_or_else(|| "-".to_owned(), |money| money.to_string())
}

/// How the groups stand: `finance 1 of 2`.
fn standing(approval: &Value) -> String {
    let number = |group: &Value, name: &str| group.get(name).and_then(Value::as_u64).unwrap_or_default();
    let one = |group: &Value| {
        let (approved, quorum, able) = (number(group, "approved"), number(group, "quorum"), number(group, "able"));
        // Fewer are left than it takes: time will end it.
        let stuck = if able < quorum { format!(" (only {able} left)") } else { String::new() };
        format!("{} {approved} of {quorum}{stuck}", text(group, "group"))
    };
    let groups: Vec<String> = list(approval, "groups").iter().map(one).collect();
    if groups.is_empty() { "nobody".to_owned() } else { groups.join(", ") }
}

fn table_of(scope: &Scope, answer: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let approvals = list(answer, "approvals");
    if approvals.is_empty() {
        writeln!(out, "{scope}: nothing waits for people")?;
        return Ok(());
    }
    writeln!(out, "{scope}")?;
    let row = |approval: &Value| {
        [
            text(approval, "decision_id").to_owned(),
            format!("{} {}", text(approval, "kind"), amount(approval)),
            text(approval, "actor").to_owned(),
            minute(approval, "until"),
            standing(approval),
        ]
    };
    let rows: Vec<[String; 5]> = approvals.iter().map(row).collect();
    table::print(["decision", "movement", "actor", "until (UTC)", "approved"], &rows, out)?;
    if answer.get("more") == Some(&Value::Bool(true)) {
        writeln!(out, "  There are more: these are the oldest.")?;
    }
    Ok(())
}

fn show(scope: &Scope, approval: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{scope}  {}  {}", text(approval, "decision_id"), text(approval, "status"))?;
    writeln!(out, "  movement  {} {}", text(approval, "kind"), amount(approval))?;
    for (role, id) in approval.get("objects").and_then(Value::as_object).into_iter().flatten() {
        writeln!(out, "            {role} {}", id.as_str().unwrap_or("-"))?;
    }
    writeln!(out, "  asked by  {}, for whom {} answers", text(approval, "actor"), text(approval, "operator"))?;
    writeln!(out, "  held      {} UTC, until {} UTC", minute(approval, "decided_at"), minute(approval, "until"))?;
    if let Some(by) = approval.get("begins_by").and_then(Value::as_str) {
        writeln!(
            out,
            "  approved  begins by {} UTC, or not at all",
            by.chars().take(16).collect::<String>().replace('T', " ")
        )?;
    }
    if let Some(reason) = approval.get("failure").and_then(Value::as_str) {
        writeln!(out, "  not made  {reason}")?;
    }
    for reason in list(approval, "reasons") {
        let says = reason.get("says").and_then(Value::as_str).map(|says| format!(": {says}")).unwrap_or_default();
        writeln!(out, "  because   {}{says}", text(reason, "reason"))?;
    }
    writeln!(out, "  approved  {}", standing(approval))?;
    let mut rows = Vec::new();
    for asked in list(approval, "asked") {
        let person = text(asked, "person");
        let vote = list(approval, "votes").iter().find(|vote| text(vote, "person") == person);
        let said = match (vote, asked.get("still") == Some(&Value::Bool(true))) {
            (Some(vote), true) => format!("{} {} UTC", text(vote, "choice"), minute(vote, "at")),
            (Some(vote), false) => {
                format!("{} {} UTC, and has left the group", text(vote, "choice"), minute(vote, "at"))
            }
            (None, true) => "-".to_owned(),
            (None, false) => "has left the group".to_owned(),
        };
        rows.push([text(asked, "group").to_owned(), person.to_owned(), said]);
    }
    if !rows.is_empty() {
        table::print(["group", "person", "answer"], &rows, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval() -> Value {
        json!({
            "decision_id": "dec_0", "status": "pending", "kind": "refund", "amount_minor": 25_000, "currency": "usd",
            "objects": {"charge": "ch_1"}, "actor": "agent:ag_1", "operator": "per_cccccccccccccccc",
            "decided_at": "2026-10-31T12:00:00.000Z", "until": "2026-11-01T12:00:00.000Z", "reasons": [{"reason": "refunds policy:hold-big", "says": "Refunds above 100 are for two."}],
            "groups": [{"group": "finance", "quorum": 2, "approved": 1, "able": 2}, {"group": "legal", "quorum": 1, "approved": 0, "able": 0}],
            "asked": [
                {"group": "finance", "person": "per_aaaaaaaaaaaaaaaa", "still": true},
                {"group": "finance", "person": "per_bbbbbbbbbbbbbbbb", "still": true},
                {"group": "legal", "person": "per_dddddddddddddddd", "still": false},
            ],
            "votes": [{"person": "per_aaaaaaaaaaaaaaaa", "choice": "approve", "at": "2026-10-31T12:30:00.000Z"}],
            "begins_by": null, "failure": null,
        })
    }

    #[test]
    fn a_list_tells_what_waits_for_whom() {
        let scope = "live/acct_1".parse().unwrap();
        let mut out = Vec::new();
        table_of(&scope, &json!({"approvals": [approval()], "more": false}), &mut out).unwrap();
        let expected = "live/acct_1
  decision  movement           actor       until (UTC)       approved
  dec_0     refund 250.00 USD  agent:ag_1  2026-11-01 12:00  finance 1 of 2, legal 0 of 1 (only 0 left)
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut out = Vec::new();
        table_of(&scope, &json!({"approvals": []}), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "live/acct_1: nothing waits for people\n");
    }

    #[test]
    fn one_is_shown_with_every_answer() {
        let mut out = Vec::new();
        show(&"live/acct_1".parse().unwrap(), &approval(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for told in [
            "live/acct_1  dec_0  pending",
            "charge ch_1",
            "agent:ag_1, for whom per_cccccccccccccccc answers",
            "because   refunds policy:hold-big: Refunds above 100 are for two.",
            "per_aaaaaaaaaaaaaaaa  approve 2026-10-31 12:30 UTC",
            "per_bbbbbbbbbbbbbbbb  -",
            "per_dddddddddddddddd  has left the group",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
    }
}
