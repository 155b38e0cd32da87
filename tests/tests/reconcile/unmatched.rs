//! What does not match is named: missed movements, false entries, other amounts; and what could not be compared is said.

use axiru_domain::LogId;
use axiru_in_process::InProcess;
use axiru_stripe::report::{News, Report};
use serde_json::{Value, json};

use super::shop::{DAY, Setup, Shop, at, numbers, objects};
use crate::played::MODE;

/// A report with its movement changed.
fn altered(report: &Report, change: impl Fn(&mut axiru_stripe::report::Sighting)) -> Report {
    let mut report = report.clone();
    for news in &mut report.news {
        if let News::Movement(sighting) = news {
            change(sighting);
        }
    }
    report
}

#[tokio::test(start_paused = true)]
async fn an_entry_of_something_that_stripe_does_not_have_is_named() {
    let shop = Shop::simple().await;
    shop.clock_at(at(9, 0));
    shop.refund(100);
    let mut reports = shop.delivered();
    let told = reports.iter().find(|report| report.event_type == "refund.created").unwrap();
    reports.push(altered(told, |sighting| sighting.object = "re_false".parse().unwrap()));
    shop.observe(reports).await;
    shop.night().await;
    let (entry, report) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [1, 0, 1, 0], "{report:#}");
    assert_eq!(objects(&report, "only_ledger"), ["re_false"]);
    // Where it stands can be looked up.
    let named = &report["only_ledger"][0];
    let log = LogId::from_key(&super::shop::log()).unwrap();
    let named = shop.store().entry(&log, named["seq"].as_u64().unwrap()).await.unwrap().unwrap();
    assert_eq!(super::shop::text(&named, "object"), "re_false");
    assert!(objects(&report, "only_stripe").is_empty());
}

