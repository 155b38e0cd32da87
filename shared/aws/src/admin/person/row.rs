//! A person's row, read and written.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem, Update};
use axiru_domain::{PersonId, Scope, Timestamp};
use serde_json::{Value, json};

use crate::admin::act::update_item;
use crate::admin::alias::{Alias, Principal};
use crate::error::AwsError;
use crate::groups::Group;
use crate::item::{Item, RowError, key, n, number, parse, s, texts};
use crate::mail::Silence;
use crate::store::{Store, StoreError};

/// A person as their row holds them. The addresses make it personal: it has no `Debug` and never goes into a log.
#[derive(Clone)]
pub struct Person {
    /// The id.
    pub id: PersonId,
    /// Addresses and principals.
    pub aliases: BTreeSet<Alias>,
    /// When they were added.
    pub created_at: Timestamp,
    /// Why an address of theirs gets no more mail, where [`Store::persons`] read them.
    pub mail: Option<Silence>,
    pub(super) version: u64,
    /// The row as it was read. What others keep in it is written back with it.
    read: Item,
}

/// Partition key of a scope's persons.
pub(super) fn pk(scope: &Scope) -> String {
    format!("{}#persons", scope.key())
}

impl Person {
    /// Somebody who was not there before.
    pub(super) fn new(id: PersonId, aliases: BTreeSet<Alias>, now: Timestamp) -> Self {
        // Who was removed and comes back under the same id begins behind every epoch they had: no link of before counts again.
        let read = Item::from([("link_epoch".to_owned(), n(now.secs()))]);
        Self { id, aliases, created_at: now, mail: None, version: 0, read }
    }

    pub(super) fn from_row(row: &Item) -> Result<Self, RowError> {
        let mut aliases = BTreeSet::new();
        for email in texts(row, "emails")? {
            aliases.insert(Alias::Email(email.parse().map_err(|_| RowError("emails"))?));
        }
        for principal in texts(row, "principals")? {
            aliases.insert(Alias::Principal(principal.parse().map_err(|_| RowError("principals"))?));
        }
        Ok(Self {
            id: parse(row, "sk")?,
            aliases,
            created_at: parse(row, "created_at")?,
            mail: None,
            version: number(row, "version")?,
            read: row.clone(),
        })
    }

    /// The person's e-mail addresses.
    #[must_use]
    pub fn emails(&self) -> Vec<String> {
        emails(&self.aliases)
    }

    /// The person for an operator's eyes, with addresses, and those of the scope's groups in which they are.
    #[must_use]
    pub fn shown(&self, groups: &[Group]) -> Value {
        let own = groups.iter().filter(|group| group.members.contains(&self.id)).map(|group| group.name.as_str());
        json!({
            "person": self.id.as_str(),
            "emails": emails(&self.aliases),
            "principals": principals(&self.aliases).map(Principal::as_str).collect::<Vec<_>>(),
            "groups": own.collect::<Vec<_>>(),
            "mail": self.mail.map(Silence::as_str),
            "created_at": self.created_at.to_string(),
        })
    }

    /// The whole row, to be put on a condition.
    pub(super) fn row(&self, store: &Store, scope: &Scope) -> PutBuilder {
        let mut kept = self.read.clone();
        kept.retain(|name, _| !matches!(name.as_str(), "emails" | "principals"));
        let put = Put::builder()
            .table_name(&store.state)
            .set_item(Some(kept))
            .item("pk", s(pk(scope)))
            .item("sk", s(self.id.as_str()))
            .item("created_at", s(self.created_at.to_string()))
            .item("version", n(self.version + 1));
        let sets = [
            ("emails", emails(&self.aliases)),
            ("principals", principals(&self.aliases).map(|principal| principal.as_str().to_owned()).collect()),
        ];
        // A set is never empty in DynamoDB.
        let sets = sets.into_iter().filter(|(_, texts)| !texts.is_empty());
        sets.fold(put, |put, (name, texts)| put.item(name, AttributeValue::Ss(texts)))
    }

    /// The write that says that the person was looked at while a key of theirs was made or taken away, so that of two such acts at
    /// once one reads again.
    pub(crate) fn touch(&self, store: &Store, scope: &Scope) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&store.state)
            .set_key(Some(key(pk(scope), self.id.as_str())))
            .update_expression("SET version = :next")
            .condition_expression("version = :seen")
            .expression_attribute_values(":seen", n(self.version))
            .expression_attribute_values(":next", n(self.version + 1));
        update_item(update)
    }

    /// The write after which links that were sent to the person before count no more.
    pub(crate) fn links_called_in(&self, store: &Store, scope: &Scope) -> Result<TransactWriteItem, StoreError> {
        let before: u64 = if self.read.contains_key("link_epoch") { number(&self.read, "link_epoch")? } else { 0 };
        let update = Update::builder()
            .table_name(&store.state)
            .set_key(Some(key(pk(scope), self.id.as_str())))
            .update_expression("SET version = :next, link_epoch = :epoch")
            .condition_expression("version = :seen")
            .expression_attribute_values(":seen", n(self.version))
            .expression_attribute_values(":next", n(self.version + 1))
            .expression_attribute_values(":epoch", n(before.saturating_add(1)));
        update_item(update)
    }

    /// The condition that the person is still there.
    pub(crate) fn is_there(&self, store: &Store, scope: &Scope) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&store.state)
            .set_key(Some(key(pk(scope), self.id.as_str())))
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(|_| AwsError::unexpected("an administrative act", "request not built"))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

pub(super) fn emails(aliases: &BTreeSet<Alias>) -> Vec<String> {
    let email = |alias: &Alias| match alias {
        Alias::Email(email) => Some(email.expose().to_owned()),
        Alias::Principal(_) => None,
    };
    aliases.iter().filter_map(email).collect()
}

fn principals(aliases: &BTreeSet<Alias>) -> impl Iterator<Item = &Principal> {
    aliases.iter().filter_map(|alias| match alias {
        Alias::Principal(principal) => Some(principal),
        Alias::Email(_) => None,
    })
}
