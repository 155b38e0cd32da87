//! The part of a connection's row that renewing depends on, and its conditional writes.
//!
//! Beside `tokens`: `tokens_version` (how often they were renewed since the connect), `tokens_at` (when they were asked for),
//! `refreshed_by` (the key of the renewal that wrote them); while a renewal is open `refresh_key` and `refresh_key_at` (when it was
//! first sent), `refresh_lease` and `refresh_until` (epoch seconds); `refresh_fence` (how often the lease was taken); `refresh_doubt`
//! (an earlier try of this version may have spent the refresh token). A connect puts the whole row anew, so that none survives it.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use axiru_domain::{Scope, Timestamp};
use sha2::{Digest, Sha256};

use crate::connection::{self, ConnectionState, Credential};
use crate::error::{AwsError, made};
use crate::item::{Item, RowError, b, bytes, key, n, number, parse, s, text};
use crate::store::{Store, StoreError};
use crate::tokens::LIFE_SECS;

/// A lease outlives its holder, who gives up after [`super::DEADLINE`].
const LEASE_SECS: i64 = 40;

/// Tokens are renewed at half their life, five minutes more or less: not all connections of a stack in one moment.
const HALF_LIFE_SECS: i64 = LIFE_SECS / 2;
const JITTER_SECS: i64 = 5 * 60;

/// Tokens younger than this are not renewed because Stripe refused them: it would refuse the next as well.
const LEAST_SECS: i64 = 60;

/// How long a key is sent again: an hour less than Stripe keeps it at least (Stripe API, "Idempotent requests").
const KEY_SECS: i64 = 23 * 3_600;

/// What is known of a connection's tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TokenRow {
    pub(super) state: ConnectionState,
    pub(super) credential: Credential,
    /// The connect that the row stems from.
    pub(super) attempt: String,
    pub(super) version: u64,
    /// When they were asked for; rows of older programs do not say.
    pub(super) tokens_at: Option<Timestamp>,
    pub(super) refreshed_by: Option<String>,
    fence: u64,
    lease: Option<(String, i64)>,
    open: Option<(String, Timestamp)>,
    pub(super) doubt: bool,
}

/// What to do, from the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// The connection is not active: nothing is ever renewed.
    NotActive(ConnectionState),
    /// Nothing: the tokens are young, or not those that were refused.
    Fresh,
    /// Stripe refused a restricted key, which nobody can renew: see whether it still does.
    Check,
    /// Another holds the lease.
    Wait,
    /// Send this key again, first sent then: the answer to it was lost.
    Resume(String, Timestamp),
    /// Send a new key.
    Begin,
}

/// Which renewal of which connect a row's tokens stem from.
pub(crate) fn generation(row: &Item) -> Result<String, RowError> {
    Ok(format!("{}#{}", text(row, "attempt")?, version(row)?))
}

fn version(row: &Item) -> Result<u64, RowError> {
    if row.contains_key("tokens_version") { number(row, "tokens_version") } else { Ok(0) }
}

impl TokenRow {
    pub(super) fn of(row: &Item) -> Result<Self, RowError> {
        let has = |name: &str| row.contains_key(name);
        let pair = |name, at| Ok::<_, RowError>((text(row, name)?.to_owned(), number(row, at)?));
        Ok(Self {
            state: parse(row, "state")?,
            credential: Credential::of(row)?,
            attempt: text(row, "attempt")?.to_owned(),
            version: version(row)?,
            tokens_at: has("tokens_at").then(|| parse(row, "tokens_at")).transpose()?,
            refreshed_by: has("refreshed_by").then(|| text(row, "refreshed_by").map(str::to_owned)).transpose()?,
            fence: if has("refresh_fence") { number(row, "refresh_fence")? } else { 0 },
            lease: has("refresh_lease").then(|| pair("refresh_lease", "refresh_until")).transpose()?,
            open: has("refresh_key")
                .then(|| Ok((text(row, "refresh_key")?.to_owned(), parse(row, "refresh_key_at")?)))
                .transpose()?,
            doubt: has("refresh_doubt"),
        })
    }

