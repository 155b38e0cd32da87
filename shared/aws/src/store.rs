//! The two tables.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;

use crate::error::AwsError;
use crate::item::{Item, RowError, key};

/// Rounds of asking again for keys that DynamoDB did not get to.
const ROUNDS: usize = 8;

/// Most keys in one BatchGetItem (DynamoDB's bound).
const BATCH: usize = 100;

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

    /// Reads rows of the state table by key, consistently. Missing ones are left out. One wait for up to 100 keys.
    pub(crate) async fn rows(&self, keys: Vec<Item>) -> Result<Vec<Item>, AwsError> {
        let mut found = Vec::new();
        for keys in keys.chunks(BATCH) {
            found.extend(self.some_rows(keys.to_vec()).await?);
        }
        Ok(found)
    }

    async fn some_rows(&self, mut keys: Vec<Item>) -> Result<Vec<Item>, AwsError> {
        let mut found = Vec::new();
        for _ in 0..ROUNDS {
            if keys.is_empty() {
                return Ok(found);
            }
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let wanted = wanted.map_err(|_| AwsError::unexpected("reading rows", "request not built"))?;
            let request = self.client.batch_get_item().request_items(&self.state, wanted);
            let answer = request.send().await.map_err(AwsError::of("reading rows"))?;
            found.extend(answer.responses.unwrap_or_default().remove(&self.state).unwrap_or_default());
            let rest: HashMap<_, _> = answer.unprocessed_keys.unwrap_or_default();
            keys = rest.into_values().flat_map(|rest| rest.keys).collect();
        }
        if keys.is_empty() { Ok(found) } else { Err(AwsError::busy("reading rows")) }
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
