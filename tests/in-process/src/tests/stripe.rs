//! What each fault means at a call to Stripe: what the caller sees, what Stripe has done, and what a retry with the same key gives.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axiru_stripe::transport::{Transport as _, TransportError};
use axiru_stripe_sandbox::{Sandbox, SandboxConfig};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{account, dynamodb::put_new};
use crate::{Enumerator, Fault, InProcess, Latencies, Outcome, Retries, Service, Stripe};

const MERCHANT: &str = "acct_1Merchant";

/// A merchant with a charge of 10.00.
pub(super) struct Shop {
    pub(super) account: InProcess,
    sandbox: Sandbox,
    stripe: Stripe,
    key: String,
    charge: String,
}

impl Shop {
    pub(super) fn new(account: InProcess) -> Self {
        let sandbox = Sandbox::new(SandboxConfig::default());
        let made =
            json!({"id": MERCHANT, "business_name": "Shop", "default_currency": "usd", "balance": {"usd": 100_000}});
        let keys = sandbox.control("POST", "accounts", made).unwrap();
        let key = keys["keys"]["test"]["secret"].as_str().unwrap().to_owned();
        let charge = sandbox.control("POST", &format!("test/{MERCHANT}/charges"), json!({"amount": 1000})).unwrap();
        let charge = charge["id"].as_str().unwrap().to_owned();
        Self { stripe: account.stripe(&sandbox), account, sandbox, key, charge }
    }

    async fn send(&self, method: &str, path: &str, key: &str, form: String) -> Result<(u16, Value), TransportError> {
        self.raw(method, path, key, form)
            .await
            .map(|answer| (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap()))
    }

    async fn raw(&self, method: &str, path: &str, key: &str, form: String) -> Result<Response<Bytes>, TransportError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("https://api.stripe.com{path}"))
            .header("authorization", format!("Bearer {}", self.key))
            .header("idempotency-key", key);
        self.stripe.send(request.body(form.into()).unwrap()).await
    }

    /// Refunds 4.00 of the charge.
    async fn refund(&self, key: &str) -> Result<(u16, Value), TransportError> {
        self.send("POST", "/v1/refunds", key, format!("charge={}&amount=400", self.charge)).await
    }

    /// How many refunds there are, past the gate.
    fn refunds(&self) -> u64 {
        let state = self.sandbox.control("GET", "state", Value::Null).unwrap();
        let scopes = state["scopes"].as_array().unwrap();
        scopes.iter().map(|scope| scope["refunds"].as_u64().unwrap()).sum()
    }
}

#[tokio::test]
async fn a_call_passes_the_gate_under_a_name_without_ids() {
    let shop = Shop::new(account());
    let (status, refund) = shop.refund("k").await.unwrap();
    let id = refund["id"].as_str().unwrap();
    assert_eq!((status, shop.refunds()), (200, 1));
    shop.send("POST", &format!("/v1/refunds/{id}/cancel"), "c", String::new()).await.unwrap();
    shop.send("GET", &format!("/v1/charges/{}/refunds?limit=1", shop.charge), "", String::new()).await.unwrap();
    shop.send("GET", "/v1/transfers/tr_1/reversals/trr_1", "", String::new()).await.unwrap();
    shop.send("GET", "/v1/balance_transactions", "", String::new()).await.unwrap();
    shop.send("GET", "/v1/balance/history", "", String::new()).await.unwrap();
    let calls = shop.account.calls();
    assert_eq!(
        calls.operations(),
        [
            "POST /v1/refunds",
            "POST /v1/refunds/:id/cancel",
            "GET /v1/charges/:id/refunds",
            "GET /v1/transfers/:id/reversals/:id",
            "GET /v1/balance_transactions",
            "GET /v1/balance/history",
        ]
    );
    let refunded = &calls.0[0];
    assert_eq!((refunded.service, refunded.status, refunded.is_read()), (Service::Stripe, Some(200), false));
    assert!(calls.0[2].is_read());
    assert_eq!(calls.0[1].targets, [format!("/v1/refunds/{id}/cancel")]);
    assert!(calls.iam_actions().is_empty(), "Stripe asks for no rights in AWS");
    assert_eq!(calls.of(Service::Stripe).len(), 6);
}

