//! The span of time that a limit counts over.
//!
//! A window is cut into *buckets*, each with a number. A calendar window is one bucket: a day, a week from Monday or a month, by
//! the clocks of a named time zone, however long that is when they are changed. A rolling window is cut into 24, and the oldest
//! bucket that touches it counts whole: never less than what lies in the window, at most what lies in 25/24 of it.
//!
//! Zones come from the IANA time zone database as compiled in, never from the machine.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use crate::Timestamp;

/// Buckets of a rolling window.
const BUCKETS: i64 = 24;
/// Shortest and longest rolling window: 5 minutes and 31 days, in seconds.
const ROLLING_SECS: std::ops::RangeInclusive<u32> = 300..=2_678_400;

/// A unit of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CalendarUnit {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
}

impl CalendarUnit {
    /// Every unit.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// A time zone of the IANA database, by the exact name that the database gives it.
#[derive(Clone)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// Its name: `Europe/Berlin`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl PartialOrd for Zone {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Zone {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

/// A window that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// No zone has that name.
    #[error("`{0}` is not a time zone")]
    Zone(String),
    /// The name with other capitals is one.
    #[error("`{0}` is not a time zone, `{1}` is")]
    ZoneSpelling(String, String),
    /// Too short, too long or not whole minutes.
    #[error("a rolling window lasts whole minutes, 5 minutes to 31 days, not {0} seconds")]
    Rolling(u32),
    /// Not the text of a window.
    #[error("`{0}` is not a window")]
    Form(String),
}

impl FromStr for Zone {
    type Err = WindowError;

    fn from_str(name: &str) -> Result<Self, WindowError> {
        let shown = || name.chars().take(60).collect::<String>();
        let zone = TimeZone::get(name).map_err(|_| WindowError::Zone(shown()))?;
        match zone.iana_name() {
            Some(known) if known == name && !zone.is_unknown() => Ok(Self { name: name.to_owned(), zone }),
            Some(known) if !zone.is_unknown() => Err(WindowError::ZoneSpelling(shown(), known.to_owned())),
            _ => Err(WindowError::Zone(shown())),
        }
    }
}

/// A span of time to count over. Written `day@Europe/Berlin`, `rolling@86400`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// By the calendar of a zone.
    Calendar(CalendarUnit, Zone),
    /// The last so many seconds, at any moment.
    Rolling(RollingSecs),
}

/// The length of a rolling window: whole minutes, 5 minutes to 31 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RollingSecs(u32);

impl RollingSecs {
    /// So many seconds.
    ///
    /// # Errors
    /// [`WindowError::Rolling`].
    pub fn new(secs: u32) -> Result<Self, WindowError> {
        let fits = ROLLING_SECS.contains(&secs) && secs.is_multiple_of(60);
        if fits { Ok(Self(secs)) } else { Err(WindowError::Rolling(secs)) }
    }

    /// The seconds.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The length of one bucket, in milliseconds; whole, because the length is whole minutes.
    fn bucket_millis(self) -> i64 {
        i64::from(self.0) * 1_000 / BUCKETS
    }
}

const EPOCH: Date = Date::constant(1970, 1, 1);

fn day_number(date: Date) -> i64 {
    i64::from(EPOCH.until(date).map_or(0, |span| span.get_days()))
}

fn date_of(day_number: i64) -> Date {
    EPOCH.checked_add(day_number.clamp(0, 2_932_000).days()).unwrap_or(EPOCH)
}

/// The first day of the unit that `date` is in.
fn first_day(unit: CalendarUnit, date: Date) -> Date {
    match unit {
        CalendarUnit::Day => date,
        CalendarUnit::Week => {
            let since = date.weekday().since(Weekday::Monday);
            date.checked_sub(i64::from(since).days()).unwrap_or(date)
        }
        CalendarUnit::Month => date.first_of_month(),
    }
}

/// The first day of the unit after the one that `date` is in.
fn next_first_day(unit: CalendarUnit, date: Date) -> Date {
    let first = first_day(unit, date);
    let span = match unit {
        CalendarUnit::Day => 1.days(),
        CalendarUnit::Week => 7.days(),
        CalendarUnit::Month => 1.months(),
    };
    first.checked_add(span).unwrap_or(Date::MAX)
}

