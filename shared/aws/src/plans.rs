//! Plans of a scope: one row of heads that says which version of each plan is active and how, and immutable documents by content hash.
//!
//! Heads: pk `<mode>#<account>#plans`, sk `heads`; `heads` (JSON `[{"plan":…,"policy_mode":…,"sha256":…}]`, by plan), `version` (a
//! number that grows by one with every change). One row, so that a decision reads all of them by key, fresh.
//! History: same pk, sk `version#<plan>#<20-digit number>`; `sha256`, `pushed_at`, `by`.
//! Document: pk `<mode>#<account>#plan`, sk `<sha256>`; `document` (the canonical bytes).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use axiru_domain::{PolicyMode, Scope, Timestamp};
use axiru_policy::{Plan, PlanSet};
use serde_json::{Value, json};

use crate::error::AwsError;
use crate::item::{Item, RowError, b, bytes, key, n, number, s, text};
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

/// The heads of a scope's plans, as one row holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanHeads {
    heads: Vec<PlanHead>,
    version: u64,
}

/// The word of a policy mode, read.
pub(crate) fn policy_mode(word: &str) -> Option<PolicyMode> {
    [PolicyMode::Shadow, PolicyMode::Enforce].into_iter().find(|mode| mode.as_str() == word)
}

/// Partition key of a scope's plan heads and their history.
pub(crate) fn heads_pk(scope: &Scope) -> String {
    format!("{}#plans", scope.key())
}

/// Partition key of a scope's plan documents.
pub(crate) fn documents_pk(scope: &Scope) -> String {
    format!("{}#plan", scope.key())
}

/// Where the heads of a scope are.
#[must_use]
pub fn heads_key(scope: &Scope) -> Item {
    key(heads_pk(scope), "heads")
}

/// Where a plan document of a scope is.
#[must_use]
pub fn document_key(scope: &Scope, sha256: &str) -> Item {
    key(documents_pk(scope), sha256)
}

impl PlanHeads {
    /// The heads in an already read row; none where there is no row.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn from_row(row: Option<&Item>) -> Result<Self, RowError> {
        let Some(row) = row else { return Ok(Self::default()) };
        let bad = || RowError("heads");
        let list: Vec<Value> = serde_json::from_str(text(row, "heads")?).map_err(|_| bad())?;
        let head = |value: &Value| {
            let word = |name: &str| value.get(name).and_then(Value::as_str);
            Some(PlanHead {
                plan: word("plan")?.to_owned(),
                sha256: word("sha256")?.to_owned(),
                policy_mode: policy_mode(word("policy_mode")?)?,
            })
        };
        let heads: Vec<_> = list.iter().map(head).collect::<Option<_>>().ok_or_else(bad)?;
        // Two versions of one plan would be a row that nobody can mean.
        if !heads.is_sorted_by(|one, next| one.plan < next.plan) {
            return Err(bad());
        }
        Ok(Self { heads, version: number(row, "version")? })
    }

    /// The heads, by the plan's name.
    #[must_use]
    pub fn list(&self) -> &[PlanHead] {
        &self.heads
    }

    /// The head of a plan.
    #[must_use]
    pub fn of(&self, plan: &str) -> Option<&PlanHead> {
        self.heads.iter().find(|head| head.plan == plan)
    }

    /// How often the row was written.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Puts a head in its place, instead of the one that its plan has.
    pub(crate) fn set(&mut self, head: PlanHead) {
        match self.heads.binary_search_by(|other| other.plan.cmp(&head.plan)) {
            Ok(at) => self.heads.splice(at..=at, [head]).for_each(drop),
            Err(at) => self.heads.insert(at, head),
        }
    }

    /// The write of the row as it is now, if nobody has written it since it was read.
    pub(crate) fn write(&self, store: &Store, scope: &Scope) -> Result<TransactWriteItem, StoreError> {
        let head = |head: &PlanHead| json!({"plan": head.plan, "policy_mode": head.policy_mode.as_str(), "sha256": head.sha256});
        let heads: Vec<Value> = self.heads.iter().map(head).collect();
        let mut put = Put::builder()
            .table_name(&store.state)
            .set_item(Some(heads_key(scope)))
            .item("heads", s(Value::from(heads).to_string()))
            .item("version", n(self.version + 1));
        put = if self.version == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("version = :seen").expression_attribute_values(":seen", n(self.version))
        };
        put_item(put)
    }
}

