//! What an enforced plan blocks and nobody asked for: cancelled where Stripe still does it, else told to be too late, and never claimed
//! otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axiru_aws::Retry;
use axiru_aws::cancel::{CancelError, Cancelled};
use axiru_aws::jobs::Job;
use axiru_domain::{Kind, ObjectRole};
use axiru_in_process::{Enumerator, Fault, InProcess, Retries};
use axiru_stripe::report::Report;
use axiru_stripe::transport::{Answering, Transport};
use serde_json::{Value, json};

use super::events::{dispute, event, payout, refund, report, transfer};
use super::stage::{Stage, scope};
use crate::played::{mode, other_mode};

/// More than the plan allows.
const HUGE: i64 = 250_000;

/// A manual payout of the merchant's at Stripe, its id, and the report of it.
fn paid_out(stage: &Stage) -> (String, Report) {
    let made = stage.at_stripe("payouts", json!({"amount": HUGE, "currency": "usd"}));
    let id = made["id"].as_str().unwrap().to_owned();
    let report = report(&event("evt_1", "payout.created", &payout(&id, HUGE, "pending"), None));
    (id, report)
}

async fn cancel(stage: &Stage, kind: Kind, object: &str) -> Result<Cancelled, CancelError> {
    stage.canceller.run(&scope(), kind, &object.parse().unwrap()).await
}

