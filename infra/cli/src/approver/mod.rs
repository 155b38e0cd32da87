//! `axiru approver …`: who is asked where a plan asks people.

mod links;

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use axiru_domain::{PersonId, Scope};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::duration::Span;
use crate::scopes::{Doing, Where, changed, list, text, words};
use crate::table;

/// Say who is asked where a plan asks people, how many of them must approve, and how long they have.
///
/// Plans name groups, `@require_approval("finance")`; here the groups get their persons. Everybody in the group gets a mail with a link of
/// their own. Whoever operates the agent that asks, or made its key, is never among those who answer: a group whose only member that is
/// approves nothing.
#[derive(Debug, Subcommand)]
pub(crate) enum ApproverCommand {
    /// Make a person a member of a group. The group begins with its first member.
    ///
    /// The person needs an e-mail address. Requests that are waiting already keep the approvers they were held with.
    #[command(after_help = "Examples:
    axiru person add --scope live/acct_1 --email jo@example.com
    axiru approver add per_0123456789abcdef --group finance --scope live/acct_1
  Both in one:
    axiru person add --scope live/acct_1 --email jo@example.com --group finance")]
    Add(Member),
    /// Take a person out of a group. They can no longer answer, not even where they were asked before.
    #[command(after_help = "Example:
    axiru approver remove per_0123456789abcdef --group finance --scope live/acct_1")]
    Remove(Member),
    /// Show the groups of a scope: how many must approve, how long they have, who is in them and how mail reaches them.
    #[command(after_help = "Examples:
    axiru approver list --scope live/acct_1
    axiru approver list --scope live/acct_1 --group finance --json")]
    List(List),
    /// Say how many of a group must approve, and how long they have, where the plan does not say.
    ///
    /// What a plan says counts before it. Without either, one of the group has a day.
    #[command(after_help = "Examples:
    axiru approver group finance --quorum 2 --expires 8h --scope live/acct_1
    axiru approver group finance --clear-expires --scope live/acct_1")]
    Group(Group),
    /// Call in links that were sent to approvers: whoever opens one is told to ask for another.
    ///
    /// Votes that were cast stand. Requests that still wait are mailed anew, to the addresses on file: where the address is what is wrong,
    /// change it first (`axiru person alias`), or take the person out of the group.
    #[command(after_help = "Examples:
  Everybody's for one request:
    axiru approver revoke-links --request dec_0123456789abcdef0123456789abcdef --scope live/acct_1 --why \"forwarded to a list\"
  Everything that was sent to a person:
    axiru approver revoke-links --person per_0123456789abcdef --scope live/acct_1 --why \"laptop stolen\"
  Every link of the account:
    axiru approver revoke-links --all --scope live/acct_1 --why \"mail server broken into\"")]
    RevokeLinks(links::RevokeLinks),
}

/// A person and a group.
#[derive(Debug, Args)]
pub(crate) struct Member {
    /// The person's id, as `axiru person list` shows it.
    person: PersonId,
    /// The group, as plans name it.
    #[arg(long, value_name = "GROUP")]
    group: String,
    #[command(flatten)]
    doing: Doing,
}

/// Which groups.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this group.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    #[command(flatten)]
    place: Where,
}

/// What a group does where a plan does not say.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("setting").required(true).multiple(true))]
pub(crate) struct Group {
    /// The group, as plans name it.
    #[arg(value_name = "GROUP")]
    name: String,
    /// How many must approve: 1 to 10.
    #[arg(long, value_name = "NUMBER", group = "setting")]
    quorum: Option<u32>,
    /// No longer say how many.
    #[arg(long, conflicts_with = "quorum", group = "setting")]
    clear_quorum: bool,
    /// How long they have: `30m`, `8h`, `2d`; 5 seconds to 30 days.
    #[arg(long, value_name = "TIME", group = "setting")]
    expires: Option<Span>,
    /// No longer say how long.
    #[arg(long, conflicts_with = "expires", group = "setting")]
    clear_expires: bool,
    #[command(flatten)]
    doing: Doing,
}

