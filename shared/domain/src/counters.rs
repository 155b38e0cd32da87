//! What has been counted for one subject: every series of it, in one text that one table row keeps.
//!
//! Pure arithmetic. Whoever keeps the row must write it on condition that nobody else has written it since it was read, in the
//! same transaction as what is counted; and must remember each [`Count`], so that it is committed or released in the bucket it
//! was taken in, once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{MAX_SAFE_INTEGER, Series, Timestamp};

/// Sums stop here instead of overflowing: a thousand times the largest amount there is.
const CEILING: u64 = i64::MAX.unsigned_abs();

/// How far a counted movement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its outcome is open.
    Held,
    /// It has moved.
    Committed,
}

/// An amount and how many movements it is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Minor units.
    pub amount: u64,
    /// Movements.
    pub count: u64,
}

impl Sum {
    fn plus(self, amount: u64, count: u64) -> Self {
        Self {
            amount: self.amount.saturating_add(amount).min(CEILING),
            count: self.count.saturating_add(count).min(CEILING),
        }
    }

    fn less(self, amount: u64, count: u64) -> Self {
        Self { amount: self.amount.saturating_sub(amount), count: self.count.saturating_sub(count) }
    }

    fn at_most(self, other: Self) -> Self {
        Self { amount: self.amount.min(other.amount), count: self.count.min(other.count) }
    }
}

/// What a window holds at a moment. No number is above 2^53 - 1, so that entries can record it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// All that was counted.
    pub used: Sum,
    /// The part of it whose outcome is open.
    pub held: Sum,
}

impl Reading {
    fn plus(self, other: Self) -> Self {
        Self {
            used: self.used.plus(other.used.amount, other.used.count),
            held: self.held.plus(other.held.amount, other.held.count),
        }
    }
}

/// One movement counted in one series: what its row remembers in order to commit or release it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    series: Series,
    bucket: i64,
    amount: u64,
    stage: Stage,
}

impl Count {
    pub(crate) const fn from_parts(series: Series, bucket: i64, amount: u64, stage: Stage) -> Self {
        Self { series, bucket, amount, stage }
    }

    /// What it was counted in.
    #[must_use]
    pub const fn series(&self) -> &Series {
        &self.series
    }

    /// The number of the bucket that it was counted in.
    #[must_use]
    pub const fn bucket(&self) -> i64 {
        self.bucket
    }

    /// The amount counted, in minor units.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.amount
    }

    /// How far it is.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.stage
    }
}

/// All series of one subject. The default is a subject of which nothing was ever counted.
///
/// A series keeps what counts now and one bucket before it; older buckets go with the next write, so the text stays short: two
/// buckets of a calendar window, 26 of a rolling one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// INVARIANT: no series is empty, no bucket has only zeros, and what is held is part of what is used.
    series: BTreeMap<Series, BTreeMap<i64, Reading>>,
}

/// The text is not one that [`Counters::text`] writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the text of a subject's counters is damaged")]
pub struct CountersError;

/// A negative amount (a payout that brings money in) takes nothing out of a limit.
fn size(amount_minor: i64) -> u64 {
    u64::try_from(amount_minor).unwrap_or(0)
}

impl Counters {
    /// What the window of `series` holds at a moment.
    #[must_use]
    pub fn reading(&self, series: &Series, at: Timestamp) -> Reading {
        let Some(buckets) = self.series.get(series) else { return Reading::default() };
        let window = series.window();
        let now = window.bucket(at);
        let counting = buckets.iter().filter(|(bucket, _)| window.holds(**bucket, now));
        let sum = counting.fold(Reading::default(), |sum, (_, reading)| sum.plus(*reading));
        let most = MAX_SAFE_INTEGER.unsigned_abs();
        let most = Sum { amount: most, count: most };
        Reading { used: sum.used.at_most(most), held: sum.held.at_most(most) }
    }

    /// Counts a movement. What is told so late that its window is long closed is counted nowhere.
    pub fn take(&mut self, series: &Series, at: Timestamp, amount_minor: i64, stage: Stage) -> Count {
        let (bucket, amount) = (series.window().bucket(at), size(amount_minor));
        let one = Sum { amount, count: 1 };
        let held = if stage == Stage::Held { one } else { Sum::default() };
        let slot = self.series.entry(series.clone()).or_default().entry(bucket).or_default();
        *slot = slot.plus(Reading { used: one, held });
        self.prune(at);
        Count { series: series.clone(), bucket, amount, stage }
    }

    /// The movement has moved, with this amount. Gives what the row remembers from now on. Nothing is done for a movement that is
    /// committed already, nor to a bucket that is gone.
    pub fn commit(&mut self, count: &Count, actual_minor: i64) -> Count {
        if count.stage == Stage::Committed {
            return count.clone();
        }
        let amount = size(actual_minor);
        self.change(count, |reading| Reading {
            used: reading.used.less(count.amount, 0).plus(amount, 0),
            held: reading.held.less(count.amount, 1),
        });
        Count { amount, stage: Stage::Committed, ..count.clone() }
    }

