//! Decisions on facts that only Stripe can tell, and what they become when it, or the key service, is down, slow or refuses.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::decide::{Ask, DecideError, Decided, Decider, Purpose};
use axiru_aws::facts::StripeFacts;
use axiru_domain::{Claimed, Intent, Kind, Mode, Money, ObjectRole, Outcome, Reason, StripeId};
use axiru_in_process::{Fault, STATE_TABLE};
use axiru_policy::Plan;
use serde_json::{Value, json};

use super::ground::key;
use crate::refresh::ground::{ACCOUNT, Ground, now, run};
use crate::refresh::stripe::StripeFault::{Late, Lost, Status, Unreached};

/// Holds where the charge is nearly used up, blocks where it is disputed, and limits the customer.
const POLICIES: &str = r#"
@id("allow") permit(principal, action == Axiru::Action::"refund", resource);
@id("disputed") forbid(principal, action == Axiru::Action::"refund", resource) when { context has charge_disputed && context.charge_disputed };
@id("other-currency") forbid(principal, action == Axiru::Action::"refund", resource)
when { context has charge_currency && context.charge_currency != context.currency };
"#;

async fn with_plan(ground: &Ground, policy_mode: &str) {
    let plan = json!({"v": 1, "name": "refunds", "description": "d", "kinds": ["refund"], "limits": [
        {"id": "customer", "per": "customer", "kinds": ["refund"], "currency": "usd", "window": {"calendar": "day", "zone": "UTC"}, "max_amount": 1_000, "on_exceed": "block"},
    ]});
    let plan = Plan::parse(&plan.to_string(), POLICIES).unwrap_or_else(|error| panic!("{error}"));
    let s = |text: &str| AttributeValue::S(text.to_owned());
    let heads = json!([{"plan": plan.name(), "policy_mode": policy_mode, "sha256": plan.sha256()}]).to_string();
    let token = key(Mode::Live, 1);
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
        vec![
            ("pk", s("live#keys")),
            ("sk", s(token.id().as_str())),
            ("secret_sha256", s(&token.sha256().to_string())),
            ("actor", s("agent:ag_1")),
            ("operator", s("per_0123456789abcdef")),
            ("issuer", s("per_0123456789abcdef")),
            ("accounts", AttributeValue::Ss(vec![ACCOUNT.to_owned()])),
            ("state", s("active")),
            ("created_at", s("2026-10-01T00:00:00.000Z")),
            ("per_minute", AttributeValue::N("1000".into())),
            ("label", s("")),
            ("change", s("chg_1")),
        ],
    ];
    for row in rows {
        let row = row.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let dynamodb = ground.account.dynamodb(ground.retries);
        dynamodb.put_item().table_name(STATE_TABLE).set_item(Some(row)).send().await.unwrap();
    }
}

fn charged(ground: &Ground, body: Value) -> StripeId {
    let made = ground.stripe.control("POST", &format!("live/{ACCOUNT}/charges"), body);
    made["id"].as_str().unwrap().parse().unwrap()
}

fn decider(ground: &Ground) -> Decider {
    let facts = StripeFacts::new(ground.stripe.clone(), Ground::base(), ground.reader());
    Decider::new(ground.store()).with_clock(now).with_facts(facts)
}

fn ask(name: &str, role: ObjectRole, object: &StripeId, amount: i64) -> Ask {
    let money = Money::new(amount, "usd".parse().unwrap()).unwrap();
    Ask {
        token: key(Mode::Live, 1),
        account: ACCOUNT.parse().unwrap(),
        intent: Intent::new(Kind::Refund, money, BTreeMap::from([(role, object.clone())])).unwrap(),
        reason: None,
        method: None,
        claimed: Claimed::nothing(),
        rationale: None,
        metadata: BTreeMap::new(),
        idempotency_key: name.parse().unwrap(),
        purpose: Purpose::Advise,
        parameters: None,
    }
}

fn reasons(decided: &Decided) -> String {
    let verdicts = &decided.entry.fields()["decision"]["verdicts"];
    verdicts[0]["reasons"].to_string()
}

