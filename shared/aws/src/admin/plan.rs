//! Plans of a scope: pushing versions, switching between shadow and enforce, going back.
//!
//! A version never changes: it is named by the hash of its document. A plan that is new begins in shadow. A new version of a plan that
//! is there keeps the plan's policy mode: pushing never switches enforcement off by accident.

use std::sync::Arc;

use axiru_domain::{MAX_WINDOWS, PolicyMode, Scope, Timestamp};
use axiru_ledger::types::EntryType;
use axiru_policy::{Plan, PlanSet};
use serde_json::{Value, json};

use crate::admin::act::{Act, Effect};
use crate::admin::refusal::AdminError;
use crate::admin::why::Why;
use crate::item::text;
use crate::plans::{PlanHead, PlanHeads, heads_pk};
use crate::store::Store;

/// Most plans of a scope. Each is asked about every movement that it covers.
pub const MAX_PLANS: usize = 32;

/// Fewest characters of a version's name that are enough to say which.
const PREFIX: usize = 8;

/// A version in a plan's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// SHA-256 of its document.
    pub sha256: String,
    /// When it was pushed.
    pub pushed_at: String,
    /// Who pushed it: an operator's pseudonym.
    pub by: String,
}

fn head_answer(head: &PlanHead, changed: bool) -> Value {
    json!({
        "changed": changed,
        "plan": head.plan,
        "sha256": head.sha256,
        "policy_mode": head.policy_mode.as_str(),
    })
}

/// The head of a plan.
///
/// # Errors
/// Refused where the scope has no plan of that name.
pub fn head_of<'a>(heads: &'a PlanHeads, scope: &Scope, plan: &str) -> Result<&'a PlanHead, AdminError> {
    heads.of(plan).ok_or_else(|| {
        AdminError::missing(
            "no_such_plan",
            format!("{scope} has no plan of that name; `axiru plan list --scope {scope}` shows those it has"),
        )
    })
}

impl Store {
    /// A version of a plan, parsed.
    ///
    /// # Errors
    /// [`AdminError::Plan`] where this version of Axiru no longer takes it.
    pub async fn plan_of(&self, scope: &Scope, sha256: &str) -> Result<Plan, AdminError> {
        let document = self.plan_document(scope, sha256).await?;
        let document =
            document.ok_or_else(|| AdminError::missing("no_such_version", "the version's document is gone"))?;
        Ok(Plan::from_document(&document)?)
    }

    /// A version of a plan, if it can be used: none where its document is gone, or no longer taken. Such a plan blocks.
    ///
    /// # Errors
    /// [`AdminError`] when the table cannot be read: that says nothing about the plan.
    pub async fn usable_plan(&self, scope: &Scope, sha256: &str) -> Result<Option<Plan>, AdminError> {
        match self.plan_of(scope, sha256).await {
            Ok(plan) => Ok(Some(plan)),
            Err(AdminError::Commit(error)) => Err(error.into()),
            Err(AdminError::Refused(_) | AdminError::Plan(_)) => Ok(None),
        }
    }

