//! Currencies as Stripe's API writes them, and Stripe's rules for their amounts.
//!
//! The exponents are Stripe's own table (docs, "Currencies": zero-decimal, three-decimal and special cases), never ISO 4217's:
//! the two differ for MGA, ISK and UGX.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Kind;

/// A currency: three lower-case ASCII letters, as on Stripe's wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Amounts are whole units: one minor unit is the currency itself.
const ZERO_DECIMAL: [&str; 15] =
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"];

/// Amounts are thousandths, and the last digit must be 0.
const THREE_DECIMAL: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// Written with two decimals although only whole amounts exist.
const TWO_DECIMAL_WHOLE: [&str; 2] = ["isk", "ugx"];

/// Charged with two decimals, paid out in whole amounts only.
const WHOLE_PAYOUTS: [&str; 2] = ["huf", "twd"];

/// Currencies that Stripe charges, refunds or pays out (docs, "Supported currencies"). What Stripe *reports* may be newer than this list;
/// what somebody *asks* for must be in it.
const MOVED: &str = "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop \
crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs khr \
kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php \
pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv \
wst xaf xcd xcg xof xpf yer zar zmw";

impl Currency {
    /// Every currency that Stripe is known to move.
    pub fn moved() -> impl Iterator<Item = Self> {
        MOVED.split(' ').filter_map(|code| code.parse().ok())
    }

    /// Whether Stripe is known to move it.
    #[must_use]
    pub fn is_moved(&self) -> bool {
        MOVED.split(' ').any(|code| code == self.as_str())
    }

    /// The three lower-case letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: only ASCII letters are ever stored, so this cannot fail.
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Number of decimal places of one unit in Stripe's API: 0, 2 or 3.
    #[must_use]
    pub fn exponent(&self) -> u32 {
        let code = self.as_str();
        if ZERO_DECIMAL.contains(&code) {
            0
        } else if THREE_DECIMAL.contains(&code) {
            3
        } else {
            2
        }
    }

    /// Amounts of this currency moved by `kind` are multiples of this many minor units.
    #[must_use]
    pub fn step(&self, kind: Kind) -> i64 {
        let code = self.as_str();
        if THREE_DECIMAL.contains(&code) {
            10
        } else if TWO_DECIMAL_WHOLE.contains(&code) || (kind == Kind::Payout && WHOLE_PAYOUTS.contains(&code)) {
            100
        } else {
            1
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({})", self.as_str())
    }
}

/// The text is not a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a currency: expected three lower-case letters such as `usd`")]
pub struct CurrencyError(String);

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_lowercase) => Ok(Self(code)),
            _ => Err(CurrencyError(text.chars().take(20).collect())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;

    fn try_from(text: String) -> Result<Self, CurrencyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_case_codes_parse() {
        assert_eq!("usd".parse::<Currency>().map(String::from), Ok("usd".to_owned()));
        for bad in ["", "us", "USD", "usdt", "u5d", "éa", "us "] {
            assert!(bad.parse::<Currency>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_currency_that_is_moved_is_listed() {
        assert_eq!(Currency::moved().count(), MOVED.split(' ').count());
        assert!(Currency::moved().all(|currency| currency.is_moved()));
    }

    #[test]
    fn every_listed_rule() {
        let c = |code: &str| code.parse::<Currency>().unwrap();
        for code in ZERO_DECIMAL {
            assert_eq!((c(code).exponent(), c(code).step(Kind::Refund)), (0, 1), "{code}");
        }
        for code in THREE_DECIMAL {
            assert_eq!((c(code).exponent(), c(code).step(Kind::Refund)), (3, 10), "{code}");
        }
        for code in TWO_DECIMAL_WHOLE {
            assert_eq!((c(code).exponent(), c(code).step(Kind::Refund)), (2, 100), "{code}");
        }
        for code in WHOLE_PAYOUTS {
            assert_eq!(
                (c(code).exponent(), c(code).step(Kind::Refund), c(code).step(Kind::Payout)),
                (2, 1, 100),
                "{code}"
            );
        }
        for code in ["usd", "eur", "gbp", "chf"] {
            assert_eq!((c(code).exponent(), c(code).step(Kind::Payout)), (2, 1), "{code}");
        }
    }
}
