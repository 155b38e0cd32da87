//! Switches that stop what Axiru would do: of a whole scope, or of one actor in it.
//!
//! Row: pk `<mode>#switches`, sk `<account>` or `<account>#<actor>`; `stopped` (true or false), `since` (of the last change), `version`. It
//! stays when the switch is off. No row says that nothing is stopped; a row that cannot be read stops whoever asked by its error.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use axiru_domain::{Actor, Scope, Timestamp};

use crate::error::AwsError;
use crate::item::{Item, RowError, parse, s, text};
use crate::reads::{Reads, RowKey, Version};
use crate::store::{Store, StoreError};

/// What a switch is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stopped {
    /// Everything in the scope.
    Scope,
    /// What this actor asks for.
    Actor(Actor),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope => f.write_str("scope"),
            Self::Actor(actor) => actor.fmt(f),
        }
    }
}

/// A switch, as its row says.
#[derive(Clone, Debug)]
pub(crate) struct Switch {
    pub(crate) of: Stopped,
    pub(crate) stopped: bool,
    pub(crate) since: Option<Timestamp>,
    version: Version,
}

fn pk(scope: &Scope) -> String {
    format!("{}#switches", scope.mode())
}

/// Where a switch is.
pub(crate) fn key_of(scope: &Scope, of: &Stopped) -> RowKey {
    let sk = match of {
        Stopped::Scope => scope.account().to_string(),
        Stopped::Actor(actor) => format!("{}#{actor}", scope.account()),
    };
    (pk(scope), sk)
}

impl Switch {
    /// The switch as its row says; off where there is no row.
    pub(crate) fn of(of: Stopped, row: Option<&Item>) -> Result<Self, RowError> {
        let flag = |row: &Item| row.get("stopped").and_then(|value| value.as_bool().ok()).copied();
        Ok(Self {
            of,
            stopped: row.map_or(Ok(false), |row| flag(row).ok_or(RowError("stopped")))?,
            since: row.map(|row| parse(row, "since")).transpose()?,
            version: Version::of(row)?,
        })
    }

    /// The write that turns it, on the condition that it is as it was read.
    pub(crate) fn turned(
        &self,
        store: &Store,
        scope: &Scope,
        stopped: bool,
        now: Timestamp,
    ) -> Result<TransactWriteItem, AwsError> {
        let attributes = [("stopped", AttributeValue::Bool(stopped)), ("since", s(now.to_string()))];
        self.version.put(store, &key_of(scope, &self.of), attributes)
    }
}

impl Store {
    /// What stops an actor in a scope: the scope's switch before the actor's own. None where they may go on. One wait, read consistently:
    /// whoever asks after a stop was answered is told of it.
    ///
    /// # Errors
    /// [`StoreError`]; whoever cannot find out does not go on.
    pub async fn stopped(&self, scope: &Scope, actor: &Actor) -> Result<Option<Stopped>, StoreError> {
        let both = [Stopped::Scope, Stopped::Actor(actor.clone())];
        let keys: BTreeSet<RowKey> = both.iter().map(|of| key_of(scope, of)).collect();
        let reads = Reads::fetch(self, &keys).await?;
        for of in both {
            let row = reads.get(&key_of(scope, &of));
            let switch = Switch::of(of, row)?;
            if switch.stopped {
                return Ok(Some(switch.of));
            }
        }
        Ok(None)
    }

    /// A switch.
    pub(crate) async fn switch(&self, scope: &Scope, of: Stopped) -> Result<Switch, StoreError> {
        let (pk, sk) = key_of(scope, &of);
        Ok(Switch::of(of, self.row(&pk, &sk).await?.as_ref())?)
    }

    /// The switches of a scope that are on, the scope's own first.
    pub(crate) async fn all_stopped(&self, scope: &Scope) -> Result<Vec<Switch>, StoreError> {
        let mut switches = Vec::new();
        for row in self.partition(&pk(scope)).await? {
            let of = match text(&row, "sk")?.split_once('#') {
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
