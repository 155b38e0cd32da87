//! More than one page of everything, and pages that are too long to read.

use std::time::Duration;

use axiru_aws::reconcile::Task;
use axiru_in_process::InProcess;
use serde_json::json;

use super::shop::{Setup, Shop, at, numbers, scope};

#[tokio::test(start_paused = true)]
async fn hundreds_of_everything_are_read_to_the_last_page() {
    let shop = Shop::simple().await;
    shop.control("deliveries/outage");
    shop.clock_at(at(9, 0));
    let charge = shop.does("charges", json!({"amount": 100_000}));
    let transfer = shop.does("transfers", json!({"amount": 5_000, "destination": "acct_2"}));
    for _ in 0..230 {
        shop.does("refunds", json!({"charge": charge, "amount": 10}));
        shop.does("payouts", json!({"amount": 10}));
    }
    // A transfer shows its ten newest reversals; the rest is a list of its own.
    for _ in 0..120 {
        shop.does(&format!("transfers/{transfer}/reversals"), json!({"amount": 10}));
    }
    shop.night().await;
    let (entry, report) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [230 + 230 + 1 + 120, 0, 0, 0], "{report:#}");
    assert_eq!(report["recovered"], 581);
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_the_function_has_is_put_off() {
    let setup = Setup { budget: Duration::from_secs(5), ..Setup::default() };
    let shop = Shop::new(InProcess::new().unwrap(), setup).await;
    let fault = json!({"path": "/v1/refunds", "fault": "error_500", "times": 1_000});
    shop.sandbox.control("POST", "faults", fault).unwrap();
    assert!(!shop.task(&Task { scope: scope(), period: "2026-10-31".parse().unwrap(), run: None }).await);
    assert!(shop.told().await.is_empty() && shop.account.objects(axiru_in_process::EXPORT_BUCKET).is_empty());
    // The message comes back, and Stripe is well again.
    shop.control("faults/clear");
    shop.night().await;
    assert_eq!(shop.reports().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_for() {
    let shop = Shop::simple().await;
    shop.day();
    for path in ["/v1/events", "/v1/refunds", "/v1/balance_transactions"] {
        let fault = json!({"path": path, "fault": "rate_limit", "times": 3});
        shop.sandbox.control("POST", "faults", fault).unwrap();
    }
    shop.night().await;
    let (entry, _) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [Shop::OF_THE_DAY, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn pages_that_are_too_long_to_read_are_asked_for_in_smaller_ones() {
    let setup = Setup { longest: 12_000, ..Setup::default() };
    let shop = Shop::new(InProcess::new().unwrap(), setup).await;
    shop.control("deliveries/outage");
    shop.clock_at(at(9, 0));
    for _ in 0..20 {
        shop.refund(100);
    }
    shop.night().await;
    let (entry, report) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [20, 0, 0, 0], "{report:#}");
    assert_eq!(report["recovered"], 20);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_long_even_alone_is_put_off_and_nothing_is_put_down() {
    let setup = Setup { longest: 200, ..Setup::default() };
    let shop = Shop::new(InProcess::new().unwrap(), setup).await;
    shop.clock_at(at(9, 0));
    shop.refund(100);
    assert!(!shop.task(&Task { scope: scope(), period: "2026-10-31".parse().unwrap(), run: None }).await);
    assert!(shop.told().await.is_empty());
}
