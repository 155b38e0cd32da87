use axiru_domain::{Scope, StripeId, Timestamp};
use axiru_stripe::rest::lists::ListedObject;

use super::super::at_stripe::{Refused, SeenIn};
use super::super::report::{About, Report, Tally, report};
use super::*;

const FROM: i64 = 1_793_404_800;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(FROM + secs).unwrap()
}

fn span() -> Span {
    Span { from: at(0), until: at(86_400) }
}

fn shown(amount: i64, currency: &str, secs: i64, status: Option<&str>) -> Shown {
    let object = ListedObject {
        id: "re_0".parse().unwrap(),
        amount_minor: amount,
        currency: currency.parse().unwrap(),
        created: at(secs),
        status: status.map(str::to_owned),
    };
    Shown::of(&object, SeenIn::List)
}

fn subject(id: &str) -> Subject {
    Subject::by_id(&id.parse().unwrap()).unwrap()
}

/// One entry of a ledger, as the reader leaves it.
fn recorded(ledger: &mut InLedger, subject: Subject, amount: i64, secs: i64, status: Option<&str>) {
    let recorded = Recorded::at(amount, "usd".parse().unwrap(), at(secs), status, ledger.recorded.len() as u64);
    ledger.recorded.insert(subject, recorded);
}

fn line(id: &str, ty: &str, amount: i64, source: Option<&str>) -> BalanceLine {
    BalanceLine {
        id: id.parse().unwrap(),
        ty: Some(ty.to_owned()),
        amount_minor: amount,
        currency: "usd".parse().unwrap(),
        created: at(5),
        source: source.map(|id| id.parse::<StripeId>().unwrap()),
    }
}

fn told(stripe: &AtStripe, ledger: &InLedger) -> Report {
    let scope: Scope = "test/acct_1".parse().unwrap();
    let about = About { scope: &scope, period: "2026-10-31".parse().unwrap(), span: span() };
    report(about, stripe, ledger, &compare(span(), stripe, ledger)).unwrap()
}

fn tally(matched: u64, only_stripe: u64, only_ledger: u64, different: u64) -> Tally {
    Tally { matched, only_stripe, only_ledger, different }
}

