//! `axiru plan push`, `list`, `show`, `diff`, `mode`, `rollback`: plans in a deployment.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use axiru_domain::Scope;
use axiru_policy::Plan;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::diff::{self, Sides};
use super::files::{self, Place};
use crate::api::Refused;
use crate::scopes::{Doing, Where, changed, list, minute, text, words};
use crate::table;

/// Plans to be pushed.
#[derive(Debug, Args)]
pub(crate) struct Push {
    /// Folder of the plan, or a folder of such folders.
    #[arg(value_name = "DIR")]
    path: PathBuf,
    #[command(flatten)]
    doing: Doing,
}

/// A plan to be shown.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The plan's name.
    plan: String,
    /// An earlier version, by the first digits of its SHA-256.
    #[arg(long, value_name = "SHA256")]
    version: Option<String>,
    #[command(flatten)]
    place: Where,
}

/// Two versions to be compared.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// Folder of a plan, compared with what is in force; or a plan's name.
    #[arg(value_name = "DIR|PLAN")]
    what: String,
    /// The version before, by the first digits of its SHA-256. The one in force if not given.
    #[arg(long, value_name = "SHA256")]
    from: Option<String>,
    /// The version after. The folder's, or the one in force, if not given.
    #[arg(long, value_name = "SHA256")]
    to: Option<String>,
    #[command(flatten)]
    place: Where,
}

/// A plan to be switched.
#[derive(Debug, Args)]
pub(crate) struct Switch {
    /// The plan's name.
    plan: String,
    /// Whether its verdicts count.
    #[arg(value_enum)]
    policy_mode: PolicyModeWord,
    /// Why, in a sentence.
    #[arg(long)]
    why: String,
    #[command(flatten)]
    doing: Doing,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PolicyModeWord {
    /// Its verdicts are recorded and change nothing.
    Shadow,
    /// Its verdicts count.
    Enforce,
}

impl PolicyModeWord {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::Enforce => "enforce",
        }
    }
}

/// A plan to be taken back to an earlier version.
#[derive(Debug, Args)]
pub(crate) struct RollBack {
    /// The plan's name.
    plan: String,
    /// The version, by the first digits of its SHA-256 (`axiru plan show` lists them).
    #[arg(long, value_name = "SHA256")]
    to: String,
    #[command(flatten)]
    doing: Doing,
}

fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

/// Pushes; true if every plan was taken.
pub(super) async fn push(command: &Push, out: &mut dyn Write) -> anyhow::Result<bool> {
    let places = files::find(&command.path)?;
    let mut plans = Vec::new();
    for place in &places {
        let Place::Folder(folder) = place else {
            bail!(
                "`{}` is a plan document; push the folder that holds plan.json and policies.cedar",
                place.path().display()
            );
        };
        match place.plan()? {
            Ok(plan) => plans.push((
                place,
                plan,
                files::text(&folder.join("plan.json"))?,
                files::text(&folder.join("policies.cedar"))?,
            )),
            Err(error) => {
                place.reports(&error).iter().try_for_each(|report| writeln!(out, "{}", report.line()))?;
                writeln!(out, "REFUSED {}: nothing was pushed", place.path().display())?;
                return Ok(false);
            }
        }
    }
    let mut all = Vec::new();
    for (at, (place, plan, head, policies)) in plans.into_iter().enumerate() {
        // Each plan is a change of its own.
        let change = if at == 0 {
            command.doing.change()?
        } else {
            axiru_aws::admin::ChangeId::random().context("no change id")?
        };
        let answers = command.doing.act(&["plans"], &change, json!({"plan": head, "policies": policies})).await;
        match answers {
            Ok(answers) => {
                all.extend(answers.into_iter().map(|(scope, answer)| (scope, plan.name().to_owned(), answer)))
            }
            Err(error) => {
                // What this command takes, the deployment may not: it can be of another version.
                let problems =
                    error.downcast_ref::<Refused>().map(|refused| list(&refused.document, "problems").to_vec());
                for problem in problems.unwrap_or_default() {
                    writeln!(out, "{}: {}", place.path().display(), text(&problem, "text"))?;
                }
                return Err(error.context(format!("the plan `{}`", plan.name())));
            }
        }
    }
    let answers = all.iter().map(|(scope, _, answer)| (scope.clone(), answer.clone())).collect();
    command.doing.place.tell(&answers, out, |scope, answer, out| {
        let (plan, version, mode) = (text(answer, "plan"), short(text(answer, "sha256")), text(answer, "policy_mode"));
        let told = if !changed(answer) {
            format!("is in force already ({mode}); nothing was changed")
        } else if answer.get("before").is_some_and(Value::is_string) {
            format!("is in force now ({mode}), instead of {}", short(text(answer, "before")))
        } else {
            format!("is new and in {mode}: its verdicts are recorded and change nothing")
        };
        Ok(writeln!(out, "{scope}: {plan} {version} {told}")?)
    })?;
    Ok(true)
}

