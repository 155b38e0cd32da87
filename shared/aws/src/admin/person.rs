//! Persons of a scope: the humans who operate agents, make keys and approve.
//!
//! Row: pk `<mode>#<account>#persons`, sk `<person id>`; `emails`, `principals` (sets, left out when empty), `created_at`, `link_epoch`
//! (links sent to them under an earlier one count no more), `mail` (a word, where mail to them came back), `version`. In which groups a
//! person is, the rows of the groups say ([`crate::groups`]). Erasing a person erases this row and the rows of the aliases, and they leave
//! every group: what remains, in entries and keys, is the id.

mod row;

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};
use axiru_domain::{PersonId, Scope, Timestamp};
use axiru_ledger::types::EntryType;
use serde_json::{Value, json};

use crate::admin::act::{Act, Effect, put_item};
use crate::admin::alias::Alias;
use crate::admin::refusal::AdminError;
use crate::connect::operator::Operator;
use crate::error::AwsError;
use crate::groups::is_name;
use crate::item::{key, n};
use crate::store::Store;

pub use row::Person;
use row::{emails, pk};

/// Most aliases of a person, and most groups.
const MAX: usize = 10;

/// A person to be added.
pub struct NewPerson {
    /// The id, made by whoever asks, so that one person can have one id in several scopes.
    pub id: PersonId,
    /// Addresses and principals, at least one.
    pub aliases: BTreeSet<Alias>,
    /// Groups.
    pub groups: BTreeSet<String>,
}

/// The pseudonym under which an alias' principal acts.
fn pseudonym(deployment: &str, alias: &Alias) -> Result<Option<Operator>, AdminError> {
    match alias {
        Alias::Email(_) => Ok(None),
        Alias::Principal(principal) => principal
            .operator(deployment)
            .map(Some)
            .map_err(|error| AdminError::form("principal_refused", error.to_string())),
    }
}

impl Store {
    /// A person of a scope.
    ///
    /// # Errors
    /// Refused where there is none of that id.
    pub async fn person(&self, scope: &Scope, id: &PersonId) -> Result<Person, AdminError> {
        let row = self.row(&pk(scope), id.as_str()).await?;
        let person = row.as_ref().map(Person::from_row).transpose()?;
        person.ok_or_else(|| {
            AdminError::missing(
                "no_such_person",
                format!("{id} is no person of {scope}; `axiru person list --scope {scope}` shows who is"),
            )
        })
    }

