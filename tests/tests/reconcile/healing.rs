//! An outage of a day, healed at night: everything told once, marked, and nothing changed by what comes late.

use axiru_aws::reconcile::Task;
use axiru_in_process::InProcess;
use serde_json::json;

use super::shop::{DAY, Setup, Shop, at, log, numbers, objects, report, scope, told_of};
use crate::played::MODE;

#[tokio::test(start_paused = true)]
async fn an_outage_of_a_day_is_healed_at_night_and_late_webhooks_change_nothing() {
    let told_by_webhooks = {
        let shop = Shop::simple().await;
        shop.day();
        shop.webhooks().await;
        told_of(&shop.told().await)
    };
    let shop = Shop::simple().await;
    shop.control("deliveries/outage");
    shop.day();
    assert!(shop.delivered().is_empty());
    shop.clock_at(DAY + 86_400 + 12_000);
    shop.night().await;
    let entries = shop.told().await;
    // Every movement, status and fact that the webhooks would have told, each once.
    assert_eq!(told_of(&entries), told_by_webhooks);
    let is_marked = |ty: &str| entries.iter().filter(|entry| entry.ty() == ty).all(|e| e.fields()["recovered"] == true);
    assert!(["movement.observed", "movement.changed", "fact.recorded"].into_iter().all(is_marked));
    let (entry, found) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [Shop::OF_THE_DAY, 0, 0, 0], "{found:#}");
    assert_eq!((&found["complete"], &found["recovered"]), (&json!(true), &json!(Shop::OF_THE_DAY)));
    // The receiver is back, and Stripe delivers all of it after all.
    shop.control("deliveries/recover");
    let size = entries.len();
    let all = shop.sandbox.control("GET", "deliveries", json!({})).unwrap();
    for delivery in all["deliveries"].as_array().unwrap() {
        shop.control(&format!("deliveries/{}/resend", delivery["id"].as_str().unwrap()));
    }
    let late = shop.delivered();
    assert!(late.len() > 10, "{}", late.len());
    shop.observe(late).await;
    assert_eq!(shop.told().await.len(), size);
    // And another night finds nothing new.
    shop.night().await;
    assert_eq!(shop.told().await.len(), size);
}

#[tokio::test(start_paused = true)]
async fn what_webhooks_told_is_not_marked_and_what_they_missed_is() {
    let shop = Shop::simple().await;
    shop.clock_at(at(9, 0));
    let heard = shop.refund(100);
    shop.webhooks().await;
    shop.control("deliveries/outage");
    let missed = shop.refund(200);
    shop.night().await;
    let marks: Vec<(String, bool)> = shop
        .told()
        .await
        .iter()
        .filter(|entry| entry.ty() == "movement.observed")
        .map(|entry| (super::shop::text(entry, "object"), entry.fields().contains_key("recovered")))
        .collect();
    assert_eq!(marks, [(heard, false), (missed, true)]);
    assert_eq!(shop.report().await["recovered"], 1);
}

#[tokio::test(start_paused = true)]
async fn the_youngest_events_are_left_to_their_webhooks() {
    let shop = Shop::simple().await;
    shop.control("deliveries/outage");
    let night = super::shop::night().secs();
    shop.clock_at(night - 601);
    let older = shop.refund(100);
    shop.clock_at(night - 599);
    shop.refund(200);
    shop.night().await;
    let observed: Vec<String> = shop
        .told()
        .await
        .iter()
        .filter(|e| e.ty() == "movement.observed")
        .map(|e| super::shop::text(e, "object"))
        .collect();
    assert_eq!(observed, [older]);
}

