//! The comparison: a pure function of what Stripe has and what the ledger tells.

use std::collections::{BTreeMap, BTreeSet};

use axiru_domain::{Currency, Kind};
use axiru_stripe::rest::lists::BalanceLine;

use super::at_stripe::{Aside, AtStripe, Shown};
use super::gather::{Span, is_main};
use super::in_ledger::{InLedger, Recorded};
use super::subject::{Class, Subject};

/// What the comparison found, in the order of the subjects.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// Both have it, and it is the same.
    pub(super) matched: Vec<Pair>,
    /// Only Stripe has it.
    pub(super) only_stripe: Vec<(Subject, Shown)>,
    /// Only the ledger has it.
    pub(super) only_ledger: Vec<(Subject, Recorded)>,
    /// Both have it, and it is not the same.
    pub(super) different: Vec<(Pair, Vec<&'static str>)>,
    /// The lines of the balance.
    pub(super) balance: Balance,
}

/// The same thing on both sides.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) subject: Subject,
    pub(super) shown: Shown,
    pub(super) recorded: Recorded,
}

/// What became of the lines of the balance.
#[derive(Debug, Default)]
pub(super) struct Balance {
    /// How many lines there are of each type and currency, and their sum.
    pub(super) sums: BTreeMap<(String, Currency), (u64, i64)>,
    /// What left with the main lines of each class and currency, for movements of the period.
    pub(super) moved: BTreeMap<(Class, Currency), (u64, i64)>,
    /// Lines of something that Stripe's lists have.
    pub(super) matched: u64,
    /// Lines of something that was made in an earlier period.
    pub(super) earlier: u64,
    /// Lines of something that Stripe refused to list.
    pub(super) not_listed: u64,
    /// Adjustments that are no dispute's.
    pub(super) other: u64,
    /// Lines behind which nothing is that Stripe's lists have.
    pub(super) unmatched: Vec<BalanceLine>,
}

/// Compares a period.
pub(super) fn compare(span: Span, stripe: &AtStripe, ledger: &InLedger) -> Compared {
    let mut found = Compared { balance: balance(span, stripe), ..Compared::default() };
    let lines = sums_by_movement(stripe);
    for (subject, shown) in &stripe.shown {
        if !stripe.compares(subject.class) {
            continue;
        }
        let recorded = ledger.recorded.get(subject);
        if !is_of(span, subject, shown, recorded) {
            continue;
        }
        let Some(recorded) = recorded else {
            found.only_stripe.push((subject.clone(), shown.clone()));
            continue;
        };
        let pair = Pair { subject: subject.clone(), shown: shown.clone(), recorded: recorded.clone() };
        let mut what = differences(subject.class, shown, recorded);
        if lines.get(&(subject.clone(), shown.currency)).is_some_and(|sum| *sum != shown.amount_minor.saturating_abs())
        {
            what.push("balance");
        }
        if what.is_empty() { found.matched.push(pair) } else { found.different.push((pair, what)) }
    }
    for (subject, recorded) in &ledger.recorded {
        let is_new = stripe.compares(subject.class) && !stripe.shown.contains_key(subject);
        if is_new && span.has(recorded.moved_at) {
            found.only_ledger.push((subject.clone(), recorded.clone()));
        }
    }
    found
}

/// Whether something that Stripe has is of the period. An answer to a dispute has a moment only in the ledger; one that the ledger does
/// not have is of the period in which the dispute was opened.
fn is_of(span: Span, subject: &Subject, shown: &Shown, recorded: Option<&Recorded>) -> bool {
    let answer = matches!(subject.class, Class::Movement(Kind::DisputeSubmit | Kind::DisputeAccept));
    let at = recorded.filter(|_| answer).map_or(shown.created, |recorded| recorded.moved_at);
    span.has(at)
}

/// What is not the same on both sides.
fn differences(class: Class, shown: &Shown, recorded: &Recorded) -> Vec<&'static str> {
    let mut what = Vec::new();
    if shown.amount_minor != recorded.amount_minor {
        what.push("amount_minor");
    }
    if shown.currency != recorded.currency {
        what.push("currency");
    }
    // What is under way changes from minute to minute; what is final was told, or is missing.
    let last = shown.status.as_deref().filter(|status| is_final(class, status));
    if let (Some(shown), Some(recorded)) = (last, recorded.status.as_deref())
        && shown != recorded
    {
        what.push("status");
    }
    what
}

/// Whether a status is one that a movement ends in. A paid payout can still fail, which is told as well.
fn is_final(class: Class, status: &str) -> bool {
    match class {
        Class::Movement(Kind::Refund) => matches!(status, "succeeded" | "failed" | "canceled"),
        Class::Movement(Kind::Payout) => matches!(status, "paid" | "failed" | "canceled"),
        _ => false,
    }
}

/// What left the balance for each movement, in the currency of the line: the main lines only.
fn sums_by_movement(stripe: &AtStripe) -> BTreeMap<(Subject, Currency), i64> {
    let mut sums = BTreeMap::new();
    for line in &stripe.lines {
        if let (Some(subject), true) = (subject_of(line), line.ty.as_deref().is_some_and(is_main)) {
            let sum: &mut i64 = sums.entry((subject, line.currency)).or_default();
            *sum = sum.saturating_add(line.amount_minor.saturating_abs());
        }
    }
    sums
}

fn subject_of(line: &BalanceLine) -> Option<Subject> {
    line.source.as_ref().and_then(Subject::by_id)
}

fn balance(span: Span, stripe: &AtStripe) -> Balance {
    let mut balance = Balance::default();
    let mut counted: BTreeSet<(Subject, Currency)> = BTreeSet::new();
    for line in &stripe.lines {
        let ty = line.ty.clone().unwrap_or_default();
        let (count, sum) = balance.sums.entry((ty.clone(), line.currency)).or_default();
        (*count, *sum) = (*count + 1, sum.saturating_add(line.amount_minor));
        let subject = subject_of(line);
        let shown = subject.as_ref().and_then(|subject| stripe.shown.get(subject));
        match (stripe.aside.get(&line.id), subject, shown) {
            (Some(Aside::Earlier), ..) => balance.earlier += 1,
            (Some(Aside::NotListed), ..) => balance.not_listed += 1,
            (None, Some(subject), Some(shown)) => {
                balance.matched += 1;
                if is_main(&ty) && span.has(shown.created) {
                    let (count, sum) = balance.moved.entry((subject.class, line.currency)).or_default();
                    // Several lines of one movement are one movement.
                    *count += u64::from(counted.insert((subject, line.currency)));
                    *sum = sum.saturating_add(line.amount_minor.saturating_abs());
                }
            }
            (None, None, _) if ty == "adjustment" => balance.other += 1,
            (None, ..) => balance.unmatched.push(line.clone()),
        }
    }
    balance
}

#[cfg(test)]
mod tests;
