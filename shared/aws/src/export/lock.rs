//! The lock of a log: how much of it is signed. Whoever can change it can show two views of a log, so only `export` may.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use axiru_domain::{Date, LogId, Timestamp};
use axiru_ledger::hash::Hash;
use axiru_ledger::merkle::CompactRange;

use super::alarm::Alarm;
use crate::error::{AwsError, made};
use crate::item::{Item, RowError, key, n, number, parse, s, text, texts};
use crate::store::{Store, StoreError};

/// Sort key of the row.
pub(super) const SK: &str = "export";

/// The attribute that closes the log: what happened to it.
pub(super) const ALARM: &str = "alarm";

/// The attribute that holds the exporter back while the tables are restored.
pub(super) const RESTORING: &str = "restoring";

/// Begin of the names of attributes that remember which alarms were told that do not close the log.
pub(super) const TOLD: &str = "told_";

/// A day whose entries, or the first of them, are signed, and whose files are not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenDay {
    pub(super) day: Date,
    pub(super) first: u64,
    pub(super) last: u64,
    /// Root of the tree that ends with `last`.
    pub(super) root: Hash,
}

/// The last day whose files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) day: Date,
    /// Hash of its manifest.
    pub(super) manifest: Hash,
}

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
    /// The root at that size.
    pub(super) published_root: Hash,
    /// When the checkpoint was signed.
    pub(super) signed_at: Option<Timestamp>,
    /// Days that are signed and have no files, the oldest first.
    pub(super) days: Vec<OpenDay>,
    /// The day of the last heartbeat that is signed.
    pub(super) heartbeat: Option<Date>,
    /// The last day that has files.
    pub(super) sealed: Option<Sealed>,
    /// What closed the log.
    pub(super) alarm: Option<String>,
    /// Whether the tables are being restored: nothing of the log is what it will be.
    pub(super) restoring: bool,
    /// What was told without closing it: name and text of each attribute.
    pub(super) told: BTreeMap<String, String>,
}

impl Lock {
    fn empty() -> Self {
        let tree = CompactRange::new();
        Self {
            published_root: tree.root(),
            tree,
            last_leaf: None,
            first: 0,
            note: None,
            published: 0,
            signed_at: None,
            days: Vec::new(),
            heartbeat: None,
            sealed: None,
            alarm: None,
            restoring: false,
            told: BTreeMap::new(),
        }
    }

    /// Number of signed entries.
    pub(super) const fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Whether an alarm has been told already.
    pub(super) fn has_told(&self, alarm: Alarm) -> bool {
        if alarm.kind.closes() { self.alarm.is_some() } else { self.told.contains_key(&alarm.attribute()) }
    }

    /// The oldest day that is over and has no files: a heartbeat of a later day is signed, and all of it is written as segments.
    pub(super) fn finished_day(&self) -> Option<OpenDay> {
        let over = self.days.first().filter(|open| self.heartbeat > Some(open.day));
        over.filter(|open| open.last < self.published && self.alarm.is_none()).copied()
    }

    fn of(row: &Item) -> Result<Self, RowError> {
        if row.contains_key(RESTORING) {
            return Ok(Self { restoring: true, ..Self::empty() });
        }
        let alarm = row.contains_key(ALARM).then(|| text(row, ALARM).map(str::to_owned)).transpose()?;
        let marks = row.iter().filter(|(name, _)| name.starts_with(TOLD));
        let told = marks.filter_map(|(name, mark)| Some((name.clone(), mark.as_s().ok()?.clone()))).collect();
        if !row.contains_key("size") {
            return Ok(Self { alarm, told, ..Self::empty() });
        }
        let hash = |text: &str, name| text.parse::<Hash>().map_err(|_| RowError(name));
        let peaks = texts(row, "peaks")?.iter().map(|peak| hash(peak, "peaks")).collect::<Result<_, _>>()?;
        let tree = CompactRange::from_parts(number(row, "size")?, peaks).map_err(|_| RowError("peaks"))?;
        // A bit that flipped in the row must never be signed.
        if tree.root() != hash(text(row, "root")?, "root")? {
            return Err(RowError("root"));
        }
        let heartbeat = match text(row, "heartbeat")? {
            "" => None,
            day => Some(day.parse().map_err(|_| RowError("heartbeat"))?),
        };
        Ok(Self {
            tree,
            last_leaf: Some(hash(text(row, "last_leaf")?, "last_leaf")?),
            first: number(row, "first")?,
            note: Some(text(row, "note")?.to_owned()),
            published: number(row, "published")?,
            published_root: hash(text(row, "published_root")?, "published_root")?,
            signed_at: Some(parse(row, "signed_at")?),
            days: texts(row, "days")?
                .iter()
                .map(|day| open_day(day).ok_or(RowError("days")))
                .collect::<Result<_, _>>()?,
            heartbeat,
            sealed: sealed(text(row, "sealed")?)?,
            alarm,
            restoring: false,
            told,
        })
    }

