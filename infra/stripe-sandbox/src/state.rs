//! The whole state of the sandbox: pure, no I/O. Every other module changes it through the functions here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::Account;
use crate::app::{App, Install};
use crate::auth::Key;
use crate::clock::Clock;
use crate::config::SandboxConfig;
use crate::delivery::Deliveries;
use crate::diff::previous_attributes;
use crate::error::StripeError;
use crate::event::Cause;
use crate::ids::IdSource;
use crate::mode::{Mode, Scope};
use crate::oauth::Grants;
use crate::table::{Stored, Table};
use crate::traffic::Traffic;
use crate::world::World;

/// Everything the sandbox knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) ids: IdSource,
    pub(crate) api_version: String,
    pub(crate) developer: String,
    #[serde(default)]
    pub(crate) replays_tokens: bool,
    pub(crate) apps: BTreeMap<Mode, App>,
    pub(crate) accounts: Table<Account>,
    pub(crate) keys: BTreeMap<String, Key>,
    pub(crate) grants: Grants,
    pub(crate) installs: BTreeMap<String, Install>,
    pub(crate) worlds: BTreeMap<String, World>,
    pub(crate) deliveries: Deliveries,
    #[serde(default)]
    pub(crate) traffic: Traffic,
}

impl State {
    /// A sandbox with a developer account and one app per mode, and nothing else.
    #[must_use]
    pub(crate) fn new(config: SandboxConfig) -> Self {
        let mut state = Self {
            clock: config.clock,
            ids: IdSource::new(config.seed),
            api_version: config.api_version,
            developer: config.developer_account,
            replays_tokens: config.replays_tokens,
            apps: BTreeMap::new(),
            accounts: Table::default(),
            keys: BTreeMap::new(),
            grants: Grants::default(),
            installs: BTreeMap::new(),
            worlds: BTreeMap::new(),
            deliveries: Deliveries::new(config.max_attempts),
            traffic: Traffic::default(),
        };
        let developer = Account::developer(&state.developer, state.now());
        state.accounts.insert(state.developer.clone(), developer);
        for app in [config.test_app, config.live_app] {
            state.register_app(app);
        }
        state
    }

    /// The sandbox's now, in Unix seconds.
    #[must_use]
    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    pub(crate) fn world(&self, scope: &Scope) -> Option<&World> {
        self.worlds.get(&scope.to_string())
    }

    pub(crate) fn world_mut(&mut self, scope: &Scope) -> &mut World {
        self.worlds.entry(scope.to_string()).or_default()
    }

    /// Finds an object, or answers `resource_missing` with the hint about the other mode.
    pub(crate) fn find<T: Stored>(&self, scope: &Scope, id: &str, param: &str) -> Result<&T, StripeError> {
        let in_world = |at: &Scope| self.worlds.get(&at.to_string()).and_then(|world| T::table(world).get(id));
        in_world(scope).ok_or_else(|| {
            let other = scope.other_mode();
            StripeError::no_such(T::NOUN, id, param, in_world(&other).map(|_| other.mode))
        })
    }

    /// Stores a new object and returns its JSON.
    pub(crate) fn store<T: Stored>(&mut self, scope: &Scope, object: T) -> Value {
        let value = object.render();
        T::table_mut(self.world_mut(scope)).insert(object.id().to_owned(), object);
        value
    }

    /// Changes an object; answers its JSON and, if anything changed, what it was before.
    pub(crate) fn change<T: Stored>(
        &mut self,
        scope: &Scope,
        id: &str,
        change: impl FnOnce(&mut T),
    ) -> Result<(Value, Option<Value>), StripeError> {
        let mut object = self.find::<T>(scope, id, "id")?.clone();
        let before = object.render();
        change(&mut object);
        let after = object.render();
        T::table_mut(self.world_mut(scope)).insert(id.to_owned(), object);
        let previous = previous_attributes(&before, &after);
        Ok((after, previous))
    }

    /// [`State::change`], announced by one event if anything changed.
    pub(crate) fn change_and_tell<T: Stored>(
        &mut self,
        scope: &Scope,
        id: &str,
        event_type: &str,
        cause: &Cause,
        change: impl FnOnce(&mut T),
    ) -> Result<Value, StripeError> {
        let (value, previous) = self.change(scope, id, change)?;
        if previous.is_some() {
            self.emit(scope, event_type, value.clone(), previous, cause);
        }
        Ok(value)
    }
}
