//! `axiru stop` and `axiru start`: the switches.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use axiru_aws::admin::ChangeId;
use axiru_domain::{Actor, Scope};
use clap::Args;
use serde_json::{Value, json};

use crate::api::{Api, Deployment, Refused};
use crate::scopes::{changed, list, minute, text};

/// Stop a scope, one actor in it, or everything.
///
/// From the next request on nothing is decided and nothing is sent to Stripe for it: calls through the gateway are refused, in shadow too,
/// and what people have approved or what waits in the queue ends. What was already sent is followed to its end. Reading goes on, and so
/// does whatever moves nothing out, such as cancelling a payout.
///
/// Where several scopes are meant, each is tried, whatever becomes of the others. Exit code 1: in some of them it could not be done.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  Everything in an account:
    axiru stop --scope live/acct_1 --why \"refunds to one card, looking into it\"
  One agent:
    axiru stop --scope live/acct_1 --actor agent:ag_1 --why \"its prompt was tampered with\"
  Every account, both modes, and those that are connected later:
    axiru stop --all --why \"key of the deployment may be known\"")]
pub(crate) struct StopCommand {
    #[command(flatten)]
    switch: Switch,
}

/// Start what was stopped.
///
/// It takes two: whoever asks first is noted for an hour, and when another person of the account asks within it, it is started. Where only
/// one person has an AWS identity (`axiru person list`), that one starts alone. A scope and an actor in it are stopped apart, and `--all`
/// apart from both: each must be started. What was ended meanwhile stays so.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
    axiru start --scope live/acct_1 --why \"it was a test of ours\"
    axiru start --scope live/acct_1 --actor agent:ag_1 --why \"repaired\"")]
pub(crate) struct StartCommand {
    #[command(flatten)]
    switch: Switch,
}

/// What is stopped or started.
#[derive(Debug, Args)]
struct Switch {
    /// The scope, mode and account: `live/acct_1`. Give it several times for several accounts.
    #[arg(
        long,
        env = "AXIRU_SCOPE",
        value_delimiter = ',',
        value_name = "MODE/ACCOUNT",
        required_unless_present = "all"
    )]
    scope: Vec<Scope>,
    /// Everything of the deployment, in both modes.
    #[arg(long, conflicts_with = "actor")]
    all: bool,
    /// Only what this actor asks for: `agent:…` or `staff:…`, as `axiru key list` shows them.
    #[arg(long, value_name = "ACTOR")]
    actor: Option<Actor>,
    /// Why, in a sentence. It stands beside the ledger, which holds only its hash.
    #[arg(long)]
    why: String,
    #[command(flatten)]
    deployment: Deployment,
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
    /// Repeat an earlier command whose answer was lost: its change id. What was done is not done twice.
    #[arg(long, value_name = "CHANGE")]
    change: Option<ChangeId>,
}

/// What became of one scope.
struct Done {
    scope: Scope,
    answer: anyhow::Result<Value>,
}

/// Runs `axiru stop`.
pub(crate) async fn stop(command: &StopCommand, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    turn(&command.switch, true, out).await
}

/// Runs `axiru start`.
pub(crate) async fn start(command: &StartCommand, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    turn(&command.switch, false, out).await
}

async fn turn(command: &Switch, stopped: bool, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let change = command.change.clone().map_or_else(|| ChangeId::random().context("no change id can be made"), Ok)?;
    let api = command.deployment.open().await?;
    let scopes = if command.all { every(&api).await? } else { command.scope.clone() };
    let mut body = json!({"change": change.as_str(), "actor": command.actor, "stopped": stopped, "why": command.why});
    if let (true, Some(body)) = (command.all, body.as_object_mut()) {
        // One switch in each mode; every account's log is told of it.
        body.insert("everything".to_owned(), true.into());
    }
    let mut done = Vec::new();
    // One that cannot be stopped does not hold back the others.
    for scope in scopes {
        let answer = api.post(&scope, &["switch"], &body).await;
        done.push(Done { scope, answer });
    }
    tell(&done, command, &change, out)
}

