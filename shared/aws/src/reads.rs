//! Rows as one try has read them.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::AwsError;
use crate::item::{Item, RowError, key, text};
use crate::store::{Store, StoreError};

/// Partition and sort key of a row.
pub(crate) type RowKey = (String, String);

/// What was read: a row, or that there is none.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    rows: BTreeMap<RowKey, Option<Item>>,
}

impl Reads {
    /// Whether the row was asked for.
    pub(crate) fn knows(&self, key: &RowKey) -> bool {
        self.rows.contains_key(key)
    }

    /// The row, where it was asked for and is there.
    pub(crate) fn get(&self, key: &RowKey) -> Option<&Item> {
        self.rows.get(key).and_then(Option::as_ref)
    }

    /// Reads those of `keys` that are not known yet.
    pub(crate) async fn fetch(store: &Store, keys: &BTreeSet<RowKey>) -> Result<Self, StoreError> {
        let items = store.rows(keys.iter().map(|(pk, sk)| key(pk, sk)).collect()).await?;
        let mut rows: BTreeMap<_, _> = keys.iter().map(|key| (key.clone(), None)).collect();
        for item in items {
            let own = (text(&item, "pk")?.to_owned(), text(&item, "sk")?.to_owned());
            // A row that nobody asked for is no answer.
            *rows.get_mut(&own).ok_or(RowError("pk"))? = Some(item);
        }
        Ok(Self { rows })
    }

    /// Adds what another read has found.
    pub(crate) fn extend(&mut self, more: Self) {
        self.rows.extend(more.rows);
    }
}

/// A row that is written whole, on the condition that it is as it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version(pub(crate) u64);

impl Version {
    /// The version of a row as read; 0 where there is none.
    pub(crate) fn of(row: Option<&Item>) -> Result<Self, RowError> {
        row.map_or(Ok(Self(0)), |row| crate::item::number(row, "version").map(Self))
    }

    /// The write of a row in the place of the one of this version.
    pub(crate) fn put(
        self,
        store: &Store,
        key: &RowKey,
        attributes: impl IntoIterator<Item = (&'static str, aws_sdk_dynamodb::types::AttributeValue)>,
    ) -> Result<aws_sdk_dynamodb::types::TransactWriteItem, AwsError> {
        let mut put = aws_sdk_dynamodb::types::Put::builder()
            .table_name(&store.state)
            .set_item(Some(crate::item::key(&key.0, &key.1)))
            .item("version", crate::item::n(self.0 + 1));
        for (name, value) in attributes {
            put = put.item(name, value);
        }
        put = if self.0 == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("version = :seen").expression_attribute_values(":seen", crate::item::n(self.0))
        };
        let put = put.build().map_err(|_| AwsError::unexpected("committing", "request not built"))?;
        Ok(aws_sdk_dynamodb::types::TransactWriteItem::builder().put(put).build())
    }
}