/// Lists.
pub(super) async fn list_of(place: &Where, out: &mut dyn Write) -> anyhow::Result<()> {
    place.tell(&place.ask(&["plans"], &[]).await?, out, |scope, answer, out| {
        let number = |plan: &Value, name: &str| {
            plan.get(name).and_then(Value::as_u64).map_or_else(|| "-".to_owned(), |n| n.to_string())
        };
        let row = |plan: &Value| {
            let usable = plan.get("usable") == Some(&Value::Bool(true));
            [
                text(plan, "plan").to_owned(),
                if usable {
                    text(plan, "policy_mode").to_owned()
                } else {
                    format!("{} (UNUSABLE: blocks)", text(plan, "policy_mode"))
                },
                short(text(plan, "sha256")).to_owned(),
                number(plan, "rules"),
                number(plan, "limits"),
                words(plan, "kinds"),
            ]
        };
        let rows: Vec<[String; 6]> = list(answer, "plans").iter().map(row).collect();
        if rows.is_empty() {
            return Ok(writeln!(out, "{scope} has no plans: every movement is allowed, and recorded")?);
        }
        writeln!(out, "{scope}")?;
        Ok(table::print(["plan", "mode", "version", "rules", "limits", "kinds"], &rows, out)?)
    })
}

/// Shows one plan.
pub(super) async fn show(command: &Show, out: &mut dyn Write) -> anyhow::Result<()> {
    let query: Vec<(&str, String)> = command.version.iter().map(|version| ("version", version.clone())).collect();
    let answers = command.place.ask(&["plans", &command.plan], &query).await?;
    command.place.tell(&answers, out, |scope, answer, out| {
        let document = answer.get("document").unwrap_or(&Value::Null);
        writeln!(out, "{scope}: {} in {}", text(answer, "plan"), text(answer, "policy_mode"))?;
        writeln!(out, "{}", text(document, "description"))?;
        writeln!(out, "  kinds    {}", words(document, "kinds"))?;
        writeln!(out, "  version  {}", text(answer, "sha256"))?;
        for limit in list(document, "limits") {
            writeln!(out, "  limit    {}", limit_of(limit))?;
        }
        writeln!(out)?;
        // A version that was pushed twice is in force once.
        let in_force = |version: &Value| text(version, "sha256") == text(answer, "in_force");
        let last = list(answer, "versions").iter().rposition(in_force);
        let rows: Vec<[String; 4]> = list(answer, "versions")
            .iter()
            .enumerate()
            .map(|(at, version)| {
                let mark = if Some(at) == last { "in force" } else { "" };
                [
                    short(text(version, "sha256")).to_owned(),
                    minute(version, "pushed_at"),
                    text(version, "by").to_owned(),
                    mark.to_owned(),
                ]
            })
            .collect();
        table::print(["version", "pushed (UTC)", "by", ""], &rows, out)?;
        Ok(writeln!(out, "\n{}", text(document, "policies").trim_end())?)
    })
}

/// A limit of a plan document in a line.
fn limit_of(limit: &Value) -> String {
    let cap = |name: &str, unit: &str| limit.get(name).and_then(Value::as_i64).map(|most| format!("{most} {unit}"));
    let caps = [cap("max_amount", &format!("minor units {}", text(limit, "currency"))), cap("max_count", "movements")];
    let caps: Vec<String> = caps.into_iter().flatten().collect();
    let window = limit.get("window").unwrap_or(&Value::Null);
    let window = match text(window, "calendar") {
        "-" => format!("rolling {}", text(window, "rolling")),
        calendar => format!("{calendar}, {}", text(window, "zone")),
    };
    let (id, per, then) = (text(limit, "id"), text(limit, "per"), text(limit, "on_exceed"));
    format!("{id}: {} per {per} ({window}), then {then}; {}", caps.join(" or "), words(limit, "kinds"))
}

