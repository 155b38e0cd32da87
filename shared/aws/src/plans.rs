//! Plans of a scope: heads that say which version is active and how, and immutable documents by content hash.
//!
//! Head: pk `<mode>#<account>#plans`, sk `<plan>`; `sha256`, `policy_mode`.
//! Document: pk `<mode>#<account>#plan`, sk `<sha256>`; `document` (the canonical bytes).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axiru_domain::{PolicyMode, Scope};
use axiru_policy::{Plan, PlanSet};

use crate::item::{RowError, bytes, text};
use crate::store::{Store, StoreError};

/// Parsed plans that are kept. Documents never change; a scope has a handful of plans.
const KEPT: usize = 64;

/// Which version of a plan is active, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanHead {
    /// The plan's name.
    pub plan: String,
    /// SHA-256 of its document.
    pub sha256: String,
    /// Whether it counts.
    pub policy_mode: PolicyMode,
}

/// Partition key of a scope's plan heads.
pub(crate) fn heads_pk(scope: &Scope) -> String {
    format!("{}#plans", scope.key())
}

/// Partition key of a scope's plan documents.
pub(crate) fn documents_pk(scope: &Scope) -> String {
    format!("{}#plan", scope.key())
}

impl Store {
    /// The heads of a scope's plans, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn plan_heads(&self, scope: &Scope) -> Result<Vec<PlanHead>, StoreError> {
        let rows = self.partition(&heads_pk(scope)).await?;
        let head = |row: &crate::item::Item| {
            let policy_mode = match text(row, "policy_mode")? {
                "shadow" => PolicyMode::Shadow,
                "enforce" => PolicyMode::Enforce,
                _ => return Err(RowError("policy_mode")),
            };
            Ok(PlanHead { plan: text(row, "sk")?.to_owned(), sha256: text(row, "sha256")?.to_owned(), policy_mode })
        };
        Ok(rows.iter().map(head).collect::<Result<_, _>>()?)
    }

    /// The bytes of a plan document.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn plan_document(&self, scope: &Scope, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.row(&documents_pk(scope), sha256).await?;
        Ok(row.map(|row| bytes(&row, "document").map(<[u8]>::to_vec)).transpose()?)
    }
}

/// Loads the active plans of scopes, keeping parsed documents.
#[derive(Default)]
pub struct Plans {
    kept: Mutex<HashMap<String, Arc<Plan>>>,
}

impl Plans {
    /// The active plans of a scope, as of now. A plan whose document is missing, altered or not understood is there as
    /// unusable, and blocks in its policy mode.
    ///
    /// # Errors
    /// [`StoreError`] when the table cannot be read: that is never an answer.
    pub async fn of(&self, store: &Store, scope: &Scope) -> Result<PlanSet, StoreError> {
        let mut plans = PlanSet::new();
        for head in store.plan_heads(scope).await? {
            match self.plan(store, scope, &head).await? {
                Some(plan) => plans.push(plan, head.policy_mode),
                None => plans.push_unusable(head.plan, head.sha256, head.policy_mode),
            }
        }
        Ok(plans)
    }

    async fn plan(&self, store: &Store, scope: &Scope, head: &PlanHead) -> Result<Option<Arc<Plan>>, StoreError> {
        if let Some(plan) = self.kept().get(&head.sha256) {
            return Ok(Some(Arc::clone(plan)));
        }
        let Some(document) = store.plan_document(scope, &head.sha256).await? else {
            return Ok(None);
        };
        // The name of a document is its hash: another plan under that key is no plan.
        let Some(plan) = Plan::from_document(&document).ok().filter(|plan| plan.sha256() == head.sha256) else {
            return Ok(None);
        };
        let plan = Arc::new(plan);
        let mut kept = self.kept();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(head.sha256.clone(), Arc::clone(&plan));
        Ok(Some(plan))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Plan>>> {
        // A thread that panicked while it held the lock left whole plans behind.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
