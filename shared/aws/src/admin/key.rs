//! Making, replacing and revoking keys. The key itself is made on the operator's machine: what comes here is its id and its hash, so
//! its secret is never on a wire, in a log or in memory of a function, and asking again for the same key is harmless.
//!
//! A key can be for several accounts of one mode: its row is one, each account has its own act and entry. The row's `revoked_in` lists
//! the accounts whose ledger tells the revocation; the first of them ends the key for all.

use aws_lc_rs::rand;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use axiru_domain::{Actor, KeyHash, KeyId, KeyToken, Mode, PersonId, Scope, Timestamp};
use axiru_ledger::types::EntryType;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::admin::act::{Act, Effect, put_item, update_item};
use crate::admin::refusal::AdminError;
use crate::connect::token::RandomError;
use crate::item::{n, s, texts};
use crate::keys::{Key, KeyState, key_of, pk};
use crate::store::{Store, StoreError};

/// Most live keys of an actor: the one in use, and its successor while it is replaced.
pub const MAX_LIVE: usize = 2;

/// Longest life of a key, in days.
pub const MAX_DAYS: i64 = 366;

/// Longest time for which a replaced key still works: a week.
pub const MAX_OVERLAP_SECS: i64 = 7 * 86_400;

/// Most requests a minute that a key can be allowed.
pub const MAX_PER_MINUTE: u32 = 6_000;

/// Longest label, in characters.
const MAX_LABEL: usize = 100;

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its public part.
    pub id: KeyId,
    /// The hash of the whole key.
    pub hash: KeyHash,
    /// For whom.
    pub holder: Holder,
    /// When it ends.
    pub valid_until: Timestamp,
    /// Requests a minute.
    pub per_minute: u32,
    /// The operators' word for it.
    pub label: String,
}

/// For whom a key is made.
#[derive(Clone, Debug)]
pub enum Holder {
    /// An actor who has no key yet, and the person who answers for it.
    New(Actor, PersonId),
    /// An actor who has a key, with the person who answers for it.
    Known(Actor),
    /// The holder of this key, which ends after the overlap, in seconds.
    Replaces(KeyId, i64),
}

impl Key {
    /// The key for an operator's eyes. Its hash is not in it.
    #[must_use]
    pub fn shown(&self, now: Timestamp) -> Value {
        let state = match self.state {
            KeyState::Active if !self.is_live(now) => "expired",
            state => state.as_str(),
        };
        json!({
            "key": self.id.as_str(),
            "actor": self.actor.to_string(),
            "operator": self.operator.as_str(),
            "issuer": self.issuer.as_str(),
            "accounts": self.accounts,
            "state": state,
            "valid_until": self.valid_until.map(|end| end.to_string()),
            "created_at": self.created_at.to_string(),
            "per_minute": self.per_minute,
            "label": self.label,
        })
    }
}

/// A new key, with its secret: made where it is handed out, and nowhere kept.
///
/// # Errors
/// [`RandomError`].
pub fn new_token(mode: Mode) -> Result<KeyToken, RandomError> {
    let (mut id, mut secret) = ([0_u8; 12], Zeroizing::new([0_u8; 32]));
    rand::fill(&mut id).and_then(|()| rand::fill(secret.as_mut())).map_err(|_| RandomError)?;
    Ok(KeyToken::from_random(mode, KeyId::from_random(id), &secret))
}

