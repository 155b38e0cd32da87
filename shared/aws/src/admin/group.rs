//! Groups of persons who approve: who is in them, how many must approve, how long they have. The rows are [`crate::groups`]'.
//!
//! A member has an e-mail address, because that is how they are asked. A group is known from its first member on, and stays known when
//! the last one has left: a plan that names it still means it.

use axiru_domain::{PersonId, Scope, Timestamp};
use axiru_ledger::types::EntryType;
use serde_json::{Value, json};

use crate::admin::act::{Act, Effect};
use crate::admin::person::Person;
use crate::admin::refusal::AdminError;
use crate::groups::{Group, MAX_MEMBERS, is_name};
use crate::mail::Silence;
use crate::store::Store;

/// Most groups of a scope. Who is removed leaves all of theirs in one transaction, which holds 100 rows.
pub const MAX_GROUPS: usize = 50;

/// How many can be asked for at most.
pub const MAX_QUORUM: u32 = 10;

/// Shortest and longest time to answer, in seconds: as a plan may say it.
pub const EXPIRES_SECS: std::ops::RangeInclusive<u32> = 5..=30 * 86_400;

/// What becomes of one default of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setting {
    /// It stays as it is.
    #[default]
    Keep,
    /// The group has none any more.
    Clear,
    /// It is this from now on.
    To(u32),
}

impl Setting {
    fn of(self, before: Option<u32>) -> Option<u32> {
        match self {
            Self::Keep => before,
            Self::Clear => None,
            Self::To(value) => Some(value),
        }
    }

    fn is_within(self, bounds: &std::ops::RangeInclusive<u32>) -> bool {
        match self {
            Self::Keep | Self::Clear => true,
            Self::To(value) => bounds.contains(&value),
        }
    }
}

/// What a group does where a plan does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// How many of it must approve.
    pub quorum: Setting,
    /// How long they have, in seconds.
    pub expires_secs: Setting,
}

/// Refuses what is no group's name.
pub(crate) fn named(name: &str) -> Result<(), AdminError> {
    if is_name(name) {
        return Ok(());
    }
    let detail = "a group's name is 1 to 64 lower-case letters, digits and `-`, such as `finance`";
    Err(AdminError::form("group", detail))
}

/// A group for an operator's eyes, with the persons it has of `persons`.
fn shown(group: &Group, persons: &[Person]) -> Value {
    let members: Vec<Value> = group
        .members
        .iter()
        .map(|id| match persons.iter().find(|person| person.id == *id) {
            Some(person) => {
                json!({"person": id.as_str(), "emails": person.emails(), "mail": person.mail.map(Silence::as_str)})
            }
            None => json!({"person": id.as_str(), "emails": [], "mail": null}),
        })
        .collect();
    json!({"group": group.name, "quorum": group.quorum, "expires_secs": group.expires_secs, "members": members})
}

/// What is answered about a group.
fn answer(group: &Group, changed: bool) -> Value {
    json!({
        "changed": changed,
        "group": group.name,
        "persons": group.members,
        "quorum": group.quorum,
        "expires_secs": group.expires_secs,
    })
}

