//! `execute: true` of Axiru's own API: decided, queued, made by the worker, once.

use std::sync::Arc;

use axiru_aws::approval::LinkCaps;
use axiru_aws::execution::{Recovered, Recoverer};
use axiru_aws::jobs::JobQueue;
use axiru_aws::reach::Reach;
use axiru_aws::refresh::AskQueue;
use axiru_aws::seal::Seal;
use axiru_aws::tokens::TokenReader;
use axiru_domain::KeyToken;
use axiru_fn_decide::Executions;
use axiru_in_process as local;
use axiru_in_process::{Enumerator, Fault, InProcess, Retries, Service};
use axiru_stripe::base::ApiBase;
use lambda_http::Body;
use serde_json::{Value, json};

use super::ground::{ACCOUNT, Ground, key, now, pass};
use crate::acting::{acting_as, store_of};
use crate::played::{MODE, mode};

/// Any queue of the account holds jobs as well as the worker's own.
const JOBS: &str = local::EXECUTIONS_QUEUE_URL;

/// What names a person.
const PERSONAL: &str = "jo@shop.example";

/// A deployment, its own API and its worker.
struct Native {
    ground: Ground,
    app: axiru_fn_decide::App,
    worker: axiru_fn_execute::App,
}

impl Native {
    async fn new(mode: &str) -> Self {
        Self::with(InProcess::new().unwrap(), Retries::Off, mode).await
    }

    async fn with(account: InProcess, retries: Retries, mode: &str) -> Self {
        let ground = Ground::new(account, retries, mode).await;
        let account = &ground.account;
        let base: ApiBase = "https://api.stripe.com".parse().unwrap();
        let decide = acting_as("DecideRole", account, retries);
        let (store, seal) = (store_of(&decide), Seal::new(decide.kms, local::SEAL_KEY_ID));
        let asks = AskQueue::new(decide.sqs.clone(), local::REFRESH_QUEUE_URL);
        let tokens = TokenReader::new(store.clone(), seal.clone(), asks).with_clock(now);
        let reach = Arc::new(Reach::new(Arc::new(ground.stripe.clone()), base.clone(), tokens));
        let jobs = JobQueue::new(decide.sqs, JOBS);
        let app = axiru_fn_decide::App::new(store, None, now).with_executions(Executions { reach, jobs }, seal);
        let execute = acting_as("ExecuteRole", account, retries);
        let (store, seal) = (store_of(&execute), Seal::new(execute.kms, local::SEAL_KEY_ID));
        let asks = AskQueue::new(execute.sqs, local::REFRESH_QUEUE_URL);
        let stripe = Arc::new(ground.stripe.clone());
        let worker = axiru_fn_execute::App::new(store, seal, asks, stripe, base, LinkCaps::default(), now);
        Self { ground, app, worker }
    }