    /// True where a key was sent, or an earlier one may have been taken.
    pub(super) const fn in_doubt(&self) -> bool {
        self.doubt || self.open.is_some()
    }

    /// True for the holder of that lease.
    pub(super) fn is_held_by(&self, lease: &str) -> bool {
        self.lease.as_ref().is_some_and(|(held, _)| held == lease)
    }

    /// The key that is open, and when it was first sent.
    pub(super) fn open(&self) -> Option<(String, Timestamp)> {
        self.open.clone()
    }

    /// What to do at `now`, for tokens of which Stripe refused the generation `refused`, if any.
    pub(super) fn plan(&self, scope: &Scope, refused: Option<&str>, now: Timestamp) -> Plan {
        if self.state != ConnectionState::Active {
            return Plan::NotActive(self.state);
        }
        let age = self.tokens_at.map_or(LIFE_SECS, |at| now.secs().saturating_sub(at.secs()));
        let was_refused = refused == Some(format!("{}#{}", self.attempt, self.version).as_str());
        if self.credential == Credential::RestrictedKey {
            return if was_refused { Plan::Check } else { Plan::Fresh };
        }
        let due = age >= self.due_after(scope) || (was_refused && age >= LEAST_SECS) || self.in_doubt();
        if !due {
            return Plan::Fresh;
        }
        if self.lease.as_ref().is_some_and(|(_, until)| now.secs() < *until) {
            return Plan::Wait;
        }
        match &self.open {
            Some((key, at)) if now < at.plus_secs(KEY_SECS) => Plan::Resume(key.clone(), *at),
            _ => Plan::Begin,
        }
    }

    /// The age at which these tokens are renewed: the same at every look, another for every connection and renewal.
    fn due_after(&self, scope: &Scope) -> i64 {
        let hash = Sha256::new().chain_update(scope.key()).chain_update(self.version.to_be_bytes()).finalize();
        let drawn = hash.iter().take(4).fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte));
        HALF_LIFE_SECS - JITTER_SECS + drawn % (2 * JITTER_SECS)
    }
}

/// A renewal that this process leads.
pub(super) struct Lead<'a> {
    pub(super) store: &'a Store,
    pub(super) scope: &'a Scope,
    pub(super) attempt: &'a str,
    pub(super) version: u64,
    pub(super) lease: &'a str,
}

/// What becomes of the key when the lease is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// It is sent again.
    Kept,
    /// Stripe did nothing: it is not needed.
    Dropped,
    /// Stripe keeps a failure under it, and may have acted.
    Doubted,
}

