//! `axiru key …`: what agents and staff present to Axiru instead of a Stripe key.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use axiru_aws::admin::ChangeId;
use axiru_aws::admin::key::new_token;
use axiru_domain::{Actor, KeyId, KeyToken, Mode, PersonId, Scope, Timestamp};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::duration::Span;
use crate::random;
use crate::scopes::{Doing, Where, changed, list, minute, text};
use crate::table;

/// Make, list, replace and revoke the keys of agents and staff.
///
/// A key says who acts (an agent or a member of staff), and in which accounts of one mode. It cannot move money by itself: it asks
/// Axiru. It is made on this machine and shown once; Axiru is told its hash only, so nobody can show it again.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key for a new agent or member of staff, or another one for one that has a key.
    #[command(after_help = "Examples:
  A key for a new agent, for which Rosa answers:
    axiru key create --scope live/acct_1 --actor agent --operator per_0123456789abcdef --label \"refund bot\"
  One key for two accounts of the same mode:
    axiru key create --scope live/acct_1 --scope live/acct_2 --actor agent --operator per_0123456789abcdef
  A second key for the same agent:
    axiru key create --scope live/acct_1 --actor agent:ag_0123456789ab")]
    Create(Create),
    /// Show the keys of a scope. Never their secrets: nobody has them but their holders.
    List(Where),
    /// Revoke a key, for all its accounts, at once: the next request with it is refused.
    Revoke(Revoke),
    /// Replace a key: make its successor, and let the old one end after an overlap.
    #[command(
        after_help = "The new key is for the same actor, operator and accounts. Both work until the overlap is over:
put the new one in place, see that it works, and let the old one end, or revoke it.

Example:
    axiru key rotate 0123456789ab --scope live/acct_1 --overlap 2h"
    )]
    Rotate(Rotate),
}

/// A key to be made.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Who acts: `agent` or `staff` for somebody new, `agent:…` or `staff:…` for one that has a key.
    #[arg(long, value_name = "ACTOR")]
    actor: String,
    /// The person who answers for a new actor (`axiru person list`).
    #[arg(long, value_name = "PERSON")]
    operator: Option<PersonId>,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    place: Where,
}

/// What a key is limited to.
#[derive(Debug, Args)]
struct Terms {
    /// A word to know it by. It stands in no entry of the ledger.
    #[arg(long, default_value = "")]
    label: String,
    /// How long it is valid: at most 366d.
    #[arg(long, value_name = "SPAN", default_value = "90d")]
    valid_for: Span,
    /// Most requests a minute.
    #[arg(long, value_name = "NUMBER", default_value_t = 60)]
    per_minute: u32,
}

/// A key to be revoked.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The key's id: the 12 characters after the mode, as `axiru key list` shows them.
    key: KeyId,
    #[command(flatten)]
    doing: Doing,
}

/// A key to be replaced.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The key's id: the 12 characters after the mode, as `axiru key list` shows them.
    key: KeyId,
    /// How long the old key goes on working: at most 7d.
    #[arg(long, value_name = "SPAN", default_value = "24h")]
    overlap: Span,
    /// Another word to know it by. The old key's if not given.
    #[arg(long)]
    label: Option<String>,
    /// How long it is valid: at most 366d.
    #[arg(long, value_name = "SPAN", default_value = "90d")]
    valid_for: Span,
    /// Most requests a minute. The old key's if not given.
    #[arg(long, value_name = "NUMBER")]
    per_minute: Option<u32>,
    #[command(flatten)]
    place: Where,
}

impl Rotate {
    /// What the successor is limited to: as the old key, unless said otherwise.
    fn terms(&self, old: &Value) -> anyhow::Result<Terms> {
        let per_minute = old.get("per_minute").and_then(Value::as_u64).and_then(|number| number.try_into().ok());
        Ok(Terms {
            label: self
                .label
                .clone()
                .unwrap_or_else(|| old.get("label").and_then(Value::as_str).unwrap_or_default().to_owned()),
            valid_for: self.valid_for,
            per_minute: self
                .per_minute
                .or(per_minute)
                .context("the answer does not say how many requests the key may make")?,
        })
    }
}

/// Runs the command.
pub(crate) async fn run(command: &KeyCommand, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match command {
        KeyCommand::Create(command) => create(command, out).await,
        KeyCommand::List(place) => {
            place.tell(&place.ask(&["keys"], &[]).await?, out, table_of)?;
            Ok(ExitCode::SUCCESS)
        }
        KeyCommand::Revoke(command) => revoke(command, out).await,
        KeyCommand::Rotate(command) => rotate(command, out).await,
    }
}