/// A put, ready for a transaction.
fn put_item(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<TransactWriteItem, StoreError> {
    let put = put.build().map_err(|_| AwsError::unexpected("writing a plan", "request not built"))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

impl Store {
    /// The heads of a scope's plans.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn plan_heads(&self, scope: &Scope) -> Result<PlanHeads, StoreError> {
        Ok(PlanHeads::from_row(self.row(&heads_pk(scope), "heads").await?.as_ref())?)
    }

    /// The bytes of a plan document.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn plan_document(&self, scope: &Scope, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.row(&documents_pk(scope), sha256).await?;
        Ok(row.map(|row| bytes(&row, "document").map(<[u8]>::to_vec)).transpose()?)
    }

    /// The writes of a version that becomes the `number`th of its plan: its document and its line in the history.
    pub(crate) fn plan_version(
        &self,
        scope: &Scope,
        head: &PlanHead,
        document: &[u8],
        number: u64,
        by: &str,
        now: Timestamp,
    ) -> Result<[TransactWriteItem; 2], StoreError> {
        // Named by the hash of its bytes: written twice it is the same row.
        let bytes = Put::builder()
            .table_name(&self.state)
            .set_item(Some(document_key(scope, &head.sha256)))
            .item("document", b(document));
        let history = Put::builder()
            .table_name(&self.state)
            .set_item(Some(key(heads_pk(scope), format!("version#{}#{number:020}", head.plan))))
            .item("sha256", s(&head.sha256))
            .item("pushed_at", s(now.to_string()))
            .item("by", s(by))
            .condition_expression("attribute_not_exists(pk)");
        Ok([put_item(bytes)?, put_item(history)?])
    }
}

/// The plans of a scope as far as they could be put together without reading.
#[derive(Debug)]
pub enum Assembled {
    /// All of them.
    Whole(PlanSet),
    /// These documents must be read first, by SHA-256, and given to [`Plans::with`].
    Missing(Vec<String>),
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
        let heads = store.plan_heads(scope).await?;
        let mut documents = HashMap::new();
        if let Assembled::Missing(missing) = self.from_heads(&heads) {
            for sha256 in missing {
                let document = store.plan_document(scope, &sha256).await?;
                documents.insert(sha256, document);
            }
        }
        Ok(self.with(&heads, |sha256| documents.get(sha256).cloned().flatten()))
    }

    /// The active plans of an already read row of heads, or which documents are missing for them.
    ///
    /// # Errors
    /// [`RowError`] for a row that this program did not write.
    pub fn from_row(&self, row: Option<&Item>) -> Result<Assembled, RowError> {
        Ok(self.from_heads(&PlanHeads::from_row(row)?))
    }

    /// The same from parsed heads.
    #[must_use]
    pub fn from_heads(&self, heads: &PlanHeads) -> Assembled {
        let kept = self.kept();
        let missing = heads.list().iter().filter(|head| !kept.contains_key(&head.sha256));
        let missing: Vec<String> = missing.map(|head| head.sha256.clone()).collect();
        if !missing.is_empty() {
            return Assembled::Missing(missing);
        }
        drop(kept);
        Assembled::Whole(self.with(heads, |_| None))
    }

    /// The active plans, where `document` gives the bytes of what is not kept yet; what it does not give is unusable.
    pub fn with(&self, heads: &PlanHeads, document: impl Fn(&str) -> Option<Vec<u8>>) -> PlanSet {
        let mut plans = PlanSet::new();
        for head in heads.list() {
            let kept = self.kept().get(&head.sha256).map(Arc::clone);
            let plan = kept.or_else(|| self.keep(&head.sha256, &document(&head.sha256)?));
            match plan.filter(|plan| plan.name() == head.plan) {
                Some(plan) => plans.push(plan, head.policy_mode),
                None => plans.push_unusable(head.plan.clone(), head.sha256.clone(), head.policy_mode),
            }
        }
        plans
    }

    /// Parses a document and keeps it; nothing if it is not the plan of that name.
    pub fn keep(&self, sha256: &str, document: &[u8]) -> Option<Arc<Plan>> {
        // The name of a document is its hash: another plan under that key is no plan.
        let plan = Arc::new(Plan::from_document(document).ok().filter(|plan| plan.sha256() == sha256)?);
        let mut kept = self.kept();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(sha256.to_owned(), Arc::clone(&plan));
        Some(plan)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Plan>>> {
        // A thread that panicked while it held the lock left whole plans behind.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
