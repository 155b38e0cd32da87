//! What one request or movement takes of the windows, while its rows are changed together: committed or given back, once.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::TransactWriteItem;
use axiru_domain::{Scope, Subject, Taken, Timestamp};

use crate::counters::{self, CounterRow};
use crate::error::AwsError;
use crate::item::RowError;
use crate::reads::{Reads, RowKey};
use crate::store::Store;

/// Counter rows as read, and as the changes so far would leave them.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    rows: BTreeMap<Subject, CounterRow>,
    changed: BTreeSet<Subject>,
}

/// Where the rows are of which something was taken.
pub(crate) fn keys_of<'a>(scope: &Scope, taken: impl IntoIterator<Item = &'a Taken>) -> BTreeSet<RowKey> {
    taken.into_iter().map(|taken| counters::key_of(scope, &taken.subject)).collect()
}

impl Holds {
    /// The rows of everything that was taken, as read.
    pub(crate) fn of<'a>(
        scope: &Scope,
        taken: impl IntoIterator<Item = &'a Taken>,
        reads: &Reads,
    ) -> Result<Self, RowError> {
        let mut rows = BTreeMap::new();
        for taken in taken {
            let row = CounterRow::of(reads.get(&counters::key_of(scope, &taken.subject)))?;
            rows.insert(taken.subject.clone(), row);
        }
        Ok(Self { rows, changed: BTreeSet::new() })
    }

    /// Gives back what was taken.
    pub(crate) fn release(&mut self, taken: &[Taken]) {
        for taken in taken {
            if let Some(row) = self.rows.get_mut(&taken.subject) {
                row.counters.release(&taken.count);
                self.changed.insert(taken.subject.clone());
            }
        }
    }

    /// Commits what was held, with the amount that moved; gives what is counted from now on.
    pub(crate) fn commit(&mut self, taken: &[Taken], amount_minor: i64) -> Vec<Taken> {
        let mut committed = Vec::with_capacity(taken.len());
        for taken in taken {
            if let Some(row) = self.rows.get_mut(&taken.subject) {
                let count = row.counters.commit(&taken.count, amount_minor);
                self.changed.insert(taken.subject.clone());
                committed.push(Taken { subject: taken.subject.clone(), count });
            }
        }
        committed
    }

    /// The writes of what changed, each on the condition that the row is as it was read.
    pub(crate) fn puts(
        &self,
        store: &Store,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, AwsError> {
        let changed = self.changed.iter().filter_map(|subject| self.rows.get(subject).map(|row| (subject, row)));
        changed.map(|(subject, row)| row.put(store, &counters::key_of(scope, subject), now)).collect()
    }
}
