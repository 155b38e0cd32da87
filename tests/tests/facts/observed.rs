//! Facts of observations: what plans read, as it was before; and Stripe never holds an observation back.

use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::observe::{Observed, Observer};
use axiru_domain::StripeId;
use axiru_in_process::STATE_TABLE;
use axiru_policy::Plan;
use axiru_stripe::event::{Projected, project};
use axiru_stripe::report::Report;
use serde_json::{Value, json};

use super::stripe::{LIVE, charged, facts, refunded};
use crate::acting::{acting_as, store_of};
use crate::refresh::ground::{ACCOUNT, Ground, now, run};
use crate::refresh::stripe::StripeFault::{Late, Status};

const POLICIES: &str = r#"
@id("allow")
permit(principal, action == Axiru::Action::"refund", resource);

@id("hold-old")
@require_approval("finance")
@reason("The charge is old or nearly used up")
forbid(principal, action == Axiru::Action::"refund", resource)
when { (context has charge_age_days && context.charge_age_days > 30)
    || (context.currency == "usd" && context has charge_refundable_minor && context.charge_refundable_minor < 4000) };
"#;

/// A plan that reads two facts of Stripe's, in force in live mode.
async fn with_plan(ground: &Ground) {
    let document = r#"{"v":1,"name":"refunds-old","description":"Old charges wait.","kinds":["refund"]}"#;
    let plan = Plan::parse(document, POLICIES).unwrap();
    let s = |text: &str| AttributeValue::S(text.to_owned());
    let heads = json!([{"plan": plan.name(), "policy_mode": "shadow", "sha256": plan.sha256()}]).to_string();
    let rows = [
        vec![
            ("pk", s(&format!("live#{ACCOUNT}#plans"))),
            ("sk", s("heads")),
            ("heads", s(&heads)),
            ("version", AttributeValue::N("1".into())),
        ],
        vec![
            ("pk", s(&format!("live#{ACCOUNT}#plan"))),
            ("sk", s(plan.sha256())),
            ("document", AttributeValue::B(Blob::new(plan.document()))),
        ],
    ];
    for row in rows {
        let row = row.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let dynamodb = ground.account.dynamodb(ground.retries);
        dynamodb.put_item().table_name(STATE_TABLE).set_item(Some(row)).send().await.unwrap();
    }
}

fn observer(ground: &Ground) -> Observer {
    Observer::new(store_of(&acting_as("ObserveRole", &ground.account, ground.retries)))
        .with_clock(now)
        .with_facts(facts(ground))
}

fn report(charge: &StripeId, refund: &StripeId, amount: i64) -> Report {
    let object = json!({"id": refund.as_str(), "object": "refund", "amount": amount, "currency": "usd", "charge": charge.as_str(),
        "payment_intent": null, "created": now().secs(), "reason": null, "status": "succeeded", "destination_details": {"type": "card"}});
    let event = json!({"id": format!("evt_{}", refund.as_str().replace('_', "")), "object": "event", "type": "refund.created",
        "account": ACCOUNT, "livemode": true, "created": now().secs(), "request": null, "data": {"object": object}});
    match project(event.to_string().as_bytes(), LIVE).unwrap() {
        Projected::Report(report) => *report,
        Projected::Ignored(why) => panic!("{why:?}"),
    }
}

/// The facts of each observation, in order.
async fn observed(ground: &Ground, observer: &Observer, reports: Vec<Report>) -> Vec<Value> {
    for outcome in observer.observe(reports).await {
        assert!(matches!(outcome.unwrap(), Observed::Recorded(_)));
    }
    ground.entries(LIVE).await.iter().map(|entry| entry.fields()["facts"].clone()).collect()
}

#[test]
fn refunds_of_one_batch_are_each_judged_as_before_themselves() {
    run(async |ground: &Ground| {
        with_plan(ground).await;
        let charge = charged(ground);
        let mut reports = Vec::new();
        for amount in [900, 600, 50] {
            let refund = refunded(ground, &charge, amount);
            reports.push(report(&charge, &refund, amount));
        }
        let facts = observed(ground, &observer(ground), reports).await;
        let refundable: Vec<_> = facts.iter().map(|facts| facts["charge_refundable_minor"].clone()).collect();
        assert_eq!(refundable, [json!(5_000), json!(4_100), json!(3_500)]);
        let entries = ground.entries(LIVE).await;
        let would: Vec<_> = entries.iter().map(|entry| entry.fields()["decision"]["would_be"].clone()).collect();
        assert_eq!(would, [json!("allow"), json!("allow"), json!("require_approval")]);
    });
}

#[test]
fn whatever_stripe_does_the_observation_is_recorded_and_its_facts_are_unknown() {
    run(async |ground: &Ground| {
        with_plan(ground).await;
        let charge = charged(ground);
        let observer = observer(ground);
        let mut seen = 0;
        for fault in [Status(500), Status(403), Status(429), Status(404), Late(Duration::from_secs(3_000))] {
            let refund = refunded(ground, &charge, 10);
            ground.stripe.fail(&[fault]);
            let started = tokio::time::Instant::now();
            let facts = observed(ground, &observer, vec![report(&charge, &refund, 10)]).await;
            seen += 1;
            assert_eq!(facts.len(), seen);
            assert!(started.elapsed() < Duration::from_secs(2), "{fault:?}: {:?}", started.elapsed());
            let entry = ground.entries(LIVE).await.pop().unwrap();
            let text = String::from_utf8(entry.bytes().to_vec()).unwrap();
            assert!(text.contains("charge_refundable_minor"), "{text}");
            assert_eq!(entry.fields()["decision"]["would_be"], "require_approval", "unknown never falls open");
        }
    });
}

#[test]
fn without_a_plan_that_reads_them_nothing_is_asked() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        let refund = refunded(ground, &charge, 10);
        ground.stripe.calls();
        observed(ground, &observer(ground), vec![report(&charge, &refund, 10)]).await;
        assert!(ground.stripe.calls().is_empty());
    });
}

#[test]
fn a_full_batch_against_a_dead_stripe_takes_two_deadlines() {
    run(async |ground: &Ground| {
        with_plan(ground).await;
        let charge = charged(ground);
        let reports: Vec<_> = (0..10).map(|_| report(&charge, &refunded(ground, &charge, 10), 10)).collect();
        ground.stripe.slow_down(Duration::from_secs(60));
        let started = tokio::time::Instant::now();
        let facts = observed(ground, &observer(ground), reports).await;
        assert_eq!(facts.len(), 10);
        assert!(started.elapsed() < Duration::from_millis(2_600), "{:?}", started.elapsed());
    });
}
