//! Connecting an account, through the functions' own handlers, the AWS doubles and the Stripe sandbox.

mod crashes;
mod door;
mod key_refused;
mod own_endpoint;
mod refusals;
mod restricted;
mod stage;

use axiru_domain::Mode;
use axiru_stripe::signature;
use serde_json::json;
use stage::{Stage, run};

/// The types of a scope's entries in lane 0, in order.
async fn types(stage: &Stage, mode: Mode, account: &str) -> Vec<String> {
    stage.entries(mode, account).await.iter().map(|entry| entry.ty().to_owned()).collect()
}

const FIRST: [&str; 6] = [
    "connection.connected",
    "connection.webhooks_registered",
    "plan.adopted",
    "plan.adopted",
    "plan.adopted",
    "plan.adopted",
];

#[test]
fn an_account_is_connected_in_each_mode_with_one_link() {
    run(async |stage| {
        let link = stage.link(&["test", "live"]).await;
        for mode in Mode::ALL {
            let page = stage.connect(&link, mode, &stage.merchant).await;
            assert!(page.contains("is connected in") && page.contains("nothing is held"), "{page}");
            assert_eq!(types(stage, mode, &stage.merchant).await, FIRST);
            let connection = stage.store().connection(&stage.scope(mode, &stage.merchant)).await.unwrap().unwrap();
            assert_eq!(connection.lanes.count(), if mode == Mode::Live { 4 } else { 1 });
            assert_eq!(stage.endpoints(mode).len(), 1);
        }
        let entries = stage.entries(Mode::Live, &stage.merchant).await;
        assert_eq!(entries[0].fields()["reconnected"], false);
        assert!(entries[0].fields()["actor"].as_str().unwrap().starts_with("operator:op_"));
        assert_eq!(stage.store().plan_heads(&stage.scope(Mode::Live, &stage.merchant)).await.unwrap().list().len(), 4);
    });
}

#[test]
fn deliveries_to_the_registered_endpoint_bear_the_sealed_secret() {
    run(async |stage| {
        let link = stage.link(&["test"]).await;
        stage.connect(&link, Mode::Test, &stage.merchant).await;
        let payout = json!({"amount": 100, "currency": "usd"});
        let charge = json!({"amount": 5_000, "currency": "usd"});
        stage.sandbox.control("POST", &format!("test/{}/charges", stage.merchant), charge).unwrap();
        stage.sandbox.control("POST", &format!("test/{}/payouts", stage.merchant), payout).unwrap();
        let delivery = stage.sandbox.drain_outbox().into_iter().find(|d| d.event_type == "payout.created").unwrap();
        assert_eq!(delivery.url, "https://axiru.example/stripe/webhooks/test");
        let header = delivery.headers.iter().find(|(name, _)| name == "stripe-signature").unwrap();
        let secrets = stage.store().signing_secrets(&stage.app.seal, Mode::Test).await.unwrap();
        signature::verify(&header.1, &delivery.body, &secrets, stage.sandbox.now()).unwrap();
    });
}

#[test]
fn connecting_again_resumes_the_same_logs() {
    run(async |stage| {
        for _ in 0..2 {
            let link = stage.link(&["live"]).await;
            stage.connect(&link, Mode::Live, &stage.merchant).await;
        }
        let entries = stage.entries(Mode::Live, &stage.merchant).await;
        assert_eq!(entries.len(), FIRST.len() + 1, "one more: connected, nothing else is new");
        assert_eq!((entries[6].ty(), &entries[6].fields()["reconnected"]), ("connection.connected", &json!(true)));
        assert_eq!(stage.endpoints(Mode::Live).len(), 1);
    });
}

#[test]
fn the_second_account_of_a_mode_shares_the_endpoint() {
    run(async |stage| {
        let other = stage.account("Other Shop");
        for account in [&stage.merchant, &other] {
            let link = stage.link(&["test"]).await;
            stage.connect(&link, Mode::Test, account).await;
            assert_eq!(types(stage, Mode::Test, account).await, FIRST);
        }
        assert_eq!(stage.endpoints(Mode::Test).len(), 1);
    });
}

#[test]
fn nothing_secret_is_stored_in_the_clear() {
    run(async |stage| {
        let link = stage.link(&["test"]).await;
        stage.connect(&link, Mode::Test, &stage.merchant).await;
        let dump = stage.account.dump().unwrap();
        let token = link.split_once("link=").unwrap().1;
        for secret in [token, "rk_test_", "rt_", "whsec_", "sk_test_", "ac_"] {
            assert_eq!(dump.find(secret), Vec::<&str>::new(), "{secret}");
        }
        assert!(!dump.find(&stage.merchant).is_empty());
    });
}
