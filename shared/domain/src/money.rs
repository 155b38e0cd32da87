//! Amounts of money: integers of minor units, never a float, never across currencies.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Currency, Kind};

/// Largest integer that every JSON reader keeps exactly: 2^53 - 1 (RFC 8259 §6).
pub const MAX_SAFE_INTEGER: i64 = 9_007_199_254_740_991;

/// An amount in minor units of one currency. May be negative: Stripe reports payouts that debit a bank account so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    amount_minor: i64,
    currency: Currency,
}

/// An amount that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Larger in size than 2^53 - 1.
    #[error("amount {0} is outside the integers that every JSON reader keeps exactly")]
    Range(i64),
    /// A sum over two currencies.
    #[error("`{0}` and `{1}` cannot be added")]
    CurrencyMix(Currency, Currency),
    /// Zero or less where money is asked to leave.
    #[error("amount {0} is not above zero")]
    NotPositive(i64),
    /// Not a multiple of what the currency allows.
    #[error("amount {amount_minor} {currency} is not a multiple of {step}")]
    Step {
        /// The amount, in minor units.
        amount_minor: i64,
        /// Its currency.
        currency: Currency,
        /// The required multiple, in minor units.
        step: i64,
    },
}

impl Money {
    /// An amount as Stripe reports it.
    ///
    /// # Errors
    /// [`MoneyError::Range`] beyond 2^53 - 1 in size.
    pub const fn new(amount_minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        if amount_minor > MAX_SAFE_INTEGER || amount_minor < -MAX_SAFE_INTEGER {
            return Err(MoneyError::Range(amount_minor));
        }
        Ok(Self { amount_minor, currency })
    }

    /// The amount in minor units.
    #[must_use]
    pub const fn amount_minor(&self) -> i64 {
        self.amount_minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Checks an amount that somebody *asks* to move: above zero and a multiple of the currency's step for `kind`.
    ///
    /// Amounts that Stripe *reports* are not checked so: they have happened.
    ///
    /// # Errors
    /// [`MoneyError::NotPositive`], [`MoneyError::Step`].
    pub fn check_asked(&self, kind: Kind) -> Result<(), MoneyError> {
        if self.amount_minor <= 0 {
            return Err(MoneyError::NotPositive(self.amount_minor));
        }
        let step = self.currency.step(kind);
        if self.amount_minor % step != 0 {
            return Err(MoneyError::Step { amount_minor: self.amount_minor, currency: self.currency, step });
        }
        Ok(())
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMix`], [`MoneyError::Range`].
    pub fn plus(&self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMix(self.currency, other.currency));
        }
        // Two values within 2^53 cannot overflow an i64.
        Self::new(self.amount_minor.saturating_add(other.amount_minor), self.currency)
    }

    /// The amount as decimal text in whole units with the currency's own decimals, without separators: `1250.00`.
    #[must_use]
    pub fn decimal(&self) -> String {
        let sign = if self.amount_minor < 0 { "-" } else { "" };
        let digits = self.amount_minor.unsigned_abs();
        let exponent = self.currency.exponent();
        if exponent == 0 {
            return format!("{sign}{digits}");
        }
        let unit = 10_u64.pow(exponent);
        let width = usize::try_from(exponent).unwrap_or(0);
        format!("{sign}{}.{:0width$}", digits / unit, digits % unit)
    }
}

/// The amount for a person: thousands separated by commas, then the ISO code: `1,250.00 USD`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.decimal();
        let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
        let (whole, fraction) = text.split_once('.').map_or((text, ""), |(w, d)| (w, d));
        f.write_str(sign)?;
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i) % 3 == 0 {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        if !fraction.is_empty() {
            write!(f, ".{fraction}")?;
        }
        write!(f, " {}", self.currency.as_str().to_ascii_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(amount_minor: i64, currency: &str) -> Money {
        Money::new(amount_minor, currency.parse().unwrap()).unwrap()
    }

    #[test]
    fn every_currency_rule_shows_in_the_text() {
        for (amount, currency, text) in [
            (125_000, "usd", "1,250.00 USD"),
            (1, "usd", "0.01 USD"),
            (0, "eur", "0.00 EUR"),
            (500, "jpy", "500 JPY"),
            (1_234_567, "krw", "1,234,567 KRW"),
            (1_230, "kwd", "1.230 KWD"),
            (100, "isk", "1.00 ISK"),
            (100, "ugx", "1.00 UGX"),
            (99, "mga", "99 MGA"),
            (-45_050, "usd", "-450.50 USD"),
            (MAX_SAFE_INTEGER, "usd", "90,071,992,547,409.91 USD"),
        ] {
            assert_eq!(money(amount, currency).to_string(), text);
        }
    }

    #[test]
    fn asked_amounts_obey_the_step() {
        for (amount, currency, kind, ok) in [
            (0, "usd", Kind::Refund, false),
            (-1, "usd", Kind::Refund, false),
            (1, "usd", Kind::Refund, true),
            (15, "kwd", Kind::Refund, false),
            (20, "kwd", Kind::Refund, true),
            (150, "isk", Kind::Refund, false),
            (200, "ugx", Kind::Refund, true),
            (150, "huf", Kind::Refund, true),
            (150, "huf", Kind::Payout, false),
            (300, "twd", Kind::Payout, true),
        ] {
            assert_eq!(money(amount, currency).check_asked(kind).is_ok(), ok, "{amount} {currency} {kind}");
        }
    }

    #[test]
    fn ranges_and_mixes_are_refused() {
        let usd = "usd".parse().unwrap();
        assert!(Money::new(MAX_SAFE_INTEGER + 1, usd).is_err());
        assert!(Money::new(-MAX_SAFE_INTEGER - 1, usd).is_err());
        assert!(Money::new(i64::MIN, usd).is_err());
        assert!(money(1, "usd").plus(money(1, "eur")).is_err());
        assert!(money(MAX_SAFE_INTEGER, "usd").plus(money(1, "usd")).is_err());
    }

    proptest! {
        #[test]
        fn decimal_text_holds_exactly_the_amount(amount in -MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER, i in 0..6usize) {
            let m = money(amount, ["usd", "jpy", "kwd", "isk", "ugx", "twd"][i]);
            let text = m.decimal();
            let digits: String = text.chars().filter(|c| *c != '.').collect();
            prop_assert_eq!(digits.parse::<i64>().unwrap(), amount);
            let decimals = text.split_once('.').map_or(0, |(_, d)| d.len());
            prop_assert_eq!(u32::try_from(decimals), Ok(m.currency().exponent()));
        }

        #[test]
        fn sums_commute(a in -1_000_000_000_000_i64..1_000_000_000_000, b in -1_000_000_000_000_i64..1_000_000_000_000) {
            let (a, b) = (money(a, "usd"), money(b, "usd"));
            prop_assert_eq!(a.plus(b), b.plus(a));
        }
    }
}