/// Compares.
pub(super) async fn diff_of(command: &Diff, out: &mut dyn Write) -> anyhow::Result<()> {
    let local = PathBuf::from(&command.what);
    let local = if local.exists() { Some(one_plan(&local)?) } else { None };
    if local.is_some() && command.to.is_some() {
        bail!("a folder is what comes after: leave `--to` away, or name the plan instead of the folder");
    }
    let name = local.as_ref().map_or(command.what.as_str(), Plan::name);
    let before = ask(command, name, command.from.as_deref()).await?;
    let after = match &local {
        Some(_) => before.clone(),
        None => ask(command, name, command.to.as_deref()).await?,
    };
    let mut answers = Vec::new();
    for ((scope, before), (_, after)) in before.iter().zip(&after) {
        let sides = |answer: &Value| Sides::of(answer.get("document").unwrap_or(&Value::Null));
        let (after_sha256, after) = match &local {
            Some(plan) => (plan.sha256().to_owned(), Sides::of_plan(plan)),
            None => (text(after, "sha256").to_owned(), sides(after)),
        };
        let diff = diff::text(&sides(before), &after);
        answers.push((
            scope.clone(),
            json!({"plan": name, "before": text(before, "sha256"), "after": after_sha256, "same": diff.is_empty(), "diff": diff}),
        ));
    }
    command.place.tell(&answers, out, |scope, answer, out| {
        let (before, after) = (short(text(answer, "before")), short(text(answer, "after")));
        if answer.get("same") == Some(&Value::Bool(true)) {
            return Ok(writeln!(out, "{scope}: {name} {before}: no difference")?);
        }
        writeln!(out, "{scope}: {name} {before} -> {after}")?;
        Ok(write!(out, "{}", text(answer, "diff"))?)
    })
}

async fn ask(command: &Diff, name: &str, version: Option<&str>) -> anyhow::Result<Vec<(Scope, Value)>> {
    let query: Vec<(&str, String)> = version.iter().map(|version| ("version", (*version).to_owned())).collect();
    command.place.ask(&["plans", name], &query).await
}

fn one_plan(path: &std::path::Path) -> anyhow::Result<Plan> {
    let places = files::find(path)?;
    let [place] = places.as_slice() else {
        bail!("`{}` holds {} plans; give the folder of one", path.display(), places.len());
    };
    place
        .plan()?
        .map_err(|_| anyhow::anyhow!("the plan in `{}` has problems; `axiru plan check` shows them", path.display()))
}

/// Switches.
pub(super) async fn switch(command: &Switch, out: &mut dyn Write) -> anyhow::Result<()> {
    let Switch { plan, policy_mode, why, doing } = command;
    let body = json!({"policy_mode": policy_mode.as_str(), "why": why});
    let answers = doing.act(&["plans", plan, "mode"], &doing.change()?, body).await?;
    doing.place.tell(&answers, out, |scope, answer, out| {
        let mode = text(answer, "policy_mode");
        let told = if changed(answer) { "now in" } else { "already in" };
        Ok(writeln!(out, "{scope}: {plan} {} is {told} {mode}", short(text(answer, "sha256")))?)
    })
}

/// Goes back.
pub(super) async fn roll_back(command: &RollBack, out: &mut dyn Write) -> anyhow::Result<()> {
    let RollBack { plan, to, doing } = command;
    let answers = doing.act(&["plans", plan, "rollback"], &doing.change()?, json!({"version": to})).await?;
    doing.place.tell(&answers, out, |scope, answer, out| {
        let told = if changed(answer) { "in force again" } else { "in force already" };
        Ok(writeln!(
            out,
            "{scope}: {plan} {} is {told} ({})",
            short(text(answer, "sha256")),
            text(answer, "policy_mode")
        )?)
    })
}