    async fn call(&self, token: &KeyToken, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (route, query) = path.split_once('?').unwrap_or((path, ""));
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": route, "rawQueryString": query,
            "headers": {"authorization": format!("Bearer {}", token.expose()), "content-type": "application/json"},
            "body": body.to_string(), "isBase64Encoded": false,
            "requestContext": {"http": {"method": method, "path": route}},
        });
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let response = axiru_fn_decide::handle(&self.app, &request).await;
        let status = response.status().as_u16();
        let Body::Text(text) = response.into_body() else { panic!("no text") };
        (status, serde_json::from_str(&text).unwrap())
    }

    /// Asks for a movement to be made.
    async fn ask(&self, idempotency_key: &str, intent: Value) -> (u16, Value) {
        let mut intent = intent;
        if intent.get("stripe_connection_id").is_none() {
            intent["stripe_connection_id"] = json!(ACCOUNT);
        }
        let body = json!({"intent": intent, "idempotency_key": idempotency_key, "execute": true});
        self.call(&key(), "POST", "/api/v1/decisions", &body).await
    }

    async fn refund(&self, idempotency_key: &str, amount: i64) -> Value {
        let intent = json!({
            "kind": "refund", "amount_cents": amount, "currency": "usd", "charge": self.ground.charge,
            "metadata": {"order": "6735", "to": PERSONAL},
        });
        let (status, body) = self.ask(idempotency_key, intent).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn get(&self, id: &Value) -> Value {
        let path = format!("/api/v1/decisions/{}", id.as_str().unwrap());
        let (status, body) = self.call(&key(), "GET", &path, &json!({})).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    fn jobs(&self) -> Vec<String> {
        self.ground.account.queued(JOBS)
    }

    /// Hands jobs to the worker; how many come back.
    async fn work(&self, jobs: &[String]) -> usize {
        let records: Vec<_> =
            jobs.iter().enumerate().map(|(i, body)| json!({"messageId": format!("m{i}"), "body": body})).collect();
        let event = serde_json::from_value(json!({"Records": records})).unwrap();
        axiru_fn_execute::handle(&self.worker, event).await.batch_item_failures.len()
    }

    async fn sweep(&self) -> Recovered {
        let jobs = JobQueue::new(self.ground.account.sqs(Retries::Off), JOBS);
        Recoverer::new(self.ground.executor(), jobs).run(mode()).await.unwrap()
    }

    /// Sealed parameters that wait.
    fn sealed(&self) -> usize {
        let rows = self.ground.account.items(local::STATE_TABLE).unwrap();
        let rows = rows.iter().map(|row| format!("{row:?}"));
        rows.filter(|row| row.contains("\"sealed\"")).count()
    }

    /// Whether something personal stands open anywhere.
    fn tells(&self) -> bool {
        !self.ground.account.dump().unwrap().find(PERSONAL).is_empty()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_allowed_is_made_once() {
    for mode in ["enforce", "shadow"] {
        let native = Native::new(mode).await;
        let asked = native.refund("k1", 700).await;
        let id = &asked["decision_id"];
        assert_eq!((&asked["outcome"], &asked["status"]), (&json!("allowed"), &json!("executing")), "{asked}");
        assert_eq!((&asked["object"], &asked["failure"]), (&Value::Null, &Value::Null));
        let jobs = native.jobs();
        assert_eq!((jobs.len(), native.sealed(), native.tells()), (1, 1, false));
        assert!(native.ground.at_stripe("/v1/refunds").is_empty());
        // Asked again it is the same, and no second job.
        let again = native.refund("k1", 700).await;
        assert_eq!((&again["decision_id"], &again["cached"], native.jobs().len()), (id, &json!(true), 1));
        assert_eq!(native.work(&jobs).await, 0);
        let made = native.get(id).await;
        let refunds = native.ground.made_refunds();
        assert_eq!((refunds.len(), &made["status"], &made["object"]), (1, &json!("succeeded"), &refunds[0]["id"]));
        assert_eq!(refunds[0]["metadata"]["axiru_request"], *id);
        assert_eq!((&refunds[0]["metadata"]["order"], &refunds[0]["amount"]), (&json!("6735"), &json!(700)));
        assert_eq!((native.sealed(), native.tells()), (0, false));
        // Delivered twice more, it is done.
        assert_eq!((native.work(&jobs).await, native.work(&[jobs.clone(), jobs.clone()].concat()).await), (0, 0));
        assert_eq!(native.ground.at_stripe("/v1/refunds").len(), 1);
        assert_eq!(native.ground.types().await, ["decision.made", "execution.succeeded"], "{mode}");
        assert!(native.ground.actor_counters().await.contains(",700,1]"));
        let after = native.refund("k1", 700).await;
        assert_eq!((&after["status"], &after["object"]), (&json!("succeeded"), &refunds[0]["id"]));
        for (status, count) in [("succeeded", 1), ("executing", 0), ("failed", 0), ("unknown", 0)] {
            let path = format!("/api/v1/decisions?status={status}");
            let (_, page) = native.call(&key(), "GET", &path, &json!({})).await;
            assert_eq!(page["data"].as_array().map(Vec::len), Some(count), "{status}: {page}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_kind_is_made() {
    let native = Native::new("enforce").await;
    let made = |path: &str, body: Value| {
        native.ground.control(&format!("{MODE}/{ACCOUNT}/{path}"), body)["id"].as_str().unwrap().to_owned()
    };
    let transfer = made("transfers", json!({"destination": "acct_payee", "amount": 500, "currency": "usd"}));
    let dispute = || made("disputes", json!({"charge": native.ground.charged(900)}));
    for (i, intent) in [
        json!({"kind": "refund", "amount_cents": 5, "currency": "usd", "charge": native.ground.charge, "reason": "duplicate"}),
        json!({"kind": "payout", "amount_cents": 5, "currency": "usd", "method": "standard"}),
        json!({"kind": "transfer", "amount_cents": 5, "currency": "usd", "destination": "acct_payee"}),
        json!({"kind": "transfer_reversal", "amount_cents": 5, "currency": "usd", "transfer": transfer}),
        json!({"kind": "dispute_submit", "amount_cents": 900, "currency": "usd", "dispute": dispute()}),
        json!({"kind": "dispute_accept", "amount_cents": 900, "currency": "usd", "dispute": dispute()}),
    ]
    .into_iter()
    .enumerate()
    {
        let (status, asked) = native.ask(&format!("k{i}"), intent.clone()).await;
        assert_eq!((status, &asked["status"]), (200, &json!("executing")), "{intent}: {asked}");
        let jobs = native.jobs();
        assert_eq!((jobs.len(), native.work(&jobs[i..]).await), (i + 1, 0), "{intent}");
        let made = native.get(&asked["decision_id"]).await;
        assert_eq!(made["status"], "succeeded", "{intent}: {made}");
        assert!(made["object"].is_string(), "{intent}: {made}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_lost_is_found_by_the_sweeper() {
    for fault in [Fault::Fail, Fault::Reset, Fault::ApplyThenReset, Fault::Duplicate] {
        let native = Native::new("enforce").await;
        native.ground.account.faults().next("SendMessage", fault);
        let asked = native.refund("k1", 700).await;
        assert_eq!(asked["status"], "executing", "{fault}: {asked}");
        let sent = native.jobs().len();
        // The queue takes a message that is sent twice once.
        assert_eq!(sent, usize::from(matches!(fault, Fault::ApplyThenReset | Fault::Duplicate)), "{fault}");
        let mut queued = 0;
        for _ in 0..30 {
            queued += native.sweep().await.queued;
            if queued > 0 {
                break;
            }
            pass(60).await;
        }
        assert_eq!(queued, 1, "{fault}");
        assert!(native.ground.at_stripe("/v1/refunds").is_empty(), "the sweeper sends nothing");
        let jobs = native.jobs();
        assert_eq!(jobs.len(), sent + 1, "{fault}");
        assert_eq!(native.work(&jobs).await, 0, "{fault}");
        assert_eq!(native.ground.made_refunds().len(), 1, "{fault}");
        assert_eq!(native.get(&asked["decision_id"]).await["status"], "succeeded");
        assert_eq!(native.ground.types().await, ["decision.made", "execution.succeeded"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_held_waits_sealed_and_is_not_queued() {
    let native = Native::new("enforce").await;
    let asked = native.refund("k1", 20_000).await;
    let told = (&asked["outcome"], &asked["status"], &asked["approver_role"]);
    assert_eq!(told, (&json!("pending_approval"), &json!("pending"), &json!("finance")), "{asked}");
    assert_eq!((native.jobs().len(), native.sealed(), native.tells()), (0, 1, false));
    let denied = native.refund("k2", 200_000).await;
    assert_eq!((&denied["outcome"], &denied["status"]), (&json!("denied"), &json!("denied")), "{denied}");
    assert_eq!((native.jobs().len(), native.sealed(), native.tells()), (0, 1, false));
    // A job that nobody may have sent does nothing.
    for asked in [&asked, &denied] {
        let job = json!({"job": "execute", "scope": format!("{MODE}/{ACCOUNT}"), "request": asked["decision_id"]});
        assert_eq!(native.work(&[job.to_string()]).await, 0);
    }
    assert!(native.ground.at_stripe("/v1/refunds").is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_stripe_refuses_has_failed_and_counts_nothing() {
    let native = Native::new("enforce").await;
    let asked = native.refund("k1", 700).await;
    assert!(native.ground.actor_counters().await.contains(",700,1]"), "held while it is under way");
    native.ground.control(&format!("{MODE}/{ACCOUNT}/refunds"), json!({"charge": native.ground.charge}));
    let jobs = native.jobs();
    assert_eq!(native.work(&jobs).await, 0);
    let failed = native.get(&asked["decision_id"]).await;
    let failure = json!({"reason": "stripe_refused", "status": 400, "code": "charge_already_refunded"});
    assert_eq!((&failed["status"], &failed["failure"], &failed["object"]), (&json!("failed"), &failure, &Value::Null));
    assert_eq!(failed["outcome"], "allowed", "the decision stays what it was");
    assert!(native.ground.actor_counters().await.starts_with("{}"), "{}", native.ground.actor_counters().await);
    assert_eq!((native.sealed(), native.work(&jobs).await), (0, 0));
    assert_eq!(native.ground.types().await, ["decision.made", "execution.failed"]);
    assert!(native.ground.made_refunds().is_empty());
    let (_, page) = native.call(&key(), "GET", "/api/v1/decisions?status=failed", &json!({})).await;
    assert_eq!(page["data"][0]["failure"], failure, "{page}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_made_as_said_is_refused_by_its_field() {
    let native = Native::new("enforce").await;
    native.ground.account.any_scope();
    let charge = native.ground.charge.clone();
    let made = |path: &str, body: Value| {
        native.ground.control(&format!("{MODE}/{ACCOUNT}/{path}"), body)["id"].as_str().unwrap().to_owned()
    };
    let transfer = made("transfers", json!({"destination": "acct_payee", "amount": 500, "currency": "usd"}));
    let dispute = made("disputes", json!({"charge": native.ground.charged(900)}));
    for (intent, status, field) in [
        (json!({"kind": "refund"}), 400, "intent.charge"),
        (json!({"kind": "transfer"}), 400, "intent.destination"),
        (json!({"kind": "transfer_reversal"}), 400, "intent.transfer"),
        (json!({"kind": "dispute_accept"}), 400, "intent.dispute"),
        (json!({"kind": "dispute_submit"}), 400, "intent.dispute"),
        (json!({"kind": "refund", "charge": "ch_1Unknown"}), 400, "intent.charge"),
        (json!({"kind": "refund", "payment_intent": "pi_1Unknown"}), 400, "intent.payment_intent"),
        (json!({"kind": "transfer_reversal", "transfer": "tr_1Unknown"}), 400, "intent.transfer"),
        (json!({"kind": "dispute_accept", "dispute": "du_1Unknown"}), 400, "intent.dispute"),
        // Stripe would refund dollars whatever the caller calls them.
        (json!({"kind": "refund", "charge": charge, "currency": "eur"}), 400, "intent.currency"),
        (json!({"kind": "transfer_reversal", "transfer": transfer, "currency": "jpy"}), 400, "intent.currency"),
        (json!({"kind": "dispute_submit", "dispute": dispute, "currency": "eur"}), 400, "intent.currency"),
        (json!({"kind": "dispute_accept", "dispute": dispute, "amount_cents": 1}), 400, "intent.amount_cents"),
        (json!({"kind": "dispute_submit", "dispute": dispute, "amount_cents": 901}), 400, "intent.amount_cents"),
        (
            json!({"kind": "dispute_accept", "dispute": dispute, "amount_cents": 900, "metadata": {"a": "b"}}),
            400,
            "intent.metadata",
        ),
        (json!({"kind": "refund", "charge": charge, "metadata": {" a": "b"}}), 400, "intent.metadata"),
        (
            json!({"kind": "refund", "charge": charge, "stripe_connection_id": "acct_payee"}),
            403,
            "intent.stripe_connection_id",
        ),
    ] {
        let mut intent = intent;
        for (name, value) in [("amount_cents", json!(5)), ("currency", json!("usd"))] {
            if intent.get(name).is_none() {
                intent[name] = value;
            }
        }
        let (answered, body) = native.ask("k", intent.clone()).await;
        assert_eq!((answered, body["field"].as_str()), (status, Some(field)), "{intent}: {body}");
    }
    // What nobody can say now is no decision.
    let intent = json!({"kind": "refund", "amount_cents": 5, "currency": "usd", "charge": charge});
    native.ground.account.faults().always("GET /v1/charges/:id", Fault::TimeOut);
    let (status, body) = native.ask("k", intent.clone()).await;
    assert_eq!((status, &body["code"]), (503, &json!("undecided")), "{body}");
    native.ground.account.faults().clear();
    // A stranger makes nobody ask Stripe.
    native.ground.account.clear_calls();
    let forged = KeyToken::from_random(mode(), key().id().clone(), &[9; 32]);
    let mut asked = intent.clone();
    asked["stripe_connection_id"] = json!(ACCOUNT);
    let body = json!({"intent": asked, "idempotency_key": "k", "execute": true});
    assert_eq!(native.call(&forged, "POST", "/api/v1/decisions", &body).await.0, 401);
    assert!(native.ground.account.calls().of(Service::Stripe).is_empty());
    native.ground.control(&format!("apps/{MODE}"), json!({"permissions": []}));
    let (status, body) = native.ask("k", intent.clone()).await;
    assert_eq!((status, &body["code"]), (403, &json!("permission_missing")), "{body}");
    assert!(native.ground.types().await.is_empty() && native.jobs().is_empty());
    native.ground.control(&format!("apps/{MODE}"), json!({"permissions": axiru_stripe_sandbox::ALL_PERMISSIONS}));
    // Asked as advice first, the key is another request's.
    let advice = json!({"intent": asked, "idempotency_key": "k", "execute": false});
    assert_eq!(native.call(&key(), "POST", "/api/v1/decisions", &advice).await.1["status"], "allowed");
    let (status, body) = native.ask("k", intent).await;
    assert_eq!((status, &body["code"]), (409, &json!("idempotency_key_reused")), "{body}");
    assert!(native.jobs().is_empty());
}

/// Every fault at every call of the decision, the queue and the worker; then the caller asks again, the queue delivers again, and the
/// sweeper runs.
#[test]
fn whatever_fails_what_is_queued_is_made_once() {
    async fn asked(native: &Native) -> Result<(), String> {
        for _ in 0..5 {
            let intent =
                json!({"kind": "refund", "amount_cents": 700, "currency": "usd", "charge": native.ground.charge});
            match native.ask("k1", intent).await {
                (200, _) => return Ok(()),
                (503, _) => pass(1).await,
                (status, body) => return Err(format!("{status}: {body}")),
            }
        }
        Err("never answered".to_owned())
    }
    let set_up = async |account: InProcess, retries: Retries| Native::with(account, retries, "enforce").await;
    let act = async |native: &Native| -> Result<(), String> {
        asked(native).await?;
        match native.work(&native.jobs()).await {
            0 => Ok(()),
            some => Err(format!("{some} jobs come back")),
        }
    };
    let recover = async |native: &Native| -> Result<(), String> {
        asked(native).await?;
        for _ in 0..4 {
            native.work(&native.jobs()).await;
            pass(360).await;
            native.ground.sweep().await?;
        }
        native.ground.observe(native.ground.events()).await.map(|_| ())
    };
    let check = async |native: &Native| -> Result<(), String> {
        let made = native.ground.made_refunds().len();
        let types = native.ground.types().await;
        let count = |ty: &str| types.iter().filter(|other| *other == ty).count();
        let told = (count("decision.made"), made, count("execution.succeeded"), count("execution.failed"));
        let actor = native.ground.actor_counters().await;
        let counted = actor.contains(",700,1]");
        match told {
            (1, 1, 1, 0) if counted => {}
            (1, 0, 0, 1) if !actor.contains(",700,") => {}
            other => return Err(format!("(decided, made, succeeded, failed) = {other:?}: {types:?}; actor {actor}")),
        }
        if native.sealed() == 0 { Ok(()) } else { Err("the parameters are still there".to_owned()) }
    };
    let enumerator = Enumerator::new("refund, queued");
    enumerator.run(set_up, act, recover, check).unwrap_or_else(|violation| panic!("{violation}"));
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_before_it_was_sent_ends_and_is_free_again() {
    for mode in ["enforce", "shadow"] {
        let native = Native::new(mode).await;
        let asked = native.refund("k1", 700).await;
        let held = native.ground.actor_counters().await;
        let actor = format!("{ACCOUNT}#agent:ag_1");
        native.ground.turn_switch(&actor, true).await;
        let intent = json!({"kind": "refund", "amount_cents": 800, "currency": "usd", "charge": native.ground.charge});
        let (status, refused) = native.ask("k2", intent).await;
        assert_eq!((status, &refused["code"]), (403, &json!("stopped")), "{refused}");
        // Delivered twice, it ends once.
        let jobs = native.jobs();
        assert_eq!((jobs.len(), native.work(&[jobs.clone(), jobs].concat()).await), (1, 0));
        let ended = native.get(&asked["decision_id"]).await;
        assert_eq!((&ended["status"], &ended["failure"]["reason"]), (&json!("failed"), &json!("stopped")), "{ended}");
        assert!(native.ground.at_stripe("/v1/refunds").is_empty());
        assert_eq!(native.ground.types().await, ["decision.made", "execution.failed"], "{mode}");
        assert!(held.contains(",700,1]") && !native.ground.actor_counters().await.contains(",700,1]"));
        assert_eq!((native.sealed(), native.tells()), (0, false));
        native.ground.turn_switch(&actor, false).await;
        // It stays ended; asked anew it is made.
        assert_eq!(native.refund("k1", 700).await["status"], "failed");
        let anew = native.refund("k3", 700).await;
        let jobs = native.jobs();
        assert_eq!(native.work(&jobs[1..]).await, 0);
        assert_eq!(native.get(&anew["decision_id"]).await["status"], "succeeded");
    }
}

#[tokio::test(start_paused = true)]
async fn an_allowance_may_not_be_used_while_it_is_stopped() {
    let native = Native::new("enforce").await;
    let intent = json!({
        "kind": "refund", "amount_cents": 700, "currency": "usd", "charge": native.ground.charge, "stripe_connection_id": ACCOUNT,
    });
    let body = json!({"intent": intent, "idempotency_key": "k1"});
    let ask = async || native.call(&key(), "POST", "/api/v1/decisions", &body).await;
    let (status, allowed) = ask().await;
    assert_eq!((status, &allowed["status"]), (200, &json!("allowed")), "{allowed}");
    native.ground.turn_switch("*", true).await;
    let (status, refused) = ask().await;
    assert_eq!((status, &refused["code"]), (403, &json!("stopped")), "{refused}");
    // What the record says can be read.
    assert_eq!(native.get(&allowed["decision_id"]).await["status"], "allowed");
}

#[tokio::test(start_paused = true)]
async fn a_permission_that_is_missing_when_it_is_made_is_noted() {
    let native = Native::new("enforce").await;
    let asked = native.refund("k1", 700).await;
    native.ground.control(&format!("apps/{MODE}"), json!({"permissions": ["charge_read", "refund_read"]}));
    assert_eq!(native.work(&native.jobs()).await, 0);
    let ended = native.get(&asked["decision_id"]).await;
    assert_eq!(
        (&ended["status"], &ended["failure"]["reason"]),
        (&json!("failed"), &json!("permission_missing")),
        "{ended}"
    );
    let types = native.ground.types().await;
    assert!(types.contains(&"connection.permissions_changed".to_owned()), "{types:?}");
    assert!(native.ground.at_stripe("/v1/refunds").is_empty());
}
