//! What could not be asked: unknown, with the reason, and in time.

use std::collections::BTreeSet;
use std::time::Duration;

use axiru_aws::facts::{DEADLINE, Subject, Unlearnt, askable};
use axiru_domain::{Kind, Mode, Scope, StripeId};
use axiru_in_process::Fault;
use serde_json::json;

use super::stripe::{LIVE, all, all_in, charged, done, facts, flag, long, refund_of, refunded, subject, text};
use crate::refresh::ground::{Ground, HALF_AN_HOUR, now, run, scope};
use crate::refresh::stripe::StripeFault::{Late, Lost, Status, Unreached};

fn every(learnt: &axiru_aws::facts::Learnt, why: &Unlearnt) {
    assert!(learnt.facts.is_empty() && learnt.unknown.values().all(|found| found == why), "{learnt:?}");
}

#[test]
fn an_object_that_is_not_there_is_the_callers_error_and_names_the_field() {
    run(async |ground: &Ground| {
        let nothing: StripeId = "xx_1".parse().unwrap();
        for (subject, field) in [
            (Subject { charge: Some(nothing.clone()), ..subject(Kind::Refund) }, "charge"),
            (Subject { payment_intent: Some(nothing.clone()), ..subject(Kind::Refund) }, "payment_intent"),
            (Subject { dispute: Some(nothing.clone()), ..subject(Kind::DisputeSubmit) }, "dispute"),
            (Subject { dispute: Some(nothing.clone()), ..subject(Kind::DisputeAccept) }, "dispute"),
            (Subject { transfer: Some(nothing.clone()), ..subject(Kind::TransferReversal) }, "transfer"),
        ] {
            let learnt = all(ground, &subject).await;
            every(&learnt, &Unlearnt::NoSuch(field));
            assert_eq!((learnt.no_such(), learnt.permission_missing()), (Some(field), None));
        }
        for kind in [Kind::Refund, Kind::DisputeSubmit, Kind::TransferReversal] {
            every(&all(ground, &subject(kind)).await, &Unlearnt::NoObject);
        }
    });
}

#[test]
fn test_and_live_never_mix() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        every(&all_in(ground, &scope(Mode::Test), &refund_of(&charge)).await, &Unlearnt::NoSuch("charge"));
        let stranger = Scope::new(LIVE, "acct_2".parse().unwrap());
        every(&all_in(ground, &stranger, &refund_of(&charge)).await, &Unlearnt::NotConnected);
        assert!(all(ground, &refund_of(&charge)).await.unknown.is_empty());
    });
}

#[test]
fn a_missing_permission_is_named() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        let dispute = done(ground, "disputes", json!({"charge": charge.as_str()}));
        ground.stripe.control("POST", "apps/live", json!({"permissions": ["charge_read"]}));
        let learnt = all(ground, &refund_of(&charge)).await;
        assert_eq!(learnt.permission_missing(), Some("dispute_read"));
        assert_eq!(learnt.unknown.len(), 1, "the charge can be read: {:?}", learnt.unknown);
        every(
            &all(ground, &Subject { dispute: Some(dispute), ..subject(Kind::DisputeAccept) }).await,
            &Unlearnt::Permission("dispute_read"),
        );
        ground.stripe.control("POST", "apps/live", json!({"permissions": []}));
        every(&all(ground, &refund_of(&charge)).await, &Unlearnt::Permission("charge_read"));
    });
}

#[test]
fn every_failure_of_stripe_has_its_reason() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        for (fault, why) in [
            (Status(429), Unlearnt::RateLimited),
            (Status(500), Unlearnt::Unavailable),
            (Status(503), Unlearnt::Unavailable),
            (Unreached, Unlearnt::Unavailable),
            (Lost, Unlearnt::Unavailable),
            (Status(400), Unlearnt::NotSaid),
            (Late(Duration::from_secs(60)), Unlearnt::TimedOut),
        ] {
            ground.stripe.fail(&[fault]);
            every(&all(ground, &refund_of(&charge)).await, &why);
        }
        assert!(all(ground, &refund_of(&charge)).await.unknown.is_empty());
    });
}

#[test]
fn a_slow_stripe_costs_the_deadline_and_no_more_and_what_was_told_in_time_is_kept() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        done(ground, "disputes", json!({"charge": charge.as_str(), "inquiry": true}));
        let refund = refunded(ground, &charge, 100);
        for latency in [399, 601, 1_199, 1_201, 30_000] {
            let latency = Duration::from_millis(latency);
            ground.stripe.slow_down(latency);
            let started = tokio::time::Instant::now();
            let subject = Subject { at: now(), made: Some(refund.clone()), ..refund_of(&charge) };
            let learnt = all(ground, &subject).await;
            let took = started.elapsed();
            // The charge first, then its refunds and disputes beside each other.
            assert!(took <= DEADLINE.min(latency * 2) + Duration::from_millis(2), "{latency:?}: {took:?}");
            let told = if latency * 2 < DEADLINE {
                8
            } else if latency < DEADLINE {
                5
            } else {
                0
            };
            assert_eq!(learnt.facts.len(), told, "{latency:?}: {learnt:?}");
            assert!(learnt.unknown.values().all(|why| *why == Unlearnt::TimedOut), "{learnt:?}");
        }
    });
}

