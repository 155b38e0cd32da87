//! The report: canonical JSON of what the comparison found, equal bytes for equal results.
//!
//! It names no moment of its making. Of each lane it names where reading began and the number behind the last entry that says anything of
//! what is compared: what stands further behind says nothing of it, so that the ledger may go on and the report stays the same.

use std::collections::BTreeMap;

use axiru_domain::{Currency, Period, Scope, Timestamp};
use axiru_ledger::canonical::{self, CanonicalError};
use axiru_ledger::hash::Hash;
use axiru_stripe::rest::lists::BalanceLine;
use serde_json::{Value, json};

use super::at_stripe::{AtStripe, BALANCE, Refused, Shown};
use super::compare::{Compared, Pair};
use super::gather::Span;
use super::in_ledger::{InLedger, Recorded};
use super::subject::{Class, Subject};

/// How many there are of each outcome: movements, and disputes that were opened. A line of the balance behind which nothing is counts as
/// something that only Stripe has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The same on both sides.
    pub matched: u64,
    /// Only at Stripe.
    pub only_stripe: u64,
    /// Only in the ledger.
    pub only_ledger: u64,
    /// On both sides, and not the same.
    pub different: u64,
}

impl Tally {
    /// What does not match.
    #[must_use]
    pub const fn unmatched(&self) -> u64 {
        self.only_stripe + self.only_ledger + self.different
    }
}

/// A report.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) document: Value,
    pub(super) bytes: String,
    pub(super) sha256: Hash,
    pub(super) tally: Tally,
}

/// Counts and sums of one class and currency.
#[derive(Default)]
struct Total {
    stripe: (u64, i64),
    ledger: (u64, i64),
    matched: u64,
    only_stripe: u64,
    only_ledger: u64,
    different: u64,
}

/// What a report is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    pub(super) scope: &'a Scope,
    pub(super) period: Period,
    pub(super) span: Span,
}

/// The report of a comparison.
///
/// # Errors
/// [`CanonicalError`] where a sum is beyond 2^53 - 1.
pub(super) fn report(
    about: About<'_>,
    stripe: &AtStripe,
    ledger: &InLedger,
    found: &Compared,
) -> Result<Report, CanonicalError> {
    let tally = Tally {
        matched: found.matched.len() as u64,
        only_stripe: (found.only_stripe.len() + found.balance.unmatched.len()) as u64,
        only_ledger: found.only_ledger.len() as u64,
        different: found.different.len() as u64,
    };
    let mut refused = stripe.refused.clone();
    refused.sort();
    let recovered = found.matched.iter().chain(found.different.iter().map(|(pair, _)| pair));
    let recovered = recovered.filter(|pair| pair.recorded.recovered).count();
    let document = json!({
        "v": 1,
        "mode": about.scope.mode().as_str(),
        "account": about.scope.account().as_str(),
        "period": about.period.to_string(),
        "from": about.span.from.to_string(),
        "until": about.span.until.to_string(),
        "complete": tally.unmatched() == 0 && refused.is_empty(),
        "not_compared": refused.iter().map(not_compared).collect::<Vec<_>>(),
        "ledger": lanes(ledger, found),
        "matched": tally.matched,
        "recovered": recovered,
        "totals": totals(found),
        "only_stripe": found.only_stripe.iter().map(|(subject, shown)| only_stripe(subject, shown)).collect::<Vec<_>>(),
        "only_ledger": found.only_ledger.iter().map(|(subject, recorded)| only_ledger(subject, recorded)).collect::<Vec<_>>(),
        "different": found.different.iter().map(|(pair, what)| different(pair, what)).collect::<Vec<_>>(),
        "balance": if stripe.compares_balance() { balance(found) } else { Value::Null },
    });
    let bytes = canonical::write(&document)?;
    Ok(Report { sha256: Hash::of(bytes.as_bytes()), document, bytes, tally })
}

fn not_compared(refused: &Refused) -> Value {
    let mut value = json!({"what": refused.what, "why": refused.why});
    if let (Some(permission), Some(value)) = (refused.permission, value.as_object_mut()) {
        value.insert("permission".to_owned(), permission.into());
    }
    value
}

/// Where the reading of each lane began, and behind which entry it says nothing more of what is compared.
fn lanes(ledger: &InLedger, found: &Compared) -> Value {
    let mut ends: BTreeMap<u16, u64> = BTreeMap::new();
    let both = found.matched.iter().chain(found.different.iter().map(|(pair, _)| pair)).map(|pair| &pair.recorded);
    for recorded in both.chain(found.only_ledger.iter().map(|(_, recorded)| recorded)) {
        let end = ends.entry(recorded.lane).or_default();
        *end = (*end).max(recorded.newest + 1);
    }
    let lane = |(lane, begin): &(u16, u64)| {
        let size = ends.get(lane).copied().unwrap_or_default().max(*begin);
        json!({"lane": lane, "from": begin, "size": size})
    };
    ledger.begins.iter().map(lane).collect()
}

