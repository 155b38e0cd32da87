//! Requests that wait for people, as the index says. What is mailed is decided on rows that are read consistently.

use axiru_domain::{Approval, RequestId, RequestStatus, Scope, Timestamp};

use crate::error::AwsError;
use crate::item::{RowError, parse, s, text};
use crate::requests::{INDEX, id_of_index, listed};
use crate::store::{Store, StoreError};

/// Requests that one run looks at most in one scope. A run is every minute, and the oldest come first.
const MAX_WAITING: usize = 1_000;

/// A request that waits for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The request.
    pub id: RequestId,
    /// When they were asked.
    pub asked_at: Timestamp,
    /// Until when they may answer.
    pub until: Timestamp,
}

impl Store {
    /// The requests of a scope that wait for people, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting(&self, scope: &Scope) -> Result<Vec<Waiting>, StoreError> {
        let (mut waiting, mut start) = (Vec::new(), None);
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.state)
                .index_name(INDEX)
                .key_condition_expression("listed = :listed")
                .filter_expression("#status = :pending AND attribute_exists(approval)")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":listed", s(listed(scope, true)))
                .expression_attribute_values(":pending", s(RequestStatus::Pending.as_str()))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(AwsError::of("listing what waits for people"))?;
            for row in page.items.unwrap_or_default() {
                let approval: Approval =
                    serde_json::from_str(text(&row, "approval")?).map_err(|_| RowError("approval"))?;
                let until = Timestamp::from_millis(approval.until).map_err(|_| RowError("approval"))?;
                waiting.push(Waiting { id: id_of_index(&row)?, asked_at: parse(&row, "decided_at")?, until });
            }
            start = page.last_evaluated_key;
            if start.is_none() || waiting.len() >= MAX_WAITING {
                return Ok(waiting);
            }
        }
    }
}
