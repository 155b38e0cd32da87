//! Whose movement it is: the proof and every condition on the way to it, either order of outcome and webhook, windows exact.

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_domain::{Kind, ObjectRole};
use axiru_in_process::{Enumerator, InProcess, Retries};
use axiru_stripe::report::{News, Report, Sighting};
use serde_json::{Value, json};

use super::events::{dispute, event, payout, refund, report, transfer};
use super::stage::{Asked, Stage};
use crate::played::{MODE, mode, other_mode};

const CHARGE: &[(ObjectRole, &str)] = &[(ObjectRole::Charge, "ch_1")];

/// An event about `object`, which says how Axiru made it.
fn made(id: &str, event_type: &str, mut object: Value, asked: &Asked, key: bool, metadata: bool) -> Report {
    if metadata {
        object["metadata"] = asked.metadata();
    }
    let before = event_type.ends_with("updated").then(|| json!({"status": "pending"}));
    let mut event = event(id, event_type, &object, before);
    if key {
        event["request"]["idempotency_key"] = asked.key().into();
    }
    report(&event)
}

fn sighting(report: &mut Report) -> &mut Sighting {
    let News::Movement(sighting) = &mut report.news[0] else { panic!() };
    sighting
}

async fn staged() -> (Stage, Asked) {
    let stage = Stage::simple().await;
    let asked = stage.executing("k1", Kind::Refund, 400, CHARGE).await;
    assert_eq!(stage.windows().await, ("400,1,400,1".to_owned(), "400,1,400,1".to_owned()));
    (stage, asked)
}