fn totals(found: &Compared) -> Value {
    let mut totals: BTreeMap<(Class, Currency), Total> = BTreeMap::new();
    let add = |side: &mut (u64, i64), amount: i64| *side = (side.0 + 1, side.1.saturating_add(amount));
    let mut both = |pair: &Pair, matched: u64, different: u64| {
        let class = pair.subject.class;
        let total = totals.entry((class, pair.shown.currency)).or_default();
        add(&mut total.stripe, pair.shown.amount_minor);
        total.matched += matched;
        total.different += different;
        add(&mut totals.entry((class, pair.recorded.currency)).or_default().ledger, pair.recorded.amount_minor);
    };
    found.matched.iter().for_each(|pair| both(pair, 1, 0));
    found.different.iter().for_each(|(pair, _)| both(pair, 0, 1));
    for (subject, shown) in &found.only_stripe {
        let total = totals.entry((subject.class, shown.currency)).or_default();
        add(&mut total.stripe, shown.amount_minor);
        total.only_stripe += 1;
    }
    for (subject, recorded) in &found.only_ledger {
        let total = totals.entry((subject.class, recorded.currency)).or_default();
        add(&mut total.ledger, recorded.amount_minor);
        total.only_ledger += 1;
    }
    let line = |((class, currency), total): (&(Class, Currency), &Total)| {
        let moved = found.balance.moved.get(&(*class, *currency)).copied().unwrap_or_default();
        json!({
            "kind": class.as_str(), "currency": currency.as_str(),
            "stripe_count": total.stripe.0, "stripe_minor": total.stripe.1,
            "ledger_count": total.ledger.0, "ledger_minor": total.ledger.1,
            "balance_count": moved.0, "balance_minor": moved.1,
            "matched": total.matched, "only_stripe": total.only_stripe,
            "only_ledger": total.only_ledger, "different": total.different,
        })
    };
    totals.iter().map(line).collect()
}

fn named(subject: &Subject) -> Value {
    json!({"kind": subject.class.as_str(), "object": subject.object.as_str(), "ordinal": subject.ordinal})
}

fn with(mut value: Value, more: Value) -> Value {
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}

fn only_stripe(subject: &Subject, shown: &Shown) -> Value {
    with(with(named(subject), at_stripe(shown)), json!({"seen_in": shown.seen_in.as_str()}))
}

fn only_ledger(subject: &Subject, recorded: &Recorded) -> Value {
    with(named(subject), in_ledger(recorded))
}

fn different(pair: &Pair, what: &[&str]) -> Value {
    let sides = json!({"what": what, "stripe": at_stripe(&pair.shown), "ledger": in_ledger(&pair.recorded)});
    with(named(&pair.subject), sides)
}

fn at_stripe(shown: &Shown) -> Value {
    json!({
        "amount_minor": shown.amount_minor, "currency": shown.currency.as_str(), "created": time(shown.created),
        "status": shown.status,
    })
}

fn in_ledger(recorded: &Recorded) -> Value {
    json!({
        "amount_minor": recorded.amount_minor, "currency": recorded.currency.as_str(), "moved_at": time(recorded.moved_at),
        "status": recorded.status, "lane": recorded.lane, "seq": recorded.seq,
    })
}

fn time(at: Timestamp) -> String {
    at.to_string()
}

fn balance(found: &Compared) -> Value {
    let balance = &found.balance;
    let sums: Vec<Value> = balance
        .sums
        .iter()
        .map(|((ty, currency), (count, sum))| {
            json!({"type": ty, "currency": currency.as_str(), "count": count, "sum_minor": sum})
        })
        .collect();
    let line = |line: &BalanceLine| {
        json!({
            "transaction": line.id.as_str(), "type": line.ty, "source": line.source.as_ref().map(axiru_domain::StripeId::as_str),
            "amount_minor": line.amount_minor, "currency": line.currency.as_str(), "created": time(line.created),
        })
    };
    json!({
        "list": BALANCE,
        "sums": sums,
        "matched": balance.matched,
        "earlier": balance.earlier,
        "not_listed": balance.not_listed,
        "other": balance.other,
        "unmatched": balance.unmatched.iter().map(line).collect::<Vec<_>>(),
    })
}
