//! A cap on what may move in a window, and what was read of it.

use serde::{Deserialize, Serialize};

use crate::{Hold, Kind, Money, Per, Reading, Series, Subject, Sum};

/// Most windows that one movement may be counted in.
pub const MAX_WINDOWS: usize = 20;

/// What a limit does with the movement that would pass it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExceed {
    /// It may not move.
    Block,
    /// It waits for people.
    RequireApproval,
}

/// A limit of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its id, unique among the plan's limits and policies.
    pub id: String,
    /// Whom it counts for.
    pub per: Per,
    /// What it counts.
    pub series: Series,
    /// Largest sum of amounts in the window, in minor units.
    pub max_amount: Option<u64>,
    /// Largest number of movements in the window.
    pub max_count: Option<u64>,
    /// Whom it asks when it would be passed; a limit without blocks.
    pub hold: Option<Hold>,
    /// Why it exists, in its author's words.
    pub reason: Option<String>,
}

/// A limit as it stood when a movement was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitReading {
    /// The limit's id.
    pub limit: String,
    /// For whom it was read.
    pub subject: Subject,
    /// What the window held before the movement.
    pub reading: Reading,
    /// Largest sum of amounts.
    pub max_amount: Option<u64>,
    /// Largest number of movements.
    pub max_count: Option<u64>,
    /// Whether the movement would pass it.
    pub passed: bool,
}

impl LimitReading {
    /// What is left before the movement: amount and count, none where the limit has no such cap.
    #[must_use]
    pub fn left(&self) -> (Option<u64>, Option<u64>) {
        let used = self.reading.used;
        (
            self.max_amount.map(|max| max.saturating_sub(used.amount)),
            self.max_count.map(|max| max.saturating_sub(used.count)),
        )
    }
}

impl Limit {
    /// What it does with the movement that would pass it.
    #[must_use]
    pub const fn on_exceed(&self) -> OnExceed {
        match self.hold {
            None => OnExceed::Block,
            Some(_) => OnExceed::RequireApproval,
        }
    }

    /// Whether it speaks of movements of that kind in that currency.
    #[must_use]
    pub fn covers(&self, kind: Kind, money: Money) -> bool {
        self.series.covers(kind, money.currency())
    }

    /// Whether `money` more, and one movement more, would pass it. A sum that is exactly the cap is within it.
    #[must_use]
    pub fn is_passed_by(&self, used: Sum, money: Money) -> bool {
        let amount = used.amount.saturating_add(u64::try_from(money.amount_minor()).unwrap_or(0));
        let count = used.count.saturating_add(1);
        self.max_amount.is_some_and(|max| amount > max) || self.max_count.is_some_and(|max| count > max)
    }

    /// The limit as it stands for `subject` before `money` moves.
    #[must_use]
    pub fn read(&self, subject: Subject, reading: Reading, money: Money) -> LimitReading {
        LimitReading {
            limit: self.id.clone(),
            subject,
            reading,
            max_amount: self.max_amount,
            max_count: self.max_count,
            passed: self.is_passed_by(reading.used, money),
        }
    }
}