    /// The persons of a scope, by id, with what came back of mails to them.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn persons(&self, scope: &Scope) -> Result<Vec<Person>, AdminError> {
        self.administered(scope).await?;
        let rows = self.partition(&pk(scope)).await?;
        let silenced = self.silenced(scope).await?;
        let mut persons: Vec<Person> = rows.iter().map(Person::from_row).collect::<Result<_, _>>()?;
        for person in &mut persons {
            let own =
                silenced.get(&person.id).filter(|own| person.emails().iter().any(|email| own.covers(scope, email)));
            person.mail = own.and_then(|own| own.last).map(|(why, _)| why);
        }
        Ok(persons)
    }

    /// Refuses where somebody is in a group.
    async fn approves_nothing(&self, scope: &Scope, id: &PersonId) -> Result<(), AdminError> {
        let groups = self.groups(scope).await?;
        let own = groups.iter().filter(|group| group.members.contains(id)).map(|group| group.name.as_str());
        let own: Vec<&str> = own.collect();
        let Some(first) = own.first() else { return Ok(()) };
        Err(AdminError::conflict(
            "last_address",
            format!(
                "this is the last address of {id}, who approves for {}; add another address first, or take them out (`axiru approver \
                 remove {id} --group {first} --scope {scope}`)",
                own.join(", ")
            ),
        ))
    }

    async fn nobodys(&self, scope: &Scope, alias: &Alias, own: &PersonId) -> Result<(), AdminError> {
        match self.alias(scope, alias).await? {
            None => Ok(()),
            // Which address it is is not said: the caller knows what they asked for.
            Some(other) => Err(AdminError::conflict(
                "alias_taken",
                format!(
                    "this {} belongs to {}{other}; an alias belongs to one person",
                    alias.class(),
                    if other == *own { "the same person already, " } else { "" }
                ),
            )),
        }
    }

    /// Adds a person.
    ///
    /// # Errors
    /// Refused where the id or an alias is somebody's already, there is no alias, or a group takes no more.
    pub async fn add_person(
        &self,
        act: &Act,
        deployment: &str,
        wanted: &NewPerson,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        if wanted.aliases.is_empty() || wanted.aliases.len() > MAX {
            let detail = format!("a person has 1 to {MAX} aliases: e-mail addresses and AWS principals");
            return Err(AdminError::form("aliases", detail));
        }
        if wanted.groups.len() > MAX || !wanted.groups.iter().all(|group| is_name(group)) {
            let detail = format!("at most {MAX} groups, each of lower-case letters, digits and `-`, such as `finance`");
            return Err(AdminError::form("groups", detail));
        }
        if !wanted.groups.is_empty() && emails(&wanted.aliases).is_empty() {
            let detail = "who is in a group has an e-mail address, because that is where approvers are asked";
            return Err(AdminError::form("groups", detail));
        }
        self.act(act, now, || async {
            let scope = &act.scope;
            if self.row(&pk(scope), wanted.id.as_str()).await?.is_some() {
                let detail =
                    format!("{} is a person of {scope} already; change aliases with `axiru person alias`", wanted.id);
                return Err(AdminError::conflict("person_exists", detail));
            }
            let person = Person::new(wanted.id.clone(), wanted.aliases.clone(), now());
            let mut rows = vec![put_item(person.row(self, scope).condition_expression("attribute_not_exists(pk)"))?];
            let mut pseudonyms = Vec::new();
            for alias in &wanted.aliases {
                self.nobodys(scope, alias, &wanted.id).await?;
                let operator = pseudonym(deployment, alias)?;
                rows.push(alias.take(self, scope, &wanted.id, operator.as_ref())?);
                pseudonyms.extend(operator.map(|operator| operator.id().to_owned()));
            }
            pseudonyms.sort();
            for group in &wanted.groups {
                rows.push(self.joined(scope, group, &wanted.id).await?.put(self, scope)?);
            }
            let fields = json!({
                "person": wanted.id.as_str(),
                "groups": wanted.groups,
                "principals": pseudonyms,
                "addresses": emails(&wanted.aliases).len(),
            });
            let answer = json!({"changed": true, "person": wanted.id.as_str()});
            Ok(Effect::Change { ty: EntryType::PersonAdded, fields, rows, answer })
        })
        .await
    }

    /// Removes a person from the scope and all its groups, and erases their addresses.
    ///
    /// # Errors
    /// Refused while a live key has them as its operator.
    pub async fn remove_person(&self, act: &Act, id: &PersonId, now: fn() -> Timestamp) -> Result<Value, AdminError> {
        self.act(act, now, || async {
            let scope = &act.scope;
            let person = self.person(scope, id).await?;
            let keys = self.keys(scope).await?;
            let live = keys.iter().filter(|key| key.operator == *id && key.is_live(now()));
            let live: Vec<&str> = live.map(|key| key.id.as_str()).collect();
            if !live.is_empty() {
                let detail = format!(
                    "{id} answers for live keys: {}; revoke them first (`axiru key revoke <key> --scope {scope}`)",
                    live.join(", ")
                );
                return Err(AdminError::conflict("person_operates_keys", detail));
            }
            let delete = Delete::builder()
                .table_name(&self.state)
                .set_key(Some(key(pk(scope), id.as_str())))
                .condition_expression("version = :seen")
                .expression_attribute_values(":seen", n(person.version))
                .build()
                .map_err(|_| AwsError::unexpected("an administrative act", "request not built"))?;
            let mut rows = vec![TransactWriteItem::builder().delete(delete).build()];
            for alias in &person.aliases {
                rows.push(alias.free(self, scope)?);
            }
            // Read behind the person: who makes them a member now moves their row's version.
            for mut group in self.groups(scope).await? {
                if group.members.remove(id) {
                    rows.push(group.put(self, scope)?);
                }
            }
            let fields = json!({"person": id.as_str()});
            let answer = json!({"changed": true, "person": id.as_str()});
            Ok(Effect::Change { ty: EntryType::PersonRemoved, fields, rows, answer })
        })
        .await
    }

    /// Gives a person an alias, or takes it away.
    ///
    /// # Errors
    /// Refused where the alias is somebody else's, or the person's last, or the last address of an approver.
    pub async fn change_alias(
        &self,
        act: &Act,
        deployment: &str,
        id: &PersonId,
        alias: &Alias,
        added: bool,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        let operator = pseudonym(deployment, alias)?;
        self.act(act, now, || async {
            let scope = &act.scope;
            let mut person = self.person(scope, id).await?;
            if person.aliases.contains(alias) == added {
                return Ok(Effect::Nothing(json!({"changed": false, "person": id.as_str()})));
            }
            let row = if added {
                self.nobodys(scope, alias, id).await?;
                if person.aliases.len() >= MAX {
                    return Err(AdminError::conflict(
                        "aliases",
                        format!("{id} has {MAX} aliases, and that is the most"),
                    ));
                }
                person.aliases.insert(alias.clone());
                alias.take(self, scope, id, operator.as_ref())?
            } else {
                if person.aliases.len() == 1 {
                    let detail = format!("this is the last alias of {id}; add another one first, or remove the person");
                    return Err(AdminError::conflict("last_alias", detail));
                }
                person.aliases.remove(alias);
                if matches!(alias, Alias::Email(_)) && person.emails().is_empty() {
                    self.approves_nothing(scope, id).await?;
                }
                alias.free(self, scope)?
            };
            let seen = person
                .row(self, scope)
                .condition_expression("version = :seen")
                .expression_attribute_values(":seen", n(person.version));
            let rows = vec![put_item(seen)?, row];
            let fields = json!({
                "person": id.as_str(),
                "alias": alias.class(),
                "added": added,
                "principal": operator.as_ref().map(Operator::id),
                "addresses": emails(&person.aliases).len(),
            });
            let answer = json!({"changed": true, "person": id.as_str()});
            Ok(Effect::Change { ty: EntryType::PersonAliasChanged, fields, rows, answer })
        })
        .await
    }
}
