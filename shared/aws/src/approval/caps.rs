//! The most that the link of one person may release.

use std::collections::BTreeMap;
use std::str::FromStr;

use axiru_domain::{Currency, Money};

/// Persons who are asked at least where one link may not release it.
const WITHOUT: u32 = 2;

/// The most, by currency, that one person may release by a link: it proves no more than access to a mailbox. Above it, and in every
/// currency that is not named, at least two persons are asked. Nothing named: no cap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkCaps(BTreeMap<Currency, i64>);

/// The text is no list of caps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a cap: expected a currency and an amount in minor units, such as `usd:100000`")]
pub struct LinkCapsError(String);

impl FromStr for LinkCaps {
    type Err = LinkCapsError;

    /// `usd:100000 eur:100000`, in minor units; empty for no cap.
    fn from_str(text: &str) -> Result<Self, LinkCapsError> {
        let mut caps = BTreeMap::new();
        for part in text.split_ascii_whitespace() {
            let error = || LinkCapsError(part.chars().take(40).collect());
            let (currency, amount) = part.split_once(':').ok_or_else(error)?;
            let currency: Currency = currency.parse().map_err(|_| error())?;
            let digits = !amount.is_empty() && amount.bytes().all(|byte| byte.is_ascii_digit());
            let amount = amount.parse().ok().filter(|_| digits).ok_or_else(error)?;
            if caps.insert(currency, amount).is_some() {
                return Err(error());
            }
        }
        Ok(Self(caps))
    }
}

impl LinkCaps {
    /// How many persons at least have to approve that.
    #[must_use]
    pub fn least(&self, money: Money) -> u32 {
        let within = self.0.get(&money.currency()).is_some_and(|cap| money.amount_minor() <= *cap);
        if within || self.0.is_empty() { 1 } else { WITHOUT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn least(caps: &str, amount: i64, currency: &str) -> u32 {
        let caps: LinkCaps = caps.parse().unwrap();
        caps.least(Money::new(amount, currency.parse().unwrap()).unwrap())
    }

    #[test]
    fn above_the_cap_and_in_other_currencies_two_are_asked() {
        let caps = "usd:100000 jpy:0";
        for (amount, currency, people) in
            [(1, "usd", 1), (100_000, "usd", 1), (100_001, "usd", 2), (1, "jpy", 2), (1, "eur", 2)]
        {
            assert_eq!(least(caps, amount, currency), people, "{amount} {currency}");
        }
        assert_eq!(least("", i64::from(u32::MAX), "usd"), 1);
    }

    #[test]
    fn other_texts_are_no_caps() {
        for bad in ["usd", "usd:", "usd:-1", "usd:+1", "usd:1.5", "dollars:1", "usd:1,eur:2", "usd:1 usd:2", "USD:1"] {
            assert!(bad.parse::<LinkCaps>().is_err(), "{bad}");
        }
    }
}
