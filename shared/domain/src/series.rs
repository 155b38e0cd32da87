//! What is counted together: these kinds, in this currency, over this window.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Currency, Kind, Window};

/// What one counter counts, written `refund+payout|usd|day@Europe/Berlin`. Never a plan or its version: two limits with the same
/// series share one count, and a new version of a plan goes on with what has been counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Series {
    /// INVARIANT: sorted, none twice, never empty.
    kinds: Vec<Kind>,
    currency: Currency,
    window: Window,
}

/// The text is not a series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a series")]
pub struct SeriesError(String);

impl Series {
    /// The movements of these kinds in that currency over that window. None without a kind.
    #[must_use]
    pub fn new(kinds: &[Kind], currency: Currency, window: Window) -> Option<Self> {
        let mut kinds = kinds.to_vec();
        kinds.sort_unstable();
        kinds.dedup();
        (!kinds.is_empty()).then_some(Self { kinds, currency, window })
    }

    /// The kinds, in the domain's order.
    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The currency.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The window.
    #[must_use]
    pub const fn window(&self) -> &Window {
        &self.window
    }

    /// Whether a movement of that kind and currency belongs to it.
    #[must_use]
    pub fn covers(&self, kind: Kind, currency: Currency) -> bool {
        self.currency == currency && self.kinds.contains(&kind)
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, kind) in self.kinds.iter().enumerate() {
            write!(f, "{}{kind}", if i > 0 { "+" } else { "" })?;
        }
        write!(f, "|{}|{}", self.currency, self.window)
    }
}

impl FromStr for Series {
    type Err = SeriesError;

    fn from_str(text: &str) -> Result<Self, SeriesError> {
        let error = || SeriesError(text.chars().take(120).collect());
        let mut parts = text.splitn(3, '|');
        let (kinds, currency, window) = (parts.next(), parts.next(), parts.next());
        let kinds: Result<Vec<Kind>, _> = kinds.unwrap_or_default().split('+').map(str::parse).collect();
        let currency = currency.unwrap_or_default().parse().map_err(|_| error())?;
        let window = window.unwrap_or_default().parse().map_err(|_| error())?;
        let series = Self::new(&kinds.map_err(|_| error())?, currency, window).ok_or_else(error)?;
        // One series has one text.
        if series.to_string() == text { Ok(series) } else { Err(error()) }
    }
}

impl TryFrom<String> for Series {
    type Error = SeriesError;

    fn try_from(text: String) -> Result<Self, SeriesError> {
        text.parse()
    }
}

impl From<Series> for String {
    fn from(series: Series) -> Self {
        series.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_series_has_one_text() {
        for text in ["refund|usd|day@Europe/Berlin", "refund+transfer_reversal|jpy|rolling@86400"] {
            assert_eq!(text.parse::<Series>().map(String::from), Ok(text.to_owned()));
        }
        for bad in [
            "",
            "|usd|day@UTC",
            "refund|usd",
            "refund+refund|usd|day@UTC",
            "payout+refund|usd|day@UTC",
            "refund|USD|day@UTC",
            "refund|usd|day@UTC|x",
        ] {
            assert!(bad.parse::<Series>().is_err(), "{bad}");
        }
    }
}
