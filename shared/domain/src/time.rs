//! Moments: milliseconds since 1970 in UTC, written as RFC 3339 with three decimals and `Z`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A moment in UTC, to the millisecond. Written `2026-10-31T23:59:59.000Z`, always 24 characters, years 1970 to 9998.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// A day in UTC, written `2026-10-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(jiff::civil::Date);

/// The text or number is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Not the one accepted form.
    #[error("`{0}` is not a time: expected the form `2026-10-31T23:59:59.000Z`")]
    Form(String),
    /// Before 1970 or after 9998.
    #[error("{0} milliseconds since 1970 is outside the years 1970 to 9998")]
    Range(i64),
}

/// The last millisecond of the year 9998; the calendar library ends soon after.
const MAX_MILLIS: i64 = 253_370_764_799_999;

impl Timestamp {
    /// A moment from milliseconds since 1970.
    ///
    /// # Errors
    /// [`TimestampError::Range`].
    pub const fn from_millis(millis: i64) -> Result<Self, TimestampError> {
        if millis < 0 || millis > MAX_MILLIS { Err(TimestampError::Range(millis)) } else { Ok(Self(millis)) }
    }

    /// A moment from whole seconds since 1970, as Stripe writes them.
    ///
    /// # Errors
    /// [`TimestampError::Range`].
    pub const fn from_secs(secs: i64) -> Result<Self, TimestampError> {
        Self::from_millis(secs.saturating_mul(1_000))
    }

    /// The machine's clock. A clock set before 1970 reads as 1970.
    #[must_use]
    pub fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(MAX_MILLIS).min(MAX_MILLIS))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The moment `secs` seconds later; the end of 9998 at the latest.
    #[must_use]
    pub fn plus_secs(self, secs: i64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(1_000)).clamp(0, MAX_MILLIS))
    }

    /// The day in UTC.
    #[must_use]
    pub fn date(self) -> Date {
        Date(self.zoned().date())
    }

    fn zoned(self) -> jiff::civil::DateTime {
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        jiff::tz::Offset::UTC.to_datetime(moment)
    }
}

impl Date {
    /// The day's first moment, in UTC.
    #[must_use]
    pub fn start(self) -> Timestamp {
        let days = jiff::civil::Date::constant(1970, 1, 1).until(self.0).map_or(0, |span| span.get_days());
        Timestamp(i64::from(days).saturating_mul(86_400_000).clamp(0, MAX_MILLIS))
    }

    /// The first day of the next month; the same day where the calendar ends.
    #[must_use]
    pub(crate) fn next_month(self) -> Self {
        Self(self.0.last_of_month().tomorrow().unwrap_or(self.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.zoned();
        write!(f, "{}T{:02}:{:02}:{:02}.{:03}Z", Date(t.date()), t.hour(), t.minute(), t.second(), t.millisecond())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let error = || TimestampError::Form(text.chars().take(40).collect());
        let parsed: jiff::Timestamp = text.parse().map_err(|_| error())?;
        let moment = Self::from_millis(parsed.as_millisecond())?;
        // One moment has one text: everything else that RFC 3339 allows is refused.
        if moment.to_string() == text { Ok(moment) } else { Err(error()) }
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, TimestampError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(moment: Timestamp) -> Self {
        moment.to_string()
    }
}

impl FromStr for Date {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let error = || TimestampError::Form(text.chars().take(40).collect());
        let date = Self(text.parse().map_err(|_| error())?);
        if date.to_string() == text { Ok(date) } else { Err(error()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_793_491_199_999, "2026-10-31T23:59:59.999Z"),
            (MAX_MILLIS, "9998-12-31T23:59:59.999Z"),
        ] {
            let t = Timestamp::from_millis(millis).unwrap();
            assert_eq!(t.to_string(), text);
            assert_eq!(t.date().to_string(), text[..10]);
        }
        assert!(Timestamp::from_millis(-1).is_err() && Timestamp::from_millis(MAX_MILLIS + 1).is_err());
        assert!(Timestamp::from_secs(i64::MAX).is_err());
    }

    #[test]
    fn a_moment_has_one_text_only() {
        for bad in [
            "2026-10-31T23:59:59Z",
            "2026-10-31T23:59:59.00Z",
            "2026-10-31T23:59:59.0000Z",
            "2026-10-31T23:59:59.000+00:00",
            "2026-10-31t23:59:59.000z",
            "2026-10-31 23:59:59.000Z",
            "2026-02-30T00:00:00.000Z",
            "1969-12-31T23:59:59.999Z",
            "",
        ] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(millis in 0..=MAX_MILLIS) {
            let t = Timestamp::from_millis(millis).unwrap();
            prop_assert_eq!(t.to_string().parse::<Timestamp>(), Ok(t));
            prop_assert_eq!(t.to_string().len(), 24);
        }
    }
}
