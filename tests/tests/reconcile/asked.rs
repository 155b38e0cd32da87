//! A comparison that an operator asks for: the admin routes, the queue, the run's row.

use axiru_aws::reconcile::{Task, TaskQueue};
use axiru_fn_admin::App;
use axiru_in_process::{InProcess, RECONCILE_QUEUE_URL, Retries};
use serde_json::{Value, json};

use super::shop::{Setup, Shop, at, night, numbers};
use crate::acting::{acting_as, store_of};
use crate::played::MODE;

const ROSA: &str = "arn:aws:iam::111122223333:user/rosa";

pub(super) fn run_id() -> String {
    format!("chg_{}", "1".repeat(32))
}

async fn admin(shop: &Shop, method: &str, path: &str, body: &str) -> (u16, Value) {
    let admin = acting_as("AdminRole", &shop.account, Retries::Off);
    let app = App {
        deployment: "shop".to_owned(),
        public_url: "https://axiru.example".parse().unwrap(),
        mail: false,
        store: store_of(&admin),
        tasks: TaskQueue::new(admin.sqs, RECONCILE_QUEUE_URL),
        now: night,
    };
    let event = json!({
        "version": "2.0", "routeKey": format!("{method} /admin/{{mode}}/{{account}}/{{route+}}"), "rawPath": path, "rawQueryString": "",
        "headers": {"content-type": "application/json"}, "body": body, "isBase64Encoded": false,
        "requestContext": {"http": {"method": method, "path": path}, "authorizer": {"iam": {"userArn": ROSA}}},
    });
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let answer = axiru_fn_admin::handle(&app, request).await;
    let status = answer.status().as_u16();
    let body: &[u8] = answer.body().as_ref();
    (status, serde_json::from_slice(body).unwrap_or(Value::Null))
}

