//! Switches that stop what Axiru would do: of a whole deployment in one mode, of a scope, or of one actor in it.
//!
//! Row: pk `<mode>#switches`, sk `*`, `<account>` or `<account>#<actor>`; `stopped` (true or false), `since` (of the last change),
//! `starting` and `starting_until` (the person who asked for a start, and until when that counts), `told` (accounts whose log has the
//! last change of `*`), `version`. It stays when the switch is off. No row says that nothing is stopped; a row that cannot be read stops
//! whoever asked by its error.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use axiru_domain::{AccountId, Actor, PersonId, Scope, Timestamp};

use crate::error::AwsError;
use crate::item::{Item, RowError, parse, s, text, texts};
use crate::reads::{Reads, RowKey, Version};
use crate::store::{Store, StoreError};

/// Sort key of the switch of everything in a mode. No account is called so.
const EVERYTHING: &str = "*";

/// What a switch is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stopped {
    /// Everything of the deployment in the mode, accounts that are connected later too.
    Deployment,
    /// Everything in the scope.
    Scope,
    /// What this actor asks for.
    Actor(Actor),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deployment => f.write_str("deployment"),
            Self::Scope => f.write_str("scope"),
            Self::Actor(actor) => actor.fmt(f),
        }
    }
}

/// Somebody who wants it started, for whom a second person is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Starting {
    pub(crate) person: PersonId,
    pub(crate) until: Timestamp,
}

/// A switch, as its row says.
#[derive(Clone, Debug)]
pub(crate) struct Switch {
    pub(crate) of: Stopped,
    pub(crate) stopped: bool,
    pub(crate) since: Option<Timestamp>,
    pub(crate) starting: Option<Starting>,
    pub(crate) told: BTreeSet<AccountId>,
    version: Version,
}

fn pk(scope: &Scope) -> String {
    format!("{}#switches", scope.mode())
}

/// Where a switch is.
pub(crate) fn key_of(scope: &Scope, of: &Stopped) -> RowKey {
    let sk = match of {
        Stopped::Deployment => EVERYTHING.to_owned(),
        Stopped::Scope => scope.account().to_string(),
        Stopped::Actor(actor) => format!("{}#{actor}", scope.account()),
    };
    (pk(scope), sk)
}

/// Where the switches are that may stop somebody in a scope; without the somebody, those that stop everybody.
pub(crate) fn keys_of(scope: &Scope, actor: Option<&Actor>) -> BTreeSet<RowKey> {
    all_of(actor).iter().map(|of| key_of(scope, of)).collect()
}

/// What stops an actor in a scope, the widest first, by rows that were all read.
///
/// # Errors
/// [`RowError`]; whoever cannot find out does not go on.
pub(crate) fn among(reads: &Reads, scope: &Scope, actor: Option<&Actor>) -> Result<Option<Stopped>, RowError> {
    for of in all_of(actor) {
        let at = key_of(scope, &of);
        if !reads.knows(&at) {
            return Err(RowError("stopped"));
        }
        let switch = Switch::of(of, reads.get(&at))?;
        if switch.stopped {
            return Ok(Some(switch.of));
        }
    }
    Ok(None)
}

fn all_of(actor: Option<&Actor>) -> Vec<Stopped> {
    [Stopped::Deployment, Stopped::Scope].into_iter().chain(actor.cloned().map(Stopped::Actor)).collect()
}

impl Switch {
    /// The switch as its row says; off where there is no row.
    pub(crate) fn of(of: Stopped, row: Option<&Item>) -> Result<Self, RowError> {
        let flag = |row: &Item| row.get("stopped").and_then(|value| value.as_bool().ok()).copied();
        let starting = |row: &Item| match row.contains_key("starting") {
            true => Ok(Some(Starting { person: parse(row, "starting")?, until: parse(row, "starting_until")? })),
            false => Ok(None),
        };
        let told = row.map_or_else(|| Ok(Vec::new()), |row| texts(row, "told"))?;
        let told = told.iter().map(|account| account.parse().map_err(|_| RowError("told")));
        Ok(Self {
            of,
            stopped: row.map_or(Ok(false), |row| flag(row).ok_or(RowError("stopped")))?,
            since: row.map(|row| parse(row, "since")).transpose()?,
            starting: row.map_or(Ok(None), starting)?,
            told: told.collect::<Result<_, _>>()?,
            version: Version::of(row)?,
        })
    }

    /// The write that makes it so, on the condition that the row is as it was read.
    pub(crate) fn put(&self, store: &Store, scope: &Scope) -> Result<TransactWriteItem, AwsError> {
        let mut attributes = vec![("stopped", AttributeValue::Bool(self.stopped))];
        attributes.extend(self.since.map(|since| ("since", s(since.to_string()))));
        if let Some(Starting { person, until }) = &self.starting {
            attributes.extend([("starting", s(person.as_str())), ("starting_until", s(until.to_string()))]);
        }
        if !self.told.is_empty() {
            attributes.push(("told", AttributeValue::Ss(self.told.iter().map(ToString::to_string).collect())));
        }
        self.version.put(store, &key_of(scope, &self.of), attributes)
    }
}

impl Store {
    /// What stops an actor in a scope: the deployment's switch before the scope's before the actor's own. None where they may go on. One wait, read consistently:
    /// whoever asks after a stop was answered is told of it.
    ///
    /// # Errors
    /// [`StoreError`]; whoever cannot find out does not go on.
    pub async fn stopped(&self, scope: &Scope, actor: &Actor) -> Result<Option<Stopped>, StoreError> {
        let reads = Reads::fetch(self, &keys_of(scope, Some(actor))).await?;
        Ok(among(&reads, scope, Some(actor))?)
    }

    /// A switch.
    pub(crate) async fn switch(&self, scope: &Scope, of: Stopped) -> Result<Switch, StoreError> {
        let (pk, sk) = key_of(scope, &of);
        Ok(Switch::of(of, self.row(&pk, &sk).await?.as_ref())?)
    }

    /// The switches that are on and stop something in a scope, the widest first.
    pub(crate) async fn all_stopped(&self, scope: &Scope) -> Result<Vec<Switch>, StoreError> {
        let mut switches = Vec::new();
        for row in self.partition(&pk(scope)).await? {
            let of = match text(&row, "sk")?.split_once('#') {
                None if text(&row, "sk")? == EVERYTHING => Stopped::Deployment,
                None if text(&row, "sk")? == scope.account().as_str() => Stopped::Scope,
                Some((account, actor)) if account == scope.account().as_str() => {
                    Stopped::Actor(actor.parse().map_err(|_| RowError("sk"))?)
                }
                _ => continue,
            };
            switches.push(Switch::of(of, Some(&row))?);
        }
        switches.retain(|switch| switch.stopped);
        switches.sort_by(|one, other| one.of.cmp(&other.of));
        Ok(switches)
    }
}