#[test]
fn a_slow_table_or_key_counts_against_the_same_deadline() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        for call in ["GetItem", "Decrypt"] {
            ground.account.faults().next(call, Fault::Delay(Duration::from_secs(5)));
            let started = tokio::time::Instant::now();
            every(&all(ground, &refund_of(&charge)).await, &Unlearnt::TimedOut);
            assert!(started.elapsed() <= DEADLINE + Duration::from_millis(2), "{call}");
        }
        ground.account.faults().next("Decrypt", Fault::Fail);
        every(&all(ground, &refund_of(&charge)).await, &Unlearnt::NoToken);
    });
}

#[test]
fn a_token_that_was_renewed_meanwhile_is_replaced_without_anybody_noticing() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        let facts = facts(ground);
        let wanted: BTreeSet<_> = askable(Kind::Refund).iter().copied().collect();
        tokio::time::sleep(HALF_AN_HOUR).await;
        assert!(facts.learn(&scope(LIVE), &refund_of(&charge), &wanted).await.unknown.is_empty());
        ground.refresh(LIVE).await.unwrap();
        // Stripe no longer takes the old one; the new one is in the row.
        ground.stripe.fail(&[Status(401)]);
        let learnt = facts.learn(&scope(LIVE), &refund_of(&charge), &wanted).await;
        assert!(learnt.unknown.is_empty(), "{learnt:?}");
        // Refused, and there is no other: unknown, and a fresh one is asked for.
        ground.stripe.fail(&[Status(401)]);
        every(&facts.learn(&scope(LIVE), &refund_of(&charge), &wanted).await, &Unlearnt::Unauthorized);
        let asks = ground.account.queued(axiru_in_process::REFRESH_QUEUE_URL);
        assert_eq!(asks, [json!({"scope": "live/acct_1", "refused": "att_1#1"}).to_string()]);
    });
}

#[test]
fn without_a_usable_token_stripe_is_not_called() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        every(&all(ground, &refund_of(&charge)).await, &Unlearnt::NoToken);
        ground.stripe.control("POST", "live/acct_1/uninstall", json!({}));
        ground.refresh(LIVE).await.unwrap();
        ground.stripe.calls();
        every(&all(ground, &refund_of(&charge)).await, &Unlearnt::ReauthRequired);
        assert!(ground.stripe.calls().is_empty());
    });
}

#[test]
fn only_what_is_wanted_is_asked_for() {
    run(async |ground: &Ground| {
        let charge = charged(ground);
        done(ground, "disputes", json!({"charge": charge.as_str(), "inquiry": true}));
        let refund = refunded(ground, &charge, 100);
        let asked = async |subject: &Subject, wanted: &[&'static str]| {
            ground.stripe.calls();
            let learnt = facts(ground).learn(&scope(LIVE), subject, &wanted.iter().copied().collect()).await;
            (learnt, ground.stripe.calls().len())
        };
        let made = Subject { at: now(), made: Some(refund), ..refund_of(&charge) };
        for (subject, wanted, calls) in [
            (&made, &[][..], 0),
            (&made, &["similar_24h", "nonsense"], 0),
            (&made, &["charge_age_days"], 1),
            (&made, &["charge_refundable_minor"], 2),
            (&made, &["charge_disputed", "similar_24h"], 2),
            (&made, &["charge_disputed", "charge_refunded_minor"], 3),
            (&refund_of(&charge), &["charge_refunded_minor"], 1),
        ] {
            let (learnt, made) = asked(subject, wanted).await;
            assert_eq!(made, calls, "{wanted:?}");
            let unknown: Vec<_> = learnt.unknown.iter().collect();
            assert!(unknown.iter().all(|(_, why)| **why == Unlearnt::NotAsked), "{unknown:?}");
            assert_eq!(learnt.facts.len() + unknown.len(), wanted.len());
        }
        assert!(!flag(&asked(&refund_of(&charged(ground)), &["charge_disputed"]).await.0, "charge_disputed"));
        let dispute = Subject { charge: Some(charge.clone()), ..subject(Kind::DisputeSubmit) };
        let (learnt, calls) = asked(&dispute, &["customer"]).await;
        assert_eq!((text(&learnt, "customer").as_deref(), calls), (Some("cus_1"), 1));
        assert_eq!(long(&asked(&made, &["charge_refunded_minor"]).await.0, "charge_refunded_minor"), 0);
    });
}
