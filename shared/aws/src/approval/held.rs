//! A request that people are asked about, with everything that they are shown and that their answers depend on, read at once.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{Approval, LogId, PersonId, RequestId, RequestStatus, Scope};
use axiru_ledger::entry::Entry;

use super::content::content_sha256;
use crate::connection;
use crate::decide::Undecided;
use crate::groups::{self, Group};
use crate::item::{RowError, number, text, texts};
use crate::keys;
use crate::ledger::CommitError;
use crate::reads::{Reads, RowKey};
use crate::requests::RequestRow;
use crate::store::{Store, StoreError};

/// A request that was held, as it stands.
#[derive(Clone, Debug)]
pub struct Held {
    pub(crate) row: RequestRow,
    pub(crate) approval: Approval,
    /// The entry of its decision.
    pub(crate) made: Entry,
    /// The entry that says whom was asked, behind it.
    pub(crate) requested: Entry,
    /// The hash of what people answer about.
    pub(crate) content: String,
    /// The groups that were asked, as they are now.
    pub(crate) groups: BTreeMap<String, Group>,
    /// Addresses by person; persons who are gone are not in it.
    persons: BTreeMap<PersonId, Known>,
    /// How often all links of the scope were called in.
    pub(crate) scope_epoch: u64,
    pub(crate) account_name: Option<String>,
    pub(crate) key_label: Option<String>,
}

/// What is known of a person.
#[derive(Clone, Default)]
struct Known {
    addresses: Vec<String>,
    link_epoch: u64,
}

/// Addresses are not shown.
impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("link_epoch", &self.link_epoch).finish_non_exhaustive()
    }
}

/// Why a held request cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HeldError {
    /// The rows.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The entries.
    #[error("{0}")]
    Entry(#[from] CommitError),
    /// The rows do not belong together: something else than Axiru has written one of them.
    #[error("{0}")]
    Altered(RowError),
}

impl HeldError {
    /// Whether trying again can help.
    #[must_use]
    pub fn retry(&self) -> crate::Retry {
        match self {
            Self::Store(StoreError::Aws(error)) => error.retry(),
            Self::Entry(error) => error.retry(),
            Self::Store(StoreError::Row(_)) | Self::Altered(_) => crate::Retry::Never,
        }
    }
}

impl From<Undecided> for HeldError {
    fn from(error: Undecided) -> Self {
        match error {
            Undecided::Commit(error) => Self::Entry(error),
            Undecided::Row(error) => Self::Altered(error),
            _ => Self::Altered(RowError("seq")),
        }
    }
}

/// Where the row is that says how often all links of a scope were called in.
pub(crate) fn epoch_key(scope: &Scope) -> RowKey {
    (format!("{}#links", scope.key()), "epoch".to_owned())
}

fn person_key(scope: &Scope, person: &PersonId) -> RowKey {
    (format!("{}#persons", scope.key()), person.as_str().to_owned())
}