impl Lead<'_> {
    /// Takes the lease and writes the key ahead; false if the row is not as it was read.
    pub(super) async fn take(&self, seen: &TokenRow, key: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut update = "SET refresh_lease = :lease, refresh_until = :until, refresh_fence = :fence".to_owned();
        let mut values = vec![
            (":lease", s(self.lease)),
            (":until", n(now.plus_secs(LEASE_SECS).secs())),
            (":fence", n(seen.fence.saturating_add(1))),
        ];
        // The fence grows with every lease: whoever read the row before another took it comes too late, even after its end.
        let mut condition = if seen.fence == 0 {
            "attribute_not_exists(refresh_fence)".to_owned()
        } else {
            values.push((":seen", n(seen.fence)));
            "refresh_fence = :seen".to_owned()
        };
        values.push((":key", s(key)));
        if seen.open.as_ref().is_some_and(|(open, _)| open == key) {
            condition.push_str(" AND refresh_key = :key");
        } else {
            update.push_str(", refresh_key = :key, refresh_key_at = :now");
            values.push((":now", s(now.to_string())));
            if seen.in_doubt() {
                update.push_str(", refresh_doubt = :doubt");
                values.push((":doubt", AttributeValue::Bool(true)));
            }
        }
        self.update("leasing tokens", &condition, update, values).await
    }

    /// Stores renewed tokens; false if the lease was lost, the connection ended, or this is a retry of the same write.
    pub(super) async fn keep(&self, sealed: &[u8], tokens_at: Timestamp, key: &str) -> Result<bool, StoreError> {
        let values = vec![
            (":tokens", b(sealed)),
            (":next", n(self.version.saturating_add(1))),
            (":at", s(tokens_at.to_string())),
            (":key", s(key)),
            (":mine", s(self.lease)),
        ];
        let update = "SET tokens = :tokens, tokens_version = :next, tokens_at = :at, refreshed_by = :key \
                      REMOVE refresh_lease, refresh_until, refresh_key, refresh_key_at, refresh_doubt";
        self.update("keeping tokens", "refresh_lease = :mine", update.to_owned(), values).await
    }

    /// Gives the lease back.
    pub(super) async fn release(&self, key: Key) -> Result<bool, StoreError> {
        let mut values = vec![(":mine", s(self.lease))];
        let update = match key {
            Key::Kept => "REMOVE refresh_lease, refresh_until",
            Key::Dropped => "REMOVE refresh_lease, refresh_until, refresh_key, refresh_key_at",
            Key::Doubted => {
                values.push((":doubt", AttributeValue::Bool(true)));
                "SET refresh_doubt = :doubt REMOVE refresh_lease, refresh_until, refresh_key, refresh_key_at"
            }
        };
        self.update("releasing tokens", "refresh_lease = :mine", update.to_owned(), values).await
    }

    /// The write that ends the use of tokens which are dead. The row and the tokens in it stay.
    pub(super) fn end(&self) -> Result<TransactWriteItem, AwsError> {
        let update =
            "SET #state = :dead REMOVE refresh_lease, refresh_until, refresh_key, refresh_key_at, refresh_doubt";
        let mut builder = Update::builder()
            .table_name(&self.store.state)
            .set_key(Some(self.key()))
            .update_expression(update)
            .condition_expression(format!("{} AND refresh_lease = :mine", self.same_tokens()))
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":dead", s(ConnectionState::ReauthRequired.as_str()))
            .expression_attribute_values(":mine", s(self.lease));
        for (name, value) in self.same_values() {
            builder = builder.expression_attribute_values(name, value);
        }
        let update = builder.build().map_err(|_| AwsError::unexpected("ending tokens", "request not built"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn key(&self) -> Item {
        key(connection::pk(self.scope.mode()), self.scope.account().as_str())
    }

    /// INVARIANT: nothing is written but to the tokens that were read: of this connect, of this version, in use.
    fn same_tokens(&self) -> &'static str {
        if self.version == 0 {
            "#state = :active AND attempt = :attempt AND attribute_not_exists(tokens_version)"
        } else {
            "#state = :active AND attempt = :attempt AND tokens_version = :version"
        }
    }

    fn same_values(&self) -> Vec<(&'static str, AttributeValue)> {
        let mut values = vec![(":active", s(ConnectionState::Active.as_str())), (":attempt", s(self.attempt))];
        if self.version > 0 {
            values.push((":version", n(self.version)));
        }
        values
    }

    async fn update(
        &self,
        call: &'static str,
        condition: &str,
        update: String,
        values: Vec<(&'static str, AttributeValue)>,
    ) -> Result<bool, StoreError> {
        let mut request = self
            .store
            .client
            .update_item()
            .table_name(&self.store.state)
            .set_key(Some(self.key()))
            .condition_expression(format!("{} AND {condition}", self.same_tokens()))
            .update_expression(update)
            .expression_attribute_names("#state", "state");
        for (name, value) in values.into_iter().chain(self.same_values()) {
            request = request.expression_attribute_values(name, value);
        }
        Ok(made(call, request.send().await)?)
    }
}

impl Store {
    /// What is known of a scope's tokens, with the row it stands in.
    pub(super) async fn token_row(&self, scope: &Scope) -> Result<Option<(TokenRow, Item)>, StoreError> {
        let row = self.row(&connection::pk(scope.mode()), scope.account().as_str()).await?;
        row.map(|row| Ok((TokenRow::of(&row)?, row))).transpose()
    }
}

/// The sealed tokens of a row.
pub(super) fn sealed_tokens(row: &Item) -> Result<&[u8], RowError> {
    bytes(row, "tokens")
}

#[cfg(test)]
mod tests;
