//! What a warm function remembers, only to read the right rows at once.
//!
//! INVARIANT: nothing here decides. Whatever is predicted from memory is read in the same try, and a wrong prediction costs
//! one more read.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axiru_domain::{AccountId, Actor, KeyHash, KeyId, KeyToken, Lanes, PersonId, Scope, Timestamp};

use crate::keys::Key;
use crate::plans::PlanHeads;

/// How old a prediction may be, in seconds.
const MAX_AGE_SECS: i64 = 30;

/// Most keys, and most scopes, that are remembered.
const MAX_KEPT: usize = 1_000;

/// What was read lately.
#[derive(Default)]
pub(super) struct Memory {
    keys: Mutex<HashMap<KeyId, Remembered>>,
    scopes: Mutex<HashMap<Scope, (Place, Timestamp)>>,
}

/// A key that was accepted.
struct Remembered {
    hash: KeyHash,
    who: Who,
    accounts: BTreeSet<AccountId>,
    at: Timestamp,
}

/// For whom a key acts. Never changes.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) actor: Actor,
    pub(super) operator: PersonId,
}

/// What a scope's logs and plans are.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) lanes: Lanes,
    pub(super) heads: PlanHeads,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whole values are put in and taken out: a panic between leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// For whom the key acted when it was last accepted; nothing for a key whose secret is another.
    pub(super) fn who(&self, token: &KeyToken, now: Timestamp) -> Option<Who> {
        let keys = lock(&self.keys);
        let key = keys.get(token.id())?;
        (is_fresh(key.at, now) && key.hash.is(&token.sha256())).then(|| key.who.clone())
    }

    /// The accounts that the key was for when it was last accepted.
    pub(super) fn accounts(&self, token: &KeyToken, now: Timestamp) -> Option<BTreeSet<AccountId>> {
        let keys = lock(&self.keys);
        let key = keys.get(token.id())?;
        (is_fresh(key.at, now) && key.hash.is(&token.sha256())).then(|| key.accounts.clone())
    }

    /// What the scope was when it was last read.
    pub(super) fn place(&self, scope: &Scope, now: Timestamp) -> Option<Place> {
        let scopes = lock(&self.scopes);
        let (place, at) = scopes.get(scope)?;
        is_fresh(*at, now).then(|| place.clone())
    }

    /// Remembers a key that was accepted.
    pub(super) fn accepted(&self, key: &Key, token: &KeyToken, now: Timestamp) {
        let who = Who { actor: key.actor.clone(), operator: key.operator.clone() };
        let accounts = key.accounts.clone();
        put(&mut lock(&self.keys), key.id.clone(), Remembered { hash: token.sha256(), who, accounts, at: now });
    }

    /// Forgets a key and a scope: nothing is passed on by memory of what an operator has stopped.
    pub(super) fn forget(&self, key: &KeyId, scope: &Scope) {
        lock(&self.keys).remove(key);
        lock(&self.scopes).remove(scope);
    }

    /// Remembers what a scope is.
    pub(super) fn read(&self, scope: &Scope, place: Place, now: Timestamp) {
        put(&mut lock(&self.scopes), scope.clone(), (place, now));
    }
}

fn put<K: std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    if map.len() >= MAX_KEPT {
        map.clear();
    }
    map.insert(key, value);
}

fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    at.plus_secs(MAX_AGE_SECS) >= now && now.plus_secs(MAX_AGE_SECS) >= at
}
