//! Lengths of time as people write them: `30m`, `24h`, `90d`, and `5s` to try things out.

use std::fmt;
use std::str::FromStr;

/// A length of time in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(i64);

/// The text is not a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a number and a unit: `30m`, `24h` or `90d`")]
pub(crate) struct SpanError;

impl Span {
    /// So many seconds.
    pub(crate) const fn of(secs: i64) -> Self {
        Self(secs)
    }

    pub(crate) const fn secs(self) -> i64 {
        self.0
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or(SpanError)?;
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(SpanError),
        };
        let number: u32 = number.parse().map_err(|_| SpanError)?;
        i64::from(number).checked_mul(unit).map(Self).ok_or(SpanError)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            secs if secs % 86_400 == 0 => write!(f, "{}d", secs / 86_400),
            secs if secs % 3_600 == 0 => write!(f, "{}h", secs / 3_600),
            secs if secs % 60 == 0 => write!(f, "{}m", secs / 60),
            secs => write!(f, "{secs}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read_back() {
        for text in ["5s", "90m", "36h", "90d", "0d"] {
            assert_eq!(text.parse::<Span>().map(|span| span.to_string()), Ok(text.to_owned()));
        }
        for bad in ["", "d", "90", "90w", "-1d", "1.5h", "1 d", "99999999999d", "é"] {
            assert_eq!(bad.parse::<Span>(), Err(SpanError), "{bad}");
        }
    }
}
