//! Mails that came back: noted once, in the ledger and beside the person.
//!
//! After a complaint or a permanent bounce nothing more is mailed *to that address*: the row holds its salted hash, and whoever mails leaves
//! such addresses out. It ends when an address of the person is added or taken away, which operators do when they have repaired it; the
//! ledger tells that, and [`Store::forget_returns`] forgets what was noted. (SES has a suppression list of its own, on which the address
//! stands until somebody takes it off.)
//!
//! Rows: pk `<mode>#<account>#mail`, sk `<person>`; `state` (`bounced` or `complained`), `at`, `report`, `addresses` (hashes), `version`;
//! only ids where it was forgotten. And pk `<mode>#<account>#returned#<report>`, sk `returned`; `expires_at`: that the report was noted.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use axiru_domain::{Actor, Lane, LogId, PersonId, Scope, Timestamp};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::connect::token::hex;
use crate::connection;
use crate::error::AwsError;
use crate::item::{Item, RowError, key, n, parse, s, text, texts};
use crate::ledger::{CommitError, Writes};
use crate::mail::event::{Return, Returned};
use crate::reads::{Reads, RowKey, Version};
use crate::store::{Store, StoreError};

/// How long it is remembered that a report was noted, in seconds: longer than SQS keeps one (14 days).
const KEPT_SECS: i64 = 30 * 86_400;

/// Most addresses that are silenced of one person, the newest; a person has ten at most.
const MAX_ADDRESSES: usize = 20;

/// Why an address gets no more mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It takes none.
    Bounced,
    /// Whoever reads it complained.
    Complained,
}

impl Silence {
    /// The word in the row.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }

    /// What follows from a return, where anything does.
    const fn of(kind: Return) -> Option<Self> {
        match kind {
            Return::BouncePermanent => Some(Self::Bounced),
            Return::Complaint => Some(Self::Complained),
            Return::BounceTransient | Return::Reject | Return::Refused => None,
        }
    }
}

/// Addresses of a person that get no more mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silenced {
    /// Why the last of them was silenced, and when.
    pub last: Option<(Silence, Timestamp)>,
    /// Their hashes.
    addresses: BTreeSet<String>,
    version: Version,
}

/// What came of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It is in the ledger now.
    Noted,
    /// It was before.
    Before,
    /// There is no such scope, or no such person: it is not about anybody.
    Nobody,
}

fn pk(scope: &Scope) -> String {
    format!("{}#mail", scope.key())
}

fn key_of(scope: &Scope, person: &PersonId) -> RowKey {
    (pk(scope), person.as_str().to_owned())
}

/// The hash of an address in a scope: the row of a return holds no address.
fn hash(scope: &Scope, address: &str) -> String {
    hex(&Sha256::digest(format!("axiru/mail-address/v1\n{scope}\n{}", address.to_ascii_lowercase())))
}

impl Silenced {
    fn of(row: Option<&Item>) -> Result<Self, RowError> {
        let Some(item) = row else { return Ok(Self::default()) };
        let last = match item.get("state") {
            None => None,
            Some(_) => {
                let why = match text(item, "state")? {
                    "bounced" => Silence::Bounced,
                    "complained" => Silence::Complained,
                    _ => return Err(RowError("state")),
                };
                Some((why, parse(item, "at")?))
            }
        };
        let addresses = texts(item, "addresses")?.into_iter().collect();
        Ok(Self { last, addresses, version: Version::of(row)? })
    }

    /// Whether an address gets no more mail.
    #[must_use]
    pub fn covers(&self, scope: &Scope, address: &str) -> bool {
        self.addresses.contains(&hash(scope, address))
    }