#[test]
fn each_side_is_held_against_the_other() {
    let (mut stripe, mut ledger) = (AtStripe::default(), InLedger::default());
    stripe.shown.insert(subject("re_1"), shown(100, "usd", 5, Some("succeeded")));
    recorded(&mut ledger, subject("re_1"), 100, 5, Some("succeeded"));
    stripe.shown.insert(subject("re_2"), shown(100, "usd", 5, None));
    recorded(&mut ledger, subject("re_3"), 100, 5, None);
    for (id, amount, currency, status) in
        [("re_4", 101, "usd", "succeeded"), ("re_5", 100, "eur", "succeeded"), ("re_6", 100, "usd", "failed")]
    {
        stripe.shown.insert(subject(id), shown(amount, currency, 5, Some(status)));
        recorded(&mut ledger, subject(id), 100, 5, Some("succeeded"));
    }
    let report = told(&stripe, &ledger);
    assert_eq!(report.tally, tally(1, 1, 1, 3));
    assert_eq!(report.document["complete"], false);
    assert_eq!(report.document["only_stripe"][0]["object"], "re_2");
    assert_eq!(report.document["only_ledger"][0]["object"], "re_3");
    let what: Vec<_> = report.document["different"].as_array().unwrap().iter().map(|d| d["what"].to_string()).collect();
    assert_eq!(what, [r#"["amount_minor"]"#, r#"["currency"]"#, r#"["status"]"#]);
    // Sums are of one currency each.
    let usd = &report.document["totals"][1];
    assert_eq!(
        (usd["currency"].as_str(), &usd["stripe_minor"], &usd["ledger_minor"]),
        (Some("usd"), &401.into(), &500.into())
    );
}

#[test]
fn what_is_under_way_is_not_different_and_what_is_unknown_neither() {
    let (mut stripe, mut ledger) = (AtStripe::default(), InLedger::default());
    stripe.shown.insert(subject("po_1"), shown(100, "usd", 5, Some("in_transit")));
    recorded(&mut ledger, subject("po_1"), 100, 5, Some("pending"));
    stripe.shown.insert(subject("po_2"), shown(100, "usd", 5, Some("paid")));
    recorded(&mut ledger, subject("po_2"), 100, 5, None);
    assert_eq!(told(&stripe, &ledger).tally, tally(2, 0, 0, 0));
}

#[test]
fn only_the_period_is_compared_but_its_edges_are_forgiving() {
    let (mut stripe, mut ledger) = (AtStripe::default(), InLedger::default());
    // Made before midnight, recorded by Axiru's own outcome after it.
    stripe.shown.insert(subject("re_1"), shown(100, "usd", -1, None));
    recorded(&mut ledger, subject("re_1"), 100, 1, None);
    // Of the days around.
    stripe.shown.insert(subject("re_2"), shown(100, "usd", -1, None));
    stripe.shown.insert(subject("re_3"), shown(100, "usd", 86_400, None));
    recorded(&mut ledger, subject("re_4"), 100, 86_400, None);
    recorded(&mut ledger, subject("re_5"), 100, -1, None);
    // The first and the last second.
    for (id, secs) in [("re_6", 0), ("re_7", 86_399)] {
        stripe.shown.insert(subject(id), shown(100, "usd", secs, None));
        recorded(&mut ledger, subject(id), 100, secs, None);
    }
    assert_eq!(told(&stripe, &ledger).tally, tally(2, 0, 0, 0));
}

#[test]
fn what_stripe_refuses_to_list_is_not_compared_and_named() {
    let (mut stripe, mut ledger) = (AtStripe::default(), InLedger::default());
    recorded(&mut ledger, subject("re_1"), 100, 5, None);
    recorded(&mut ledger, subject("po_1"), 100, 5, None);
    let permission = Some("charge_read");
    stripe.refused.push(Refused { what: "refunds", why: "permission_missing", permission });
    let report = told(&stripe, &ledger);
    assert_eq!(report.tally, tally(0, 0, 1, 0));
    assert_eq!(report.document["not_compared"][0]["permission"], "charge_read");
    // Nothing unmatched, and not complete all the same.
    ledger.recorded.remove(&subject("po_1"));
    assert_eq!(told(&stripe, &ledger).document["complete"], false);
}

#[test]
fn lines_of_the_balance_have_a_movement_behind_them() {
    let (mut stripe, mut ledger) = (AtStripe::default(), InLedger::default());
    for (id, amount) in [("re_1", 100), ("po_1", 70)] {
        stripe.shown.insert(subject(id), shown(amount, "usd", 5, None));
        recorded(&mut ledger, subject(id), amount, 5, None);
    }
    stripe.lines = vec![
        line("txn_1", "refund", -100, Some("re_1")),
        line("txn_2", "payout", -71, Some("po_1")),
        line("txn_3", "payout_failure", 50, Some("po_9")),
        line("txn_4", "transfer", -9, Some("tr_9")),
        line("txn_5", "adjustment", -9, Some("ch_9")),
        line("txn_6", "refund", -9, None),
    ];
    stripe.aside.insert("txn_3".parse().unwrap(), Aside::Earlier);
    let report = told(&stripe, &ledger);
    let balance = &report.document["balance"];
    assert_eq!((&balance["matched"], &balance["earlier"], &balance["other"]), (&2.into(), &1.into(), &1.into()));
    let unmatched: Vec<_> =
        balance["unmatched"].as_array().unwrap().iter().map(|l| l["transaction"].as_str()).collect();
    assert_eq!(unmatched, [Some("txn_4"), Some("txn_6")]);
    // The payout left with another amount than it has.
    assert_eq!(report.document["different"][0]["what"][0], "balance");
    assert_eq!(report.tally, tally(1, 2, 0, 1));
    let sums = &report.document["totals"][0];
    assert_eq!((&sums["balance_count"], &sums["balance_minor"]), (&1.into(), &100.into()));
}

#[test]
fn an_answer_to_a_dispute_is_of_the_period_that_the_ledger_says_or_of_the_disputes() {
    let (mut stripe, mut ledger) = (AtStripe::default(), InLedger::default());
    let answer = |id: &str, ordinal| Subject {
        class: Class::Movement(Kind::DisputeSubmit),
        object: id.parse().unwrap(),
        ordinal,
    };
    // Of an earlier dispute, answered today.
    stripe.shown.insert(answer("du_1", 1), shown(100, "usd", -90_000, None));
    recorded(&mut ledger, answer("du_1", 1), 100, 5, None);
    // Of today's dispute, and answered tomorrow, and once more.
    stripe.shown.insert(answer("du_2", 1), shown(100, "usd", 5, None));
    recorded(&mut ledger, answer("du_2", 1), 100, 90_000, None);
    stripe.shown.insert(answer("du_2", 2), shown(100, "usd", 5, None));
    let report = told(&stripe, &ledger);
    assert_eq!(report.tally, tally(1, 1, 0, 0));
    assert_eq!(report.document["only_stripe"][0]["ordinal"], 2);
}

#[test]
fn equal_results_are_equal_bytes_whatever_follows_in_the_ledger() {
    let (mut stripe, mut ledger) = (AtStripe::default(), InLedger { begins: vec![(0, 3)], ..InLedger::default() });
    for id in ["re_1", "re_2"] {
        stripe.shown.insert(subject(id), shown(100, "usd", 5, None));
        recorded(&mut ledger, subject(id), 100, 5, None);
    }
    let first = told(&stripe, &ledger);
    assert_eq!(first.document["ledger"][0]["from"], 3);
    assert_eq!(first.sha256, axiru_ledger::hash::Hash::of(first.bytes.as_bytes()));
    recorded(&mut ledger, subject("re_3"), 100, 90_000, None);
    assert_eq!(told(&stripe, &ledger).bytes, first.bytes);
    assert!(axiru_ledger::canonical::read(first.bytes.as_bytes()).is_ok());
}
