//! The two tables.

use aws_sdk_dynamodb::Client;

use crate::error::AwsError;
use crate::item::{Item, RowError, key};

/// The state table and the ledger table, with the client that reaches them.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) state: String,
    pub(crate) ledger: String,
}

/// A read or write of the store that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB did not do it.
    #[error("{0}")]
    Aws(#[from] AwsError),
    /// A row is not as this program writes it.
    #[error("{0}")]
    Row(#[from] RowError),
}

impl Store {
    /// The store in the tables of these names.
    #[must_use]
    pub fn new(client: Client, state: impl Into<String>, ledger: impl Into<String>) -> Self {
        Self { client, state: state.into(), ledger: ledger.into() }
    }

    /// Reads one row of the state table, consistently.
    pub(crate) async fn row(&self, pk: &str, sk: &str) -> Result<Option<Item>, AwsError> {
        let request = self.client.get_item().table_name(&self.state).set_key(Some(key(pk, sk))).consistent_read(true);
        Ok(request.send().await.map_err(AwsError::of("reading a row"))?.item)
    }

    /// Reads every row of a partition of the state table, consistently.
    pub(crate) async fn partition(&self, pk: &str) -> Result<Vec<Item>, AwsError> {
        let mut rows = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.state)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", crate::item::s(pk))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(AwsError::of("reading a partition"))?;
            rows.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(rows);
            }
        }
    }
}