    /// The movement will not move, or has failed after it had: what it took is given back, if its bucket is still there.
    pub fn release(&mut self, count: &Count) {
        self.change(count, |reading| Reading {
            used: reading.used.less(count.amount, 1),
            held: match count.stage {
                Stage::Held => reading.held.less(count.amount, 1),
                Stage::Committed => reading.held,
            },
        });
    }

    fn change(&mut self, count: &Count, change: impl FnOnce(Reading) -> Reading) {
        let Some(buckets) = self.series.get_mut(&count.series) else { return };
        let Some(slot) = buckets.get_mut(&count.bucket) else { return };
        let after = change(*slot);
        *slot = Reading { used: after.used, held: after.held.at_most(after.used) };
        self.drop_empty();
    }

    /// Forgets what no longer counts.
    pub fn prune(&mut self, at: Timestamp) {
        for (series, buckets) in &mut self.series {
            let newest = buckets.keys().next_back().copied().unwrap_or(0).max(series.window().bucket(at));
            let oldest = series.window().oldest_kept(newest);
            buckets.retain(|bucket, _| *bucket >= oldest);
        }
        self.drop_empty();
    }

    fn drop_empty(&mut self) {
        for buckets in self.series.values_mut() {
            buckets.retain(|_, reading| *reading != Reading::default());
        }
        self.series.retain(|_, buckets| !buckets.is_empty());
    }

    /// Puts a reading in the place of whatever `series` holds, as if all of it had been counted at that moment: what a recorded
    /// reading is asked again with.
    pub fn restore(&mut self, series: &Series, at: Timestamp, reading: Reading) {
        let reading = Reading { used: reading.used, held: reading.held.at_most(reading.used) };
        self.series.insert(series.clone(), [(series.window().bucket(at), reading)].into());
        self.drop_empty();
    }

    /// Every series that something is counted in.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        self.series.keys()
    }

    /// The one text of these counters: compact JSON, `{"refund|usd|day@UTC":[[20757,5000,1],[1,300,2,100,1]]}`. A bucket is its
    /// number (after the first: how much further it is), used amount and count, and if anything is held, held amount and count.
    #[must_use]
    pub fn text(&self) -> String {
        let rows = |buckets: &BTreeMap<i64, Reading>| {
            let mut before = 0;
            let row = |(bucket, reading): (&i64, &Reading)| {
                let mut row = vec![*bucket - before, signed(reading.used.amount), signed(reading.used.count)];
                before = *bucket;
                if reading.held != Sum::default() {
                    row.extend([signed(reading.held.amount), signed(reading.held.count)]);
                }
                row
            };
            buckets.iter().map(row).collect::<Vec<_>>()
        };
        let map: BTreeMap<String, _> =
            self.series.iter().map(|(series, buckets)| (series.to_string(), rows(buckets))).collect();
        // Words and integers only: writing them cannot fail.
        serde_json::to_string(&map).unwrap_or_default()
    }

    /// Reads what [`Counters::text`] wrote.
    ///
    /// # Errors
    /// [`CountersError`] for any other text.
    pub fn from_text(text: &str) -> Result<Self, CountersError> {
        let map: BTreeMap<String, Vec<Vec<i64>>> = serde_json::from_str(text).map_err(|_| CountersError)?;
        let mut counters = Self::default();
        for (series, rows) in map {
            let (mut buckets, mut before) = (BTreeMap::new(), 0_i64);
            for row in rows {
                let (delta, reading) = read_row(&row).ok_or(CountersError)?;
                before = before.checked_add(delta).ok_or(CountersError)?;
                buckets.insert(before, reading);
            }
            counters.series.insert(series.parse().map_err(|_| CountersError)?, buckets);
        }
        counters.drop_empty();
        if counters.text() == text { Ok(counters) } else { Err(CountersError) }
    }
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// One bucket as written, if it keeps the invariants.
fn read_row(row: &[i64]) -> Option<(i64, Reading)> {
    let (delta, amount, count, held_amount, held_count) = match *row {
        [delta, amount, count] => (delta, amount, count, 0, 0),
        [delta, amount, count, held_amount, held_count] => (delta, amount, count, held_amount, held_count),
        _ => return None,
    };
    let sum =
        |amount: i64, count: i64| Some(Sum { amount: u64::try_from(amount).ok()?, count: u64::try_from(count).ok()? });
    let reading = Reading { used: sum(amount, count)?, held: sum(held_amount, held_count)? };
    // Bucket numbers are far inside 2^53; a larger one would overflow the sums of the next.
    let sound = delta.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs()
        && reading.held == reading.held.at_most(reading.used)
        && reading != Reading::default();
    sound.then_some((delta, reading))
}

#[cfg(test)]
mod tests;