impl Store {
    /// A request that people were asked about; none where there is none, or nobody was asked.
    ///
    /// # Errors
    /// [`HeldError`].
    pub async fn held(&self, scope: &Scope, id: &RequestId) -> Result<Option<Held>, HeldError> {
        let Some(row) = self.request_row(scope, id).await? else { return Ok(None) };
        let Some(approval) = row.approval.clone() else { return Ok(None) };
        let log = row.log();
        let persons: BTreeSet<_> = approval.asked().into_iter().chain(&approval.requesters).cloned().collect();
        let mut wanted: BTreeSet<RowKey> = persons.iter().map(|person| person_key(scope, person)).collect();
        wanted.extend(approval.groups.iter().map(|asked| groups::key_of(scope, &asked.group)));
        let key_row = (keys::pk(scope.mode()), row.key.as_str().to_owned());
        let connection_row = (connection::pk(scope.mode()), scope.account().as_str().to_owned());
        wanted.extend([key_row.clone(), connection_row.clone(), epoch_key(scope)]);
        let (reads, made, requested) = tokio::join!(
            Reads::fetch(self, &wanted),
            self.entry(&log, row.seq),
            self.entry(&log, row.seq.saturating_add(1)),
        );
        let reads = reads?;
        let made = made?.ok_or(HeldError::Altered(RowError("seq")))?;
        let requested = requested?.filter(|entry| is_requested(entry, &log, id));
        let requested = requested.ok_or(HeldError::Altered(RowError("seq")))?;
        let content = content_sha256(&row, &made).map_err(HeldError::Altered)?;
        let mut known = BTreeMap::new();
        for person in persons {
            let Some(row) = reads.get(&person_key(scope, &person)) else { continue };
            let addresses = texts(row, "emails").map_err(StoreError::from)?;
            let link_epoch = epoch(Some(row), "link_epoch").map_err(StoreError::from)?;
            known.insert(person, Known { addresses, link_epoch });
        }
        let mut groups = BTreeMap::new();
        for asked in &approval.groups {
            let group = Group::of(&asked.group, reads.get(&groups::key_of(scope, &asked.group)));
            groups.insert(asked.group.clone(), group.map_err(StoreError::from)?);
        }
        let word = |key: &RowKey, name| reads.get(key).and_then(|row| text(row, name).ok()).map(str::to_owned);
        Ok(Some(Held {
            scope_epoch: epoch(reads.get(&epoch_key(scope)), "epoch").map_err(StoreError::from)?,
            account_name: word(&connection_row, "display_name").filter(|name| !name.is_empty()),
            key_label: word(&key_row, "label").filter(|label| !label.is_empty()),
            row,
            approval,
            made,
            requested,
            content,
            groups,
            persons: known,
        }))
    }
}

fn epoch(row: Option<&crate::item::Item>, name: &'static str) -> Result<u64, RowError> {
    row.filter(|row| row.contains_key(name)).map_or(Ok(0), |row| number(row, name))
}

fn is_requested(entry: &Entry, log: &LogId, id: &RequestId) -> bool {
    let request = entry.fields().get("request").and_then(serde_json::Value::as_str);
    entry.ty() == "approval.requested" && entry.log() == log && request == Some(id.as_str())
}

impl Held {
    /// Its scope.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.row.scope
    }

    /// The request.
    #[must_use]
    pub const fn id(&self) -> &RequestId {
        &self.row.id
    }

    /// Where it stands.
    #[must_use]
    pub const fn status(&self) -> RequestStatus {
        self.row.status
    }

    /// The request's row.
    #[must_use]
    pub const fn row(&self) -> &RequestRow {
        &self.row
    }

    /// What people are asked and have answered.
    #[must_use]
    pub const fn approval(&self) -> &Approval {
        &self.approval
    }

    /// Whether the person is a member of that group now.
    #[must_use]
    pub fn is_member(&self, group: &str, person: &PersonId) -> bool {
        self.persons.contains_key(person) && self.groups.get(group).is_some_and(|group| group.members.contains(person))
    }

    /// Whether the person may still answer: was asked, and is still a member of a group that asked them.
    #[must_use]
    pub fn may_answer(&self, person: &PersonId) -> bool {
        self.approval.groups_of(person).any(|asked| self.is_member(&asked.group, person))
            && !self.approval.requesters.contains(person)
    }

    /// Who was asked and may still answer, with the addresses on file.
    #[must_use]
    pub fn asked(&self) -> Vec<(PersonId, Vec<String>)> {
        let able = self.approval.asked().into_iter().filter(|person| self.may_answer(person));
        able.map(|person| (person.clone(), self.addresses(person))).collect()
    }

    /// The addresses on file of somebody who was asked, or who asked.
    #[must_use]
    pub fn addresses(&self, person: &PersonId) -> Vec<String> {
        self.persons.get(person).map(|known| known.addresses.clone()).unwrap_or_default()
    }

    /// How a person is called: their first address, or their id.
    #[must_use]
    pub fn name_of(&self, person: &PersonId) -> String {
        let first = self.persons.get(person).and_then(|known| known.addresses.first().cloned());
        first.unwrap_or_else(|| person.to_string())
    }

    /// Whether Axiru makes the movement once it is approved.
    #[must_use]
    pub fn executes(&self) -> bool {
        self.made.fields().get("execute") == Some(&serde_json::Value::Bool(true))
    }

    /// How often links of that person were called in.
    pub(crate) fn person_epoch(&self, person: &PersonId) -> u64 {
        self.persons.get(person).map_or(0, |known| known.link_epoch)
    }
}