#[tokio::test]
async fn what_was_not_applied_is_applied_by_the_retry() {
    for (fault, seen) in [
        (Fault::NotSent, TransportError::Unreached),
        (Fault::Reset, TransportError::Broken),
        (Fault::TimeOut, TransportError::TimedOut),
    ] {
        let shop = Shop::new(account());
        shop.account.faults().at(0, fault);
        assert_eq!(shop.refund("k").await.unwrap_err(), seen, "{fault}");
        assert_eq!(shop.refunds(), 0, "{fault}");
        assert_eq!(shop.account.calls().0[0].status, None);
        assert_eq!(shop.refund("k").await.unwrap().0, 200);
        assert_eq!(shop.refunds(), 1);
    }
}

#[tokio::test]
async fn what_was_applied_unseen_is_replayed_to_its_key_and_repeated_under_another() {
    for (fault, seen) in
        [(Fault::ApplyThenTimeOut, TransportError::TimedOut), (Fault::ApplyThenReset, TransportError::Broken)]
    {
        let shop = Shop::new(account());
        shop.account.faults().at(0, fault);
        assert_eq!(shop.refund("k").await.unwrap_err(), seen, "{fault}");
        assert_eq!(shop.refunds(), 1, "{fault}");
        assert_eq!(shop.refund("k").await.unwrap().0, 200);
        assert_eq!(shop.refunds(), 1, "the same key replays");
        assert_eq!(shop.refund("other").await.unwrap().0, 200);
        assert_eq!(shop.refunds(), 2, "another key pays twice");
    }
}

#[tokio::test]
async fn a_500_sticks_to_its_key_applied_or_not() {
    for (fault, done) in [(Fault::Fail, 0), (Fault::ApplyThenFail, 1)] {
        let shop = Shop::new(account());
        shop.account.faults().at(0, fault);
        for attempt in 0..3 {
            let (status, body) = shop.refund("k").await.unwrap();
            assert_eq!((status, body["error"]["type"].as_str()), (500, Some("api_error")), "{fault} {attempt}");
            assert_eq!(shop.refunds(), done, "{fault}: a 500 does not tell");
        }
        assert_eq!(shop.refund("other").await.unwrap().0, 200);
    }
}

#[tokio::test]
async fn a_500_in_front_of_a_kept_answer_does_not_replace_it() {
    for fault in [Fault::Fail, Fault::ApplyThenFail] {
        let shop = Shop::new(account());
        let (_, first) = shop.refund("k").await.unwrap();
        shop.account.faults().at(1, fault);
        assert_eq!(shop.refund("k").await.unwrap().0, 500, "{fault}");
        assert_eq!(shop.refund("k").await.unwrap(), (200, first), "{fault}");
        assert_eq!(shop.refunds(), 1);
    }
}

#[tokio::test]
async fn refusals_of_traffic_do_nothing_and_are_forgotten() {
    for (fault, status, kind, code, header) in [
        (Fault::InProgress, 409, "idempotency_error", "idempotency_key_in_use", Some(("stripe-should-retry", "true"))),
        (Fault::Conflict, 429, "invalid_request_error", "lock_timeout", None),
        (
            Fault::Throttle,
            429,
            "invalid_request_error",
            "rate_limit",
            Some(("stripe-rate-limited-reason", "global-rate")),
        ),
    ] {
        let shop = Shop::new(account());
        shop.account.faults().at(0, fault);
        let answer = shop.raw("POST", "/v1/refunds", "k", format!("charge={}", shop.charge)).await.unwrap();
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(answer.status(), status, "{fault}");
        assert_eq!((body["error"]["type"].as_str(), body["error"]["code"].as_str()), (Some(kind), Some(code)));
        let limited = answer.headers().get("stripe-rate-limited-reason").map(|value| value.to_str().unwrap());
        assert_eq!(limited, (fault == Fault::Throttle).then_some("global-rate"), "a lock is no rate limit");
        if let Some((name, value)) = header {
            assert_eq!(answer.headers()[name], value);
        }
        assert_eq!(shop.refunds(), 0);
        assert_eq!(shop.refund("k").await.unwrap().0, 200, "{fault}");
    }
}

