//! Open requests whose moment has come: those that end by themselves, and those under way that somebody has to look after.

use axiru_domain::{RequestId, RequestStatus, Scope, Timestamp};

use super::{INDEX, listed};
use crate::error::AwsError;
use crate::item::{parse, s};
use crate::store::{Store, StoreError};

/// Requests that one run takes at most in one scope. A run is every minute; what is left is taken by the next.
const MAX_DUE: usize = 1_000;

/// What the index says. What is decided is decided on rows read consistently.
#[derive(Debug, Default)]
pub(crate) struct Due {
    /// Those whose moment has come.
    pub(crate) requests: Vec<(RequestId, RequestStatus)>,
    /// How many others are open.
    pub(crate) open: u64,
    /// How many of all of them wait for people.
    pub(crate) pending: u64,
}

impl Store {
    /// The open requests of a scope whose moment has come.
    pub(crate) async fn due(&self, scope: &Scope, now: Timestamp) -> Result<Due, StoreError> {
        let now = now.to_string();
        self.open_requests(scope, |until| until <= now.as_str()).await
    }

    /// All open requests of a scope.
    pub(crate) async fn open(&self, scope: &Scope) -> Result<Due, StoreError> {
        self.open_requests(scope, |_| true).await
    }

    async fn open_requests(&self, scope: &Scope, is_due: impl Fn(&str) -> bool) -> Result<Due, StoreError> {
        let (mut due, mut start) = (Due::default(), None);
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.state)
                .index_name(INDEX)
                .key_condition_expression("listed = :listed")
                .expression_attribute_values(":listed", s(listed(scope, true)))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(AwsError::of("listing open decisions"))?;
            for row in page.items.unwrap_or_default() {
                let until: String = parse(&row, "open_until")?;
                let status: RequestStatus = parse(&row, "status")?;
                due.pending += u64::from(status == RequestStatus::Pending);
                // Moments are written in one form, so that their texts stand in their order.
                if is_due(&until) && due.requests.len() < MAX_DUE {
                    due.requests.push((super::id_of_index(&row)?, status));
                } else {
                    due.open += 1;
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(due);
            }
        }
    }
}
