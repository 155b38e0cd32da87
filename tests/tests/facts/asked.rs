//! Every fact, as Stripe tells it.

use std::time::Duration;

use axiru_aws::facts::{Subject, Unlearnt};
use axiru_domain::Kind;
use serde_json::json;

use super::stripe::{all, charged, done, flag, long, refund_of, refunded, subject, text};
use crate::refresh::ground::{Ground, now, run};

#[test]
fn a_refund_that_is_asked_for() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        refunded(ground, &charge, 700);
        tokio::time::sleep(Duration::from_secs(3 * 86_400 - 1)).await;
        ground.connect(super::stripe::LIVE, "att_2").await;
        let young = all(ground, &refund_of(&charge)).await;
        assert_eq!(long(&young, "charge_age_days"), 2);
        tokio::time::sleep(Duration::from_secs(1)).await;
        ground.stripe.calls();
        let learnt = all(ground, &refund_of(&charge)).await;
        assert_eq!(ground.stripe.calls(), [format!("GET /v1/charges/{charge}")], "one call tells all of it");
        assert_eq!(long(&learnt, "charge_age_days"), 3);
        assert_eq!((long(&learnt, "charge_refunded_minor"), long(&learnt, "charge_refundable_minor")), (700, 4_300));
        assert!(!flag(&learnt, "charge_disputed"));
        assert_eq!(text(&learnt, "charge_currency").as_deref(), Some("usd"));
        assert_eq!(text(&learnt, "customer").as_deref(), Some("cus_1"));
        assert!(text(&learnt, "payment_intent").unwrap().starts_with("pi_"));
        assert_eq!(
            (text(&learnt, "charge").as_deref(), &learnt.charge),
            (Some(charge.as_str()), &Some(charge.clone()))
        );
        assert!(learnt.unknown.is_empty());
    });
}

#[test]
fn what_is_not_there_is_absent_and_what_was_never_captured_is_not_refundable() {
    run(async |ground: &Ground| {
        let body = json!({"amount": 5_000, "currency": "jpy", "with_payment_intent": false, "captured": false});
        let learnt = all(ground, &refund_of(&done(ground, "charges", body))).await;
        assert_eq!((text(&learnt, "customer"), text(&learnt, "payment_intent")), (None, None));
        assert_eq!((long(&learnt, "charge_refundable_minor"), long(&learnt, "charge_refunded_minor")), (0, 0));
        assert_eq!(text(&learnt, "charge_currency").as_deref(), Some("jpy"));
    });
}

#[test]
fn a_payment_intent_leads_to_its_charge() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        let intent = text(&all(ground, &refund_of(&charge)).await, "payment_intent").unwrap();
        let by_intent = Subject { payment_intent: Some(intent.parse().unwrap()), ..subject(Kind::Refund) };
        let learnt = all(ground, &by_intent).await;
        assert_eq!((learnt.charge.as_ref(), learnt.no_such()), (Some(&charge), None));
        let other = charged(ground);
        let both = Subject { charge: Some(other), ..by_intent.clone() };
        assert_eq!(all(ground, &both).await.no_such(), Some("payment_intent"), "of another payment");
        let both = Subject { charge: Some(charge), ..by_intent };
        assert_eq!(all(ground, &both).await.no_such(), None);
    });
}

#[test]
fn refunds_that_were_made_are_seen_as_before_each_of_them() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        let mut made = Vec::new();
        for amount in [1_000, 200, 30, 4] {
            tokio::time::sleep(Duration::from_secs(1)).await;
            made.push((refunded(ground, &charge, amount), now()));
        }
        // One of them failed: its money was never gone, and those after it never saw it.
        done(ground, &format!("refunds/{}/status", made[1].0), json!({"status": "failed"}));
        for ((id, at), before) in made.iter().zip([0, 1_000, 1_000, 1_030]) {
            let subject = Subject { at: *at, made: Some(id.clone()), ..refund_of(&charge) };
            let learnt = all(ground, &subject).await;
            assert_eq!(long(&learnt, "charge_refunded_minor"), before, "{id}");
            assert_eq!(long(&learnt, "charge_refundable_minor"), 5_000 - before, "{id}");
        }
        let foreign = Subject { made: Some("re_unknown".parse().unwrap()), ..refund_of(&charge) };
        let learnt = all(ground, &foreign).await;
        assert_eq!(learnt.unknown["charge_refundable_minor"], Unlearnt::NotSaid);
        assert_eq!(text(&learnt, "charge_currency").as_deref(), Some("usd"));
    });
}

#[test]
fn disputed_means_by_an_open_dispute_that_was_there_before() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        let early = now();
        tokio::time::sleep(Duration::from_secs(60)).await;
        let dispute = done(ground, "disputes", json!({"charge": charge.as_str()}));
        assert!(flag(&all(ground, &refund_of(&charge)).await, "charge_disputed"));
        let before = Subject { at: early, ..refund_of(&charge) };
        assert!(!flag(&all(ground, &before).await, "charge_disputed"), "it was opened afterwards");
        done(ground, &format!("disputes/{dispute}/close"), json!({"status": "won"}));
        assert!(!flag(&all(ground, &refund_of(&charge)).await, "charge_disputed"), "it is over");
        done(ground, "disputes", json!({"charge": charge.as_str(), "inquiry": true}));
        assert!(flag(&all(ground, &refund_of(&charge)).await, "charge_disputed"), "an inquiry is one too");
    });
}

#[test]
fn a_dispute_that_is_to_be_answered() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        let dispute = done(ground, "disputes", json!({"charge": charge.as_str(), "reason": "product_not_received"}));
        for (kind, count) in [(Kind::DisputeSubmit, 1), (Kind::DisputeAccept, 0)] {
            let learnt = all(ground, &Subject { dispute: Some(dispute.clone()), ..subject(kind) }).await;
            assert_eq!(text(&learnt, "charge").as_deref(), Some(charge.as_str()));
            assert_eq!(text(&learnt, "reason").as_deref(), Some("product_not_received"));
            assert_eq!(text(&learnt, "case_type").as_deref(), Some("chargeback"));
            assert_eq!(text(&learnt, "customer").as_deref(), Some("cus_1"));
            assert_eq!((long(&learnt, "submission_count"), flag(&learnt, "evidence_past_due")), (count, false));
            assert_eq!(learnt.charge.as_ref(), Some(&charge));
        }
    });
}

#[test]
fn a_reversal_that_is_asked_for() {
    run(async |ground: &Ground| {
        charged(ground);
        ground.stripe.control("POST", "accounts", json!({"id": "acct_7", "platform": "acct_1"}));
        let transfer = done(ground, "transfers", json!({"destination": "acct_7", "amount": 900, "currency": "usd"}));
        let learnt = all(ground, &Subject { transfer: Some(transfer), ..subject(Kind::TransferReversal) }).await;
        assert_eq!(long(&learnt, "transfer_amount_minor"), 900);
    });
}