async fn reasons(stage: &Stage) -> Vec<String> {
    let entries = stage.entries().await;
    let late = entries.iter().filter(|entry| entry.ty() == "movement.too_late");
    late.map(|entry| format!("{} {}", entry.fields()["reason"].as_str().unwrap(), entry.fields()["stripe_code"]))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_pending_manual_payout_is_cancelled_once() {
    let stage = Stage::simple().await;
    stage.ground.account.any_scope();
    let (id, report) = paid_out(&stage);
    assert_eq!(stage.observe(&report).await, ["movement.observed"]);
    assert_eq!(stage.windows().await.1, "250000,1");
    let job = Job::Cancel { scope: scope(), kind: Kind::Payout, object: id.parse().unwrap() };
    assert_eq!(stage.jobs(), std::slice::from_ref(&job));
    // A lost job is found.
    assert_eq!(stage.sweeper.overdue(&scope()).await.unwrap(), [job]);
    assert!(stage.sweeper.overdue(&format!("{}/acct_1", other_mode()).parse().unwrap()).await.unwrap().is_empty());

    assert_eq!(cancel(&stage, Kind::Payout, &id).await.unwrap(), Cancelled::Undone);
    assert_eq!(stage.object(&format!("/v1/payouts/{id}"))["status"], "canceled");
    assert_eq!(stage.windows().await.1, "");
    let told = ["movement.observed", "movement.cancelled"];
    assert_eq!(stage.told().await, told);
    assert_eq!(stage.entries().await[1].fields()["status"], "canceled");
    // Whatever comes again changes nothing.
    assert_eq!(cancel(&stage, Kind::Payout, &id).await.unwrap(), Cancelled::Nothing);
    assert!(stage.observe(&report).await.is_empty());
    let canceled = super::events::report(&event("evt_2", "payout.canceled", &payout(&id, HUGE, "canceled"), None));
    assert!(stage.observe(&canceled).await.is_empty());
    assert!(stage.sweeper.overdue(&scope()).await.unwrap().is_empty());
    assert_eq!((stage.told().await, stage.windows().await.1.as_str()), (told.map(str::to_owned).into(), ""));
}

#[tokio::test(start_paused = true)]
async fn a_refund_that_waits_for_the_customer_is_cancelled() {
    let stage = Stage::simple().await;
    let charge = stage.at_stripe("charges", json!({"amount": HUGE, "currency": "usd"}))["id"].clone();
    let made = stage.at_stripe("refunds", json!({"charge": charge, "status": "requires_action"}));
    let id = made["id"].as_str().unwrap();
    let created = report(&event("evt_1", "refund.created", &refund(id, HUGE, "requires_action"), None));
    stage.observe(&created).await;
    assert_eq!(cancel(&stage, Kind::Refund, id).await.unwrap(), Cancelled::Undone);
    assert_eq!(stage.object(&format!("/v1/refunds/{id}"))["status"], "canceled");
    assert_eq!(stage.told().await, ["movement.observed", "movement.cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn what_stripe_does_not_undo_is_too_late_at_once() {
    let was = |status: &str| Some(json!({"status": status}));
    let unsaid = |mut object: Value, name: &str| {
        object.as_object_mut().unwrap().remove(name);
        object
    };
    let mut large = transfer("tr_1", &[]);
    large["amount"] = json!(HUGE);
    for (what, event) in [
        ("in transit", event("evt_1", "payout.updated", &payout("po_1", HUGE, "in_transit"), was("pending"))),
        ("paid", event("evt_1", "payout.paid", &payout("po_1", HUGE, "paid"), was("in_transit"))),
        (
            "not known to be manual",
            event("evt_1", "payout.created", &unsaid(payout("po_1", HUGE, "pending"), "automatic"), None),
        ),
        (
            "of no known status",
            event("evt_1", "payout.created", &unsaid(payout("po_1", HUGE, "pending"), "status"), None),
        ),
        ("a refund on its way", event("evt_1", "refund.created", &refund("re_1", HUGE, "pending"), None)),
        ("refunded", event("evt_1", "refund.created", &refund("re_1", HUGE, "succeeded"), None)),
        ("a transfer", event("evt_1", "transfer.created", &large, None)),
    ] {
        let stage = Stage::simple().await;
        let report = report(&event);
        let told = stage.observe(&report).await;
        assert_eq!(told[..2], ["movement.observed", "movement.too_late"], "{what}");
        assert_eq!(reasons(&stage).await, ["not_cancellable null"], "{what}");
        assert!(stage.observe(&report).await.is_empty(), "{what}");
        assert!(stage.jobs().is_empty() && stage.sweeper.overdue(&scope()).await.unwrap().is_empty(), "{what}");
        assert_ne!(stage.windows().await.1, "", "{what}: it counts");
        assert_eq!(cancel(&stage, Kind::Payout, "po_1").await.unwrap(), Cancelled::Nothing, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_to_be_done_nothing_is_told() {
    let mut automatic = payout("po_1", HUGE, "pending");
    automatic["automatic"] = json!(true);
    let mut by_stripe = refund("re_1", HUGE, "requires_action");
    by_stripe["reason"] = json!("expired_uncaptured_charge");
    let undone =
        event("evt_1", "payout.canceled", &payout("po_1", HUGE, "canceled"), Some(json!({"status": "pending"})));
    let huge = event("evt_1", "payout.created", &payout("po_1", HUGE, "pending"), None);
    for (what, policy_mode, event) in [
        ("automatic", "enforce", event("evt_1", "payout.created", &automatic, None)),
        ("by Stripe", "enforce", event("evt_1", "refund.created", &by_stripe, None)),
        ("undone already", "enforce", undone),
        ("allowed", "enforce", event("evt_1", "payout.created", &payout("po_1", 500, "pending"), None)),
        ("held, not blocked", "enforce", event("evt_1", "payout.created", &payout("po_1", 95_000, "pending"), None)),
        ("in shadow", "shadow", huge.clone()),
        ("a fact", "enforce", event("evt_1", "charge.dispute.created", &dispute("dp_1", "needs_response", 0), None)),
    ] {
        let stage = Stage::with(InProcess::new().unwrap(), Retries::Off, policy_mode).await;
        stage.observe(&report(&event)).await;
        let told = stage.told().await;
        assert!(!told.iter().any(|ty| ty.contains("too_late") || ty.contains("cancelled")), "{what}: {told:?}");
        assert!(stage.jobs().is_empty() && stage.sweeper.overdue(&scope()).await.unwrap().is_empty(), "{what}");
        assert_eq!(cancel(&stage, Kind::Payout, "po_1").await.unwrap(), Cancelled::Nothing, "{what}");
        assert!(stage.ground.account.calls().of(axiru_in_process::Service::Stripe).is_empty(), "{what}");
    }
    // What was asked for and decided is not judged again.
    let stage = Stage::simple().await;
    let asked = stage.executing("k1", Kind::Refund, 400, &[(ObjectRole::Charge, "ch_1")]).await;
    let mut object = refund("re_1", 400, "requires_action");
    object["metadata"] = asked.metadata();
    stage.observe(&report(&event("evt_1", "refund.created", &object, None))).await;
    assert!(stage.jobs().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_and_the_object_is_believed() {
    // It left in the meantime.
    let stage = Stage::simple().await;
    let (id, report) = paid_out(&stage);
    stage.observe(&report).await;
    stage.at_stripe(&format!("payouts/{id}/status"), json!({"status": "in_transit"}));
    assert_eq!(cancel(&stage, Kind::Payout, &id).await.unwrap(), Cancelled::TooLate);
    assert_eq!(cancel(&stage, Kind::Payout, &id).await.unwrap(), Cancelled::Nothing);
    assert_eq!(stage.told().await, ["movement.observed", "movement.too_late"]);
    assert!(reasons(&stage).await[0].starts_with("stripe_refused"));
    assert_eq!(stage.windows().await.1, "250000,1", "it counts on");

    // Somebody else cancelled it: it is cancelled, whoever did it.
    let stage = Stage::simple().await;
    let (id, report) = paid_out(&stage);
    stage.observe(&report).await;
    stage.at_stripe(&format!("payouts/{id}/status"), json!({"status": "canceled"}));
    let told = super::events::report(&event("evt_2", "payout.canceled", &payout(&id, HUGE, "canceled"), None));
    stage.observe(&told).await;
    assert_eq!(cancel(&stage, Kind::Payout, &id).await.unwrap(), Cancelled::Undone);
    assert_eq!(stage.told().await, ["movement.observed", "movement.changed", "movement.cancelled"]);
    assert_eq!(stage.windows().await.1, "", "given back once");

    // There is no such payout.
    let stage = Stage::simple().await;
    let unknown = super::events::report(&event("evt_1", "payout.created", &payout("po_9", HUGE, "pending"), None));
    stage.observe(&unknown).await;
    assert_eq!(cancel(&stage, Kind::Payout, "po_9").await.unwrap(), Cancelled::TooLate);
    assert_eq!(reasons(&stage).await, ["stripe_refused \"resource_missing\""]);
}

#[tokio::test(start_paused = true)]
async fn while_nobody_knows_nothing_is_told() {
    for fault in [
        Fault::NotSent,
        Fault::Reset,
        Fault::TimeOut,
        Fault::ApplyThenTimeOut,
        Fault::Fail,
        Fault::ApplyThenFail,
        Fault::Throttle,
        Fault::Conflict,
        Fault::InProgress,
    ] {
        let stage = Stage::simple().await;
        let (id, report) = paid_out(&stage);
        stage.observe(&report).await;
        stage.ground.account.faults().next("POST /v1/payouts/:id/cancel", fault);
        let error = cancel(&stage, Kind::Payout, &id).await.unwrap_err();
        assert_eq!(error.retry(), Retry::Later, "{fault}");
        assert_eq!(stage.told().await, ["movement.observed"], "{fault}");
        assert_eq!(stage.sweeper.overdue(&scope()).await.unwrap().len(), 1, "{fault}");
        assert_eq!(cancel(&stage, Kind::Payout, &id).await.unwrap(), Cancelled::Undone, "{fault}");
        assert_eq!(stage.told().await, ["movement.observed", "movement.cancelled"], "{fault}");
        assert_eq!(stage.windows().await.1, "", "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_proves_to_be_ours_is_not_cancelled_any_more() {
    let stage = Stage::simple().await;
    let asked = stage.executing("k1", Kind::Payout, HUGE, &[]).await;
    stage.observe(&report(&event("evt_1", "payout.created", &payout("po_1", HUGE, "pending"), None))).await;
    assert_eq!(stage.sweeper.overdue(&scope()).await.unwrap().len(), 1);
    let mut object = payout("po_1", HUGE, "pending");
    object["metadata"] = asked.metadata();
    let proof = report(&event("evt_2", "payout.updated", &object, Some(json!({"metadata": {}}))));
    assert_eq!(stage.observe(&proof).await, ["execution.succeeded"]);
    assert!(stage.sweeper.overdue(&scope()).await.unwrap().is_empty());
    assert_eq!(cancel(&stage, Kind::Payout, "po_1").await.unwrap(), Cancelled::Nothing);
    assert!(stage.ground.account.calls().of(axiru_in_process::Service::Stripe).is_empty());
}

/// A Stripe that answers every POST and every GET with one status and body, and counts the POSTs. `OURS` and `NOT_OURS` stand for the
/// `livemode` of this story's mode and of the other.
struct Always {
    post: (u16, &'static str),
    get: (u16, &'static str),
    posts: AtomicUsize,
}

impl Transport for Always {
    fn send(&self, request: http::Request<bytes::Bytes>) -> Answering<'_> {
        let is_post = request.method() == http::Method::POST;
        self.posts.fetch_add(usize::from(is_post), Ordering::Relaxed);
        let (status, body) = if is_post { self.post } else { self.get };
        let (ours, other) = (mode().livemode().to_string(), other_mode().livemode().to_string());
        let body = body.replace("NOT_OURS", &other).replace("OURS", &ours);
        let answer = http::Response::builder().status(status).body(body.into()).unwrap();
        Box::pin(async move { Ok(answer) })
    }
}

const REFUSED: &str = r#"{"error":{"type":"invalid_request_error","code":"payout_not_cancelable"}}"#;
const PENDING: &str = r#"{"id":"po_1","livemode":OURS,"status":"pending"}"#;
const CANCELED: &str = r#"{"id":"po_1","livemode":OURS,"status":"canceled"}"#;
const OTHER: &str = r#"{"id":"po_2","livemode":OURS,"status":"canceled"}"#;
const OTHER_MODE: &str = r#"{"id":"po_1","livemode":NOT_OURS,"status":"canceled"}"#;

#[tokio::test(start_paused = true)]
async fn only_the_cancelled_object_is_a_success_and_only_a_refusal_ends_it() {
    let cancelled = Ok(Cancelled::Undone);
    let late = |reason: &'static str| Err(Some(reason));
    for (post, get, expected) in [
        ((200, CANCELED), (500, ""), cancelled),
        ((400, REFUSED), (200, PENDING), late("stripe_refused \"payout_not_cancelable\"")),
        ((400, REFUSED), (200, CANCELED), cancelled),
        ((402, "{}"), (200, PENDING), late("stripe_refused null")),
        ((404, REFUSED), (404, "{}"), late("stripe_refused \"payout_not_cancelable\"")),
        ((400, REFUSED), (403, "{}"), late("stripe_refused \"payout_not_cancelable\"")),
        ((403, "{}"), (500, ""), late("permission_missing null")),
        // Not known.
        ((200, PENDING), (200, PENDING), Err(None)),
        ((200, OTHER), (200, CANCELED), Err(None)),
        ((200, OTHER_MODE), (200, CANCELED), Err(None)),
        ((200, "<html>"), (200, CANCELED), Err(None)),
        ((400, REFUSED), (500, ""), Err(None)),
        ((400, REFUSED), (200, OTHER), Err(None)),
        ((400, r#"{"error":{"type":"idempotency_error"}}"#), (200, PENDING), Err(None)),
        ((401, "{}"), (401, "{}"), Err(None)),
        ((409, "{}"), (200, CANCELED), Err(None)),
        ((429, "{}"), (200, CANCELED), Err(None)),
        ((500, REFUSED), (200, CANCELED), Err(None)),
        ((503, "<html>"), (200, CANCELED), Err(None)),
        ((302, ""), (200, CANCELED), Err(None)),
    ] {
        let stage = Stage::simple().await;
        stage.observe(&report(&event("evt_1", "payout.created", &payout("po_1", HUGE, "pending"), None))).await;
        let stripe = Arc::new(Always { post, get, posts: AtomicUsize::new(0) });
        let outcome = stage.canceller_at(stripe.clone()).run(&scope(), Kind::Payout, &"po_1".parse().unwrap()).await;
        assert_eq!(stripe.posts.load(Ordering::Relaxed), 1, "{post:?}");
        let told = stage.told().await;
        match expected {
            Ok(expected) => {
                assert_eq!(outcome.unwrap(), expected, "{post:?} {get:?}");
                assert_eq!(told, ["movement.observed", "movement.cancelled"], "{post:?} {get:?}");
            }
            Err(Some(reason)) => {
                assert_eq!(outcome.unwrap(), Cancelled::TooLate, "{post:?} {get:?}");
                assert_eq!(reasons(&stage).await, [reason], "{post:?} {get:?}");
            }
            Err(None) => {
                assert_eq!(outcome.unwrap_err().retry(), Retry::Later, "{post:?} {get:?}");
                assert_eq!(told, ["movement.observed"], "{post:?} {get:?}");
                assert_eq!(stage.sweeper.overdue(&scope()).await.unwrap().len(), 1, "{post:?} {get:?}");
            }
        }
    }
}

#[test]
fn whatever_fails_it_is_cancelled_and_told_once() {
    let set_up = async |account: InProcess, retries: Retries| {
        let stage = Stage::new(account, retries).await;
        let (id, report) = paid_out(&stage);
        (stage, id, report)
    };
    // The queue gives a message again that failed; the sweeper finds what was never sent.
    let work = async |(stage, _, report): &(Stage, String, Report)| -> Result<(), String> {
        for result in stage.observer.observe(vec![report.clone()]).await {
            result.map_err(|error| error.to_string())?;
        }
        let mut last = Ok(());
        for _ in 0..4 {
            let jobs = stage.sweeper.overdue(&scope()).await.map_err(|error| error.to_string())?;
            last = Ok(());
            for job in jobs {
                let Job::Cancel { kind, object, .. } = job else { continue };
                last =
                    stage.canceller.run(&scope(), kind, &object).await.map(|_| ()).map_err(|error| error.to_string());
            }
            if last.is_ok() {
                return Ok(());
            }
        }
        last
    };
    let check = async |(stage, id, _): &(Stage, String, Report)| -> Result<(), String> {
        let (told, windows) = (stage.told().await, stage.windows().await.1);
        let status = stage.object(&format!("/v1/payouts/{id}"))["status"].clone();
        if told == ["movement.observed", "movement.cancelled"] && windows.is_empty() && status == "canceled" {
            return Ok(());
        }
        Err(format!("{told:?}, windows {windows}, the payout is {status}"))
    };
    let report = Enumerator::new("observe and cancel: a blocked payout").second_faults(11);
    report.run(set_up, work, work, check).unwrap_or_else(|violation| panic!("{violation}"));
}