#[tokio::test]
async fn a_late_effect_comes_just_before_its_call() {
    for after in [1, 2] {
        let shop = Shop::new(account());
        shop.account.faults().at(0, Fault::ApplyLate { after });
        assert_eq!(shop.refund("k").await.unwrap_err(), TransportError::TimedOut);
        assert_eq!(shop.refunds(), 0);
        for call in 1..=after {
            assert_eq!(shop.refunds(), 0, "before call {call} of {after}");
            let (_, list) = shop.send("GET", "/v1/refunds", "", String::new()).await.unwrap();
            assert_eq!(list["data"].as_array().unwrap().len(), usize::from(call == after), "call {call} of {after}");
        }
        assert_eq!(shop.refunds(), 1);
    }
    // A call to AWS counts as well, and so does the end.
    let shop = Shop::new(account());
    shop.account.faults().at(0, Fault::ApplyLate { after: 1 });
    shop.refund("k").await.unwrap_err();
    assert_eq!(put_new(&shop.account.dynamodb(Retries::Off), "a", "x").await, "no error");
    assert_eq!(shop.refunds(), 1);
    shop.account.faults().at(2, Fault::ApplyLate { after: 5 });
    shop.refund("other").await.unwrap_err();
    shop.account.apply_late();
    assert_eq!(shop.refunds(), 2);
}

#[tokio::test]
async fn a_late_effect_that_meets_its_retry_happens_once() {
    let shop = Shop::new(account());
    shop.account.faults().at(0, Fault::ApplyLate { after: 2 });
    shop.refund("k").await.unwrap_err();
    let (_, first) = shop.refund("k").await.unwrap();
    assert_eq!(shop.refund("k").await.unwrap(), (200, first));
    assert_eq!(shop.refunds(), 1);
}

