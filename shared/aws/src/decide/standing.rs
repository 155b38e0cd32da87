//! Who calls, on which account, and what is enforced there: for calls that are not decided, and before those that are.

use std::collections::BTreeSet;

use axiru_domain::{AccountId, Actor, Family, KeyId, KeyToken, Lane, LogId, PersonId, Scope, Timestamp};
use axiru_policy::PlanSet;

use super::memory::{Place, Who};
use super::{DecideError, Decider, Undecided};
use crate::connection::{self, Connection, ConnectionState};
use crate::error::Retry;
use crate::item::bytes;
use crate::keys::{self, Key};
use crate::plans::{self, Assembled, PlanHeads};
use crate::reads::Reads;
use crate::switches::{self, Stopped};

/// A caller whose key is accepted, on a connected account.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The scope.
    pub scope: Scope,
    /// The key.
    pub key: KeyId,
    /// Who acts with it.
    pub actor: Actor,
    /// Who answers for that.
    pub operator: PersonId,
    /// What an operator has stopped, that of the actor's among it. Nothing that moves money is passed on meanwhile.
    pub stopped: Option<Stopped>,
    plans: PlanSet,
}

impl Standing {
    /// Whether something of the family is enforced.
    #[must_use]
    pub fn enforces(&self, family: Family) -> bool {
        self.plans.enforces(family)
    }

    /// The log of what is told about the scope as a whole.
    #[must_use]
    pub fn log(&self) -> LogId {
        LogId { scope: self.scope.clone(), lane: Lane::ZERO }
    }
}

impl Decider {
    /// Who calls, read now. While the store cannot be read, what is at most 30 seconds old is believed, but only where nothing at all is
    /// enforced: then the store's trouble must not become the caller's.
    ///
    /// # Errors
    /// [`DecideError`].
    pub async fn standing(&self, token: &KeyToken, account: Option<&AccountId>) -> Result<Standing, DecideError> {
        let now = (self.clock)();
        match tokio::time::timeout(self.deadline, self.read_standing(token, account, now)).await {
            Ok(Err(DecideError::Undecided(error))) if error.retry() == Retry::Later => {
                self.unenforced(token, account, now).ok_or(DecideError::Undecided(error))
            }
            Ok(read) => read,
            Err(_) => self.unenforced(token, account, now).ok_or_else(|| Undecided::Deadline.into()),
        }
    }

    /// Who called within the last 30 seconds, without reading anything. Not for an answer: whoever goes on reads again.
    #[must_use]
    pub fn remembered(&self, token: &KeyToken, account: Option<&AccountId>) -> Option<Standing> {
        self.recall(token, account, (self.clock)())
    }

    fn unenforced(&self, token: &KeyToken, account: Option<&AccountId>, now: Timestamp) -> Option<Standing> {
        let standing = self.recall(token, account, now)?;
        let none = Family::ALL.into_iter().all(|family| !standing.enforces(family));
        none.then_some(standing)
    }

    fn recall(&self, token: &KeyToken, account: Option<&AccountId>, now: Timestamp) -> Option<Standing> {
        let who = self.memory.who(token, now)?;
        let account = chosen(&self.memory.accounts(token, now)?, account).ok()?;
        let scope = Scope::new(token.mode(), account);
        let place = self.memory.place(&scope, now)?;
        let Assembled::Whole(plans) = self.plans.from_heads(&place.heads) else { return None };
        // What was stopped is not remembered.
        Some(standing(token, scope, who, None, plans))
    }

    async fn read_standing(
        &self,
        token: &KeyToken,
        account: Option<&AccountId>,
        now: Timestamp,
    ) -> Result<Standing, DecideError> {
        let key_row = (keys::pk(token.mode()), token.id().as_str().to_owned());
        // With the account at hand everything is read at once; otherwise the key says which it is.
        let hinted = account.cloned().or_else(|| chosen(&self.memory.accounts(token, now)?, None).ok());
        let mut wanted = BTreeSet::from([key_row.clone()]);
        wanted.extend(hinted.iter().flat_map(|account| place_rows(&Scope::new(token.mode(), account.clone()))));
        let known = self.memory.who(token, now).map(|who| who.actor);
        wanted.extend(
            hinted
                .iter()
                .flat_map(|account| switches::keys_of(&Scope::new(token.mode(), account.clone()), known.as_ref())),
        );
        let mut reads = Reads::fetch(&self.store, &wanted).await.map_err(Undecided::from)?;
        let key = reads.get(&key_row).map(Key::from_row).transpose().map_err(Undecided::from)?;
        let key = key.filter(|key| key.accepts(token, now).is_ok()).ok_or(DecideError::Key)?;
        self.memory.accepted(&key, token, now);
        let scope = Scope::new(key.mode, chosen(&key.accounts, account)?);
        let needed = place_rows(&scope).into_iter().chain(switches::keys_of(&scope, Some(&key.actor)));
        let missing: BTreeSet<_> = needed.filter(|row| !reads.knows(row)).collect();
        if !missing.is_empty() {
            reads.extend(Reads::fetch(&self.store, &missing).await.map_err(Undecided::from)?);
        }
        let [at, heads_at] = place_rows(&scope);
        let row = reads.get(&at).map(|row| Connection::from_row(scope.mode(), row)).transpose();
        let connection = row.map_err(Undecided::from)?.filter(|row| row.state != ConnectionState::Revoked);
        let lanes = connection.ok_or(DecideError::NotConnected)?.lanes;
        let heads = reads.get(&heads_at).ok_or(Undecided::NoPlans)?;
        let heads = PlanHeads::from_row(Some(heads)).map_err(Undecided::from)?;
        let stopped = switches::among(&reads, &scope, Some(&key.actor)).map_err(Undecided::from)?;
        match stopped {
            None => self.memory.read(&scope, Place { lanes, heads: heads.clone() }, now),
            Some(_) => self.memory.forget(token.id(), &scope),
        }
        let plans = match self.plans.from_heads(&heads) {
            Assembled::Whole(plans) => plans,
            Assembled::Missing(missing) => {
                let row = |sha256: &str| (plans::documents_pk(&scope), sha256.to_owned());
                let rows: BTreeSet<_> = missing.iter().map(|sha256| row(sha256)).collect();
                let documents = Reads::fetch(&self.store, &rows).await.map_err(Undecided::from)?;
                let document = |sha256: &str| {
                    documents.get(&row(sha256)).and_then(|row| bytes(row, "document").ok().map(<[u8]>::to_vec))
                };
                self.plans.with(&heads, document)
            }
        };
        let who = Who { actor: key.actor, operator: key.operator };
        Ok(standing(token, scope, who, stopped, plans))
    }
}

fn standing(token: &KeyToken, scope: Scope, who: Who, stopped: Option<Stopped>, plans: PlanSet) -> Standing {
    Standing { stopped, scope, key: token.id().clone(), actor: who.actor, operator: who.operator, plans }
}

/// The account that is meant: the one named, or the only one.
fn chosen(accounts: &BTreeSet<AccountId>, named: Option<&AccountId>) -> Result<AccountId, DecideError> {
    let account = match (named, accounts.len()) {
        (Some(named), _) => accounts.get(named),
        (None, 1) => accounts.first(),
        (None, _) => None,
    };
    account.cloned().ok_or(DecideError::Account)
}

fn place_rows(scope: &Scope) -> [(String, String); 2] {
    [(connection::pk(scope.mode()), scope.account().as_str().to_owned()), (plans::heads_pk(scope), "heads".to_owned())]
}