    /// The versions of a plan that were ever pushed, the oldest first.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn plan_versions(&self, scope: &Scope, plan: &str) -> Result<Vec<Version>, AdminError> {
        let head = format!("version#{plan}#");
        let rows = self.partition(&heads_pk(scope)).await?;
        let mut versions = Vec::new();
        for row in &rows {
            if text(row, "sk")?.starts_with(&head) {
                let word = |name| text(row, name).map(str::to_owned);
                versions.push(Version { sha256: word("sha256")?, pushed_at: word("pushed_at")?, by: word("by")? });
            }
        }
        Ok(versions)
    }

    /// The one version of a plan whose name begins with `prefix`.
    ///
    /// # Errors
    /// Refused where there is none, or more than one.
    pub async fn plan_version_named(&self, scope: &Scope, plan: &str, prefix: &str) -> Result<String, AdminError> {
        if prefix.len() < PREFIX || !prefix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            let detail = format!("a version is named by at least the first {PREFIX} digits of its SHA-256");
            return Err(AdminError::form("version", detail));
        }
        let mut found: Vec<String> = self.plan_versions(scope, plan).await?.into_iter().map(|v| v.sha256).collect();
        found.retain(|sha256| sha256.starts_with(prefix));
        found.sort_unstable();
        found.dedup();
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(AdminError::missing(
                "no_such_version",
                format!(
                    "no version of the plan begins so; `axiru plan show <plan> --scope {scope}` lists its versions"
                ),
            )),
            _ => {
                Err(AdminError::conflict("version_ambiguous", "several versions begin so; give more digits".to_owned()))
            }
        }
    }

    /// Refuses a version with which one movement would be counted in more windows than one transaction should write.
    async fn windows_fit(&self, scope: &Scope, heads: &PlanHeads, plan: &Plan) -> Result<(), AdminError> {
        let mut plans = PlanSet::new();
        for head in heads.list().iter().filter(|head| head.plan != plan.name()) {
            if let Some(other) = self.usable_plan(scope, &head.sha256).await? {
                plans.push(Arc::new(other), head.policy_mode);
            }
        }
        let own = Plan::from_document(plan.document())?;
        plans.push(Arc::new(own), PolicyMode::Shadow);
        let windows = plans.most_windows();
        if windows <= MAX_WINDOWS {
            return Ok(());
        }
        Err(AdminError::conflict(
            "too_many_windows",
            format!(
                "with this version one movement would be counted in {windows} windows over all plans of {scope}, and {MAX_WINDOWS} is the \
                 most; give limits of different plans the same kinds, currency and window, or take some out"
            ),
        ))
    }

    /// Puts a version of a plan in force.
    ///
    /// # Errors
    /// Refused where there are too many plans, or the version asks a group that the scope does not know; where the plan is enforced, also
    /// if the connection lacks a permission for it, or those it asks could not answer. `mail` is whether the deployment sends any.
    pub async fn push_plan(
        &self,
        act: &Act,
        plan: &Plan,
        mail: bool,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        self.act(act, now, || async {
            let scope = &act.scope;
            let mut heads = self.plan_heads(scope).await?;
            let before = heads.of(plan.name()).cloned();
            let policy_mode = before.as_ref().map_or(PolicyMode::Shadow, |head| head.policy_mode);
            let head = PlanHead { plan: plan.name().to_owned(), sha256: plan.sha256().to_owned(), policy_mode };
            if before.as_ref() == Some(&head) {
                return Ok(Effect::Nothing(head_answer(&head, false)));
            }
            if before.is_none() && heads.list().len() >= MAX_PLANS {
                return Err(AdminError::conflict(
                    "too_many_plans",
                    format!("{scope} has {MAX_PLANS} plans, and that is the most"),
                ));
            }
            self.asks_known(scope, plan).await?;
            if policy_mode == PolicyMode::Enforce {
                self.may_enforce(scope, plan.kinds()).await?;
                self.can_ask(scope, plan, mail).await?;
            }
            self.windows_fit(scope, &heads, plan).await?;
            let number = heads.version() + 1;
            let mut rows =
                Vec::from(self.plan_version(scope, &head, plan.document(), number, act.operator.id(), now())?);
            heads.set(head.clone());
            rows.push(heads.write(self, scope)?);
            let mut answer = head_answer(&head, true);
            if let Some(answer) = answer.as_object_mut() {
                answer.insert("before".to_owned(), before.as_ref().map(|head| head.sha256.clone()).into());
            }
            let fields = version_fields(&head, before.as_ref());
            Ok(Effect::Change { ty: EntryType::PlanPushed, fields, rows, answer })
        })
        .await
    }

    /// Puts an earlier version of a plan in force again.
    ///
    /// # Errors
    /// Refused where the plan never had it, or this version of Axiru no longer takes it; where the plan is enforced, as a push is.
    pub async fn roll_back_plan(
        &self,
        act: &Act,
        plan: &str,
        version: &str,
        mail: bool,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        self.act(act, now, || async {
            let scope = &act.scope;
            let mut heads = self.plan_heads(scope).await?;
            let before = head_of(&heads, scope, plan)?.clone();
            let sha256 = self.plan_version_named(scope, plan, version).await?;
            if sha256 == before.sha256 {
                return Ok(Effect::Nothing(head_answer(&before, false)));
            }
            let earlier = self.plan_of(scope, &sha256).await?;
            if before.policy_mode == PolicyMode::Enforce {
                self.may_enforce(scope, earlier.kinds()).await?;
                self.can_ask(scope, &earlier, mail).await?;
            }
            self.windows_fit(scope, &heads, &earlier).await?;
            let head = PlanHead { sha256, ..before.clone() };
            heads.set(head.clone());
            Ok(Effect::Change {
                ty: EntryType::PlanRolledBack,
                fields: version_fields(&head, Some(&before)),
                rows: vec![heads.write(self, scope)?],
                answer: head_answer(&head, true),
            })
        })
        .await
    }

    /// Switches a plan between shadow and enforce.
    ///
    /// # Errors
    /// Refused without a reason, and to enforce while the connection lacks a permission that the plan's families need, or those whom the
    /// plan asks could not answer. `mail` is whether the deployment sends any.
    pub async fn switch_plan(
        &self,
        act: &Act,
        plan: &str,
        policy_mode: PolicyMode,
        why: &str,
        mail: bool,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        let why = Why::new(why)?;
        self.act(act, now, || async {
            let scope = &act.scope;
            let mut heads = self.plan_heads(scope).await?;
            let before = head_of(&heads, scope, plan)?.clone();
            if before.policy_mode == policy_mode {
                return Ok(Effect::Nothing(head_answer(&before, false)));
            }
            if policy_mode == PolicyMode::Enforce {
                let plan = self.plan_of(scope, &before.sha256).await?;
                self.may_enforce(scope, plan.kinds()).await?;
                self.can_ask(scope, &plan, mail).await?;
            }
            let head = PlanHead { policy_mode, ..before.clone() };
            heads.set(head.clone());
            let fields = json!({
                "plan": head.plan,
                "plan_sha256": head.sha256,
                "policy_mode": policy_mode.as_str(),
                "before": before.policy_mode.as_str(),
                "why_sha256": why.sha256(),
            });
            let rows = vec![heads.write(self, scope)?, why.row(self, scope, &act.change)?];
            Ok(Effect::Change { ty: EntryType::PlanModeChanged, fields, rows, answer: head_answer(&head, true) })
        })
        .await
    }
}

fn version_fields(head: &PlanHead, before: Option<&PlanHead>) -> Value {
    json!({
        "plan": head.plan,
        "plan_sha256": head.sha256,
        "before_sha256": before.map(|head| head.sha256.as_str()),
        "policy_mode": head.policy_mode.as_str(),
    })
}