impl Store {
    /// The groups of a scope with their members and the members' addresses.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn approvers(&self, scope: &Scope) -> Result<Vec<Value>, AdminError> {
        let persons = self.persons(scope).await?;
        Ok(self.groups(scope).await?.iter().map(|group| shown(group, &persons)).collect())
    }

    /// The group with one more member; refused where it takes no more, or the scope no more groups.
    pub(crate) async fn joined(&self, scope: &Scope, name: &str, person: &PersonId) -> Result<Group, AdminError> {
        let mut group = self.group(scope, name).await?;
        if !group.is_known() && self.groups(scope).await?.len() >= MAX_GROUPS {
            let detail = format!("{scope} has {MAX_GROUPS} groups, and that is the most");
            return Err(AdminError::conflict("too_many_groups", detail));
        }
        group.members.insert(person.clone());
        if group.members.len() > MAX_MEMBERS {
            let detail = format!("`{name}` has {MAX_MEMBERS} members, and that is the most: each is asked by mail");
            return Err(AdminError::conflict("group_full", detail));
        }
        Ok(group)
    }

    async fn known_group(&self, scope: &Scope, name: &str) -> Result<Group, AdminError> {
        let group = self.group(scope, name).await?;
        if group.is_known() {
            return Ok(group);
        }
        Err(AdminError::missing(
            "no_such_group",
            format!(
                "{scope} has no group `{name}`; `axiru approver list --scope {scope}` shows those it has, and a group begins with its \
                 first member: `axiru approver add <person> --group {name} --scope {scope}`"
            ),
        ))
    }

    /// What follows from a group that changed.
    fn group_changed(&self, scope: &Scope, group: &Group) -> Result<Effect, AdminError> {
        let fields = json!({
            "group": group.name,
            "persons": group.members,
            "quorum": group.quorum,
            "expires_secs": group.expires_secs,
        });
        let rows = vec![group.put(self, scope)?];
        Ok(Effect::Change { ty: EntryType::GroupChanged, fields, rows, answer: answer(group, true) })
    }

    /// Makes a person a member of a group, or no longer one.
    ///
    /// # Errors
    /// Refused where there is no such person, or they have no e-mail address, or the group is full.
    pub async fn change_member(
        &self,
        act: &Act,
        name: &str,
        person: &PersonId,
        added: bool,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        named(name)?;
        self.act(act, now, || async {
            let scope = &act.scope;
            if !added {
                let mut group = self.known_group(scope, name).await?;
                if !group.members.remove(person) {
                    return Ok(Effect::Nothing(answer(&group, false)));
                }
                return self.group_changed(scope, &group);
            }
            let member = self.person(scope, person).await?;
            let before = self.group(scope, name).await?;
            if before.members.contains(person) {
                return Ok(Effect::Nothing(answer(&before, false)));
            }
            if member.emails().is_empty() {
                return Err(AdminError::conflict("no_address", without_address(scope, person)));
            }
            let group = self.joined(scope, name, person).await?;
            let mut effect = self.group_changed(scope, &group)?;
            if let Effect::Change { rows, .. } = &mut effect {
                // Whoever removes the person, or their last address, at the same time reads again.
                rows.push(member.touch(self, scope)?);
            }
            Ok(effect)
        })
        .await
    }

    /// Says what a group does where a plan does not say.
    ///
    /// # Errors
    /// Refused where the scope has no such group, or a value is out of bounds.
    pub async fn set_group(
        &self,
        act: &Act,
        name: &str,
        defaults: Defaults,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        named(name)?;
        if defaults == Defaults::default() {
            return Err(AdminError::form("group", "say what changes: `quorum`, `expires_secs`, or both; null clears"));
        }
        if !defaults.quorum.is_within(&(1..=MAX_QUORUM)) {
            return Err(AdminError::form("quorum", format!("`quorum` is a number from 1 to {MAX_QUORUM}")));
        }
        if !defaults.expires_secs.is_within(&EXPIRES_SECS) {
            let (least, most) = (EXPIRES_SECS.start(), EXPIRES_SECS.end() / 86_400);
            let detail = format!("`expires_secs` is from {least} seconds to {most} days, in seconds");
            return Err(AdminError::form("expires_secs", detail));
        }
        self.act(act, now, || async {
            let scope = &act.scope;
            let before = self.known_group(scope, name).await?;
            let mut group = before.clone();
            group.quorum = defaults.quorum.of(before.quorum);
            group.expires_secs = defaults.expires_secs.of(before.expires_secs);
            if group == before {
                return Ok(Effect::Nothing(answer(&group, false)));
            }
            self.group_changed(scope, &group)
        })
        .await
    }
}

/// Why somebody without an address approves nothing, and what to do.
pub(crate) fn without_address(scope: &Scope, person: &PersonId) -> String {
    format!(
        "{person} has no e-mail address, and that is where approvers are asked; give them one with `axiru person alias {person} --scope \
         {scope} --add-email <address>`"
    )
}
