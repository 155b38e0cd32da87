//! In which scopes a command acts, and how one act in several of them is told.

use std::io::Write;

use anyhow::Context as _;
use axiru_aws::admin::ChangeId;
use axiru_domain::Scope;
use clap::Args;
use serde_json::{Value, json};

use crate::api::{Api, Deployment, Refused};

/// Where to look.
#[derive(Debug, Args)]
pub(crate) struct Where {
    /// The scope, mode and account: `live/acct_1`. Give it several times for several accounts.
    #[arg(long, required = true, env = "AXIRU_SCOPE", value_delimiter = ',', value_name = "MODE/ACCOUNT")]
    pub(crate) scope: Vec<Scope>,
    #[command(flatten)]
    pub(crate) deployment: Deployment,
    /// Print JSON for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where to change something.
#[derive(Debug, Args)]
pub(crate) struct Doing {
    #[command(flatten)]
    pub(crate) place: Where,
    /// Repeat an earlier command whose answer was lost: its change id. What was done is not done twice.
    #[arg(long, value_name = "CHANGE")]
    change: Option<ChangeId>,
}

/// Answers by scope, in the order asked.
pub(crate) type Answers = Vec<(Scope, Value)>;

impl Where {
    /// The answers to the same question in every scope.
    pub(crate) async fn ask(&self, parts: &[&str], query: &[(&str, String)]) -> anyhow::Result<Answers> {
        let api = self.deployment.open().await?;
        let mut answers = Vec::new();
        for scope in &self.scope {
            let answer = api.get(scope, parts, query).await.with_context(|| scope.to_string())?;
            answers.push((scope.clone(), answer));
        }
        Ok(answers)
    }

    /// Prints answers: as JSON if that was asked for, otherwise as `text` says.
    pub(crate) fn tell(
        &self,
        answers: &Answers,
        out: &mut dyn Write,
        text: impl Fn(&Scope, &Value, &mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if self.json {
            let list: Vec<Value> = answers.iter().map(|(scope, answer)| with_scope(scope, answer)).collect();
            writeln!(out, "{:#}", Value::from(list))?;
            return Ok(());
        }
        let mut told = Vec::new();
        for (scope, answer) in answers {
            let mut one = Vec::new();
            text(scope, answer, &mut one)?;
            told.push(one);
        }
        // Tables stand apart, single lines below each other.
        let lines = |one: &Vec<u8>| one.iter().filter(|byte| **byte == b'\n').count();
        let between: &[u8] = if told.iter().any(|one| lines(one) > 1) { b"\n" } else { b"" };
        Ok(out.write_all(&told.join(between))?)
    }
}

fn with_scope(scope: &Scope, answer: &Value) -> Value {
    let mut answer = answer.clone();
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("scope".to_owned(), json!(scope));
    }
    answer
}

impl Doing {
    /// The id under which this command's acts are done: made once, whatever is tried again.
    pub(crate) fn change(&self) -> anyhow::Result<ChangeId> {
        self.change.clone().map_or_else(|| ChangeId::random().context("no change id can be made"), Ok)
    }

    /// Does the same in every scope, in order, until one refuses.
    pub(crate) async fn act(&self, parts: &[&str], change: &ChangeId, mut body: Value) -> anyhow::Result<Answers> {
        if let Some(body) = body.as_object_mut() {
            body.insert("change".to_owned(), change.as_str().into());
        }
        let api: Api = self.place.deployment.open().await?;
        let mut answers: Answers = Vec::new();
        for scope in &self.place.scope {
            match api.post(scope, parts, &body).await {
                Ok(answer) => answers.push((scope.clone(), answer)),
                Err(error) => {
                    let refused = error.downcast_ref::<Refused>().is_some_and(|refused| refused.status < 500);
                    return Err(error.context(told(&answers, scope, change, refused)));
                }
            }
        }
        Ok(answers)
    }
}

/// Where a command stopped, and how it is repeated: after a refusal in the first scope there is nothing to repeat.
fn told(done: &Answers, scope: &Scope, change: &ChangeId, refused: bool) -> String {
    let done: Vec<String> = done.iter().map(|(scope, _)| scope.to_string()).collect();
    match (done.is_empty(), refused) {
        (true, true) => scope.to_string(),
        (true, false) => {
            format!("{scope}: it may have happened; repeat the command with `--change {change}` to find out")
        }
        (false, _) => format!("{scope} (done in {}; repeat the command with `--change {change}`)", done.join(", ")),
    }
}

/// A member's text, or a dash.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("-")
}

/// A member's list, or nothing.
pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A member's list of words, joined; a dash for none.
pub(crate) fn words(value: &Value, name: &str) -> String {
    let words: Vec<&str> = list(value, name).iter().filter_map(Value::as_str).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

/// The minute of a time: `2026-10-31 23:59`, in UTC.
pub(crate) fn minute(value: &Value, name: &str) -> String {
    text(value, name).chars().take(16).collect::<String>().replace('T', " ")
}

/// Whether an act changed anything, in words.
pub(crate) fn changed(answer: &Value) -> bool {
    answer.get("changed") == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_command_stopped_and_how_to_go_on() {
        let (one, two): (Scope, Scope) = ("live/acct_1".parse().unwrap(), "live/acct_2".parse().unwrap());
        let change: ChangeId = format!("chg_{}", "0".repeat(32)).parse().unwrap();
        assert_eq!(told(&Vec::new(), &one, &change, true), "live/acct_1");
        assert!(told(&Vec::new(), &one, &change, false).contains("--change chg_000"));
        let done = vec![(one, Value::Null)];
        let text = told(&done, &two, &change, true);
        assert!(text.contains("live/acct_2 (done in live/acct_1") && text.contains("--change chg_000"), "{text}");
    }
}