impl NewKey {
    fn check(&self, now: Timestamp) -> Result<(), AdminError> {
        let form = |code, detail: String| Err(AdminError::form(code, detail));
        if self.valid_until <= now || self.valid_until > now.plus_secs(MAX_DAYS * 86_400) {
            return form("valid_until", format!("`valid_until` is later than now, by at most {MAX_DAYS} days"));
        }
        if !(1..=MAX_PER_MINUTE).contains(&self.per_minute) {
            return form("per_minute", format!("`per_minute` is a number from 1 to {MAX_PER_MINUTE}"));
        }
        if self.label.chars().count() > MAX_LABEL || self.label.chars().any(char::is_control) {
            return form("label", format!("`label` has at most {MAX_LABEL} characters on one line"));
        }
        match &self.holder {
            Holder::Replaces(_, overlap) if !(0..=MAX_OVERLAP_SECS).contains(overlap) => {
                form("overlap", format!("`overlap_secs` is a number from 0 to {MAX_OVERLAP_SECS}"))
            }
            Holder::New(actor, _) | Holder::Known(actor) if !matches!(actor, Actor::Agent(_) | Actor::Staff(_)) => {
                form("actor", "a key is for an `agent:…` or for `staff:…`".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// The holder as found in the rows: who, answered for by whom, and the key that is replaced.
struct Found<'a> {
    actor: Actor,
    operator: PersonId,
    replaced: Option<(&'a Key, i64)>,
}

/// Finds the holder among the mode's keys.
fn holder<'a>(wanted: &NewKey, act: &Act, keys: &'a [Key], now: Timestamp) -> Result<Found<'a>, AdminError> {
    let scope = &act.scope;
    // The new key itself may be there, made for another account by the same command.
    let of = |actor: &Actor| keys.iter().find(|key| key.actor == *actor && key.id != wanted.id);
    match &wanted.holder {
        Holder::New(actor, operator) => match of(actor) {
            None => Ok(Found { actor: actor.clone(), operator: operator.clone(), replaced: None }),
            Some(_) => Err(AdminError::conflict(
                "actor_exists",
                format!("{actor} has keys already; leave the operator away to make another key for it"),
            )),
        },
        Holder::Known(actor) => of(actor)
            .map(|key| Found { actor: actor.clone(), operator: key.operator.clone(), replaced: None })
            .ok_or_else(|| {
                AdminError::missing(
                    "no_such_actor",
                    format!(
                        "no key in {} mode is {actor}'s; `axiru key list --scope {scope}` shows the actors",
                        scope.mode()
                    ),
                )
            }),
        Holder::Replaces(id, overlap) => {
            let old = keys.iter().find(|key| key.id == *id && key.accounts.contains(scope.account()));
            let old = old.ok_or_else(|| no_such_key(scope, id))?;
            // Its successor may be there for another account, made by the same command, and the old key over since then.
            let under_way = keys.iter().any(|key| key.id == wanted.id && key.change == act.change.as_str());
            if !old.is_live(now) && !under_way {
                let detail = format!(
                    "the key {id} is revoked or expired; make a new one with `axiru key create --actor {}`",
                    old.actor
                );
                return Err(AdminError::conflict("key_not_live", detail));
            }
            Ok(Found { actor: old.actor.clone(), operator: old.operator.clone(), replaced: Some((old, *overlap)) })
        }
    }
}

fn no_such_key(scope: &Scope, id: &KeyId) -> AdminError {
    AdminError::missing(
        "no_such_key",
        format!("there is no key {id} for {scope}; `axiru key list --scope {scope}` shows those that are"),
    )
}

impl Store {
    /// The keys that are for a scope, by id.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn keys(&self, scope: &Scope) -> Result<Vec<Key>, AdminError> {
        let keys = self.keys_of_mode(scope).await?;
        Ok(keys.into_iter().filter(|key| key.accounts.contains(scope.account())).collect())
    }

    async fn keys_of_mode(&self, scope: &Scope) -> Result<Vec<Key>, StoreError> {
        let rows = self.partition(&pk(scope.mode())).await?;
        Ok(rows.iter().map(Key::from_row).collect::<Result<_, _>>()?)
    }

    /// Makes a key for a scope, or extends the same key to it.
    ///
    /// # Errors
    /// Refused where the caller or the operator is no person of the scope, the actor has two live keys, or another key has the id.
    pub async fn create_key(&self, act: &Act, wanted: &NewKey, now: fn() -> Timestamp) -> Result<Value, AdminError> {
        self.act(act, now, || async {
            let (scope, at) = (&act.scope, now());
            wanted.check(at)?;
            let issuer = self.person_of(scope, &act.operator).await?;
            // Who answers for an actor never changes, so the first reading finds the person. Their row is read before the keys are read
            // again: a key that somebody makes for the same actor in between moves its version.
            let keys = self.keys_of_mode(scope).await?;
            let Found { actor, operator, .. } = holder(wanted, act, &keys, at)?;
            let person = self.person(scope, &operator).await?;
            let keys = self.keys_of_mode(scope).await?;
            let Found { replaced, .. } = holder(wanted, act, &keys, at)?;
            let live = |key: &&Key| key.actor == actor && key.id != wanted.id && key.is_live(at);
            let live: Vec<&str> = keys.iter().filter(live).map(|key| key.id.as_str()).collect();
            if live.len() >= MAX_LIVE {
                let detail = format!(
                    "{actor} has {MAX_LIVE} live keys, {}; revoke one first (`axiru key revoke <key> --scope {scope}`)",
                    live.join(" and ")
                );
                return Err(AdminError::conflict("two_live_keys", detail));
            }
            let key = Key {
                id: wanted.id.clone(),
                mode: scope.mode(),
                actor,
                operator,
                issuer: issuer.clone(),
                accounts: [scope.account().clone()].into(),
                state: KeyState::Active,
                valid_until: Some(wanted.valid_until),
                created_at: at,
                per_minute: wanted.per_minute,
                label: wanted.label.clone(),
                change: act.change.to_string(),
                hash: wanted.hash,
            };
            let mut rows = vec![
                match keys.iter().find(|other| other.id == key.id) {
                    Some(other) => self.extended(&key, other, scope)?,
                    None => self.made(&key)?,
                },
                person.touch(self, scope)?,
            ];
            if issuer != key.operator {
                rows.push(self.person(scope, &issuer).await?.is_there(self, scope)?);
            }
            let ends = replaced.map(|(old, overlap)| (old, at.plus_secs(overlap)));
            if let Some((old, end)) = ends.filter(|(old, end)| old.valid_until.is_none_or(|until| *end < until)) {
                rows.push(self.shortened(old, end)?);
            }
            let fields = json!({
                "key": key.id.as_str(),
                "key_actor": key.actor.to_string(),
                "operator": key.operator.as_str(),
                "issuer": issuer.as_str(),
                "replaces": replaced.map(|(old, _)| old.id.as_str()),
                "per_minute": key.per_minute,
                "valid_until": wanted.valid_until.to_string(),
            });
            let answer = json!({
                "changed": true,
                "key": key.id.as_str(),
                "actor": key.actor.to_string(),
                "operator": key.operator.as_str(),
                "valid_until": wanted.valid_until.to_string(),
                "replaced_until": ends.map(|(old, end)| old.valid_until.map_or(end, |until| until.min(end)).to_string()),
            });
            Ok(Effect::Change { ty: EntryType::KeyCreated, fields, rows, answer })
        })
        .await
    }

    fn made(&self, key: &Key) -> Result<TransactWriteItem, StoreError> {
        let mut put = Put::builder()
            .table_name(&self.state)
            .set_item(Some(key_of(key.mode, &key.id)))
            .item("secret_sha256", s(key.hash.to_string()))
            .item("actor", s(key.actor.to_string()))
            .item("operator", s(key.operator.as_str()))
            .item("issuer", s(key.issuer.as_str()))
            .item("accounts", AttributeValue::Ss(key.accounts.iter().map(ToString::to_string).collect()))
            .item("state", s(key.state.as_str()))
            .item("created_at", s(key.created_at.to_string()))
            .item("per_minute", n(key.per_minute))
            .item("label", s(&key.label))
            .item("change", s(&key.change))
            .condition_expression("attribute_not_exists(pk)");
        if let Some(end) = key.valid_until {
            put = put.item("valid_until", s(end.to_string()));
        }
        put_item(put)
    }

    /// The same key for one more account. All that it says must be the same.
    fn extended(&self, key: &Key, other: &Key, scope: &Scope) -> Result<TransactWriteItem, AdminError> {
        let same = other.hash.is(&key.hash)
            && (&other.change, &other.actor, &other.operator, &other.issuer)
                == (&key.change, &key.actor, &key.operator, &key.issuer)
            && (other.valid_until, other.per_minute, other.state)
                == (key.valid_until, key.per_minute, KeyState::Active);
        if !same {
            return Err(AdminError::conflict(
                "key_exists",
                format!(
                    "there is a key {} already, and it is another one; a key for several accounts is made in one command, by one person who \
                     has the same id in each of them",
                    key.id
                ),
            ));
        }
        let update = Update::builder()
            .table_name(&self.state)
            .set_key(Some(key_of(key.mode, &key.id)))
            .update_expression("ADD accounts :account")
            .condition_expression("#state = :active AND change = :change")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":account", AttributeValue::Ss(vec![scope.account().to_string()]))
            .expression_attribute_values(":active", s(KeyState::Active.as_str()))
            .expression_attribute_values(":change", s(&key.change));
        Ok(update_item(update)?)
    }

    /// The key ends sooner.
    fn shortened(&self, old: &Key, end: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.state)
            .set_key(Some(key_of(old.mode, &old.id)))
            .update_expression("SET valid_until = :end")
            .condition_expression("#state = :active AND (attribute_not_exists(valid_until) OR valid_until > :end)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":active", s(KeyState::Active.as_str()))
            .expression_attribute_values(":end", s(end.to_string()));
        update_item(update)
    }

    /// Revokes a key, for all its accounts, and tells it in the ledger of this one.
    ///
    /// # Errors
    /// Refused where the key is not for the scope.
    pub async fn revoke_key(&self, act: &Act, id: &KeyId, now: fn() -> Timestamp) -> Result<Value, AdminError> {
        self.act(act, now, || async {
            let scope = &act.scope;
            let row = self.row(&pk(scope.mode()), id.as_str()).await?;
            let row = row.ok_or_else(|| no_such_key(scope, id))?;
            let key = Key::from_row(&row)?;
            if !key.accounts.contains(scope.account()) {
                return Err(no_such_key(scope, id));
            }
            let answer = |changed: bool| json!({"changed": changed, "key": id.as_str(), "accounts": key.accounts});
            if texts(&row, "revoked_in")?.iter().any(|account| account == scope.account().as_str()) {
                return Ok(Effect::Nothing(answer(false)));
            }
            let update = Update::builder()
                .table_name(&self.state)
                .set_key(Some(key_of(scope.mode(), id)))
                .update_expression("SET #state = :revoked ADD revoked_in :account")
                .condition_expression(
                    "attribute_exists(pk) AND (attribute_not_exists(revoked_in) OR NOT contains(revoked_in, :this))",
                )
                .expression_attribute_names("#state", "state")
                .expression_attribute_values(":revoked", s(KeyState::Revoked.as_str()))
                .expression_attribute_values(":this", s(scope.account().as_str()))
                .expression_attribute_values(":account", AttributeValue::Ss(vec![scope.account().to_string()]));
            let fields = json!({"key": id.as_str(), "key_actor": key.actor.to_string()});
            Ok(Effect::Change {
                ty: EntryType::KeyRevoked,
                fields,
                rows: vec![update_item(update)?],
                answer: answer(true),
            })
        })
        .await
    }
}