#[tokio::test(start_paused = true)]
async fn key_or_receipt_alone_is_proof_and_links_once() {
    for (key, metadata) in [(true, true), (true, false), (false, true)] {
        let (stage, asked) = staged().await;
        let made = made("evt_1", "refund.created", refund("re_1", 400, "pending"), &asked, key, metadata);
        assert_eq!(stage.observe(&made).await, ["movement.observed", "execution.succeeded"], "{key} {metadata}");
        // Delivered twice, and under another event.
        assert!(stage.observe(&made).await.is_empty());
        let mut twin = made.clone();
        twin.event = "evt_2".parse().unwrap();
        assert!(stage.observe(&twin).await.is_empty());
        assert_eq!(stage.windows().await, ("400,1".to_owned(), "400,1".to_owned()));
        assert_eq!(stage.status(&asked).await, "succeeded");
        assert_eq!(stage.text(&asked.pk(), "request", "object").await.as_deref(), Some("re_1"));
        assert_eq!(stage.text(&asked.pk(), "request", "counted").await.as_deref(), Some("[]"));
        assert_eq!(stage.text(&asked.pk(), "request", "open_until").await.as_deref(), Some("-"));
        assert_eq!(stage.text(&asked.pk(), "sealed", "parameters").await, None, "the sealed parameters are gone");
        let entry = stage.entries().await.pop().unwrap();
        for (name, value) in [
            ("request", json!(asked.id.as_str())),
            ("object", json!("re_1")),
            ("amount_minor", json!(400)),
            ("status", json!("pending")),
            ("found_by", json!("webhook")),
            ("stripe_request", json!("req_1")),
            ("actor", json!("axiru")),
        ] {
            assert_eq!(entry.fields()[name], value, "{name}");
        }
        // It fails at the bank: the room is free again, once.
        for id in ["evt_3", "evt_4"] {
            let failed = self::made(id, "refund.failed", refund("re_1", 400, "failed"), &asked, false, metadata);
            stage.observe(&failed).await;
            assert_eq!(stage.windows().await, (String::new(), String::new()));
        }
        assert_eq!(stage.status(&asked).await, "succeeded");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_request_is_settled_too_and_every_kind_has_its_parents() {
    let stage = Stage::simple().await;
    let intent = [(ObjectRole::PaymentIntent, "pi_1")];
    let asked = stage.executing("k1", Kind::Refund, 400, &intent).await;
    stage.set(&asked.id, &[("status", AttributeValue::S("unknown".into()))]).await;
    let mut object = refund("re_1", 400, "succeeded");
    object["payment_intent"] = json!("pi_1");
    let report = made("evt_1", "refund.created", object, &asked, false, true);
    assert_eq!(stage.observe(&report).await, ["movement.observed", "execution.succeeded"]);

    let asked = stage.executing("k2", Kind::Payout, 500, &[]).await;
    let report = made("evt_2", "payout.created", payout("po_1", 500, "pending"), &asked, true, false);
    assert_eq!(stage.observe(&report).await, ["movement.observed", "execution.succeeded"]);

    let destination = [(ObjectRole::Destination, "acct_2"), (ObjectRole::SourceTransaction, "ch_1")];
    let asked = stage.executing("k3", Kind::Transfer, 500, &destination).await;
    let report = made("evt_3", "transfer.created", transfer("tr_1", &[]), &asked, false, true);
    assert_eq!(stage.observe(&report).await, ["movement.observed", "execution.succeeded"]);

    // The event for the second reversal lists the first, which somebody else made: only its own metadata prove a reversal.
    let asked = stage.executing("k4", Kind::TransferReversal, 10, &[(ObjectRole::Transfer, "tr_1")]).await;
    let mut object = transfer("tr_1", &["trr_1", "trr_2"]);
    object["reversals"]["data"][1]["metadata"] = asked.metadata();
    let report = made("evt_4", "transfer.reversed", object, &asked, true, false);
    assert_eq!(stage.observe(&report).await, ["movement.observed", "movement.observed", "execution.succeeded"]);
    assert_eq!(stage.text(&asked.pk(), "request", "object").await.as_deref(), Some("trr_2"));

    // The metadata of a dispute outlive the submission they were written for.
    let asked = stage.executing("k5", Kind::DisputeSubmit, 900, &[(ObjectRole::Dispute, "dp_1")]).await;
    for (count, told) in [
        (1, vec!["fact.recorded", "movement.observed", "execution.succeeded"]),
        (2, vec!["fact.recorded", "movement.observed"]),
    ] {
        let mut object = dispute("dp_1", "under_review", count);
        object["metadata"] = asked.metadata();
        let before = json!({"evidence_details": {"submission_count": count - 1}});
        let event = event(&format!("evt_5{count}"), "charge.dispute.updated", &object, Some(before));
        assert_eq!(stage.observe(&super::events::report(&event)).await, told);
    }
}

/// One condition taken away from a movement that would link.
type Spoil = (&'static str, fn(&mut Report));

const SPOILT: &[Spoil] = &[
    ("another amount", |r| sighting(r).amount_minor = 401),
    ("another currency", |r| sighting(r).currency = "eur".parse().unwrap()),
    ("another charge", |r| {
        sighting(r).facts.insert("charge".into(), Some(axiru_domain::FactValue::Text("ch_2".into())));
    }),
    ("no charge", |r| {
        sighting(r).facts.insert("charge".into(), None);
    }),
    ("a charge that is not told", |r| {
        sighting(r).facts.remove("charge");
    }),
    ("another kind", |r| {
        let (kind, object) = (Kind::Transfer, "tr_9".parse().unwrap());
        let facts = std::iter::once(("destination".to_owned(), None)).collect();
        *sighting(r) = Sighting { kind, object, facts, ..sighting(r).clone() };
    }),
    ("no proof", |r| {
        r.caused = None;
        sighting(r).link = None;
    }),
    ("metadata without the receipt of the decision", |r| {
        r.caused = None;
        spoil_receipt(r, |log, seq, leaf| (log, seq, leaf.chars().rev().collect()));
    }),
    ("the receipt of another place", |r| {
        r.caused = None;
        spoil_receipt(r, |log, seq, leaf| (log, seq + 1, leaf));
    }),
    ("the receipt of another log", |r| {
        r.caused = None;
        spoil_receipt(r, |log, seq, leaf| (log.replace(mode().as_str(), other_mode().as_str()), seq, leaf));
    }),
    ("a key that is not the derived one", |r| {
        sighting(r).link = None;
        let caused = r.caused.as_mut().unwrap();
        caused.key = format!("{}{}", &caused.key[..caused.key.len() - 32], "0".repeat(32));
    }),
    ("a key that names another request", |r| {
        sighting(r).link = None;
        r.caused.as_mut().unwrap().request = format!("dec_{}", "0".repeat(32)).parse().unwrap();
    }),
    ("metadata that name another request", |r| {
        r.caused = None;
        sighting(r).link.as_mut().unwrap().request = format!("dec_{}", "0".repeat(32)).parse().unwrap();
    }),
    ("the other mode", |r| r.scope = format!("{}/acct_1", other_mode()).parse().unwrap()),
];

fn spoil_receipt(report: &mut Report, spoil: fn(String, u64, String) -> (String, u64, String)) {
    let link = sighting(report).link.as_mut().unwrap();
    let (log, seq, leaf) = spoil(link.receipt.log().key(), link.receipt.seq(), link.receipt.leaf().to_owned());
    link.receipt = format!("{log}:{seq}:{leaf}").parse().unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_any_one_condition_it_is_nobodys() {
    for (what, spoil) in SPOILT {
        let (stage, asked) = staged().await;
        stage.ground.account.any_scope();
        let mut report = made("evt_1", "refund.created", refund("re_1", 400, "succeeded"), &asked, true, true);
        spoil(&mut report);
        assert_eq!(stage.observe(&report).await, ["movement.observed"], "{what}");
        assert_eq!(stage.status(&asked).await, "executing", "{what}");
        assert_eq!(stage.windows().await.0, "400,1,400,1", "{what}: the hold stays");
        assert!(stage.text(&asked.pk(), "sealed", "parameters").await.is_some(), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_request_that_is_under_way_takes_it() {
    for status in ["pending", "denied", "failed", "expired", "settled", "succeeded", "allowed"] {
        let (stage, asked) = staged().await;
        stage.set(&asked.id, &[("status", AttributeValue::S(status.into()))]).await;
        let report = made("evt_1", "refund.created", refund("re_1", 400, "succeeded"), &asked, true, true);
        let told = stage.observe(&report).await;
        // What was only allowed is settled by the first movement that is the same, as ever.
        let expected: &[&str] =
            if status == "allowed" { &["movement.observed", "decision.settled"] } else { &["movement.observed"] };
        assert_eq!(told, expected, "{status}");
        let now = stage.status(&asked).await;
        assert_eq!(now, if status == "allowed" { "settled" } else { status });
    }
}

#[tokio::test(start_paused = true)]
async fn another_object_is_not_the_one_that_was_made() {
    // Copied metadata, a copied key, before and after the outcome, and where another object is noted already.
    let (stage, asked) = staged().await;
    stage.set(&asked.id, &[("object", AttributeValue::S("re_8".into()))]).await;
    let copy = made("evt_1", "refund.created", refund("re_9", 400, "succeeded"), &asked, true, true);
    assert_eq!(stage.observe(&copy).await, ["movement.observed"]);
    assert_eq!(stage.windows().await, ("400,1,400,1".to_owned(), "800,2,400,1".to_owned()));

    let (stage, asked) = staged().await;
    let own = made("evt_1", "refund.created", refund("re_1", 400, "succeeded"), &asked, true, true);
    stage.observe(&own).await;
    let copy = made("evt_2", "refund.created", refund("re_2", 400, "succeeded"), &asked, true, true);
    assert_eq!(stage.observe(&copy).await, ["movement.observed"]);
    assert_eq!(stage.windows().await, ("400,1".to_owned(), "800,2".to_owned()));

    // Both in one batch: one of them.
    let (stage, asked) = staged().await;
    let own = made("evt_1", "refund.created", refund("re_1", 400, "succeeded"), &asked, true, true);
    let copy = made("evt_2", "refund.created", refund("re_2", 400, "succeeded"), &asked, true, true);
    for outcome in stage.observer.observe(vec![own, copy]).await {
        outcome.unwrap();
    }
    assert_eq!(stage.told().await, ["decision.made", "movement.observed", "execution.succeeded", "movement.observed"]);
    assert_eq!(stage.windows().await, ("400,1".to_owned(), "800,2".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_hint_of_another_request_does_not_hide_the_proof() {
    let (stage, asked) = staged().await;
    let mut report = made("evt_1", "refund.created", refund("re_1", 400, "succeeded"), &asked, true, true);
    report.caused.as_mut().unwrap().request = format!("dec_{}", "0".repeat(32)).parse().unwrap();
    assert_eq!(stage.observe(&report).await, ["movement.observed", "execution.succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_outcome_claimed_first_is_adopted_once() {
    for later in [false, true] {
        let (stage, asked) = staged().await;
        stage.outcome(&asked, "refund#re_1#0", "re_1", 400, "pending").await;
        assert_eq!(stage.windows().await, ("400,1".to_owned(), "400,1".to_owned()));
        let created = made("evt_1", "refund.created", refund("re_1", 400, "pending"), &asked, true, true);
        let failed = made("evt_2", "refund.failed", refund("re_1", 400, "failed"), &asked, false, true);
        let (first, second) = if later { (failed, created) } else { (created, failed) };
        let told = [stage.observe(&first).await, stage.observe(&first).await, stage.observe(&second).await];
        let expected: [&[&str]; 3] = if later {
            [&["movement.observed", "movement.changed"], &[], &[]]
        } else {
            [&["movement.observed"], &[], &["movement.changed"]]
        };
        assert_eq!(
            told.each_ref().map(Vec::as_slice),
            expected
                .map(|types| types.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>())
                .each_ref()
                .map(Vec::as_slice),
            "{later}"
        );
        // It failed: what it took is free, once, and the request stays what it is.
        assert_eq!(stage.windows().await, (String::new(), String::new()));
        assert_eq!(stage.status(&asked).await, "succeeded");
        assert_eq!(
            stage.text(&format!("{MODE}#acct_1#refund#re_1#0"), "movement", "unseen").await.as_deref(),
            Some("-")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_nobodys_is_taken_over_when_its_proof_arrives() {
    let (stage, asked) = staged().await;
    let bare = made("evt_1", "refund.created", refund("re_1", 400, "pending"), &asked, false, false);
    assert_eq!(stage.observe(&bare).await, ["movement.observed"]);
    assert_eq!(stage.windows().await, ("400,1,400,1".to_owned(), "800,2,400,1".to_owned()));
    let proof = made("evt_2", "refund.updated", refund("re_1", 400, "succeeded"), &asked, false, true);
    assert_eq!(stage.observe(&proof).await, ["execution.succeeded", "movement.changed"]);
    assert!(stage.observe(&proof).await.is_empty());
    assert_eq!(stage.windows().await, ("400,1".to_owned(), "400,1".to_owned()));
    assert_eq!(stage.status(&asked).await, "succeeded");
}

#[test]
fn whatever_fails_it_is_linked_once_and_counts_once() {
    let set_up = async |account: InProcess, retries: Retries| {
        let stage = Stage::new(account, retries).await;
        let asked = stage.executing("k1", Kind::Refund, 400, CHARGE).await;
        let report = made("evt_1", "refund.created", refund("re_1", 400, "pending"), &asked, true, true);
        (stage, asked, report)
    };
    let deliver = async |(stage, _, report): &(Stage, Asked, Report)| {
        let results = stage.observer.observe(vec![report.clone()]).await;
        results.into_iter().try_for_each(|result| result.map(|_| ()).map_err(|error| error.to_string()))
    };
    let check = async |(stage, asked, _): &(Stage, Asked, Report)| -> Result<(), String> {
        let told = stage.told().await;
        if told != ["decision.made", "movement.observed", "execution.succeeded"] {
            return Err(format!("{told:?}"));
        }
        let windows = stage.windows().await;
        if windows != ("400,1".to_owned(), "400,1".to_owned()) {
            return Err(format!("{windows:?}"));
        }
        let sealed = stage.text(&asked.pk(), "sealed", "parameters").await;
        let status = stage.status(asked).await;
        if status == "succeeded" && sealed.is_none() { Ok(()) } else { Err(format!("{status} {sealed:?}")) }
    };
    let report = Enumerator::new("observe: a linked movement").second_faults(3);
    report.run(set_up, deliver, deliver, check).unwrap_or_else(|violation| panic!("{violation}"));
}
