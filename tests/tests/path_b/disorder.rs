//! Webhooks have no order, come twice, and come for accounts that are gone.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::observe::Observed;
use axiru_aws::plans::PlanHeads;
use axiru_domain::PolicyMode;
use axiru_in_process::{InProcess, Retries};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::events::{day, event, refund, report, told_of_the_day};
use super::ground::{ACCOUNT, Ground, evening, head, log, morning, observe, told};
use crate::played::{MODE, other_mode};

async fn ground() -> Ground {
    Ground::new(InProcess::new().unwrap(), Retries::Off).await
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_any_batches_and_duplicates_tell_the_same(
        order in Just((0..14_usize).collect::<Vec<_>>()).prop_shuffle(),
        again in prop::collection::vec(0..14_usize, 0..8),
        size in 1..15_usize,
    ) {
        let events = day();
        let told = block_on(async {
            let ground = ground().await;
            let observer = ground.observer(evening);
            let all: Vec<&Value> = order.iter().chain(&again).map(|i| &events[*i]).collect();
            for batch in all.chunks(size) {
                observe(&observer, batch.iter().map(|event| report(event)).collect()).await.unwrap();
            }
            told(&ground.entries(&log()).await)
        });
        prop_assert_eq!(told, told_of_the_day());
    }
}

#[tokio::test(start_paused = true)]
async fn test_and_live_are_two_logs_with_entries_of_one_shape() {
    let ground = ground().await;
    let observer = ground.observer(evening);
    let test = report(&event("evt_1", "refund.created", &refund("re_1", 60_000, "succeeded"), None));
    let mut other = test.clone();
    other.scope = format!("{}/acct_1", other_mode()).parse().unwrap();
    observe(&observer, vec![test, other]).await.unwrap();
    let (test, live) = (ground.entries("test#acct_1#0").await, ground.entries("live#acct_1#0").await);
    assert_eq!((test.len(), live.len()), (1, 1));
    let but_scope = |entry: &axiru_ledger::entry::Entry| {
        let mut fields = entry.fields().clone();
        assert!(fields.remove("id").is_some() && fields.remove("mode").is_some());
        fields
    };
    assert_eq!(but_scope(&test[0]), but_scope(&live[0]));
    assert_eq!(test[0].fields()["decision"]["would_be"], "require_approval");
    assert_eq!(test[0].fields()["decision"]["outcome"], "allow");
}