/// Every scope of the deployment.
async fn every(api: &Api) -> anyhow::Result<Vec<Scope>> {
    let all = api.root("status", None).await?;
    let scopes = list(&all, "scopes").iter().map(|scope| text(scope, "scope").parse::<Scope>());
    let scopes: Vec<Scope> = scopes.collect::<Result<_, _>>().context("the answer names something that is no scope")?;
    if scopes.is_empty() {
        bail!("nothing is connected to this deployment");
    }
    Ok(scopes)
}

fn tell(done: &[Done], command: &Switch, change: &ChangeId, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    if command.json {
        let one = |Done { scope, answer }: &Done| match answer {
            Ok(answer) => {
                json!({
                    "scope": scope,
                    "changed": changed(answer),
                    "of": answer.get("of"),
                    "stopped": answer.get("stopped"),
                    "second_person_until": answer.get("second_person_until"),
                })
            }
            Err(error) => json!({"scope": scope, "error": format!("{error:#}")}),
        };
        writeln!(out, "{:#}", Value::from(done.iter().map(one).collect::<Vec<_>>()))?;
    } else {
        for Done { scope, answer } in done {
            match answer {
                Ok(answer) => writeln!(out, "{scope}: {}", told(answer))?,
                Err(error) => writeln!(out, "{scope}: NOT DONE: {error:#}")?,
            }
        }
    }
    // What was refused is refused again; what was not answered may have happened.
    let unanswered = |done: &&Done| {
        done.answer
            .as_ref()
            .is_err_and(|error| error.downcast_ref::<Refused>().is_none_or(|refused| refused.status >= 500))
    };
    if !command.json && done.iter().any(|done| unanswered(&done)) {
        writeln!(out, "Repeat the command with `--change {change}` for what was not answered.")?;
    }
    Ok(if done.iter().all(|done| done.answer.is_ok()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(answer: &Value) -> String {
    let of = match text(answer, "of") {
        "deployment" => "the whole deployment in this mode",
        "scope" => "everything",
        actor => actor,
    };
    if answer.get("second_person_until").is_some_and(Value::is_string) {
        let until = minute(answer, "second_person_until");
        return format!("{of} is still stopped: another person must start it too, by {until} UTC");
    }
    let state = if answer.get("stopped") == Some(&Value::Bool(true)) { "stopped" } else { "not stopped" };
    format!("{of} is {state}{}", if changed(answer) { " now" } else { ", as before" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(json: bool) -> Switch {
        let deployment = Deployment::here();
        Switch { scope: Vec::new(), all: true, actor: None, why: "x".into(), deployment, json, change: None }
    }

    #[test]
    fn what_could_not_be_stopped_is_said_and_the_rest_is_stopped() {
        let change: ChangeId = format!("chg_{}", "0".repeat(32)).parse().unwrap();
        let answer = |of: &str, changed: bool| Ok(json!({"changed": changed, "of": of, "stopped": true}));
        let failed = || Err(Refused { status: 503, detail: "try again".into(), document: Value::Null }.into());
        let scope = |text: &str| text.parse::<Scope>().unwrap();
        let until = "2026-11-29T10:00:00.000Z";
        let waits = Ok(json!({"changed": true, "of": "deployment", "stopped": true, "second_person_until": until}));
        let done = [
            Done { scope: scope("test/acct_1"), answer: answer("scope", true) },
            Done { scope: scope("live/acct_1"), answer: failed() },
            Done { scope: scope("live/acct_2"), answer: answer("agent:ag_1", false) },
            Done { scope: scope("live/acct_3"), answer: waits },
        ];
        let mut out = Vec::new();
        let code = tell(&done, &command(false), &change, &mut out).unwrap();
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
        let expected = format!(
            "test/acct_1: everything is stopped now\nlive/acct_1: NOT DONE: refused (503): try again\nlive/acct_2: agent:ag_1 is stopped, \
             as before\nlive/acct_3: the whole deployment in this mode is still stopped: another person must start it too, by 2026-11-29 10:00 UTC\nRepeat the command with `--change {change}` for what was not answered.\n"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut out = Vec::new();
        tell(&done, &command(true), &change, &mut out).unwrap();
        let list: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&list[0]["stopped"], &list[1]["error"]), (&json!(true), &json!("refused (503): try again")));
    }
}
