//! What the ledger tells of a period, over all lanes.
//!
//! A movement of a period cannot stand before it: an entry is made after what it tells. So each lane is read from the beginning of the
//! period, found by halving, to its end, which also shows what became of a movement afterwards.

use std::collections::BTreeMap;

use axiru_domain::{Currency, Kind, LogId, StripeId, Timestamp};
use axiru_ledger::entry::Entry;
use axiru_ledger::types::EntryType;
use serde_json::Value;

use super::subject::{Class, Subject};
use crate::connection::Connection;
use crate::ledger::CommitError;
use crate::observe::rank;
use crate::store::Store;

/// Entries of one read: some 700 bytes each, so that a read is one answer of DynamoDB's (1 MB).
const AT_ONCE: usize = 1_000;

/// How much earlier than the period is read, in seconds: Stripe's clock is not ours.
pub(super) const SLACK_SECS: i64 = 3_600;

/// A movement or a dispute as the ledger tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) amount_minor: i64,
    pub(super) currency: Currency,
    /// When it was made by Stripe's clock; where only Axiru's own outcome tells of it, when that was recorded.
    pub(super) moved_at: Timestamp,
    /// The latest status in its life; none where none is known.
    pub(super) status: Option<String>,
    /// Where its first entry is.
    pub(super) lane: u16,
    pub(super) seq: u64,
    /// The last entry that says anything of it.
    pub(super) newest: u64,
    /// Whether it was found in Stripe's list of events, and told by no webhook.
    pub(super) recovered: bool,
    /// Whether Stripe has reported it, so that `moved_at` is Stripe's.
    reported: bool,
    /// The transfer that it is a reversal of.
    pub(super) transfer: Option<StripeId>,
}

/// What the ledger tells.
#[derive(Debug, Default)]
pub(super) struct InLedger {
    pub(super) recorded: BTreeMap<Subject, Recorded>,
    /// Where the reading of each lane began.
    pub(super) begins: Vec<(u16, u64)>,
}

impl InLedger {
    /// Reads every lane of the connection.
    pub(super) async fn read(store: &Store, connection: &Connection, from: Timestamp) -> Result<Self, CommitError> {
        let mut told = Self::default();
        for log in connection.logs() {
            let begin = begin(store, &log, from.plus_secs(-SLACK_SECS)).await?;
            told.begins.push((log.lane.number(), begin));
            let mut next = begin;
            loop {
                let entries = store.entries(&log, next, AT_ONCE).await?;
                let Some(last) = entries.last() else { break };
                next = last.seq() + 1;
                entries.iter().for_each(|entry| told.take(entry));
            }
        }
        Ok(told)
    }

    /// Takes what an entry tells of a movement or a dispute.
    fn take(&mut self, entry: &Entry) {
        let text = |name: &str| entry.fields().get(name).and_then(Value::as_str);
        let moved = |name: &str| text(name).and_then(|at| at.parse::<Timestamp>().ok());
        let Some(object) = text("object").and_then(|id| id.parse::<StripeId>().ok()) else { return };
        let Ok(ty) = entry.ty().parse::<EntryType>() else { return };
        let ordinal = entry.fields().get("ordinal").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        let class = match ty {
            EntryType::FactRecorded => Class::Dispute,
            EntryType::MovementObserved
            | EntryType::MovementChanged
            | EntryType::MovementCancelled
            | EntryType::ExecutionSucceeded => match text("kind").and_then(|kind| kind.parse::<Kind>().ok()) {
                Some(kind) => Class::Movement(kind),
                None => return,
            },
            _ => return,
        };
        let subject = Subject { class, object, ordinal: ordinal.unwrap_or_default() };
        match ty {
            EntryType::MovementObserved => self.first(entry, subject, moved("moved_at"), true),
            EntryType::ExecutionSucceeded => self.first(entry, subject, Some(entry.at()), false),
            // That a dispute was opened; what happened to one of an earlier period is not of this one.
            EntryType::FactRecorded if text("fact") == Some("dispute_opened") => {
                self.first(entry, subject, moved("event_at"), true);
            }
            EntryType::MovementCancelled => self.later(entry, &subject, Some("canceled")),
            _ => self.later(entry, &subject, text("status")),
        }
    }

    /// A first entry of something: Stripe's report of it, or Axiru's own outcome; the other adds to it.
    fn first(&mut self, entry: &Entry, subject: Subject, moved_at: Option<Timestamp>, reported: bool) {
        let fields = entry.fields();
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let money = fields.get("amount_minor").and_then(Value::as_i64);
        let currency = text("currency").and_then(|text| text.parse::<Currency>().ok());
        let (Some(amount_minor), Some(currency), Some(moved_at)) = (money, currency, moved_at) else { return };
        let status = text("status");
        if let Some(known) = self.recorded.get_mut(&subject) {
            if reported && !known.reported {
                // What Stripe reports is what is compared.
                (known.amount_minor, known.currency, known.moved_at) = (amount_minor, currency, moved_at);
                known.reported = true;
                known.recovered = is_recovered(entry);
            }
            return self.later(entry, &subject, status);
        }
        let facts = fields.get("facts");
        let transfer = facts.and_then(|facts| facts.get("transfer")).and_then(Value::as_str);
        let recorded = Recorded {
            amount_minor,
            currency,
            moved_at,
            status: status.map(str::to_owned),
            lane: entry.log().lane.number(),
            seq: entry.seq(),
            newest: entry.seq(),
            recovered: is_recovered(entry),
            reported,
            transfer: transfer.and_then(|id| id.parse().ok()),
        };
        self.recorded.insert(subject, recorded);
    }

    /// A later entry of something. What was recorded before the period is not of it.
    fn later(&mut self, entry: &Entry, subject: &Subject, status: Option<&str>) {
        let Some(known) = self.recorded.get_mut(subject) else { return };
        known.newest = entry.seq();
        let Some(status) = status else { return };
        let further = match (subject.class, known.status.as_deref()) {
            (Class::Movement(kind), Some(current)) => rank(kind, status) >= rank(kind, current),
            _ => true,
        };
        if further {
            known.status = Some(status.to_owned());
        }
    }
}

#[cfg(test)]
impl Recorded {
    /// As one report of Stripe's leaves it.
    pub(super) fn at(
        amount_minor: i64,
        currency: Currency,
        moved_at: Timestamp,
        status: Option<&str>,
        seq: u64,
    ) -> Self {
        let status = status.map(str::to_owned);
        let (lane, newest, recovered, reported, transfer) = (0, seq, false, true, None);
        Self { amount_minor, currency, moved_at, status, lane, seq, newest, recovered, reported, transfer }
    }
}

fn is_recovered(entry: &Entry) -> bool {
    entry.fields().get("recovered") == Some(&Value::Bool(true))
}

/// The number of the first entry of a log that was made at `from` or later: time never runs back within a log, so it is found by halving.
async fn begin(store: &Store, log: &LogId, from: Timestamp) -> Result<u64, CommitError> {
    let (mut low, mut high) = (0, store.newest(log).await?.map_or(0, |entry| entry.seq() + 1));
    while low < high {
        let middle = low + (high - low) / 2;
        // What is not there, though something behind it is, the export raises an alarm about; nothing is told by it here.
        match store.entry(log, middle).await? {
            Some(entry) if entry.at() < from => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}