#[tokio::test(start_paused = true)]
async fn unknown_and_revoked_accounts_are_dropped() {
    let ground = ground().await;
    let observer = ground.observer(evening);
    let mut foreign = report(&event("evt_1", "refund.created", &refund("re_1", 1, "succeeded"), None));
    foreign.scope = format!("{MODE}/acct_9").parse().unwrap();
    let uninstall = report(&event(
        "evt_2",
        "account.application.deauthorized",
        &json!({"id": "ca_1", "object": "application"}),
        None,
    ));
    let after = report(&event("evt_3", "refund.created", &refund("re_2", 1, "succeeded"), None));
    assert_eq!(observe(&observer, vec![foreign]).await.unwrap(), [Observed::NotConnected]);
    for _ in 0..2 {
        observe(&observer, vec![uninstall.clone()]).await.unwrap();
    }
    assert_eq!(observe(&observer, vec![after]).await.unwrap(), [Observed::NotConnected]);
    let types: Vec<_> = ground.entries(&log()).await.iter().map(|entry| entry.ty().to_owned()).collect();
    assert_eq!(types, ["connection.revoked"]);
    assert!(
        ground
            .account
            .dump()
            .unwrap()
            .find("sealed")
            .iter()
            .all(|place| !place.contains(&format!("{MODE}#connections")))
    );
    assert!(ground.entries(&format!("{MODE}#acct_9#0")).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn uninstalling_the_app_ends_no_connection_that_has_a_key() {
    let ground = ground().await;
    let s = |text: &str| AttributeValue::S(text.to_owned());
    let with_key = [
        ("pk", s(&format!("{MODE}#connections"))),
        ("sk", s(ACCOUNT)),
        ("state", s("active")),
        ("lanes", AttributeValue::N("1".to_owned())),
        ("attempt", s("att_2")),
        ("connected_at", s("2026-10-01T00:00:00.000Z")),
        ("tokens", AttributeValue::B(Blob::new(*b"sealed"))),
        ("credential", s("restricted_key")),
    ];
    ground.put(&with_key).await;
    let observer = ground.observer(evening);
    let application = json!({"id": "ca_1", "object": "application"});
    let uninstall = report(&event("evt_2", "account.application.deauthorized", &application, None));
    observe(&observer, vec![uninstall]).await.unwrap();
    assert!(ground.entries(&log()).await.is_empty());
    let after = report(&event("evt_3", "refund.created", &refund("re_2", 1, "succeeded"), None));
    observe(&observer, vec![after]).await.unwrap();
    let types: Vec<_> = ground.entries(&log()).await.iter().map(|entry| entry.ty().to_owned()).collect();
    assert_eq!(types, ["movement.observed"], "what happens there is still told");
}

#[tokio::test(start_paused = true)]
async fn what_happened_before_the_connection_is_not_of_today() {
    let ground = ground().await;
    let observer = ground.observer(evening);
    let mut old = refund("re_1", 60_000, "failed");
    old["created"] = json!(1_700_000_000);
    observe(&observer, vec![report(&event("evt_1", "refund.failed", &old, None))]).await.unwrap();
    assert!(ground.entries(&log()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_status_that_arrives_late_is_told_as_late() {
    let ground = ground().await;
    let observer = ground.observer(evening);
    let events = day();
    for i in [6, 5, 4] {
        observe(&observer, vec![report(&events[i])]).await.unwrap();
    }
    let entries = ground.entries(&log()).await;
    let changes: Vec<_> = entries
        .iter()
        .filter(|entry| entry.ty() == "movement.changed")
        .map(|entry| (entry.fields()["status"].as_str().unwrap().to_owned(), entry.fields()["late"].clone()))
        .collect();
    assert_eq!(changes, [("paid".to_owned(), json!(false)), ("in_transit".to_owned(), json!(true))]);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_cannot_be_does_not_hold_back_the_others() {
    let ground = ground().await;
    let observer = ground.observer(evening);
    let good = report(&event("evt_1", "refund.created", &refund("re_1", 1, "succeeded"), None));
    let mut poison = report(&event("evt_2", "refund.created", &refund("re_2", 1, "succeeded"), None));
    if let axiru_stripe::report::News::Movement(sighting) = &mut poison.news[0] {
        sighting.amount_minor = i64::MAX;
    }
    let results = observer.observe(vec![poison, good]).await;
    assert!(results[0].is_err() && results[1].is_ok(), "{results:?}");
    assert_eq!(told(&ground.entries(&log()).await), ["movement.observed refund re_1 "]);
}

#[tokio::test(start_paused = true)]
async fn an_altered_plan_blocks_and_is_named() {
    let ground = ground().await;
    let heads: PlanHeads = [head("gone", &"0".repeat(64), PolicyMode::Enforce)].into_iter().collect();
    let put = ground.clients.dynamodb.put_item().table_name(axiru_in_process::STATE_TABLE);
    put.set_item(Some(heads.row(&format!("{MODE}/acct_1").parse().unwrap()))).send().await.unwrap();
    let refund = report(&event("evt_1", "refund.created", &refund("re_1", 1, "succeeded"), None));
    observe(&ground.observer(morning), vec![refund]).await.unwrap();
    let entries = ground.entries(&log()).await;
    let decision = &entries[0].fields()["decision"];
    assert_eq!((&decision["outcome"], &decision["would_be"]), (&json!("block"), &json!("block")));
    assert!(decision["verdicts"].to_string().contains("plan_unusable"));
}
