//! Connections: the installed scopes.
//!
//! Row: pk `<mode>#connections`, sk `<account>`; `state`, `lanes`, `attempt`, `display_name`, `country`, `currency`,
//! `permissions`, `connected_at`, `tokens` (sealed) and what [`crate::refresh`] keeps of them, `endpoint` (the webhook endpoint its ledger names);
//! where it was connected with a restricted key also `credential` (`restricted_key`) and `granted` (a list: the permissions that the key has).
//! A revoked connection keeps its row without `tokens`: a new install resumes the same logs.

use std::fmt;

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use axiru_domain::{Lanes, Mode, Scope, Timestamp};

use crate::error::AwsError;
use crate::item::{Item, RowError, key, number, s, text};
use crate::store::{Store, StoreError};

/// What a connection may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// In use.
    Active,
    /// The merchant uninstalled it, or an operator disconnected it; nothing is accepted for it.
    Revoked,
    /// Its tokens died; a person must connect again.
    ReauthRequired,
}

impl ConnectionState {
    /// The state's word in the row.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
            Self::ReauthRequired => "reauth_required",
        }
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ConnectionState {
    type Err = RowError;

    fn from_str(text: &str) -> Result<Self, RowError> {
        [Self::Active, Self::Revoked, Self::ReauthRequired]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(RowError("state"))
    }
}

/// What a connection acts at Stripe with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Tokens of the merchant's own Stripe App, which end with its uninstalling.
    App,
    /// A restricted key of the account.
    RestrictedKey,
}

impl Credential {
    /// The word of the row and of answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::RestrictedKey => "restricted_key",
        }
    }

    /// What a connection's row says; older rows say nothing, and are an app's.
    pub(crate) fn of(row: &Item) -> Result<Self, RowError> {
        if !row.contains_key("credential") {
            return Ok(Self::App);
        }
        let word = text(row, "credential")?;
        [Self::App, Self::RestrictedKey].into_iter().find(|one| one.as_str() == word).ok_or(RowError("credential"))
    }
}

/// A connection, as far as those that move no token need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The scope.
    pub scope: Scope,
    /// What it may be used for.
    pub state: ConnectionState,
    /// Number of lanes of its logs.
    pub lanes: Lanes,
    /// What it acts at Stripe with.
    pub credential: Credential,
    /// Which connect it stems from.
    pub attempt: String,
    /// When that was.
    pub connected_at: Timestamp,
}

/// Partition key of a mode's connections.
pub(crate) fn pk(mode: Mode) -> String {
    format!("{mode}#connections")
}

impl Connection {
    pub(crate) fn from_row(mode: Mode, row: &Item) -> Result<Self, RowError> {
        let account = crate::item::parse(row, "sk")?;
        let lanes: u16 = number(row, "lanes")?;
        Ok(Self {
            scope: Scope::new(mode, account),
            state: crate::item::parse(row, "state")?,
            lanes: Lanes::try_from(lanes).map_err(|_| RowError("lanes"))?,
            credential: Credential::of(row)?,
            attempt: text(row, "attempt")?.to_owned(),
            connected_at: crate::item::parse(row, "connected_at")?,
        })
    }

    /// The write that ends it: its tokens are deleted; its logs stay.
    pub(crate) fn revoked(&self, store: &Store) -> Result<TransactWriteItem, AwsError> {
        let update = Update::builder()
            .table_name(&store.state)
            .set_key(Some(key(pk(self.scope.mode()), self.scope.account().as_str())))
            .update_expression("SET #state = :revoked REMOVE tokens")
            // The same install, and nobody else has ended it.
            .condition_expression("attempt = :attempt AND #state <> :revoked")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":revoked", s(ConnectionState::Revoked.as_str()))
            .expression_attribute_values(":attempt", s(&self.attempt))
            .build();
        let update = update.map_err(|_| AwsError::unexpected("ending a connection", "request not built"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The logs of the connection.
    pub fn logs(&self) -> impl Iterator<Item = axiru_domain::LogId> + '_ {
        self.lanes.all().map(|lane| axiru_domain::LogId { scope: self.scope.clone(), lane })
    }
}

impl Store {
    /// The connection of a scope.
    ///
    /// # Errors
    /// [`StoreError`] when the row cannot be read.
    pub async fn connection(&self, scope: &Scope) -> Result<Option<Connection>, StoreError> {
        let row = self.row(&pk(scope.mode()), scope.account().as_str()).await?;
        Ok(row.map(|row| Connection::from_row(scope.mode(), &row)).transpose()?)
    }

    /// Every connection of a mode, revoked ones too: their logs remain.
    ///
    /// # Errors
    /// [`StoreError`] when the rows cannot be read.
    pub async fn connections(&self, mode: Mode) -> Result<Vec<Connection>, StoreError> {
        let rows = self.partition(&pk(mode)).await?;
        Ok(rows.iter().map(|row| Connection::from_row(mode, row)).collect::<Result<_, _>>()?)
    }
}