impl Window {
    fn instant(at: Timestamp) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(at.millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// The number of the bucket that a moment is in: for a calendar window the number of its first day since 1970.
    pub(crate) fn bucket(&self, at: Timestamp) -> i64 {
        match self {
            Self::Calendar(unit, zone) => day_number(first_day(*unit, zone.zone.to_datetime(Self::instant(at)).date())),
            Self::Rolling(secs) => at.millis().div_euclid(secs.bucket_millis()),
        }
    }

    /// True where what was counted in `bucket` counts at a moment whose bucket is `now`.
    ///
    /// Buckets of a rolling window that begin later count as well: two clocks differ, and the window is never under-counted.
    pub(crate) const fn holds(&self, bucket: i64, now: i64) -> bool {
        match self {
            Self::Calendar(..) => bucket == now,
            Self::Rolling(_) => bucket >= now.saturating_sub(BUCKETS),
        }
    }

    /// The oldest bucket that is worth keeping when `newest` is the newest: one more than counts, for clocks that differ, and
    /// for what is told late.
    pub(crate) fn oldest_kept(&self, newest: i64) -> i64 {
        match self {
            Self::Calendar(unit, _) => {
                let before = date_of(newest).yesterday().unwrap_or(EPOCH);
                day_number(first_day(*unit, before))
            }
            Self::Rolling(_) => newest.saturating_sub(BUCKETS + 1),
        }
    }

    /// When what is counted at `at` has stopped counting.
    #[must_use]
    pub fn closes_at(&self, at: Timestamp) -> Timestamp {
        match self {
            Self::Calendar(unit, zone) => {
                let date = zone.zone.to_datetime(Self::instant(at)).date();
                let next = next_first_day(*unit, date).to_zoned(zone.zone.clone());
                next.ok().and_then(|next| Timestamp::from_millis(next.timestamp().as_millisecond()).ok()).unwrap_or(at)
            }
            Self::Rolling(secs) => {
                let millis = self.bucket(at).saturating_add(BUCKETS + 1).saturating_mul(secs.bucket_millis());
                Timestamp::from_millis(millis).unwrap_or(at)
            }
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calendar(unit, zone) => write!(f, "{}@{}", unit.as_str(), zone.name),
            Self::Rolling(secs) => write!(f, "rolling@{}", secs.0),
        }
    }
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let error = || WindowError::Form(text.chars().take(60).collect());
        let (head, tail) = text.split_once('@').ok_or_else(error)?;
        if head == "rolling" {
            let secs = tail.parse::<u32>().ok().filter(|secs| secs.to_string() == tail).ok_or_else(error)?;
            return Ok(Self::Rolling(RollingSecs::new(secs)?));
        }
        let unit = CalendarUnit::ALL.into_iter().find(|unit| unit.as_str() == head).ok_or_else(error)?;
        Ok(Self::Calendar(unit, tail.parse()?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(text: &str) -> Window {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_as_long_as_the_clocks_make_it() {
        for (zone, moment, closes) in [
            // Clocks forward on 29 March 2026 at 01:00 UTC, back on 25 October: days of 23 and 25 hours.
            ("Europe/Berlin", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"),
            ("Europe/Berlin", "2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"),
            // Lord Howe Island turns its clocks by half an hour.
            ("Australia/Lord_Howe", "2026-04-04T13:00:00.000Z", "2026-04-05T13:30:00.000Z"),
            ("Asia/Kolkata", "2026-05-01T18:30:00.000Z", "2026-05-02T18:30:00.000Z"),
            // Midnight does not exist: clocks go from 23:59:59 to 01:00.
            ("Africa/Cairo", "2026-04-23T22:00:00.000Z", "2026-04-24T21:00:00.000Z"),
            // A day that never was: Samoa left out 30 December 2011.
            ("Pacific/Apia", "2011-12-30T09:59:59.999Z", "2011-12-30T10:00:00.000Z"),
        ] {
            let day = window(&format!("day@{zone}"));
            let (moment, closes) = (at(moment), at(closes));
            assert_eq!(day.closes_at(moment), closes, "{zone}");
            let last = Timestamp::from_millis(closes.millis() - 1).unwrap();
            assert_eq!(day.bucket(last), day.bucket(moment), "{zone}");
            assert_ne!(day.bucket(closes), day.bucket(moment), "{zone}");
        }
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        let week = window("week@UTC");
        assert_eq!(week.closes_at(at("2026-11-01T23:59:59.999Z")), at("2026-11-02T00:00:00.000Z"));
        assert_eq!(week.closes_at(at("2026-11-02T00:00:00.000Z")), at("2026-11-09T00:00:00.000Z"));
        let month = window("month@UTC");
        assert_eq!(month.closes_at(at("2028-02-29T12:00:00.000Z")), at("2028-03-01T00:00:00.000Z"));
        assert_eq!(
            month.oldest_kept(month.bucket(at("2026-01-15T00:00:00.000Z"))),
            month.bucket(at("2025-12-31T00:00:00.000Z"))
        );
        assert_eq!(
            week.oldest_kept(week.bucket(at("2026-11-02T00:00:00.000Z"))),
            week.bucket(at("2026-11-01T00:00:00.000Z"))
        );
    }

    #[test]
    fn written_and_read_back() {
        for text in
            ["day@Europe/Berlin", "week@UTC", "month@America/Argentina/Buenos_Aires", "rolling@86400", "rolling@300"]
        {
            assert_eq!(window(text).to_string(), text);
        }
        for bad in [
            "",
            "day",
            "day@",
            "day@Mars/Olympus",
            "day@europe/berlin",
            "day@Etc/Unknown",
            "day@../etc",
            "hour@UTC",
            "rolling@",
            "rolling@299",
            "rolling@301",
            "rolling@2678460",
            "rolling@086400",
            "rolling@-300",
            "rolling@1d",
        ] {
            assert!(bad.parse::<Window>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_is_in_one_bucket_and_time_goes_forward(a in 0..4_000_000_000_000_i64, b in 0..90_000_000_i64, i in 0..5_usize) {
            let window = window(["day@Australia/Lord_Howe", "week@Europe/Berlin", "month@Asia/Kolkata", "rolling@3600", "rolling@2678400"][i]);
            let (first, second) = (Timestamp::from_millis(a).unwrap(), Timestamp::from_millis(a + b).unwrap());
            prop_assert!(window.bucket(first) <= window.bucket(second));
            prop_assert!(window.closes_at(first) > first);
            let now = window.bucket(second);
            prop_assert!(window.oldest_kept(now) < now);
            prop_assert!(!window.holds(window.bucket(first), window.bucket(window.closes_at(first))));
        }

        #[test]
        fn arbitrary_text_never_panics(text in ".{0,40}") {
            let _ = text.parse::<Window>();
            let _ = format!("day@{text}").parse::<Window>();
        }
    }
}