/// Runs the command.
pub(crate) async fn run(command: &ApproverCommand, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match command {
        ApproverCommand::Add(member) => change(member, true, out).await?,
        ApproverCommand::Remove(member) => change(member, false, out).await?,
        ApproverCommand::List(List { group, place }) => {
            let mut answers = place.ask(&["groups"], &[]).await?;
            if let Some(only) = group {
                answers.iter_mut().for_each(|(_, answer)| keep_only(answer, only));
            }
            place.tell(&answers, out, |scope, answer, out| table_of(scope, answer, group.as_deref(), out))?;
        }
        ApproverCommand::Group(command) => set(command, out).await?,
        ApproverCommand::RevokeLinks(command) => links::run(command, out).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn change(member: &Member, added: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let Member { person, group, doing } = member;
    let body = json!({"person": person, "added": added});
    let answers = doing.act(&["groups", group, "members"], &doing.change()?, body).await?;
    doing.place.tell(&answers, out, |scope, answer, out| {
        let told = match (changed(answer), added) {
            (true, true) => "approves for",
            (false, true) => "approved already for",
            (true, false) => "no longer approves for",
            (false, false) => "did not approve for",
        };
        let count = list(answer, "persons").len();
        let members = if count == 1 { "member" } else { "members" };
        Ok(writeln!(out, "{scope}: {person} {told} `{group}`, which has {count} {members}")?)
    })
}

async fn set(command: &Group, out: &mut dyn Write) -> anyhow::Result<()> {
    let Group { name, quorum, clear_quorum, expires, clear_expires, doing } = command;
    let mut body = Map::new();
    if *clear_quorum || quorum.is_some() {
        body.insert("quorum".to_owned(), json!(quorum));
    }
    if *clear_expires || expires.is_some() {
        body.insert("expires_secs".to_owned(), json!(expires.map(Span::secs)));
    }
    let answers = doing.act(&["groups", name], &doing.change()?, body.into()).await?;
    doing.place.tell(&answers, out, |scope, answer, out| {
        let (quorum, time) = (quorum_of(answer), time_of(answer));
        let when = if changed(answer) { "now" } else { "already" };
        Ok(writeln!(out, "{scope}: `{name}` asks for {quorum} within {time} {when}, where the plan does not say")?)
    })
}

fn keep_only(answer: &mut Value, group: &str) {
    if let Some(groups) = answer.get_mut("groups").and_then(Value::as_array_mut) {
        groups.retain(|shown| text(shown, "group") == group);
    }
}

/// How many of a group must approve where a plan does not say.
fn quorum_of(group: &Value) -> String {
    group.get("quorum").and_then(Value::as_u64).map_or_else(|| "1".to_owned(), |quorum| quorum.to_string())
}

/// How long they have where a plan does not say.
fn time_of(group: &Value) -> String {
    let secs = group.get("expires_secs").and_then(Value::as_i64);
    secs.map_or_else(|| "24h".to_owned(), |secs| Span::of(secs).to_string())
}

/// Whether mail reaches a member, in a word.
fn mail_of(member: &Value) -> String {
    match member.get("mail").and_then(Value::as_str) {
        Some(word) => word.to_owned(),
        None if list(member, "emails").is_empty() => "no address".to_owned(),
        None => "ok".to_owned(),
    }
}

fn table_of(scope: &Scope, answer: &Value, only: Option<&str>, out: &mut dyn Write) -> anyhow::Result<()> {
    let groups = list(answer, "groups");
    if groups.is_empty() {
        if let Some(only) = only {
            bail!(
                "{scope} has no group `{only}`; it begins with its first member: axiru approver add <person> --group {only} --scope {scope}"
            );
        }
        writeln!(
            out,
            "{scope} has no groups yet. A group begins with its first member: axiru approver add <person> --group finance --scope {scope}"
        )?;
        return Ok(());
    }
    writeln!(out, "{scope}")?;
    let mut rows = Vec::new();
    for group in groups {
        let head = [text(group, "group").to_owned(), quorum_of(group), time_of(group)];
        let members = list(group, "members");
        if members.is_empty() {
            let [name, quorum, time] = head;
            rows.push([name, quorum, time, "nobody".to_owned(), "-".to_owned(), "-".to_owned()]);
            continue;
        }
        for (i, member) in members.iter().enumerate() {
            let [name, quorum, time] = if i == 0 { head.clone() } else { Default::default() };
            rows.push([
                name,
                quorum,
                time,
                text(member, "person").to_owned(),
                mail_of(member),
                words(member, "emails"),
            ]);
        }
    }
    Ok(table::print(["group", "quorum", "time", "person", "mail", "addresses"], &rows, out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(answer: &Value, only: Option<&str>) -> anyhow::Result<String> {
        let mut out = Vec::new();
        table_of(&"live/acct_1".parse().unwrap(), answer, only, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn groups_are_told_with_what_holds_where_nothing_is_said() {
        let answer = json!({"groups": [
            {"group": "finance", "quorum": 2, "expires_secs": 28_800, "members": [
                {"person": "per_aaaaaaaaaaaaaaaa", "emails": ["rosa@example.com", "rosa@example.org"], "mail": null},
                {"person": "per_bbbbbbbbbbbbbbbb", "emails": ["jo@example.com"], "mail": "returned"},
            ]},
            {"group": "operators", "quorum": null, "expires_secs": null, "members": []},
        ]});
        let expected = "live/acct_1
  group      quorum  time  person                mail      addresses
  finance    2       8h    per_aaaaaaaaaaaaaaaa  ok        rosa@example.com, rosa@example.org
                           per_bbbbbbbbbbbbbbbb  returned  jo@example.com
  operators  1       24h   nobody                -         -
";
        assert_eq!(told(&answer, None).unwrap(), expected);
        let mut one = answer;
        keep_only(&mut one, "operators");
        assert!(!told(&one, Some("operators")).unwrap().contains("finance"));
    }

    #[test]
    fn a_scope_without_groups_says_how_to_begin() {
        let none = json!({"groups": []});
        assert!(told(&none, None).unwrap().contains("axiru approver add <person> --group finance --scope live/acct_1"));
        assert!(told(&none, Some("legal")).is_err_and(|error| error.to_string().contains("--group legal")));
    }
}