#[test]
fn facts_are_asked_for_and_decide() {
    run(async |ground: &Ground| {
        with_plan(ground, "enforce").await;
        let decider = decider(ground);
        let charge = charged(ground, json!({"amount": 5_000, "currency": "usd", "customer": "cus_1"}));
        let decided = decider.decide(&ask("k1", ObjectRole::Charge, &charge, 600)).await.unwrap();
        assert_eq!(decided.row.outcome, Outcome::Allow);
        let facts = &decided.entry.fields()["facts"];
        assert_eq!(
            (&facts["customer"], &facts["charge_disputed"], &facts["charge_currency"]),
            (&json!("cus_1"), &json!(false), &json!("usd"))
        );
        assert!(facts.get("charge_age_days").is_none(), "nobody reads it, so nobody asks");
        // The customer's window follows the customer over charges.
        let other = charged(ground, json!({"amount": 5_000, "currency": "usd", "customer": "cus_1"}));
        let over = decider.decide(&ask("k2", ObjectRole::Charge, &other, 401)).await.unwrap();
        assert_eq!((over.row.outcome, reasons(&over)), (Outcome::Block, r#"["limit:customer"]"#.to_owned()));
        // A guest has no customer: the limit is not theirs.
        let guest = charged(ground, json!({"amount": 5_000, "currency": "usd"}));
        let decided = decider.decide(&ask("k3", ObjectRole::Charge, &guest, 2_000)).await.unwrap();
        assert_eq!((decided.row.outcome, &decided.entry.fields()["facts"]["customer"]), (Outcome::Allow, &Value::Null));
        ground.stripe.control("POST", &format!("live/{ACCOUNT}/disputes"), json!({"charge": guest.as_str()}));
        let disputed = decider.decide(&ask("k4", ObjectRole::Charge, &guest, 100)).await.unwrap();
        assert_eq!(reasons(&disputed), r#"["policy:disputed"]"#);
    });
}

#[test]
fn an_object_that_stripe_does_not_know_is_refused_with_its_field_and_nothing_is_written() {
    run(async |ground: &Ground| {
        with_plan(ground, "enforce").await;
        for (role, id) in [(ObjectRole::Charge, "ch_nowhere"), (ObjectRole::PaymentIntent, "pi_nowhere")] {
            let error = decider(ground).decide(&ask("k", role, &id.parse().unwrap(), 100)).await.unwrap_err();
            assert!(matches!(error, DecideError::Object(field) if field == role.as_str()), "{error:?}");
        }
        assert!(ground.entries(Mode::Live).await.is_empty());
    });
}

#[test]
fn what_stripe_cannot_say_waits_for_a_person_and_never_longer_than_the_deadline() {
    run(async |ground: &Ground| {
        with_plan(ground, "enforce").await;
        let charge = charged(ground, json!({"amount": 5_000, "currency": "usd", "customer": "cus_1"}));
        let decider = decider(ground);
        for (i, fault) in [
            Status(429),
            Status(500),
            Status(503),
            Unreached,
            Lost,
            Status(401),
            Status(403),
            Late(Duration::from_secs(30)),
        ]
        .into_iter()
        .enumerate()
        {
            ground.stripe.fail(&[fault]);
            let started = tokio::time::Instant::now();
            let amount = 10 + i64::try_from(i).unwrap();
            let decided = decider.decide(&ask(&format!("k{i}"), ObjectRole::Charge, &charge, amount)).await.unwrap();
            assert!(started.elapsed() < Duration::from_millis(1_300), "{:?}", started.elapsed());
            let said = reasons(&decided);
            assert_eq!(decided.row.outcome, Outcome::RequireApproval, "{fault:?} {said}");
            for unknown in ["charge_disputed", "customer"] {
                assert!(said.contains(&Reason::FactUnknown(unknown.to_owned()).to_string()), "{fault:?} {said}");
            }
        }
    });
}

#[test]
fn a_key_service_that_is_down_leaves_facts_unknown_and_decides_what_it_can() {
    run(async |ground: &Ground| {
        with_plan(ground, "enforce").await;
        let charge = charged(ground, json!({"amount": 5_000, "currency": "usd", "customer": "cus_1"}));
        ground.account.faults().always("Decrypt", Fault::Fail);
        let decided = decider(ground).decide(&ask("k1", ObjectRole::Charge, &charge, 100)).await.unwrap();
        assert_eq!(decided.row.outcome, Outcome::RequireApproval, "{}", reasons(&decided));
        // In shadow the same is recorded, and nothing is held back.
        with_plan(ground, "shadow").await;
        let decided = decider(ground).decide(&ask("k2", ObjectRole::Charge, &charge, 101)).await.unwrap();
        assert_eq!(decided.row.outcome, Outcome::Allow);
        assert_eq!(decided.entry.fields()["decision"]["would_be"], "require_approval");
    });
}

#[test]
fn tokens_that_died_leave_facts_unknown() {
    run(async |ground: &Ground| {
        with_plan(ground, "enforce").await;
        let charge = charged(ground, json!({"amount": 5_000, "currency": "usd", "customer": "cus_1"}));
        let update = ground.account.dynamodb(ground.retries).update_item().table_name(STATE_TABLE);
        let s = |text: &str| AttributeValue::S(text.to_owned());
        let update = update.key("pk", s("live#connections")).key("sk", s(ACCOUNT)).update_expression("SET #s = :s");
        update
            .expression_attribute_names("#s", "state")
            .expression_attribute_values(":s", s("reauth_required"))
            .send()
            .await
            .unwrap();
        let decided = decider(ground).decide(&ask("k1", ObjectRole::Charge, &charge, 100)).await.unwrap();
        assert_eq!(decided.row.outcome, Outcome::RequireApproval, "{}", reasons(&decided));
    });
}

#[test]
fn an_object_that_stripe_no_longer_knows_changes_no_answer_and_tells_a_revoked_key_nothing() {
    run(async |ground: &Ground| {
        with_plan(ground, "enforce").await;
        let charge = charged(ground, json!({"amount": 5_000, "currency": "usd", "customer": "cus_1"}));
        // Warm: rows and Stripe are asked beside each other.
        let decider = decider(ground);
        let first = decider.decide(&ask("k1", ObjectRole::Charge, &charge, 100)).await.unwrap();
        ground.stripe.fail(&[Status(404)]);
        let again = decider.decide(&ask("k1", ObjectRole::Charge, &charge, 100)).await.unwrap();
        assert_eq!((again.row.id, again.cached), (first.row.id, true));
        let nowhere: StripeId = "ch_nowhere".parse().unwrap();
        let other = decider.decide(&ask("k1", ObjectRole::Charge, &nowhere, 100)).await.unwrap_err();
        assert!(matches!(other, DecideError::OtherContent), "{other:?}");
        let s = |text: &str| AttributeValue::S(text.to_owned());
        let update = ground.account.dynamodb(ground.retries).update_item().table_name(STATE_TABLE);
        let update = update.key("pk", s("live#keys")).key("sk", s(key(Mode::Live, 1).id().as_str()));
        let update = update.update_expression("SET #s = :s").expression_attribute_names("#s", "state");
        update.expression_attribute_values(":s", s("revoked")).send().await.unwrap();
        let refused = decider.decide(&ask("k2", ObjectRole::Charge, &nowhere, 100)).await.unwrap_err();
        assert!(matches!(refused, DecideError::Key), "{refused:?}");
    });
}