    /// The write of the row, with the report that it stems from.
    fn put(&self, store: &Store, key: &RowKey, report: &str) -> Result<TransactWriteItem, AwsError> {
        let mut attributes: Vec<(&'static str, AttributeValue)> = vec![("report", s(report))];
        if let Some((why, at)) = self.last {
            attributes.extend([("state", s(why.as_str())), ("at", s(at.to_string()))]);
        }
        // A set is never empty in DynamoDB.
        if !self.addresses.is_empty() {
            attributes.push(("addresses", AttributeValue::Ss(self.addresses.iter().cloned().collect())));
        }
        self.version.put(store, key, attributes)
    }
}

impl Store {
    /// Notes that a mail came back: an entry, and what follows for its address. Once, however often it is told.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn mail_returned(&self, returned: &Returned, now: fn() -> Timestamp) -> Result<Noted, CommitError> {
        let scope = &returned.scope;
        let log = LogId { scope: scope.clone(), lane: Lane::ZERO };
        let told_key = (format!("{}#returned#{}", scope.key(), returned.report), "returned".to_owned());
        let person_key = (format!("{}#persons", scope.key()), returned.person.as_str().to_owned());
        let own_key = key_of(scope, &returned.person);
        let connection_key = (connection::pk(scope.mode()), scope.account().as_str().to_owned());
        let wanted: BTreeSet<RowKey> =
            [&told_key, &person_key, &own_key, &connection_key].into_iter().cloned().collect();
        let outcome = std::sync::Mutex::new(Noted::Noted);
        let say = |what| *outcome.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = what;
        let plan = || async {
            let reads = Reads::fetch(self, &wanted).await?;
            if reads.get(&told_key).is_some() {
                say(Noted::Before);
                return Ok::<_, CommitError>(Writes::default());
            }
            if reads.get(&connection_key).is_none() || reads.get(&person_key).is_none() {
                say(Noted::Nobody);
                return Ok(Writes::default());
            }
            say(Noted::Noted);
            let mut rows = vec![self.told(&told_key, now()).map_err(StoreError::from)?];
            let mut silenced = Silenced::of(reads.get(&own_key)).map_err(StoreError::from)?;
            if let Some(why) = Silence::of(returned.kind) {
                silenced.last = Some((why, now()));
                let room = MAX_ADDRESSES.saturating_sub(silenced.addresses.len());
                silenced.addresses.extend(returned.addresses.iter().take(room).map(|address| hash(scope, address)));
                rows.push(silenced.put(self, &own_key, &returned.report)?);
            }
            let fields = json!({
                "report": returned.report,
                "person": returned.person.as_str(),
                "kind_of_return": returned.kind.as_str(),
                "request": returned.request.as_ref().map(axiru_domain::RequestId::as_str),
            });
            let fields = fields.as_object().cloned().unwrap_or_default();
            let draft = Draft { log: log.clone(), actor: Actor::Axiru, ty: EntryType::MailReturned, fields };
            Ok(Writes { drafts: vec![draft], rows })
        };
        let entries = self.commit(&log, now, plan).await?;
        let outcome = outcome.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A try of ours whose answer was lost is found as done before.
        Ok(if entries.is_empty() { outcome } else { Noted::Noted })
    }

    /// The write that says that a report was noted.
    fn told(&self, (pk, sk): &RowKey, now: Timestamp) -> Result<TransactWriteItem, AwsError> {
        let put = Put::builder()
            .table_name(&self.state)
            .set_item(Some(key(pk, sk)))
            .item("expires_at", n(now.plus_secs(KEPT_SECS).secs()))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|_| AwsError::unexpected("noting a return", "request not built"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The persons of a scope of whom an address gets no more mail, for operators to see.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn silenced(&self, scope: &Scope) -> Result<BTreeMap<PersonId, Silenced>, StoreError> {
        let mut silenced = BTreeMap::new();
        for row in self.partition(&pk(scope)).await? {
            let own = Silenced::of(Some(&row))?;
            if own.last.is_some() {
                silenced.insert(parse(&row, "sk")?, own);
            }
        }
        Ok(silenced)
    }

    /// Forgets what was noted of a person: an address of theirs was added or taken away, or they are gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_returns(&self, scope: &Scope, person: &PersonId) -> Result<(), StoreError> {
        let (pk, sk) = key_of(scope, person);
        let update = self
            .client
            .update_item()
            .table_name(&self.state)
            .set_key(Some(key(pk, sk)))
            .update_expression("REMOVE addresses, report, #state, #at ADD version :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":one", n(1));
        match update.send().await {
            // Nothing was noted.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(error) => Err(AwsError::of("forgetting returns")(error).into()),
            Ok(_) => Ok(()),
        }
    }
}
