//! Periods that a ledger is compared over: a month or a day, in UTC.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::time::{Date, Timestamp};

/// A month, written `2026-10`, or a day, written `2026-10-31`, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Period {
    /// A month, named by its first day.
    Month(Date),
    /// A day.
    Day(Date),
}

/// The text is not a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a period: expected a month such as `2026-10` or a day such as `2026-10-31`, from 1970 to 9998")]
pub struct PeriodError;

impl Period {
    /// The day before the one of that moment.
    #[must_use]
    pub fn yesterday(now: Timestamp) -> Self {
        Self::Day(now.plus_secs(-86_400).date())
    }

    /// Its first moment.
    #[must_use]
    pub fn from(self) -> Timestamp {
        let (Self::Month(day) | Self::Day(day)) = self;
        day.start()
    }

    /// The first moment after it.
    #[must_use]
    pub fn until(self) -> Timestamp {
        match self {
            Self::Day(day) => day.start().plus_secs(86_400),
            Self::Month(day) => day.next_month().start(),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(f),
            Self::Month(day) => f.write_str(day.to_string().get(..7).unwrap_or_default()),
        }
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let month = text.len() == 7;
        let whole = if month { format!("{text}-01") } else { text.to_owned() };
        let day: Date = whole.parse().map_err(|_| PeriodError)?;
        let period = if month { Self::Month(day) } else { Self::Day(day) };
        // Outside the years that a moment can have, the first moment would not be on that day.
        if period.from().date() == day && period.until() > period.from() { Ok(period) } else { Err(PeriodError) }
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;

    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn periods_begin_and_end_where_the_calendar_says() {
        for (text, from, until) in [
            ("2026-10", "2026-10-01T00:00:00.000Z", "2026-11-01T00:00:00.000Z"),
            ("2026-12", "2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"),
            ("2028-02", "2028-02-01T00:00:00.000Z", "2028-03-01T00:00:00.000Z"),
            ("2026-10-31", "2026-10-31T00:00:00.000Z", "2026-11-01T00:00:00.000Z"),
            ("2028-02-29", "2028-02-29T00:00:00.000Z", "2028-03-01T00:00:00.000Z"),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!((period.from().to_string(), period.until().to_string()), (from.to_owned(), until.to_owned()));
            assert_eq!(period.to_string(), text);
        }
        let yesterday = Period::yesterday("2026-11-01T03:23:00.000Z".parse().unwrap());
        assert_eq!(yesterday.to_string(), "2026-10-31");
    }

    #[test]
    fn other_texts_are_none() {
        let bad = [
            "",
            "2026",
            "2026-1",
            "2026-13",
            "2026-02-30",
            "2026-10-1",
            "1969-12",
            "2026-10-31T00",
            "+026-10",
            "1969-12-31",
            "9999-01",
        ];
        for bad in bad {
            assert_eq!(bad.parse::<Period>(), Err(PeriodError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic(text in ".{0,12}") {
            if let Ok(period) = text.parse::<Period>() {
                prop_assert_eq!(period.to_string(), text);
            }
        }
    }
}
