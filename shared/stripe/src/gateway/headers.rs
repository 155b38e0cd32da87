//! Headers: which are read, which are refused.

use axiru_domain::{AccountId, Family, IdempotencyKey};
use http::HeaderMap;

use super::refused::Refused;

/// What the headers say.
pub(super) struct Read {
    pub(super) account: Option<AccountId>,
    pub(super) idempotency_key: Option<IdempotencyKey>,
    pub(super) version: Option<String>,
}

/// Given once at most: two readers could each take another one.
const ONCE: [&str; 5] = ["authorization", "idempotency-key", "stripe-account", "stripe-version", "content-type"];

/// Ask a server behind a proxy to read another method, host or path than the proxy read.
pub(super) const OVERRIDES: [&str; 6] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-original-method",
];

/// A release of Stripe's API: its versions bear its name and a date within it. Within a release Stripe only adds (Stripe docs,
/// "API upgrades": only the first version of a name may break).
#[derive(Debug, Clone, Copy)]
pub struct Release {
    /// Its name.
    pub name: &'static str,
    /// The day of its first version.
    pub first: &'static str,
    /// The last day on which a version could bear its name.
    pub last: &'static str,
}

/// The releases that Axiru speaks, oldest first.
///
/// Endive was gone through by the change log of Stripe's Node package, 23.0.0 and 23.1.0: nothing of the four families breaks. What it
/// adds to disputes (`intended_submission_method`, `evidence[appeal]`) is refused by name, as every parameter that is not in the table.
pub const RELEASES: [Release; 4] = [
    Release { name: "basil", first: "2025-03-31", last: "2025-09-29" },
    Release { name: "clover", first: "2025-09-30", last: "2026-02-28" },
    Release { name: "dahlia", first: "2026-03-01", last: "2026-08-31" },
    Release { name: "endive", first: "2026-09-30", last: "2027-02-28" },
];

/// Whether a version is `YYYY-MM-DD.name` of a release that is spoken.
fn is_spoken(version: &str) -> bool {
    let Some((day, name)) = version.split_once('.') else { return false };
    let digits = |part: &str, len: usize| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = day.split('-').collect();
    let [year, month, date] = parts.as_slice() else { return false };
    let in_range = |part: &str, most: u8| part.parse::<u8>().is_ok_and(|n| (1..=most).contains(&n));
    digits(year, 4)
        && digits(month, 2)
        && digits(date, 2)
        && in_range(month, 12)
        && in_range(date, 31)
        // Days of one form sort as texts.
        && RELEASES.iter().any(|release| release.name == name && (release.first..=release.last).contains(&day))
}

/// Reads the headers of a call; `family` is that of a write.
pub(super) fn read(headers: &HeaderMap, family: Option<Family>) -> Result<Read, Refused> {
    let refused = |word, name| Refused::new(word, Some(name), None);
    for name in ONCE {
        let mut values = headers.get_all(name).iter();
        let plain = values.next().is_none_or(|value| value.to_str().is_ok());
        if !plain || values.next().is_some() {
            return Err(refused("axiru_header_duplicate", name));
        }
    }
    if headers.contains_key("stripe-context") {
        return Err(refused("axiru_stripe_context", "stripe-context"));
    }
    if let Some(name) = OVERRIDES.into_iter().find(|name| headers.contains_key(*name)) {
        return Err(refused("axiru_method_override", name));
    }
    if headers.contains_key("content-encoding") {
        return Err(Refused::new("axiru_content_encoding", Some("content-encoding"), family));
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let account = text("stripe-account").map(str::parse).transpose();
    let key = text("idempotency-key").map(str::parse).transpose();
    let version = text("stripe-version").map(str::to_owned);
    if version.as_deref().is_some_and(|version| !is_spoken(version)) {
        return Err(Refused::new("axiru_version", Some("stripe-version"), family));
    }
    Ok(Read {
        account: account.map_err(|_| refused("axiru_account", "stripe-account"))?,
        idempotency_key: key.map_err(|_| Refused::new("axiru_idempotency_key", Some("idempotency-key"), family))?,
        version,
    })
}

/// Whether the body of a write is a form. A call without a body need not say what it is.
pub(super) fn form_only(headers: &HeaderMap, is_empty: bool, family: Option<Family>) -> Result<(), Refused> {
    let said = headers.get("content-type").and_then(|value| value.to_str().ok());
    let is_form = said.map_or(is_empty, |said| {
        let mut parts = said.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let charset = parts.next();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
            && charset.is_none_or(|charset| charset.eq_ignore_ascii_case("charset=utf-8"))
            && parts.next().is_none()
    });
    if is_form { Ok(()) } else { Err(Refused::new("axiru_content_type", Some("content-type"), family)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_releases_and_no_others() {
        for version in [
            "2025-03-31.basil",
            "2025-08-27.basil",
            "2025-09-30.clover",
            "2026-07-29.dahlia",
            "2026-09-30.endive",
            "2026-10-28.endive",
            crate::API_VERSION,
        ] {
            assert!(is_spoken(version), "{version}");
        }
        for version in [
            "",
            "basil",
            "2022-11-15",
            "2025-02-24.acacia",
            "2025-03-30.basil",
            "2026-06-24.basil",
            "2026-09-29.endive",
            "2026-09-30.dahlia",
            "2025-09-30.Clover",
            "2025-9-30.clover",
            "2025-04-30.preview",
            "2025-04-30.basil; feature=v1",
            " 2025-04-30.basil",
            "2025-13-01.clover",
            "+025-04-30.basil",
            "2025-04-30.basil.basil",
            "latest",
        ] {
            assert!(!is_spoken(version), "{version}");
        }
    }
}