/// The one mode of all scopes: a key is for one.
fn mode_of(scopes: &[Scope]) -> anyhow::Result<Mode> {
    let mode = scopes.first().context("no scope")?.mode();
    if scopes.iter().any(|scope| scope.mode() != mode) {
        bail!("a key is for one mode: make one for test and one for live");
    }
    Ok(mode)
}

async fn create(command: &Create, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let change = ChangeId::random().context("no change id can be made")?;
    let new = |class: &str, prefix: &str| {
        let id = axiru_domain::KeyId::from_random(random::follows(change.as_str(), "actor"));
        format!("{class}:{prefix}_{id}")
    };
    let (actor, new) = match command.actor.as_str() {
        "agent" => (new("agent", "ag"), true),
        "staff" => (new("staff", "st"), true),
        known => match known.parse::<Actor>() {
            Ok(Actor::Agent(_) | Actor::Staff(_)) => (known.to_owned(), false),
            _ => bail!(
                "`--actor` is `agent`, `staff`, or one that `axiru key list` shows, such as `agent:ag_0123456789ab`"
            ),
        },
    };
    let mut body = json!({"actor": actor});
    match (&command.operator, new) {
        (Some(operator), true) => insert(&mut body, "operator", json!(operator)),
        (None, false) => {}
        (None, true) => {
            bail!("say who answers for the new actor: `--operator per_…` (`axiru person list` shows the persons)")
        }
        (Some(_), false) => bail!("who answers for an actor never changes: leave `--operator` away"),
    }
    let token = new_token(mode_of(&command.place.scope)?).context("no key can be made")?;
    make(&token, &change, &command.terms, &command.place, &command.place.scope, body, out).await
}

async fn rotate(command: &Rotate, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mode = mode_of(&command.place.scope)?;
    let answers = command.place.ask(&["keys"], &[]).await?;
    let keys = answers.first().map(|(_, answer)| list(answer, "keys")).unwrap_or_default();
    let old = keys.iter().find(|key| text(key, "key") == command.key.as_str());
    let old = old.with_context(|| {
        format!("there is no key {} for this scope; `axiru key list` shows those that are", command.key)
    })?;
    // The successor is for all accounts of the old key: otherwise some would be left without when it ends.
    let accounts = list(old, "accounts").iter().filter_map(Value::as_str);
    let scopes = accounts.map(|account| Ok(Scope::new(mode, account.parse()?))).collect::<anyhow::Result<Vec<_>>>()?;
    let body = json!({"replaces": command.key, "overlap_secs": command.overlap.secs()});
    let change = ChangeId::random().context("no change id can be made")?;
    let token = new_token(mode).context("no key can be made")?;
    make(&token, &change, &command.terms(old)?, &command.place, &scopes, body, out).await
}

fn insert(body: &mut Value, name: &str, value: Value) {
    if let Some(body) = body.as_object_mut() {
        body.insert(name.to_owned(), value);
    }
}