#[tokio::test(start_paused = true)]
async fn what_happened_before_the_connection_is_not_healed() {
    let shop = Shop::simple().await;
    shop.clock_at(at(9, 0));
    shop.control("deliveries/outage");
    shop.refund(100);
    let connected = axiru_domain::Timestamp::from_secs(at(10, 0)).unwrap();
    let update = shop.clients.dynamodb.update_item().table_name(axiru_in_process::STATE_TABLE);
    let update =
        update.key("pk", super::shop::s(format!("{MODE}#connections"))).key("sk", super::shop::s(super::shop::ACCOUNT));
    let update = update.update_expression("SET connected_at = :at");
    update.expression_attribute_values(":at", super::shop::s(connected.to_string())).send().await.unwrap();
    shop.clock_at(at(11, 0));
    let later = shop.refund(200);
    shop.night().await;
    let (entry, found) = shop.reports().await.pop().unwrap();
    // Neither is it missed: the account was not connected.
    assert_eq!(numbers(&entry), [1, 0, 0, 0]);
    assert_eq!(found["from"], connected.to_string());
    let told = told_of(&shop.told().await);
    assert!(told.iter().all(|line| line.contains(&later)), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn what_stripe_lists_no_more_is_named_as_only_at_stripe() {
    fn december() -> axiru_domain::Timestamp {
        axiru_domain::Timestamp::from_secs(DAY + 40 * 86_400).unwrap()
    }
    let shop = Shop::new(InProcess::new().unwrap(), Setup { clock: december, ..Setup::default() }).await;
    shop.control("deliveries/outage");
    shop.clock_at(at(9, 0));
    let lost = shop.refund(100);
    shop.clock_at(december().secs() - 29 * 86_400);
    let listed = shop.refund(200);
    shop.clock_at(december().secs());
    for month in ["2026-10", "2026-11"] {
        assert!(shop.task(&Task { scope: scope(), period: month.parse().unwrap(), run: None }).await, "{month}");
    }
    let reports = shop.reports().await;
    assert_eq!(objects(&reports[0].1, "only_stripe"), [lost]);
    // The night looks three days back.
    assert_eq!(objects(&reports[1].1, "only_stripe"), [listed]);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_and_the_night_at_the_same_time_tell_it_once() {
    let shop = Shop::simple().await;
    shop.day();
    let outbox = shop.sandbox.drain_outbox();
    let reports: Vec<_> = outbox.iter().filter_map(report).collect();
    // Both at once, in either order of their calls.
    tokio::join!(shop.night(), shop.observe(reports));
    let told = told_of(&shop.told().await);
    let mut once = told.clone();
    once.dedup();
    assert_eq!(told, once);
    let (entry, _) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [Shop::OF_THE_DAY, 0, 0, 0]);
    assert!(shop.entries(&log()).await.len() > 12);
}

#[tokio::test(start_paused = true)]
async fn late_news_of_what_an_enforced_plan_blocks_is_what_it_always_is() {
    let shop = Shop::simple().await;
    let policies = r#"@id("allow") permit(principal, action == Axiru::Action::"payout", resource);
        @id("huge") forbid(principal, action == Axiru::Action::"payout", resource) when { context.currency == "usd" && context.amount_minor > 100000 };"#;
    shop.enforce("payout", policies).await;
    shop.control("deliveries/outage");
    shop.clock_at(at(9, 0));
    let waits = shop.does("payouts", json!({"amount": 200_000}));
    shop.does("payouts", json!({"amount": 300_000, "method": "instant"}));
    shop.does("payouts", json!({"amount": 400}));
    shop.night().await;
    // What is still pending is put on the worker's queue; it asks Stripe, and tells what Stripe says.
    let jobs = shop.account.queued(axiru_in_process::EXECUTIONS_QUEUE_URL);
    assert!(jobs.iter().any(|job| job.contains(&waits)), "{jobs:?}");
    let outcomes: Vec<String> = shop
        .told()
        .await
        .iter()
        .filter(|entry| entry.ty() == "movement.observed")
        .map(|entry| entry.fields()["decision"]["outcome"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(outcomes, ["block", "block", "allow"]);
    let (entry, report) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [3, 0, 0, 0], "{report:#}");
}

#[tokio::test(start_paused = true)]
async fn what_is_found_late_and_cannot_be_undone_is_counted_as_ungoverned() {
    let shop = Shop::simple().await;
    let policies = r#"@id("allow") permit(principal, action == Axiru::Action::"transfer", resource);
        @id("huge") forbid(principal, action == Axiru::Action::"transfer", resource) when { context.currency == "usd" && context.amount_minor > 1000 };"#;
    shop.enforce("transfer", policies).await;
    shop.control("deliveries/outage");
    shop.clock_at(at(9, 0));
    for amount in [500, 5_000] {
        shop.does("transfers", json!({"amount": amount, "destination": "acct_2"}));
    }
    let healed = shop.healer.heal(&scope(), None).await.unwrap();
    assert_eq!((healed.untold, healed.ungoverned), (2, 1), "{healed:?}");
    let late = shop.told().await.iter().filter(|entry| entry.ty() == "movement.too_late").count();
    assert_eq!(late, 1);
    // It is told once, and rings once.
    assert_eq!(shop.healer.heal(&scope(), None).await.unwrap().ungoverned, 0);
}
