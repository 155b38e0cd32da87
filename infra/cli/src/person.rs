//! `axiru person …`: the humans who answer for agents, make keys and approve.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use axiru_domain::{PersonId, Scope};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::random;
use crate::scopes::{Doing, Where, changed, list, minute, text, words};
use crate::table;

/// Make persons known to a scope, and list them.
///
/// A person is whoever answers for an agent, makes keys, or approves. Axiru knows them by e-mail addresses and by AWS identities; the
/// ledger knows only an id, so removing a person erases their addresses.
#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// Add a person, with at least one e-mail address or AWS identity.
    #[command(after_help = "Examples:
  Yourself, first of all:
    axiru person add --scope live/acct_1 --me --email rosa@example.com
  Somebody of the group that approves refunds:
    axiru person add --scope live/acct_1 --email jo@example.com --group finance
  The same person in a second account:
    axiru person add --scope live/acct_2 --id per_0123456789abcdef --email jo@example.com")]
    Add(Add),
    /// Show the persons of a scope, with their addresses.
    List(Where),
    /// Remove a person, from all groups too, and erase their addresses. Refused while a live key has them as its operator.
    Remove(Remove),
    /// Give a person an e-mail address or AWS identity, or take one away.
    #[command(
        after_help = "An identity that a role gives is named by its session, as `aws sts get-caller-identity` prints it:
    arn:aws:sts::111122223333:assumed-role/ROLE/SESSION
It is compared to the letter. Whoever may choose the session's name may choose to be this person: \
                      let the role's trust policy fix it (sts:RoleSessionName), as AWS IAM Identity Center does.

Examples:
    axiru person alias per_0123456789abcdef --scope live/acct_1 --add-email rosa.luz@example.com
    axiru person alias per_0123456789abcdef --scope live/acct_1 --remove-principal arn:aws:iam::111122223333:user/rosa"
    )]
    Alias(Alias),
}

/// A person to be added.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// An e-mail address. Case does not matter; what stands behind a `+` does.
    #[arg(long, value_name = "ADDRESS")]
    email: Vec<String>,
    /// An AWS identity, as `aws sts get-caller-identity` prints it.
    #[arg(long, value_name = "ARN")]
    principal: Vec<String>,
    /// The AWS identity with which this command is run.
    #[arg(long)]
    me: bool,
    /// A group whose approvals the person may give, as plans name it (later: `axiru approver add`). Needs an e-mail address.
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// The id the person has elsewhere. A new one is made otherwise.
    #[arg(long, value_name = "PERSON")]
    id: Option<PersonId>,
    #[command(flatten)]
    doing: Doing,
}

/// A person to be removed.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The person's id.
    person: PersonId,
    #[command(flatten)]
    doing: Doing,
}

/// An alias to be changed.
#[derive(Debug, Args)]
pub(crate) struct Alias {
    /// The person's id.
    person: PersonId,
    #[command(flatten)]
    alias: WhichAlias,
    #[command(flatten)]
    doing: Doing,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct WhichAlias {
    /// An e-mail address that becomes the person's.
    #[arg(long, value_name = "ADDRESS")]
    add_email: Option<String>,
    /// An AWS identity that becomes the person's.
    #[arg(long, value_name = "ARN")]
    add_principal: Option<String>,
    /// An e-mail address that no longer is.
    #[arg(long, value_name = "ADDRESS")]
    remove_email: Option<String>,
    /// An AWS identity that no longer is.
    #[arg(long, value_name = "ARN")]
    remove_principal: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(command: &PersonCommand, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match command {
        PersonCommand::Add(command) => add(command, out).await?,
        PersonCommand::List(place) => place.tell(&place.ask(&["persons"], &[]).await?, out, table_of)?,
        PersonCommand::Remove(Remove { person, doing }) => {
            let answers = doing.act(&["persons", person.as_str(), "remove"], &doing.change()?, json!({})).await?;
            doing.place.tell(&answers, out, |scope, _, out| {
                Ok(writeln!(out, "{scope}: {person} is no longer a person of it; the addresses are erased")?)
            })?;
        }
        PersonCommand::Alias(command) => alias(command, out).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(command: &Add, out: &mut dyn Write) -> anyhow::Result<()> {
    if command.email.is_empty() && command.principal.is_empty() && !command.me {
        bail!("say by what the person is known: `--email`, `--principal` or `--me`");
    }
    let change = command.doing.change()?;
    // The id follows from the change, so that the same command given again means the same person.
    let person =
        command.id.clone().unwrap_or_else(|| PersonId::from_random(random::follows(change.as_str(), "person")));
    let body = json!({
        "person": person,
        "emails": command.email,
        "principals": command.principal,
        "me": command.me,
        "groups": command.group,
    });
    let answers = command.doing.act(&["persons"], &change, body).await?;
    command.doing.place.tell(&answers, out, |scope, _, out| Ok(writeln!(out, "{scope}: {person} is a person of it")?))
}

async fn alias(command: &Alias, out: &mut dyn Write) -> anyhow::Result<()> {
    let Alias { person, alias, doing } = command;
    let (added, class, value) = [
        (true, "email", &alias.add_email),
        (true, "principal", &alias.add_principal),
        (false, "email", &alias.remove_email),
        (false, "principal", &alias.remove_principal),
    ]
    .into_iter()
    .find_map(|(added, class, value)| value.as_ref().map(|value| (added, class, value)))
    .context("say which alias")?;
    let body = json!({"added": added, class: value});
    let answers = doing.act(&["persons", person.as_str(), "aliases"], &doing.change()?, body).await?;
    doing.place.tell(&answers, out, |scope, answer, out| {
        let told = match (changed(answer), added) {
            (false, true) => "had that alias already",
            (false, false) => "has no such alias",
            (true, true) => "has the alias now",
            (true, false) => "no longer has the alias",
        };
        Ok(writeln!(out, "{scope}: {person} {told}")?)
    })
}

fn table_of(scope: &Scope, answer: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let persons = list(answer, "persons");
    if persons.is_empty() {
        writeln!(out, "{scope} has no persons yet. Begin with yourself: axiru person add --scope {scope} --me")?;
        return Ok(());
    }
    writeln!(out, "{scope}")?;
    let mut rows = Vec::new();
    for person in persons {
        let aliases = list(person, "emails").iter().chain(list(person, "principals")).filter_map(Value::as_str);
        for (i, alias) in aliases.enumerate() {
            let first = |text: String| if i == 0 { text } else { String::new() };
            rows.push([
                first(text(person, "person").to_owned()),
                first(words(person, "groups")),
                first(minute(person, "created_at").chars().take(10).collect()),
                alias.to_owned(),
            ]);
        }
    }
    Ok(table::print(["person", "groups", "added", "known by"], &rows, out)?)
}
