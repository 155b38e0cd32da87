//! Stopping everything, a scope or one of its actors, and starting them again. The rows are [`crate::switches`]'.
//!
//! One person stops; it takes two to start: whoever asks first is noted for an hour, and somebody else who asks within it starts. Where only
//! one person can administer at all, that one starts alone: nobody would be served by a deployment that nobody can start.

use std::collections::BTreeSet;

use axiru_domain::{Mode, PersonId, Scope, Timestamp};
use axiru_ledger::types::EntryType;
use serde_json::{Value, json};

use crate::admin::act::{Act, Effect};
use crate::admin::alias::Alias;
use crate::admin::person::Person;
use crate::admin::refusal::AdminError;
use crate::admin::why::Why;
use crate::connection::{self, Connection};
use crate::store::Store;
use crate::switches::{Starting, Stopped, Switch};

/// How long the first who wants a start is remembered, in seconds: an hour.
const START_SECS: i64 = 3_600;

/// What follows from what is asked.
enum Turn {
    /// It is so already.
    Nothing,
    /// It is stopped, or started, in the row and in this log.
    Turned,
    /// A second person is waited for.
    Asked,
}

impl Store {
    /// Stops, or starts again.
    ///
    /// # Errors
    /// Refused without a reason; where an actor is to be stopped that no key of the scope was ever of, since a slip of the pen would stop
    /// nobody; and where somebody who is no person of the scope wants to start.
    pub async fn turn_switch(
        &self,
        act: &Act,
        of: &Stopped,
        stopped: bool,
        why: &str,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        let why = Why::new(why)?;
        self.act(act, now, || async {
            let scope = &act.scope;
            let mut switch = self.switch(scope, of.clone()).await?;
            let turn = if stopped {
                self.known_actor(scope, of).await?;
                stop(&mut switch, scope, now())
            } else {
                self.start(&mut switch, act, now()).await?
            };
            let mut answer = json!({"of": of.to_string(), "stopped": switch.stopped});
            let mut add = |name: &str, value: Value| {
                answer.as_object_mut().and_then(|answer| answer.insert(name.to_owned(), value))
            };
            add("changed", (!matches!(turn, Turn::Nothing)).into());
            if let Some(starting) = switch.starting.as_ref().filter(|_| !stopped) {
                add("second_person_until", starting.until.to_string().into());
            }
            let mut fields = json!({"of": of.to_string(), "why_sha256": why.sha256()});
            let mut tell = |name: &str, value: Value| {
                fields.as_object_mut().and_then(|fields| fields.insert(name.to_owned(), value))
            };
            let ty = match turn {
                Turn::Nothing => return Ok(Effect::Nothing(answer)),
                Turn::Turned => {
                    tell("stopped", switch.stopped.into());
                    EntryType::SwitchChanged
                }
                Turn::Asked => {
                    tell("until", switch.starting.as_ref().map(|starting| starting.until.to_string()).into());
                    EntryType::SwitchStartAsked
                }
            };
            let rows = vec![switch.put(self, scope)?, why.row(self, scope, &act.change)?];
            Ok(Effect::Change { ty, fields, rows, answer })
        })
        .await
    }

    /// Refuses an actor of whom no key is known.
    async fn known_actor(&self, scope: &Scope, of: &Stopped) -> Result<(), AdminError> {
        let Stopped::Actor(actor) = of else { return Ok(()) };
        if self.keys(scope).await?.iter().any(|key| key.actor == *actor) {
            return Ok(());
        }
        let detail = format!(
            "no key of {scope} is or was {actor}'s; `axiru key list --scope {scope}` shows the actors, and without `--actor` everything in \
             the scope stops"
        );
        Err(AdminError::missing("no_such_actor", detail))
    }

    /// What comes of a wish to start.
    async fn start(&self, switch: &mut Switch, act: &Act, now: Timestamp) -> Result<Turn, AdminError> {
        let scope = &act.scope;
        if !switch.stopped {
            // Started by way of another account: this one's log has not been told yet.
            return Ok(if switch.told.remove(scope.account()) { Turn::Turned } else { Turn::Nothing });
        }
        let person = self.person_of(scope, &act.operator).await?;
        let others: BTreeSet<PersonId> =
            self.starters(scope, &switch.of).await?.into_iter().filter(|other| *other != person).collect();
        let first = switch.starting.as_ref().filter(|first| now < first.until);
        match first {
            Some(first) if first.person == person && !others.is_empty() => return Ok(Turn::Nothing),
            Some(first) if others.contains(&first.person) => {}
            _ if others.is_empty() => {}
            _ => {
                switch.starting = Some(Starting { person, until: now.plus_secs(START_SECS) });
                return Ok(Turn::Asked);
            }
        }
        (switch.stopped, switch.since, switch.starting) = (false, Some(now), None);
        switch.told.remove(scope.account());
        Ok(Turn::Turned)
    }

    /// Everybody who may want a start: persons with a principal, of the scope, or of every scope where it is of all of them.
    async fn starters(&self, scope: &Scope, of: &Stopped) -> Result<BTreeSet<PersonId>, AdminError> {
        let scopes =
            if *of == Stopped::Deployment { self.connected_ever(scope.mode()).await? } else { vec![scope.clone()] };
        let mut starters = BTreeSet::new();
        for scope in scopes {
            let persons = self.persons(&scope).await?.into_iter().filter(may_administer);
            starters.extend(persons.map(|person| person.id));
        }
        Ok(starters)
    }

    async fn connected_ever(&self, mode: Mode) -> Result<Vec<Scope>, AdminError> {
        let rows = self.partition(&connection::pk(mode)).await?;
        Ok(rows
            .iter()
            .map(|row| Ok(Connection::from_row(mode, row)?.scope))
            .collect::<Result<_, crate::item::RowError>>()?)
    }
}

/// What comes of a wish to stop.
fn stop(switch: &mut Switch, scope: &Scope, now: Timestamp) -> Turn {
    let untold = switch.of == Stopped::Deployment && !switch.told.contains(scope.account());
    if switch.stopped && switch.starting.is_none() && !untold {
        return Turn::Nothing;
    }
    if !switch.stopped {
        (switch.stopped, switch.since) = (true, Some(now));
        // Whose log has an earlier stop is told of this one too.
        switch.told.clear();
    }
    // Whoever wanted a start wants it anew after this.
    switch.starting = None;
    if switch.of == Stopped::Deployment {
        switch.told.insert(scope.account().clone());
    }
    Turn::Turned
}

fn may_administer(person: &Person) -> bool {
    person.aliases.iter().any(|alias| matches!(alias, Alias::Principal(_)))
}