#[tokio::test(start_paused = true)]
async fn another_amount_is_named_with_both_sides() {
    let shop = Shop::simple().await;
    shop.clock_at(at(9, 0));
    let refund = shop.refund(100);
    let reports = shop.delivered().iter().map(|report| altered(report, |sighting| sighting.amount_minor = 1)).collect();
    shop.observe(reports).await;
    shop.night().await;
    let (entry, report) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [0, 0, 0, 1], "{report:#}");
    let different = &report["different"][0];
    assert_eq!((different["object"].as_str(), &different["what"]), (Some(&*refund), &json!(["amount_minor"])));
    assert_eq!((&different["stripe"]["amount_minor"], &different["ledger"]["amount_minor"]), (&json!(100), &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn a_status_that_was_never_told_is_named() {
    let shop = Shop::simple().await;
    shop.clock_at(DAY - 20 * 86_400);
    let payout = shop.does("payouts", json!({"amount": 100}));
    shop.webhooks().await;
    shop.control("deliveries/outage");
    shop.clock_at(DAY - 19 * 86_400);
    shop.does(&format!("payouts/{payout}/status"), json!({"status": "in_transit"}));
    shop.does(&format!("payouts/{payout}/status"), json!({"status": "failed"}));
    shop.clock_at(at(23, 0));
    let day =
        axiru_aws::reconcile::Task { scope: super::shop::scope(), period: "2026-10-11".parse().unwrap(), run: None };
    assert!(shop.task(&day).await);
    let report = shop.report().await;
    assert_eq!((objects(&report, "different"), &report["different"][0]["what"]), (vec![payout], &json!(["status"])));
}

#[tokio::test(start_paused = true)]
async fn a_movement_of_which_no_event_is_listed_is_found_in_the_lists() {
    // An old account: its events are not those that Axiru asks for. The lists have it all the same.
    let permissions: &[&str] =
        &["charge_read", "dispute_read", "payout_read", "transfer_read", "balance_transaction_source_read"];
    let setup = Setup { permissions: Some(permissions), ..Setup::default() };
    let shop = Shop::new(InProcess::new().unwrap(), setup).await;
    shop.day();
    shop.night().await;
    let (entry, report) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [0, Shop::OF_THE_DAY, 0, 0], "{report:#}");
    let item: &Value = &report["only_stripe"][0];
    for name in ["kind", "object", "amount_minor", "currency", "created", "status", "seen_in"] {
        assert!(!item[name].is_null(), "{name}: {item}");
    }
    assert!(shop.delivered().is_empty(), "an app without `event_read` is told nothing");
}

#[tokio::test(start_paused = true)]
async fn what_stripe_refuses_to_list_is_said_and_the_rest_is_compared() {
    let permissions: &[&str] = &["charge_read", "dispute_read", "transfer_read", "event_read", "payout_read"];
    let setup = Setup { permissions: Some(permissions), ..Setup::default() };
    let shop = Shop::new(InProcess::new().unwrap(), setup).await;
    shop.day();
    shop.webhooks().await;
    shop.night().await;
    let (entry, report) = shop.reports().await.pop().unwrap();
    // Without the balance the lists are compared all the same; the report says that it is not everything.
    assert_eq!(numbers(&entry), [Shop::OF_THE_DAY, 0, 0, 0], "{report:#}");
    let missing = json!([{"what": "balance_transactions", "why": "permission_missing", "permission": "balance_transaction_source_read"}]);
    assert_eq!(
        (&report["complete"], &report["not_compared"], &report["balance"]),
        (&json!(false), &missing, &json!(null))
    );
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_may_not_be_listed_is_not_called_missing() {
    let permissions: &[&str] =
        &["charge_read", "dispute_read", "transfer_read", "event_read", "balance_transaction_source_read"];
    let setup = Setup { permissions: Some(permissions), ..Setup::default() };
    let shop = Shop::new(InProcess::new().unwrap(), setup).await;
    shop.day();
    shop.webhooks().await;
    shop.night().await;
    let (entry, report) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [Shop::OF_THE_DAY - 2, 0, 0, 0], "{report:#}");
    assert_eq!(report["not_compared"][0]["permission"], "payout_read");
    // Two payouts left the balance, and one came back.
    assert_eq!(report["balance"]["not_listed"], 3);
}

#[tokio::test(start_paused = true)]
async fn a_permission_that_was_taken_away_leaves_the_rest_compared() {
    let shop = Shop::simple().await;
    // Answered and reversed today, opened and made days ago: these would be asked for one by one.
    shop.clock_at(DAY - 5 * 86_400);
    let transfer = shop.does("transfers", json!({"amount": 5_000, "destination": "acct_2"}));
    let charge = shop.does("charges", json!({"amount": 900}));
    let dispute = shop.does("disputes", json!({ "charge": charge }));
    shop.clock_at(at(8, 0));
    shop.does(&format!("transfers/{transfer}/reversals"), json!({"amount": 100}));
    shop.does(
        &format!("disputes/{dispute}/evidence"),
        json!({"evidence": {"uncategorized_text": "x"}, "submit": true}),
    );
    shop.day();
    shop.webhooks().await;
    let left = json!({"permissions": ["charge_read", "payout_read", "event_read"]});
    shop.sandbox.control("POST", &format!("apps/{MODE}"), left).unwrap();
    shop.night().await;
    let (entry, report) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [4, 0, 0, 0], "{report:#}");
    let refused: Vec<&str> =
        report["not_compared"].as_array().unwrap().iter().map(|r| r["permission"].as_str().unwrap()).collect();
    assert_eq!(refused, ["balance_transaction_source_read", "dispute_read", "transfer_read"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_that_a_person_wrote_is_in_a_report() {
    let shop = Shop::simple().await;
    shop.clock_at(at(9, 0));
    let charge = shop.does(
        "charges",
        json!({"amount": 500, "description": "canary", "customer": "cus_canary", "metadata": {"name": "canary"}}),
    );
    shop.does(
        "refunds",
        json!({"charge": charge, "metadata": {"name": "canary"}, "instructions_email": "canary@shop.example"}),
    );
    let disputed = shop.does("charges", json!({"amount": 9_000}));
    shop.does("disputes", json!({"charge": disputed, "evidence": {"customer_name": "canary"}}));
    shop.night().await;
    for (name, bytes) in shop.account.objects(axiru_in_process::EXPORT_BUCKET) {
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"), "{name}");
    }
    assert_eq!(shop.reports().await.len(), 1);
}
