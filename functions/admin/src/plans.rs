//! `/admin/{mode}/{account}/plans`: versions of plans, and whether they count.

use axiru_aws::admin::ChangeId;
use axiru_aws::plans::PlanHead;
use axiru_domain::{PolicyMode, Scope};
use axiru_policy::Plan;
use axiru_runtime::body::{parsed, read};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Answer, plan_problem, problem};
use crate::app::App;
use crate::asked::Asked;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pushed {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    /// The text of plan.json.
    plan: String,
    /// The text of policies.cedar.
    policies: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switched {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    policy_mode: Wanted,
    why: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Wanted {
    Shadow,
    Enforce,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RolledBack {
    #[serde(deserialize_with = "parsed")]
    change: ChangeId,
    /// The first digits of the version's SHA-256.
    version: String,
}

pub(crate) async fn list(app: &App, asked: &Asked<'_>) -> Answer {
    asked.only(&[])?;
    app.store.administered(&asked.scope).await.map_err(problem)?;
    let heads = app.store.plan_heads(&asked.scope).await.map_err(|error| problem(error.into()))?;
    let mut plans = Vec::new();
    for head in heads.list() {
        plans.push(summary(app, &asked.scope, head).await?);
    }
    Ok(json!({"scope": asked.scope.to_string(), "plans": plans}))
}

/// A head with what its document says; the head alone where the plan is unusable.
async fn summary(app: &App, scope: &Scope, head: &PlanHead) -> Answer {
    let mut shown = json!({"plan": head.plan, "sha256": head.sha256, "policy_mode": head.policy_mode.as_str()});
    let plan = app.store.usable_plan(scope, &head.sha256).await.map_err(problem)?;
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("usable".to_owned(), plan.is_some().into());
        shown.insert("description".to_owned(), plan.as_ref().map(|plan| plan.description().to_owned()).into());
        shown.insert("kinds".to_owned(), plan.as_ref().map(|plan| json!(plan.kinds())).into());
        shown.insert("rules".to_owned(), plan.as_ref().map(|plan| plan.rules().len()).into());
        shown.insert("limits".to_owned(), plan.as_ref().map(|plan| plan.limits().len()).into());
    }
    Ok(shown)
}

pub(crate) async fn push(app: &App, asked: &Asked<'_>) -> Answer {
    let wanted: Pushed = read(asked.body)?;
    let plan = Plan::parse(&wanted.plan, &wanted.policies).map_err(|error| plan_problem(&error))?;
    app.store.push_plan(&asked.act(wanted.change), &plan, app.mail, app.now).await.map_err(problem)
}

/// The version in force, or the one that `version` names, with its document and all versions.
pub(crate) async fn show(app: &App, asked: &Asked<'_>, name: &str) -> Answer {
    asked.only(&["version"])?;
    let scope = &asked.scope;
    app.store.administered(scope).await.map_err(problem)?;
    let heads = app.store.plan_heads(scope).await.map_err(|error| problem(error.into()))?;
    let head = axiru_aws::admin::plan::head_of(&heads, scope, name).map_err(problem)?;
    let sha256 = match asked.parameters("version").next() {
        None => head.sha256.clone(),
        Some(prefix) => app.store.plan_version_named(scope, name, prefix).await.map_err(problem)?,
    };
    let document = app.store.plan_document(scope, &sha256).await.map_err(|error| problem(error.into()))?;
    let document: Value = document.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null);
    let versions = app.store.plan_versions(scope, name).await.map_err(problem)?;
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| json!({"sha256": version.sha256, "pushed_at": version.pushed_at, "by": version.by}))
        .collect();
    Ok(json!({
        "scope": scope.to_string(),
        "plan": head.plan,
        "policy_mode": head.policy_mode.as_str(),
        "in_force": head.sha256,
        "sha256": sha256,
        "document": document,
        "versions": versions,
    }))
}

pub(crate) async fn switch(app: &App, asked: &Asked<'_>, name: &str) -> Answer {
    let wanted: Switched = read(asked.body)?;
    let policy_mode = match wanted.policy_mode {
        Wanted::Shadow => PolicyMode::Shadow,
        Wanted::Enforce => PolicyMode::Enforce,
    };
    let act = asked.act(wanted.change);
    app.store.switch_plan(&act, name, policy_mode, &wanted.why, app.mail, app.now).await.map_err(problem)
}

pub(crate) async fn roll_back(app: &App, asked: &Asked<'_>, name: &str) -> Answer {
    let wanted: RolledBack = read(asked.body)?;
    app.store.roll_back_plan(&asked.act(wanted.change), name, &wanted.version, app.mail, app.now).await.map_err(problem)
}