/// Asks for a period under [`run_id`].
pub(super) async fn ask(shop: &Shop, period: &str) -> Result<(), String> {
    let body = json!({"change": run_id(), "period": period}).to_string();
    match admin(shop, "POST", &format!("/admin/{MODE}/acct_1/reconcile"), &body).await {
        (200, _) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// What an operator is told of their run.
async fn shown(shop: &Shop) -> Value {
    let (status, answer) = admin(shop, "GET", &format!("/admin/{MODE}/acct_1/reconcile/{}", run_id()), "").await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// Does every task that waits.
pub(super) async fn asked_of(shop: &Shop) -> Result<(), String> {
    for body in shop.account.queued(RECONCILE_QUEUE_URL) {
        let task: Task = serde_json::from_str(&body).unwrap();
        if !shop.task(&task).await {
            return Err("the message comes back".to_owned());
        }
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_operator_asks_waits_and_is_told() {
    let shop = Shop::simple().await;
    shop.day();
    shop.webhooks().await;
    ask(&shop, "2026-10-31").await.unwrap();
    assert_eq!(shown(&shop).await["status"], "queued");
    // Asked again under the same id, because the answer was lost: one task of one run.
    ask(&shop, "2026-10-31").await.unwrap();
    assert_eq!(shop.account.queued(RECONCILE_QUEUE_URL).len(), 1);
    asked_of(&shop).await.unwrap();
    let told = shown(&shop).await;
    assert_eq!(told["status"], "done");
    let outcome = &told["outcome"];
    assert_eq!((&outcome["complete"], &outcome["matched"]), (&json!(true), &json!(Shop::OF_THE_DAY)));
    let (entry, _) = shop.reports().await.pop().unwrap();
    // The entry names who asked, by a pseudonym.
    assert!(super::shop::text(&entry, "actor").starts_with("operator:op_"));
    assert_eq!(outcome["entry"], entry.id());
    let file = outcome["file"].as_str().unwrap();
    assert!(shop.account.objects(axiru_in_process::EXPORT_BUCKET).contains_key(file), "{file}");
    // The message once more: the run is over.
    asked_of(&shop).await.unwrap();
    assert_eq!(shown(&shop).await, told);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_heals_as_far_back_as_stripe_lists() {
    let shop = Shop::simple().await;
    shop.control("deliveries/outage");
    shop.clock_at(at(9, 0) - 20 * 86_400);
    shop.refund(100);
    ask(&shop, "2026-10").await.unwrap();
    asked_of(&shop).await.unwrap();
    let outcome = shown(&shop).await["outcome"].clone();
    assert_eq!(
        (&outcome["matched"], &outcome["recovered"], &outcome["complete"]),
        (&json!(1), &json!(1), &json!(true))
    );
    assert!(outcome["healed"]["untold"].as_u64() > Some(0));
}

#[tokio::test(start_paused = true)]
async fn many_unmatched_are_named_up_to_a_bound_and_counted() {
    let permissions: &[&str] = &["charge_read"];
    let shop = Shop::new(InProcess::new().unwrap(), Setup { permissions: Some(permissions), ..Setup::default() }).await;
    shop.clock_at(at(9, 0));
    let charge = shop.does("charges", json!({"amount": 100_000}));
    for _ in 0..130 {
        shop.does("refunds", json!({"charge": charge, "amount": 10}));
    }
    ask(&shop, "2026-10-31").await.unwrap();
    asked_of(&shop).await.unwrap();
    let outcome = shown(&shop).await["outcome"].clone();
    assert_eq!((outcome["unmatched"].as_array().unwrap().len(), &outcome["more"]), (100, &json!(30)));
    assert_eq!(outcome["unhealed"], "the app lacks the permission `event_read`");
    assert_eq!(outcome["not_compared"].as_array().unwrap().len(), 4);
    let (entry, report) = shop.reports().await.pop().unwrap();
    assert_eq!(numbers(&entry), [0, 130, 0, 0]);
    assert_eq!(report["only_stripe"].as_array().unwrap().len(), 130);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_asked_is_refused_in_words() {
    let shop = Shop::simple().await;
    shop.account.any_scope();
    let ask = async |scope: &str, period: &str| {
        let body = json!({"change": run_id(), "period": period}).to_string();
        let (status, answer) = admin(&shop, "POST", &format!("/admin/{scope}/reconcile"), &body).await;
        (status, answer["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(ask(&format!("{MODE}/acct_1"), "2026-11-02").await, (400, "period_not_begun".to_owned()));
    assert_eq!(ask(&format!("{MODE}/acct_1"), "october").await, (400, "request_refused".to_owned()));
    assert_eq!(ask("test/acct_9", "2026-10").await, (404, "not_connected".to_owned()));
    assert!(shop.account.queued(RECONCILE_QUEUE_URL).is_empty() && shop.told().await.is_empty());
    let (status, _) = admin(&shop, "GET", &format!("/admin/{MODE}/acct_1/reconcile/{}", run_id()), "").await;
    assert_eq!(status, 404);
    let (status, _) = admin(&shop, "GET", &format!("/admin/{MODE}/acct_1/reconcile/x"), "").await;
    assert_eq!(status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_be_made_ends_with_its_reason() {
    let shop = Shop::simple().await;
    ask(&shop, "2026-10-31").await.unwrap();
    let update = shop.clients.dynamodb.update_item().table_name(axiru_in_process::STATE_TABLE);
    let update = update.key("pk", super::shop::s(format!("{MODE}#connections"))).key("sk", super::shop::s("acct_1"));
    let update = update.update_expression("SET #s = :s").expression_attribute_names("#s", "state");
    update.expression_attribute_values(":s", super::shop::s("reauth_required")).send().await.unwrap();
    asked_of(&shop).await.unwrap();
    let told = shown(&shop).await;
    assert_eq!((&told["status"], &told["reason"]), (&json!("failed"), &json!("the account must be connected again")));
    assert!(shop.reports().await.is_empty());
}
