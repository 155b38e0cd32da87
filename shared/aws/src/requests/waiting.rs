//! Requests of a scope that wait for people.

use axiru_domain::{RequestStatus, Scope};

use super::{Found, INDEX, RequestRow, id_of_index, listed};
use crate::error::AwsError;
use crate::item::{RowError, s};
use crate::store::{Store, StoreError};

/// Most requests that are read for one answer.
const MAX_WAITING: usize = 500;

/// What waits in a scope, the oldest first.
#[derive(Debug, Default)]
pub struct Waiting {
    /// The requests.
    pub rows: Vec<RequestRow>,
    /// Whether there are more than were read.
    pub more: bool,
}

impl Store {
    /// The requests of a scope that wait for people, as the index has them: a moment late, which nothing is decided on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting(&self, scope: &Scope) -> Result<Waiting, StoreError> {
        let (mut waiting, mut start) = (Waiting::default(), None);
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.state)
                .index_name(INDEX)
                .key_condition_expression("listed = :listed")
                .filter_expression("#status = :pending")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":listed", s(listed(scope, true)))
                .expression_attribute_values(":pending", s(RequestStatus::Pending.as_str()))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(AwsError::of("listing what waits"))?;
            for item in page.items.unwrap_or_default() {
                match Found::of(scope, &id_of_index(&item)?, &item)? {
                    Found::Request(row) => waiting.rows.push(*row),
                    Found::Alias { .. } => return Err(RowError("alias").into()),
                }
            }
            start = page.last_evaluated_key;
            waiting.more = waiting.rows.len() > MAX_WAITING || (waiting.rows.len() == MAX_WAITING && start.is_some());
            if start.is_none() || waiting.more {
                waiting.rows.truncate(MAX_WAITING);
                return Ok(waiting);
            }
        }
    }
}
