//! One comparison, from Stripe's lists to the entry: first the file, then the entry that names its hash.
//!
//! A crash anywhere repeats work and nothing else. The file has its name from its bytes and is written once. That the entry stands is noted
//! in a row of the same transaction (pk `<mode>#<account>#reconcile`, sk `report#<period>#<sha256>`), so an equal result makes no second one.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use axiru_domain::{Actor, Lane, LogId, Period, Scope, Timestamp};
use axiru_ledger::canonical::CanonicalError;
use axiru_ledger::entry::{Draft, EntryError, Tip};
use axiru_ledger::hash::Hash;
use axiru_ledger::layout::Name;
use axiru_ledger::types::EntryType;
use serde_json::{Value, json};

use super::at_stripe::AtStripe;
use super::compare::compare;
use super::gather::{Gatherer, Span};
use super::heal::YOUNG_SECS;
use super::in_ledger::InLedger;
use super::lists::{ListError, Lists};
use super::report::{About, Report, Tally, report};
use crate::connection::{Connection, ConnectionState};
use crate::error::{AwsError, Retry};
use crate::export::{Bucket, PutError};
use crate::item::s;
use crate::ledger::{CommitError, Writes};
use crate::reach::Reach;
use crate::store::{Store, StoreError};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The scope is not, or no longer, connected: there is no token to ask Stripe with.
    #[error("the account is not connected in this mode")]
    NotConnected,
    /// Its tokens died.
    #[error("the account must be connected again")]
    ReauthRequired,
    /// The period, or the connection, has not begun, or only just.
    #[error(
        "nothing of the period can be compared before ten minutes have passed since it, or the connection, began; ask again then"
    )]
    NotOver,
    /// The period ended before the account was first connected.
    #[error("the account was not connected in that period")]
    BeforeConnection,
    /// A list of Stripe's.
    #[error("{0}")]
    List(#[from] ListError),
    /// The ledger.
    #[error("{0}")]
    Commit(#[from] CommitError),
    /// A row.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The file.
    #[error("{0}")]
    File(#[from] PutError),
    /// The report has no canonical text.
    #[error("the report cannot be written: {0}")]
    Report(#[from] CanonicalError),
    /// The entry cannot be made.
    #[error("the entry cannot be made: {0}")]
    Entry(#[from] EntryError),
}

impl ReconcileError {
    /// Whether doing it later can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::List(error) => error.retry(),
            Self::Commit(error) => error.retry(),
            Self::Store(StoreError::Aws(error)) | Self::File(PutError::Aws(error)) => error.retry(),
            _ => Retry::Never,
        }
    }
}

/// A report that stands.
#[derive(Clone, Debug)]
pub struct Reconciled {
    /// What was found, in numbers.
    pub tally: Tally,
    /// Whether everything was compared and nothing is unmatched.
    pub complete: bool,
    /// The whole report.
    pub document: Value,
    /// The hash of its bytes.
    pub sha256: Hash,
    /// The name of its file.
    pub file: String,
    /// The id of its entry.
    pub entry: String,
    /// Whether the entry is new: the same result was not put down before.
    pub is_new: bool,
}

/// Partition of the state table with what is known of a scope's comparisons.
pub(super) fn pk(scope: &Scope) -> String {
    format!("{}#reconcile", scope.key())
}

/// Compares.
pub struct Reconciler {
    store: Store,
    reach: Arc<Reach>,
    bucket: Bucket,
    clock: fn() -> Timestamp,
}

impl Reconciler {
    /// On that store, by that way to Stripe, with the bucket of the export.
    #[must_use]
    pub fn new(store: Store, reach: Arc<Reach>, bucket: Bucket, clock: fn() -> Timestamp) -> Self {
        Self { store, reach, bucket, clock }
    }

    /// Compares a period of a scope, and puts the report down for `actor`: as a file and an entry. Of a period that is not over, what is
    /// older than ten minutes; of one in which the account was first connected, what is behind that moment.
    ///
    /// # Errors
    /// [`ReconcileError`]. Doing it again goes on where it stopped.
    pub async fn reconcile(&self, scope: &Scope, period: Period, actor: &Actor) -> Result<Reconciled, ReconcileError> {
        let connection = self.store.connection(scope).await?.ok_or(ReconcileError::NotConnected)?;
        match connection.state {
            ConnectionState::Active => {}
            ConnectionState::Revoked => return Err(ReconcileError::NotConnected),
            ConnectionState::ReauthRequired => return Err(ReconcileError::ReauthRequired),
        }
        let span = self.span(&connection, period).await?;
        // Stripe first: what happens meanwhile the ledger may tell already, and it is not of the period.
        let lists = Lists { reach: &self.reach, scope, clock: self.clock };
        let mut gatherer = Gatherer { lists, span, stripe: AtStripe::default(), looks: 0 };
        gatherer.lists().await?;
        let ledger = InLedger::read(&self.store, &connection, span.from).await?;
        gatherer.look(&ledger).await?;
        gatherer.look_behind_lines().await?;
        let stripe = gatherer.stripe;
        let about = About { scope, period, span };
        let report = report(about, &stripe, &ledger, &compare(span, &stripe, &ledger))?;
        self.put_down(about, actor, report).await
    }

    /// The part of a period that is compared.
    async fn span(&self, connection: &Connection, period: Period) -> Result<Span, ReconcileError> {
        let first = LogId { scope: connection.scope.clone(), lane: Lane::ZERO };
        let first = self.store.entry(&first, 0).await?;
        let first = first.filter(|entry| entry.ty() == EntryType::ConnectionConnected.as_str());
        let connected = first.map_or(connection.connected_at, |entry| entry.at());
        compared(period, connected, (self.clock)())
    }

    /// The file, then the entry.
    async fn put_down(&self, about: About<'_>, actor: &Actor, report: Report) -> Result<Reconciled, ReconcileError> {
        let file = Name::Reconciled(about.scope.clone(), about.period.to_string(), report.sha256);
        self.bucket.put_once(&file, report.bytes.as_bytes()).await?;
        let log = LogId { scope: about.scope.clone(), lane: Lane::ZERO };
        let draft = draft(&log, about, actor, &report);
        let row = format!("report#{}#{}", about.period, report.sha256);
        // The id does not hang on where the entry stands.
        let entry = draft.at_tip(&Tip::EMPTY, (self.clock)())?.id().to_owned();
        let plan = async || {
            if self.store.row(&pk(about.scope), &row).await?.is_some() {
                return Ok::<_, CommitError>(Writes::default());
            }
            Ok(Writes { drafts: vec![draft.clone()], rows: vec![self.noted(about.scope, &row, &entry)?] })
        };
        let is_new = !self.store.commit(&log, self.clock, plan).await?.is_empty();
        let complete = report.document.get("complete") == Some(&Value::Bool(true));
        let Report { document, sha256, tally, .. } = report;
        Ok(Reconciled { tally, complete, document, sha256, file: file.text(), entry, is_new })
    }

    fn noted(&self, scope: &Scope, row: &str, entry: &str) -> Result<TransactWriteItem, AwsError> {
        let put = Put::builder()
            .table_name(&self.store.state)
            .item("pk", s(pk(scope)))
            .item("sk", s(row))
            .item("entry", s(entry))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|_| AwsError::unexpected("committing", "request not built"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// The part of a period that is compared: since the account was first connected, and older than the last minutes, which are under way. Of a
/// period that is over it is the same whenever it is asked for.
fn compared(period: Period, connected: Timestamp, now: Timestamp) -> Result<Span, ReconcileError> {
    if connected >= period.until() {
        return Err(ReconcileError::BeforeConnection);
    }
    let young = now.plus_secs(-YOUNG_SECS);
    let until = period.until().min(young.plus_secs(-(young.secs() % 60)));
    let until = Timestamp::from_secs(until.secs()).unwrap_or(until);
    let from = period.from().max(connected);
    if from >= until { Err(ReconcileError::NotOver) } else { Ok(Span { from, until }) }
}

fn draft(log: &LogId, about: About<'_>, actor: &Actor, report: &Report) -> Draft {
    let Tally { matched, only_stripe, only_ledger, different } = report.tally;
    let fields = json!({
        "period": about.period.to_string(),
        "from": about.span.from.to_string(),
        "until": about.span.until.to_string(),
        "matched": matched,
        "only_stripe": only_stripe,
        "only_ledger": only_ledger,
        "different": different,
        "report_sha256": report.sha256.to_string(),
    });
    let fields = fields.as_object().cloned().unwrap_or_default();
    Draft { log: log.clone(), actor: actor.clone(), ty: EntryType::ReconcileReported, fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_compared_from_the_connection_to_ten_minutes_ago() {
        let at = |text: &str| format!("2026-10-{text}:00.000Z").parse::<Timestamp>().unwrap();
        let day: Period = "2026-10-31".parse().unwrap();
        let span =
            |connected: &str, now: Timestamp| compared(day, at(connected), now).map(|span| (span.from, span.until));
        let midnight = "2026-11-01T00:00:00.000Z".parse::<Timestamp>().unwrap();
        assert_eq!(span("01T00:00", midnight.plus_secs(86_400)).unwrap(), (at("31T00:00"), midnight));
        assert_eq!(span("31T12:00", midnight.plus_secs(86_400)).unwrap(), (at("31T12:00"), midnight));
        assert_eq!(span("31T12:00", at("31T12:30")).unwrap(), (at("31T12:00"), at("31T12:20")));
        // The first minutes of a connection, and of a day.
        assert!(matches!(span("31T12:00", at("31T12:10")), Err(ReconcileError::NotOver)));
        assert!(matches!(span("01T00:00", at("31T00:05")), Err(ReconcileError::NotOver)));
        assert!(matches!(span("01T00:00", at("30T23:00")), Err(ReconcileError::NotOver)));
        assert!(matches!(compared(day, midnight, midnight.plus_secs(86_400)), Err(ReconcileError::BeforeConnection)));
    }
}
