//! The operators' digest of a scope: up to where they have been told, and how far a mail that is under way has come.
//!
//! Row: pk `<mode>#<account>#notify`, sk `operators`; `next` (JSON: lane to the first number that was not told), `upto` (the same: what the
//! mail under way tells, empty where none is), `told` (JSON: persons who have got it), `sent_at` (milliseconds), `lease`, `holder`, `version`.
//!
//! What a mail tells is fixed before the first of it is sent: a run that goes on after another tells everybody the same.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{Lane, PersonId, Scope, Timestamp};

use super::pk;
use crate::connect::token::random_id;
use crate::error::AwsError;
use crate::item::{Item, RowError, key, n, number, s, text};
use crate::store::{Store, StoreError};

const SK: &str = "operators";

/// How long one process may tell operators, in milliseconds: the function that does ends after 60 s.
const LEASE_MS: i64 = 90_000;

/// Numbers by lane.
pub type Range = BTreeMap<u16, u64>;

/// The right to tell the operators of a scope, and what they were told.
pub struct Digest {
    store: Store,
    scope: Scope,
    next: Range,
    upto: Range,
    told: BTreeSet<PersonId>,
    sent_at: i64,
    holder: String,
    version: u64,
}

fn json<T: serde::de::DeserializeOwned>(row: &Item, name: &'static str) -> Result<T, RowError> {
    serde_json::from_str(text(row, name)?).map_err(|_| RowError(name))
}

impl Store {
    /// Takes the right to tell the operators of a scope; none while another process has it, or where they were told less than `pause_secs`
    /// ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn digest(&self, scope: &Scope, pause_secs: i64, now: Timestamp) -> Result<Option<Digest>, StoreError> {
        let holder = random_id("").map_err(|_| AwsError::unexpected("telling operators", "no random bytes"))?;
        let mut digest = Digest {
            store: self.clone(),
            scope: scope.clone(),
            next: Range::new(),
            upto: Range::new(),
            told: BTreeSet::new(),
            sent_at: 0,
            holder,
            version: 0,
        };
        let mut lease: i64 = 0;
        if let Some(row) = self.row(&pk(scope), SK).await? {
            digest.next = json(&row, "next")?;
            digest.upto = json(&row, "upto")?;
            digest.told = json(&row, "told")?;
            digest.sent_at = number(&row, "sent_at")?;
            digest.version = number(&row, "version")?;
            lease = number(&row, "lease")?;
        }
        // One that is under way is finished before the pause counts.
        let paused = digest.upto.is_empty() && digest.sent_at.saturating_add(pause_secs * 1_000) > now.millis();
        if lease > now.millis() || paused {
            return Ok(None);
        }
        Ok(digest.write(now.millis().saturating_add(LEASE_MS)).await?.then_some(digest))
    }
}

impl Digest {
    /// The first number of a lane that was not told.
    #[must_use]
    pub fn next(&self, lane: Lane) -> u64 {
        self.next.get(&lane.number()).copied().unwrap_or(0)
    }

    /// Where the mail under way ends in a lane; none where no mail is under way.
    #[must_use]
    pub fn upto(&self, lane: Lane) -> Option<u64> {
        if self.upto.is_empty() { None } else { Some(self.upto.get(&lane.number()).copied().unwrap_or(0)) }
    }

    /// Whether a person has got the mail under way.
    #[must_use]
    pub fn has(&self, person: &PersonId) -> bool {
        self.told.contains(person)
    }

    /// Fixes what the mail tells, before it is sent. False where the right was lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin(&mut self, upto: Range, now: Timestamp) -> Result<bool, StoreError> {
        if self.upto.is_empty() {
            self.upto = upto;
        }
        Ok(self.write(now.millis().saturating_add(LEASE_MS)).await?)
    }

    /// Notes that a person has got it. False where the right was lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn told(&mut self, person: &PersonId, now: Timestamp) -> Result<bool, StoreError> {
        self.told.insert(person.clone());
        Ok(self.write(now.millis().saturating_add(LEASE_MS)).await?)
    }

    /// Everybody has got it: goes on behind it, and gives the right back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finish(mut self, now: Timestamp) -> Result<(), StoreError> {
        self.sent_at = now.millis();
        let upto = std::mem::take(&mut self.upto);
        self.skip(upto).await
    }

    /// There was nothing to tell up to there: goes on behind it, and gives the right back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn skip(mut self, upto: Range) -> Result<(), StoreError> {
        self.next.extend(upto);
        self.told.clear();
        self.write(0).await?;
        Ok(())
    }

    /// Gives the right back as things are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release(mut self) -> Result<(), StoreError> {
        self.write(0).await?;
        Ok(())
    }

    /// Writes the row on the condition that nobody else has; true where it is as written.
    async fn write(&mut self, lease: i64) -> Result<bool, AwsError> {
        let no_json = |_| AwsError::unexpected("telling operators", "no JSON");
        let put = self
            .store
            .client
            .put_item()
            .table_name(&self.store.state)
            .set_item(Some(key(pk(&self.scope), SK)))
            .item("next", s(serde_json::to_string(&self.next).map_err(no_json)?))
            .item("upto", s(serde_json::to_string(&self.upto).map_err(no_json)?))
            .item("told", s(serde_json::to_string(&self.told).map_err(no_json)?))
            .item("sent_at", n(self.sent_at))
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
                let row = self.store.row(&pk(&self.scope), SK).await?;
                row.is_some_and(|row| {
                    text(&row, "holder").is_ok_and(|holder| holder == self.holder)
                        && number(&row, "version") == Ok(self.version + 1)
                })
            }
            Err(error) => return Err(AwsError::of("telling operators")(error)),
        };
        if written {
            self.version += 1;
        }
        Ok(written)
    }
}