#[tokio::test]
async fn a_crash_at_stripe_takes_the_process_before_or_after_the_effect() {
    for (fault, done) in [(Fault::Crash, 0), (Fault::ApplyThenCrash, 1)] {
        let shop = Shop::new(account());
        shop.account.faults().at(0, fault);
        let outcome = shop.account.run(async {
            let _ = shop.refund("k").await;
            shop.refund("never").await.is_ok()
        });
        assert_eq!(outcome.await, Outcome::Crashed, "{fault}");
        assert_eq!((shop.refunds(), shop.account.calls().len()), (done, 1), "{fault}");
        shop.account.faults().clear();
        assert!(matches!(shop.account.run(shop.refund("k")).await, Outcome::Ended(Ok((200, _)))));
        assert_eq!(shop.refunds(), 1, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_process_does_not_reach_stripe() {
    let shop = Shop::new(account());
    shop.account.faults().at(0, Fault::Crash);
    for _ in 0..2 {
        assert!(tokio::time::timeout(Duration::from_secs(3600), shop.refund("k")).await.is_err());
    }
    assert_eq!((shop.refunds(), shop.account.calls().len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn delays_and_latencies_are_virtual() {
    let shop = Shop::new(account());
    shop.account.set_latencies(Latencies::none().with("POST /v1/refunds", Duration::from_millis(300)));
    shop.account.faults().at(0, Fault::Delay(Duration::from_secs(2)));
    let start = tokio::time::Instant::now();
    assert_eq!(shop.refund("k").await.unwrap().0, 200);
    assert_eq!(start.elapsed(), Duration::from_millis(2300));
}

#[tokio::test]
async fn the_sandbox_ages_with_the_clock_it_is_given() {
    let mut shop = Shop::new(account());
    let now = Arc::new(AtomicI64::new(1_793_404_800));
    let clock = now.clone();
    shop.stripe = shop.stripe.clone().at(move || clock.load(Ordering::SeqCst));
    let (_, first) = shop.refund("k").await.unwrap();
    assert_eq!(first["created"], 1_793_404_800);
    now.fetch_add(86_399, Ordering::SeqCst);
    assert_eq!(shop.refund("k").await.unwrap().1, first);
    now.fetch_add(1, Ordering::SeqCst);
    assert_ne!(shop.refund("k").await.unwrap().1, first, "after a day the key pays again");
}

#[tokio::test]
async fn a_person_refunds_in_between() {
    let shop = Shop::new(account());
    let (sandbox, charge) = (shop.sandbox.clone(), shop.charge.clone());
    shop.account.between(move |call| {
        if call.number == 1 {
            assert_eq!(call.operation, "POST /v1/refunds");
            sandbox.control("POST", &format!("test/{MERCHANT}/refunds"), json!({ "charge": charge })).unwrap();
        }
        async {}
    });
    let (_, before) = shop.send("GET", &format!("/v1/charges/{}", shop.charge), "", String::new()).await.unwrap();
    assert_eq!(before["amount_refunded"], 0);
    let (status, body) = shop.refund("k").await.unwrap();
    assert_eq!((status, body["error"]["code"].as_str()), (400, Some("charge_already_refunded")));
}

#[tokio::test]
async fn a_hook_may_call_the_account_itself_and_comes_before_the_call_is_applied() {
    let account = account();
    let other = account.another_process();
    let mut done = false;
    account.between(move |call| {
        let first = !std::mem::replace(&mut done, true);
        let (other, number) = (other.clone(), call.number);
        async move {
            if first {
                assert_eq!(number, 0);
                put_new(&other.dynamodb(Retries::Off), "a", "theirs").await;
            }
        }
    });
    let mine = put_new(&account.dynamodb(Retries::Off), "a", "mine").await;
    assert_eq!(mine, "ConditionalCheckFailedException");
    let calls = account.calls();
    assert_eq!(calls.0.iter().map(|call| (call.number, call.process)).collect::<Vec<_>>(), [(0, 0), (1, 1)]);
}

/// Retries with the same key until Stripe answers; a 500 tells nothing, so the refunds are looked through.
async fn refund_once(shop: &Shop, key: &str) -> Result<(), String> {
    match shop.refund(key).await {
        Ok((200, _)) => return Ok(()),
        Ok((500, _)) => {}
        Ok((status, _)) => return Err(format!("answered {status}")),
        Err(error) => return Err(error.to_string()),
    }
    let list = shop.send("GET", "/v1/refunds", "", String::new()).await.map_err(|error| error.to_string())?;
    match list.1["data"].as_array().map(Vec::len) {
        Some(0) => match shop.refund(&format!("{key} again")).await {
            Ok((200, _)) => Ok(()),
            other => Err(format!("{other:?}")),
        },
        Some(_) => Ok(()),
        None => Err("no list".into()),
    }
}

fn enumerate(scenario: impl AsyncFn(&Shop) -> Result<(), String> + Sync) -> Result<crate::Report, String> {
    let check = async |shop: &Shop| match shop.refunds() {
        1 => Ok(()),
        other => Err(format!("{other} refunds")),
    };
    let set_up = async |account: InProcess, _: Retries| Shop::new(account);
    Enumerator::new("a refund").run(set_up, &scenario, &scenario, check).map_err(|found| found.to_string())
}

#[test]
fn the_enumerator_faults_calls_to_stripe_and_passes_a_caller_who_keeps_his_key() {
    let report = enumerate(async |shop: &Shop| refund_once(shop, "k").await).unwrap();
    assert_eq!(report.calls, ["POST /v1/refunds"]);
    assert_eq!(report.points, 2 * Fault::applicable(Service::Stripe, "POST /v1/refunds").len());
    assert_eq!(report.crashed, 4);
}

#[test]
fn the_enumerator_finds_a_caller_with_a_new_key_for_each_attempt() {
    let attempts = AtomicI64::new(0);
    let found = enumerate(async |shop: &Shop| {
        let attempt = attempts.fetch_add(1, Ordering::SeqCst);
        refund_once(shop, &format!("k{attempt}")).await
    });
    assert!(found.unwrap_err().contains("2 refunds"));
}

#[test]
fn reads_suffer_only_what_makes_sense_for_them() {
    let reads = Fault::applicable(Service::Stripe, "GET /v1/refunds");
    for write in [Fault::ApplyThenFail, Fault::InProgress, Fault::Conflict, Fault::ApplyLate { after: 1 }] {
        assert!(!reads.contains(&write), "{write}");
        assert!(Fault::applicable(Service::Stripe, "POST /v1/refunds").contains(&write), "{write}");
    }
    for aws in [Service::DynamoDb, Service::Sqs, Service::Kms, Service::S3, Service::SecretsManager] {
        let faults = Fault::applicable(aws, "PutItem");
        for stripe in [Fault::NotSent, Fault::TimeOut, Fault::ApplyThenTimeOut] {
            assert!(!faults.contains(&stripe), "{stripe}");
        }
    }
}
