//! The counters that were read for one decision, by subject.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Count, Counters, Reading, Series, Stage, Subject, Timestamp};

/// The counters of the subjects of one movement, as they were read.
///
/// A subject that is not in it was **not read**: a limit on it is unknown and holds. A subject of which nothing has been counted
/// yet is in it with `Counters::default()`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    counters: BTreeMap<Subject, Counters>,
}

/// One movement counted for one subject, as a row remembers it:
/// `["charge#ch_1","refund|usd|day@UTC",20757,5000,"held"]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TakenRow", into = "TakenRow")]
pub struct Taken {
    /// For whom.
    pub subject: Subject,
    /// In what, and how much.
    pub count: Count,
}

#[derive(Serialize, Deserialize)]
struct TakenRow(Subject, Series, i64, u64, Stage);

impl From<TakenRow> for Taken {
    fn from(TakenRow(subject, series, bucket, amount, stage): TakenRow) -> Self {
        Self { subject, count: Count::from_parts(series, bucket, amount, stage) }
    }
}

impl From<Taken> for TakenRow {
    fn from(Taken { subject, count }: Taken) -> Self {
        Self(subject, count.series().clone(), count.bucket(), count.amount(), count.stage())
    }
}

impl Usage {
    /// Nothing was read: every limit is unknown, and holds.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Adds what was read for a subject: `Counters::default()` where there is no row yet.
    pub fn insert(&mut self, subject: Subject, counters: Counters) {
        self.counters.insert(subject, counters);
    }

    /// The counters of a subject; none where they were not read.
    #[must_use]
    pub fn get(&self, subject: &Subject) -> Option<&Counters> {
        self.counters.get(subject)
    }

    /// Every subject that was read, with its counters as they are now: what is to be written back.
    pub fn iter(&self) -> impl Iterator<Item = (&Subject, &Counters)> {
        self.counters.iter()
    }

    /// What the window of `series` holds for a subject; none where the subject was not read.
    #[must_use]
    pub fn reading(&self, subject: &Subject, series: &Series, at: Timestamp) -> Option<Reading> {
        Some(self.get(subject)?.reading(series, at))
    }

    /// Counts a movement for a subject; none where the subject was not read.
    pub fn take(
        &mut self,
        subject: &Subject,
        series: &Series,
        at: Timestamp,
        amount_minor: i64,
        stage: Stage,
    ) -> Option<Taken> {
        let count = self.counters.get_mut(subject)?.take(series, at, amount_minor, stage);
        Some(Taken { subject: subject.clone(), count })
    }

    /// Commits what was taken; gives what the row remembers from now on. None where the subject was not read.
    pub fn commit(&mut self, taken: &Taken, actual_minor: i64) -> Option<Taken> {
        let count = self.counters.get_mut(&taken.subject)?.commit(&taken.count, actual_minor);
        Some(Taken { subject: taken.subject.clone(), count })
    }

    /// Gives back what was taken. False where the subject was not read.
    pub fn release(&mut self, taken: &Taken) -> bool {
        let counters = self.counters.get_mut(&taken.subject);
        counters.map(|counters| counters.release(&taken.count)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_remembers_what_was_taken_in_few_bytes() {
        let at = Timestamp::from_millis(1_793_404_800_000).unwrap();
        let series: Series = "refund|usd|day@UTC".parse().unwrap();
        let subject: Subject = "charge#ch_1".parse().unwrap();
        let mut usage = Usage::nothing();
        assert_eq!(usage.take(&subject, &series, at, 5, Stage::Held), None);
        assert_eq!(usage.reading(&subject, &series, at), None);
        usage.insert(subject.clone(), Counters::default());
        let taken = usage.take(&subject, &series, at, 5_000, Stage::Held).unwrap();
        let text = serde_json::to_string(&taken).unwrap();
        assert_eq!(text, "[\"charge#ch_1\",\"refund|usd|day@UTC\",20757,5000,\"held\"]");
        assert_eq!(serde_json::from_str::<Taken>(&text).unwrap(), taken);
        let taken = usage.commit(&taken, 4_000).unwrap();
        assert_eq!((taken.count.amount(), taken.count.stage()), (4_000, Stage::Committed));
        assert!(usage.release(&taken));
        assert_eq!(usage.get(&subject), Some(&Counters::default()));
    }
}
