//! Connected accounts under review: the fact `destination_under_review` of transfers and payouts to them.
//!
//! Row: pk `<mode>#<account>#review`, sk `<connected account>`; `under_review`. It stays when the review is over.

use aws_sdk_dynamodb::types::{AttributeValue, Put};
use axiru_domain::{AccountId, Scope, Timestamp};
use axiru_ledger::types::EntryType;
use serde_json::{Value, json};

use crate::admin::act::{Act, Effect, put_item};
use crate::admin::refusal::AdminError;
use crate::admin::why::Why;
use crate::item::{Item, RowError, key, s};
use crate::store::{Store, StoreError};

/// Where it stands whether an account is under review.
#[must_use]
pub fn review_key(scope: &Scope, connected: &AccountId) -> Item {
    key(pk(scope), connected.as_str())
}

/// Whether the row that stands there says so; no row says no.
///
/// # Errors
/// [`RowError`].
pub fn under_review(row: Option<&Item>) -> Result<bool, RowError> {
    row.map_or(Ok(false), |row| {
        row.get("under_review").and_then(|value| value.as_bool().ok()).copied().ok_or(RowError("under_review"))
    })
}

fn pk(scope: &Scope) -> String {
    format!("{}#review", scope.key())
}

impl Store {
    /// The accounts that are under review.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reviewed(&self, scope: &Scope) -> Result<Vec<String>, StoreError> {
        let mut accounts = Vec::new();
        for row in self.partition(&pk(scope)).await? {
            if under_review(Some(&row))? {
                accounts.push(crate::item::text(&row, "sk")?.to_owned());
            }
        }
        Ok(accounts)
    }

    /// Puts a connected account under review, or takes it off.
    ///
    /// # Errors
    /// Refused without a reason.
    pub async fn review_account(
        &self,
        act: &Act,
        connected: &AccountId,
        on: bool,
        why: &str,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        let why = Why::new(why)?;
        self.act(act, now, || async {
            let scope = &act.scope;
            let row = self.row(&pk(scope), connected.as_str()).await?;
            let answer =
                |changed: bool| json!({"changed": changed, "connected": connected.as_str(), "under_review": on});
            let before = under_review(row.as_ref())?;
            if before == on {
                return Ok(Effect::Nothing(answer(false)));
            }
            let put = Put::builder()
                .table_name(&self.state)
                .set_item(Some(review_key(scope, connected)))
                .item("under_review", AttributeValue::Bool(on))
                .item("change", s(act.change.as_str()));
            let put = if row.is_some() {
                put.condition_expression("under_review = :before")
                    .expression_attribute_values(":before", AttributeValue::Bool(before))
            } else {
                put.condition_expression("attribute_not_exists(pk)")
            };
            let fields = json!({"connected": connected.as_str(), "under_review": on, "why_sha256": why.sha256()});
            let rows = vec![put_item(put)?, why.row(self, scope, &act.change)?];
            Ok(Effect::Change { ty: EntryType::AccountReviewChanged, fields, rows, answer: answer(true) })
        })
        .await
    }
}
