//! Who was mailed about a request, when and why: so that nobody is mailed twice for one reason, and no two processes mail at once.
//!
//! Row: pk `<mode>#<account>#request#<id>`, sk `mail`; `marks` (JSON: `<person> <turn>` to milliseconds), `lease` (milliseconds, until when
//! one process mails), `holder`, `version`. A turn is a word for why: `asked`, `reminder-1`, `resend-<milliseconds>`, or the type of the
//! entry that is told.
//!
//! INVARIANT: a mark is written after SES has answered, under the lease. So a person is mailed twice for one reason only where a process
//! dies, or the answer of SES or of this table gets lost, between the two.

use std::collections::BTreeMap;

use axiru_domain::{PersonId, RequestId, Scope, Timestamp};

use crate::connect::token::random_id;
use crate::error::AwsError;
use crate::item::{Item, RowError, key, n, number, s, text};
use crate::reads::RowKey;
use crate::requests;
use crate::store::{Store, StoreError};

/// How long one process may mail about a request, in milliseconds: the function that does ends after 60 s.
const LEASE_MS: i64 = 90_000;

/// Who was mailed about a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailed(BTreeMap<String, i64>);

/// The right to mail about one request, and what was mailed before.
pub struct Mailing {
    store: Store,
    key: RowKey,
    mailed: Mailed,
    holder: String,
    version: u64,
}

fn key_of(scope: &Scope, id: &RequestId) -> RowKey {
    (requests::key_of(scope, id).0, "mail".to_owned())
}

fn mark(person: &PersonId, turn: &str) -> String {
    format!("{person} {turn}")
}

impl Mailed {
    fn of(row: &Item) -> Result<Self, RowError> {
        serde_json::from_str(text(row, "marks")?).map(Self).map_err(|_| RowError("marks"))
    }

    /// When a person was mailed for that reason.
    #[must_use]
    pub fn at(&self, person: &PersonId, turn: &str) -> Option<Timestamp> {
        self.0.get(&mark(person, turn)).and_then(|at| Timestamp::from_millis(*at).ok())
    }

    /// Whether a person was mailed at all.
    #[must_use]
    pub fn knows(&self, person: &PersonId) -> bool {
        let begins = mark(person, "");
        self.0.keys().any(|mark| mark.starts_with(&begins))
    }
}

impl Store {
    /// Who was mailed about a request; none where nobody ever was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mailed(&self, scope: &Scope, id: &RequestId) -> Result<Option<Mailed>, StoreError> {
        let (pk, sk) = key_of(scope, id);
        Ok(self.row(&pk, &sk).await?.as_ref().map(Mailed::of).transpose()?)
    }

    /// Takes the right to mail about a request; none while another process has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mailing(&self, scope: &Scope, id: &RequestId, now: Timestamp) -> Result<Option<Mailing>, StoreError> {
        let row_key = key_of(scope, id);
        let row = self.row(&row_key.0, &row_key.1).await?;
        let (mut mailed, mut version, mut lease) = (Mailed::default(), 0, 0);
        if let Some(row) = &row {
            mailed = Mailed::of(row)?;
            version = number(row, "version")?;
            lease = number(row, "lease")?;
        }
        if lease > now.millis() {
            return Ok(None);
        }
        let holder = random_id("").map_err(|_| AwsError::unexpected("mailing", "no random bytes"))?;
        let mut mailing = Mailing { store: self.clone(), key: row_key, mailed, holder, version };
        Ok(mailing.write(now.millis().saturating_add(LEASE_MS)).await?.then_some(mailing))
    }
}

impl Mailing {
    /// What was mailed, by this process too.
    #[must_use]
    pub const fn mailed(&self) -> &Mailed {
        &self.mailed
    }

    /// Notes that a person was mailed. False where the right was lost to another process meanwhile.
    ///
    /// # Errors
    /// [`StoreError`]. It may be noted all the same.
    pub async fn mark(&mut self, person: &PersonId, turn: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.mailed.0.insert(mark(person, turn), now.millis());
        Ok(self.write(now.millis().saturating_add(LEASE_MS)).await?)
    }

    /// Gives the right back. Where that fails it ends by itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release(mut self) -> Result<(), StoreError> {
        self.write(0).await?;
        Ok(())
    }

    /// Writes the row on the condition that nobody else has; true where it is as written.
    async fn write(&mut self, lease: i64) -> Result<bool, AwsError> {
        let marks = serde_json::to_string(&self.mailed.0).map_err(|_| AwsError::unexpected("mailing", "no JSON"))?;
        let put = self
            .store
            .client
            .put_item()
            .table_name(&self.store.state)
            .set_item(Some(key(&self.key.0, &self.key.1)))
            .item("marks", s(marks))
            .item("lease", n(lease))
            .item("holder", s(&self.holder))
            .item("version", n(self.version + 1));
        let put = if self.version == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("version = :seen").expression_attribute_values(":seen", n(self.version))
        };
        let written = match put.send().await {
            Ok(_) => true,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                // An earlier try of this very write may have done it, and its answer was lost.
                self.is_ours(self.version + 1).await?
            }
            Err(error) => return Err(AwsError::of("noting a mail")(error)),
        };
        if written {
            self.version += 1;
        }
        Ok(written)
    }

    async fn is_ours(&self, version: u64) -> Result<bool, AwsError> {
        let row = self.store.row(&self.key.0, &self.key.1).await?;
        Ok(row.is_some_and(|row| {
            text(&row, "holder").is_ok_and(|holder| holder == self.holder) && number(&row, "version") == Ok(version)
        }))
    }
}
