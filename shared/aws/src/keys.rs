//! Keys of agents and staff, as they are stored and accepted.
//!
//! Row: pk `<mode>#keys`, sk `<key id>`; `secret_sha256` (the hash of the whole key), `actor`, `operator` and `issuer` (person ids),
//! `accounts` (a set), `state` (`active` or `revoked`), `valid_until` (optional), `created_at`, `per_minute`, `label`, `change`.
//! Whoever accepts a key reads its row for that very request, consistently: so a revocation is effective at once.

use std::collections::BTreeSet;

use axiru_domain::{AccountId, Actor, KeyHash, KeyId, KeyToken, Mode, PersonId, Timestamp};

use crate::item::{Item, RowError, key, number, parse, text, texts};

/// Whether a key may still be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// In use, until its end if it has one.
    Active,
    /// Never accepted again.
    Revoked,
}

impl KeyState {
    /// The state's word in the row.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }
}

/// A key, without its secret.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its public part.
    pub id: KeyId,
    /// The mode that it is for.
    pub mode: Mode,
    /// Who acts with it: an agent or a member of staff.
    pub actor: Actor,
    /// The person who answers for the actor.
    pub operator: PersonId,
    /// The person who made the key.
    pub issuer: PersonId,
    /// The accounts that it is for.
    pub accounts: BTreeSet<AccountId>,
    /// Whether it may still be used.
    pub state: KeyState,
    /// When it ends by itself.
    pub valid_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Requests a minute that are taken from it.
    pub per_minute: u32,
    /// The operators' own word for it. Never in entries.
    pub label: String,
    /// The administrative act that made it.
    pub change: String,
    pub(crate) hash: KeyHash,
}

/// The key is not accepted. Why is not said: to a stranger unknown, wrong, revoked and expired are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key is not accepted")]
pub struct KeyRefused;

/// Partition key of a mode's keys.
pub(crate) fn pk(mode: Mode) -> String {
    format!("{mode}#keys")
}

/// Where the row of a presented key is.
#[must_use]
pub fn key_of(mode: Mode, id: &KeyId) -> Item {
    key(pk(mode), id.as_str())
}

impl Key {
    /// The key in a row, wherever it was read.
    ///
    /// # Errors
    /// [`RowError`] for a row that this program did not write.
    pub fn from_row(row: &Item) -> Result<Self, RowError> {
        let mode = text(row, "pk")?.strip_suffix("#keys").and_then(|mode| mode.parse().ok()).ok_or(RowError("pk"))?;
        let state = match text(row, "state")? {
            "active" => KeyState::Active,
            "revoked" => KeyState::Revoked,
            _ => return Err(RowError("state")),
        };
        let actor: Actor = parse(row, "actor")?;
        if !matches!(actor, Actor::Agent(_) | Actor::Staff(_)) {
            return Err(RowError("actor"));
        }
        let accounts = texts(row, "accounts")?.iter().map(|account| account.parse()).collect::<Result<_, _>>();
        Ok(Self {
            id: parse(row, "sk")?,
            mode,
            actor,
            operator: parse(row, "operator")?,
            issuer: parse(row, "issuer")?,
            accounts: accounts.map_err(|_| RowError("accounts"))?,
            state,
            valid_until: row.contains_key("valid_until").then(|| parse(row, "valid_until")).transpose()?,
            created_at: parse(row, "created_at")?,
            per_minute: number(row, "per_minute")?,
            label: text(row, "label")?.to_owned(),
            change: text(row, "change")?.to_owned(),
            hash: parse(row, "secret_sha256")?,
        })
    }

    /// Whether whoever presents `token` may act with this key now. Which account they may act on is in `accounts`.
    ///
    /// # Errors
    /// [`KeyRefused`], the same for every reason; say the same where there is no row.
    pub fn accepts(&self, token: &KeyToken, now: Timestamp) -> Result<(), KeyRefused> {
        // The secret first, and in constant time: nothing else is told apart before it is known.
        let own = self.hash.is(&token.sha256()) && self.mode == token.mode() && self.id == *token.id();
        if own && self.is_live(now) { Ok(()) } else { Err(KeyRefused) }
    }

    /// Whether the key could be accepted now.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.state == KeyState::Active && self.valid_until.is_none_or(|end| now < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{n, s};

    fn token(mode: Mode, secret: u8) -> KeyToken {
        KeyToken::from_random(mode, KeyId::from_random([1; 12]), &[secret; 32])
    }

    fn row() -> Item {
        let token = token(Mode::Test, 9);
        let mut row = key_of(Mode::Test, token.id());
        for (name, value) in [
            ("secret_sha256", s(token.sha256().to_string())),
            ("actor", s("agent:ag_1")),
            ("operator", s("per_0123456789abcdef")),
            ("issuer", s("per_0123456789abcdef")),
            ("accounts", aws_sdk_dynamodb::types::AttributeValue::Ss(vec!["acct_1".into()])),
            ("state", s("active")),
            ("valid_until", s("2026-10-31T00:00:00.000Z")),
            ("created_at", s("2026-10-01T00:00:00.000Z")),
            ("per_minute", n(60)),
            ("label", s("")),
            ("change", s("chg_1")),
        ] {
            row.insert(name.to_owned(), value);
        }
        row
    }

    #[test]
    fn only_the_right_secret_in_time_is_accepted() {
        let key = Key::from_row(&row()).unwrap();
        let before: Timestamp = "2026-10-30T23:59:59.999Z".parse().unwrap();
        let end: Timestamp = "2026-10-31T00:00:00.000Z".parse().unwrap();
        assert_eq!(key.accepts(&token(Mode::Test, 9), before), Ok(()));
        assert_eq!(key.accepts(&token(Mode::Test, 9), end), Err(KeyRefused));
        assert_eq!(key.accepts(&token(Mode::Test, 8), before), Err(KeyRefused));
        assert_eq!(key.accepts(&token(Mode::Live, 9), before), Err(KeyRefused));
        let mut revoked = row();
        revoked.insert("state".into(), s("revoked"));
        assert_eq!(Key::from_row(&revoked).unwrap().accepts(&token(Mode::Test, 9), before), Err(KeyRefused));
        // The same hash copied into another mode or under another id is no key there.
        let mut moved = row();
        moved.insert("pk".into(), s("live#keys"));
        assert!(Key::from_row(&moved).unwrap().accepts(&token(Mode::Test, 9), before).is_err());
        moved.insert("sk".into(), s("otherotherot"));
        assert!(Key::from_row(&moved).unwrap().accepts(&token(Mode::Live, 9), before).is_err());
    }

    #[test]
    fn rows_of_another_form_are_refused() {
        for (name, value) in [
            ("pk", s("test#key")),
            ("sk", s("axk")),
            ("secret_sha256", s("")),
            ("actor", s("operator:op_1")),
            ("operator", s("rosa")),
            ("state", s("paused")),
            ("valid_until", s("tomorrow")),
            ("per_minute", n(-1)),
            ("accounts", s("acct_1")),
        ] {
            let mut row = row();
            row.insert(name.into(), value);
            assert_eq!(Key::from_row(&row).unwrap_err(), RowError(name));
        }
    }
}
