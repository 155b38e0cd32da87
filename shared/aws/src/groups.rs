//! Groups of persons who approve, as plans name them: `@require_approval("finance")`.
//!
//! Row: pk `<mode>#<account>#groups`, sk `<group>`; `members` (set of persons, left out when empty), `quorum` and `expires_secs` (what holds
//! where a plan does not say; left out where nothing does), `version`. A person's groups are these rows and nothing else.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use axiru_domain::{PersonId, Scope};

use crate::error::AwsError;
use crate::item::{Item, RowError, n, number, text, texts};
use crate::reads::{RowKey, Version};
use crate::store::{Store, StoreError};

/// Most members of a group.
pub const MAX_MEMBERS: usize = 50;

/// The group that is asked where a request is held and neither a rule nor its plan names one.
pub const FALLBACK: &str = "approvers";

/// The group whose persons are told by mail what operators must know.
pub const OPERATORS: &str = "operators";

/// A group, as its row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its persons.
    pub members: BTreeSet<PersonId>,
    /// How many must approve where a plan does not say.
    pub quorum: Option<u32>,
    /// How long they have where a plan does not say, in seconds.
    pub expires_secs: Option<u32>,
    pub(crate) version: Version,
}

/// A group's name, as `@require_approval("finance")` names it.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Partition key of a scope's groups.
pub(crate) fn pk(scope: &Scope) -> String {
    format!("{}#groups", scope.key())
}

/// Where the row of a group is.
pub(crate) fn key_of(scope: &Scope, name: &str) -> RowKey {
    (pk(scope), name.to_owned())
}

impl Group {
    /// The group of that name as its row says; without members where there is no row.
    pub(crate) fn of(name: &str, row: Option<&Item>) -> Result<Self, RowError> {
        let nothing = Item::new();
        let item = row.unwrap_or(&nothing);
        let members = texts(item, "members")?.iter().map(|id| id.parse()).collect::<Result<_, _>>();
        let optional = |name: &'static str| item.contains_key(name).then(|| number(item, name)).transpose();
        Ok(Self {
            name: name.to_owned(),
            members: members.map_err(|_| RowError("members"))?,
            quorum: optional("quorum")?,
            expires_secs: optional("expires_secs")?,
            version: Version::of(row)?,
        })
    }

    /// Whether anybody ever said anything of it.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.version != Version::default()
    }

    /// The write of the row as it is now, on the condition that it is as it was read.
    pub(crate) fn put(&self, store: &Store, scope: &Scope) -> Result<TransactWriteItem, AwsError> {
        let mut attributes: Vec<(&'static str, AttributeValue)> = Vec::new();
        // A set is never empty in DynamoDB.
        if !self.members.is_empty() {
            let members = self.members.iter().map(|id| id.as_str().to_owned()).collect();
            attributes.push(("members", AttributeValue::Ss(members)));
        }
        attributes.extend(self.quorum.map(|quorum| ("quorum", n(quorum))));
        attributes.extend(self.expires_secs.map(|secs| ("expires_secs", n(secs))));
        self.version.put(store, &key_of(scope, &self.name), attributes)
    }
}

impl Store {
    /// A group of a scope.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn group(&self, scope: &Scope, name: &str) -> Result<Group, StoreError> {
        let (pk, sk) = key_of(scope, name);
        Ok(Group::of(name, self.row(&pk, &sk).await?.as_ref())?)
    }

    /// Every group of a scope, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn groups(&self, scope: &Scope) -> Result<Vec<Group>, StoreError> {
        let rows = self.partition(&pk(scope)).await?;
        let group = |row: &Item| Group::of(text(row, "sk")?, Some(row));
        Ok(rows.iter().map(group).collect::<Result<_, RowError>>()?)
    }
}