/// Makes one key in every scope, and shows it if any of them took it.
async fn make(
    token: &KeyToken,
    change: &ChangeId,
    terms: &Terms,
    place: &Where,
    scopes: &[Scope],
    mut body: Value,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    for (name, value) in [
        ("change", json!(change.as_str())),
        ("key", json!(token.id())),
        ("secret_sha256", json!(token.sha256().to_string())),
        ("valid_until", json!(Timestamp::now().plus_secs(terms.valid_for.secs()))),
        ("per_minute", json!(terms.per_minute)),
        ("label", json!(terms.label)),
    ] {
        insert(&mut body, name, value);
    }
    let api = place.deployment.open().await?;
    let mut answers = Vec::new();
    let mut stopped = None;
    for scope in scopes {
        match api.post(scope, &["keys"], &body).await {
            Ok(answer) => answers.push((scope.clone(), answer)),
            Err(error) => {
                stopped = Some((scope, error));
                break;
            }
        }
    }
    let Some((_, first)) = answers.first() else {
        let (scope, error) = stopped.context("no scope")?;
        // Refused is refused; without an answer it may have been made, and its secret is gone with this process.
        return Err(if error.downcast_ref::<crate::api::Refused>().is_some_and(|refused| refused.status < 500) {
            error.context(scope.to_string())
        } else {
            error.context(format!(
                "{scope}: if `axiru key list` shows the key {}, revoke it and make another",
                token.id()
            ))
        });
    };
    if place.json {
        let scopes: Vec<&Scope> = answers.iter().map(|(scope, _)| scope).collect();
        let mut shown = first.clone();
        insert(&mut shown, "scopes", json!(scopes));
        insert(&mut shown, "token", json!(token.expose()));
        insert(
            &mut shown,
            "refused",
            json!(stopped.as_ref().map(|(scope, error)| json!({"scope": scope, "detail": format!("{error:#}")}))),
        );
        writeln!(out, "{shown:#}")?;
    } else {
        let scopes: Vec<String> = answers.iter().map(|(scope, _)| scope.to_string()).collect();
        writeln!(out, "{}\n", token.expose())?;
        writeln!(
            out,
            "This is the key of {}, for {}, until {} UTC.",
            text(first, "actor"),
            scopes.join(" and "),
            minute(first, "valid_until")
        )?;
        if first.get("replaced_until").is_some_and(Value::is_string) {
            writeln!(out, "The key it replaces works until {} UTC.", minute(first, "replaced_until"))?;
        }
        writeln!(out, "It is shown this once, and stored nowhere: put it where its holder reads it from.")?;
        if let Some((scope, error)) = &stopped {
            writeln!(out, "\nNOT for {scope}: {error:#}")?;
        }
    }
    Ok(if stopped.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn revoke(command: &Revoke, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let Revoke { key, doing } = command;
    let change = doing.change()?;
    let mut answers = doing.act(&["keys", key.as_str(), "revoke"], &change, json!({})).await?;
    // The first answer ended it everywhere; the ledgers of its other accounts are told as well.
    let api = doing.place.deployment.open().await?;
    let mut others: Vec<Scope> = Vec::new();
    for (scope, answer) in &answers {
        for account in list(answer, "accounts").iter().filter_map(Value::as_str) {
            let other = Scope::new(scope.mode(), account.parse()?);
            if !others.contains(&other) && !answers.iter().any(|(told, _)| *told == other) {
                others.push(other);
            }
        }
    }
    for scope in others {
        let body = json!({"change": change.as_str()});
        let answer = api.post(&scope, &["keys", key.as_str(), "revoke"], &body).await;
        let answer = answer
            .with_context(|| format!("the key is revoked; its revocation is not yet told in the ledger of {scope}"))?;
        answers.push((scope, answer));
    }
    doing.place.tell(&answers, out, |scope, answer, out| {
        let told = if changed(answer) { "is revoked" } else { "was revoked before" };
        Ok(writeln!(out, "{scope}: the key {key} {told}")?)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn table_of(scope: &Scope, answer: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let keys = list(answer, "keys");
    if keys.is_empty() {
        writeln!(out, "{scope} has no keys yet. `axiru key create --help` shows how to make one.")?;
        return Ok(());
    }
    writeln!(out, "{scope}")?;
    let rows: Vec<[String; 6]> = keys
        .iter()
        .map(|key| {
            [
                text(key, "key").to_owned(),
                text(key, "state").to_owned(),
                text(key, "actor").to_owned(),
                text(key, "operator").to_owned(),
                minute(key, "valid_until").chars().take(10).collect(),
                text(key, "label").to_owned(),
            ]
        })
        .collect();
    Ok(table::print(["key", "state", "actor", "operator", "until", "label"], &rows, out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_for_one_mode() {
        let scopes = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Scope>>();
        assert_eq!(mode_of(&scopes(&["live/acct_1", "live/acct_2"])).unwrap(), Mode::Live);
        assert!(mode_of(&scopes(&["live/acct_1", "test/acct_1"])).is_err());
        assert!(mode_of(&[]).is_err());
    }

    #[test]
    fn a_successor_is_limited_as_the_old_key_unless_said_otherwise() {
        let old = json!({"per_minute": 7, "label": "refund bot"});
        let mut rotate = Rotate {
            key: "0123456789ab".parse().unwrap(),
            overlap: "2h".parse().unwrap(),
            label: None,
            valid_for: "90d".parse().unwrap(),
            per_minute: None,
            place: Where { scope: vec![], deployment: crate::api::Deployment::here(), json: false },
        };
        let terms = rotate.terms(&old).unwrap();
        assert_eq!((terms.per_minute, terms.label.as_str()), (7, "refund bot"));
        rotate.per_minute = Some(9);
        assert_eq!(rotate.terms(&old).unwrap().per_minute, 9);
        rotate.per_minute = None;
        assert!(rotate.terms(&json!({})).is_err());
    }

    #[test]
    fn a_list_shows_no_secret_and_fits_a_terminal() {
        let answer = json!({"keys": [{
            "key": "0123456789ab", "state": "active", "actor": "agent:ag_0123456789ab", "operator": "per_0123456789abcdef",
            "valid_until": "2026-10-31T00:00:00.000Z", "label": "refund bot",
        }]});
        let mut out = Vec::new();
        table_of(&"live/acct_1".parse().unwrap(), &answer, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(text.contains("2026-10-31"), "{text}");
    }
}