    /// The row of an open log: one with an alarm is never written anew.
    pub(super) fn item(&self, log: &LogId) -> Item {
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
            ("published_root".to_owned(), s(self.published_root.to_string())),
            ("signed_at".to_owned(), s(self.signed_at.map(|at| at.to_string()).unwrap_or_default())),
            ("days".to_owned(), days_value(&self.days)),
            ("heartbeat".to_owned(), s(self.heartbeat.map(|day| day.to_string()).unwrap_or_default())),
            ("sealed".to_owned(), s(sealed_text(self.sealed.as_ref()))),
        ]);
        item.extend(self.told.iter().map(|(name, mark)| (name.clone(), s(mark))));
        item
    }
}

fn days_value(days: &[OpenDay]) -> AttributeValue {
    let text = |day: &OpenDay| s(format!("{} {} {} {}", day.day, day.first, day.last, day.root));
    AttributeValue::L(days.iter().map(text).collect())
}

fn open_day(text: &str) -> Option<OpenDay> {
    let mut words = text.split(' ');
    let (day, first, last, root) = (words.next()?, words.next()?, words.next()?, words.next()?);
    Some(OpenDay {
        day: day.parse().ok()?,
        first: first.parse().ok()?,
        last: last.parse().ok()?,
        root: root.parse().ok()?,
    })
}

fn sealed_text(sealed: Option<&Sealed>) -> String {
    sealed.map(|sealed| format!("{} {}", sealed.day, sealed.manifest)).unwrap_or_default()
}

fn sealed(text: &str) -> Result<Option<Sealed>, RowError> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (day, manifest) = text.split_once(' ')?;
        Some(Sealed { day: day.parse().ok()?, manifest: manifest.parse().ok()? })
    };
    read().map(Some).ok_or(RowError("sealed"))
}

impl Store {
    /// The lock of a log; that of an empty log where there is none.
    pub(super) async fn export_lock(&self, log: &LogId) -> Result<Lock, StoreError> {
        match self.row(&log.key(), SK).await? {
            None => Ok(Lock::empty()),
            Some(row) => Ok(Lock::of(&row)?),
        }
    }

    /// How much of a log is signed and written, and its root there.
    pub(crate) async fn head(&self, log: &LogId) -> Result<(u64, Hash), StoreError> {
        let lock = self.export_lock(log).await?;
        Ok((lock.published, lock.published_root))
    }

    /// Moves the lock if it is still where it was and the log is open: the commit point of an export. False when another was faster, or
    /// when an earlier try of this very call did it, of which the answer was lost: the next run publishes either.
    pub(super) async fn move_export_lock(&self, log: &LogId, from: &Lock, to: &Lock) -> Result<bool, StoreError> {
        let put = self.client.put_item().table_name(&self.state).set_item(Some(to.item(log)));
        let put = if from.size() == 0 {
            put.condition_expression("attribute_not_exists(#size) AND attribute_not_exists(#alarm)")
                .set_expression_attribute_names(Some(names(&["size", ALARM])))
        } else {
            put.condition_expression(
                "#size = :size AND #root = :root AND #sealed = :sealed AND attribute_not_exists(#alarm)",
            )
            .set_expression_attribute_names(Some(names(&["size", "root", "sealed", ALARM])))
            .expression_attribute_values(":size", n(from.size()))
            .expression_attribute_values(":root", s(from.tree.root().to_string()))
            .expression_attribute_values(":sealed", s(sealed_text(from.sealed.as_ref())))
        };
        Ok(made("moving the export lock", put.send().await)?)
    }

    /// Notes that the files up to `size`, where the tree has this root, are written. Never goes back.
    pub(super) async fn mark_published(&self, log: &LogId, size: u64, root: Hash) -> Result<(), AwsError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.state)
            .set_key(Some(key(log.key(), SK)))
            .update_expression("SET published = :size, published_root = :root")
            .condition_expression("published < :size")
            .expression_attribute_values(":size", n(size))
            .expression_attribute_values(":root", s(root.to_string()));
        // Where it is not made, somebody, or an earlier try of ours, has noted it.
        made("noting how far the files go", update.send().await).map(drop)
    }

    /// The write that takes the oldest open day of `lock` as sealed, if the lock is still as it was and the log is open.
    pub(super) fn sealing(&self, log: &LogId, lock: &Lock, to: &Sealed) -> Result<TransactWriteItem, AwsError> {
        let rest = lock.days.get(1..).unwrap_or_default();
        let update = Update::builder()
            .table_name(&self.state)
            .set_key(Some(key(log.key(), SK)))
            .update_expression("SET #sealed = :to, #days = :days")
            .condition_expression("#size = :size AND #sealed = :from AND attribute_not_exists(#alarm)")
            .set_expression_attribute_names(Some(names(&["size", "sealed", "days", ALARM])))
            .expression_attribute_values(":size", n(lock.size()))
            .expression_attribute_values(":from", s(sealed_text(lock.sealed.as_ref())))
            .expression_attribute_values(":to", s(sealed_text(Some(to))))
            .expression_attribute_values(":days", days_value(rest))
            .build();
        let update = update.map_err(|_| AwsError::unexpected("sealing a day", "request not built"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

fn names(names: &[&str]) -> HashMap<String, String> {
    names.iter().map(|name| (format!("#{name}"), (*name).to_owned())).collect()
}
