//! The lock of a log: how much of it is signed. Whoever can change it can show two views of a log, so only `export` may.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_domain::{LogId, Timestamp};
use axiru_ledger::hash::Hash;
use axiru_ledger::merkle::CompactRange;

use crate::error::AwsError;
use crate::item::{Item, RowError, key, n, number, parse, s, text, texts};
use crate::store::{Store, StoreError};

const SK: &str = "export";

/// What has been signed of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lock {
    /// The right edge of the tree over the signed entries.
    pub(super) tree: CompactRange,
    /// Leaf hash of the last signed entry.
    pub(super) last_leaf: Option<Hash>,
    /// First entry of the last segment.
    pub(super) first: u64,
    /// The signed checkpoint.
    pub(super) note: Option<String>,
    /// Size up to which the files are written.
    pub(super) published: u64,
    /// When the checkpoint was signed.
    pub(super) signed_at: Option<Timestamp>,
}

impl Lock {
    fn empty() -> Self {
        Self { tree: CompactRange::new(), last_leaf: None, first: 0, note: None, published: 0, signed_at: None }
    }

    /// Number of signed entries.
    pub(super) const fn size(&self) -> u64 {
        self.tree.size()
    }

    fn of(row: &Item) -> Result<Self, RowError> {
        let hash = |text: &str, name| text.parse::<Hash>().map_err(|_| RowError(name));
        let peaks = texts(row, "peaks")?.iter().map(|peak| hash(peak, "peaks")).collect::<Result<_, _>>()?;
        let tree = CompactRange::from_parts(number(row, "size")?, peaks).map_err(|_| RowError("peaks"))?;
        // A bit that flipped in the row must never be signed.
        if tree.root() != hash(text(row, "root")?, "root")? {
            return Err(RowError("root"));
        }
        Ok(Self {
            tree,
            last_leaf: Some(hash(text(row, "last_leaf")?, "last_leaf")?),
            first: number(row, "first")?,
            note: Some(text(row, "note")?.to_owned()),
            published: number(row, "published")?,
            signed_at: Some(parse(row, "signed_at")?),
        })
    }

    fn item(&self, log: &LogId) -> Item {
        let peaks = self.tree.peaks().iter().map(|peak| s(peak.to_string())).collect();
        let mut item = key(log.key(), SK);
        item.extend([
            ("size".to_owned(), n(self.size())),
            ("root".to_owned(), s(self.tree.root().to_string())),
            ("peaks".to_owned(), AttributeValue::L(peaks)),
            ("last_leaf".to_owned(), s(self.last_leaf.unwrap_or(Hash::ZERO).to_string())),
            ("first".to_owned(), n(self.first)),
            ("note".to_owned(), s(self.note.clone().unwrap_or_default())),
            ("published".to_owned(), n(self.published)),
            ("signed_at".to_owned(), s(self.signed_at.map(|at| at.to_string()).unwrap_or_default())),
        ]);
        item
    }
}

impl Store {
    /// The lock of a log; that of an empty log where there is none.
    pub(super) async fn export_lock(&self, log: &LogId) -> Result<Lock, StoreError> {
        match self.row(&log.key(), SK).await? {
            None => Ok(Lock::empty()),
            Some(row) => Ok(Lock::of(&row)?),
        }
    }

    /// Moves the lock if it is still where it was: the commit point of an export. False when another was faster, or
    /// when an earlier try of this very call did it, of which the answer was lost: the next run publishes either.
    pub(super) async fn move_export_lock(&self, log: &LogId, from: &Lock, to: &Lock) -> Result<bool, StoreError> {
        let put = self.client.put_item().table_name(&self.state).set_item(Some(to.item(log)));
        let put = if from.size() == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("#size = :size AND #root = :root")
                .set_expression_attribute_names(Some(HashMap::from([
                    ("#size".to_owned(), "size".to_owned()),
                    ("#root".to_owned(), "root".to_owned()),
                ])))
                .expression_attribute_values(":size", n(from.size()))
                .expression_attribute_values(":root", s(from.tree.root().to_string()))
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if matches!(error.as_service_error(), Some(PutItemError::ConditionalCheckFailedException(_))) =>
            {
                Ok(false)
            }
            Err(error) => Err(AwsError::of("moving the export lock")(error).into()),
        }
    }

    /// Notes that the files up to `size` are written. Never goes back.
    pub(super) async fn mark_published(&self, log: &LogId, size: u64) -> Result<(), AwsError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.state)
            .set_key(Some(key(log.key(), SK)))
            .update_expression("SET published = :size")
            .condition_expression("published < :size")
            .expression_attribute_values(":size", n(size));
        match update.send().await {
            Err(error) if !error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Err(AwsError::of("moving the export lock")(error))
            }
            // Somebody, or an earlier try of ours, has noted it.
            _ => Ok(()),
        }
    }
}
