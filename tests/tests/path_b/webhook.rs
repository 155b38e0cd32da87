//! The webhook function: what it takes, what it refuses, and that a refusal leaves nothing behind.

use std::collections::HashMap;

use axiru_domain::Timestamp;
use axiru_fn_webhook::handle;
use axiru_in_process::{Fault, InProcess, OBSERVATIONS_QUEUE_URL, Retries};
use axiru_stripe_sandbox::sign;
use http::{Request, StatusCode};
use lambda_http::{Body, RequestExt};
use serde_json::json;

use super::events::{event, refund};
use super::ground::{Ground, SECRET};
use crate::played::{MODE, mode};

fn now() -> i64 {
    Timestamp::now().secs()
}

fn delivery(mode: &str, signature: Option<&str>, body: impl Into<Body>) -> lambda_http::Request {
    let mut request = Request::post(format!("/stripe/webhooks/{mode}"));
    if let Some(signature) = signature {
        request = request.header("Stripe-Signature", signature);
    }
    let parameters = HashMap::from([("mode".to_owned(), vec![mode.to_owned()])]);
    request.body(body.into()).unwrap().with_path_parameters(parameters)
}

fn refund_event() -> String {
    event("evt_1", "refund.created", &refund("re_1", 100, "succeeded"), None).to_string()
}

async fn ground() -> Ground {
    Ground::new(InProcess::new().unwrap(), Retries::Off).await
}

#[tokio::test]
async fn a_signed_event_is_queued_whatever_way_the_body_came() {
    let ground = ground().await;
    let app = ground.webhook();
    let body = refund_event();
    let signature = sign(&[SECRET], now(), body.as_bytes());
    for sent in [Body::Text(body.clone()), Body::Binary(body.clone().into_bytes())] {
        assert_eq!(handle(&app, delivery(mode().as_str(), Some(&signature), sent)).await.status(), StatusCode::OK);
    }
    // A base64 body, as API Gateway hands it over.
    use base64::Engine;
    let event = json!({
        "version": "2.0", "routeKey": "POST /stripe/webhooks/{mode}", "rawPath": format!("/stripe/webhooks/{MODE}"), "rawQueryString": "",
        "headers": {"stripe-signature": signature}, "pathParameters": {"mode": mode().as_str()},
        "requestContext": {"http": {"method": "POST", "path": format!("/stripe/webhooks/{MODE}")}},
        "body": base64::engine::general_purpose::STANDARD.encode(&body), "isBase64Encoded": true,
    });
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    assert_eq!(handle(&app, request).await.status(), StatusCode::OK);
    assert_eq!(ground.account.queued(OBSERVATIONS_QUEUE_URL).len(), 3);
}

#[tokio::test]
async fn a_rolled_secret_counts_at_once_and_the_old_one_still() {
    let ground = ground().await;
    let app = ground.webhook();
    let body = refund_event();
    let old = sign(&[SECRET], now(), body.as_bytes());
    assert_eq!(handle(&app, delivery(mode().as_str(), Some(&old), body.as_str())).await.status(), StatusCode::OK);
    ground.put_secrets(mode(), &["whsec_new", SECRET]).await;
    let app = ground.webhook();
    for secrets in [&["whsec_new"][..], &[SECRET], &["whsec_new", SECRET]] {
        let signature = sign(secrets, now(), body.as_bytes());
        assert_eq!(
            handle(&app, delivery(mode().as_str(), Some(&signature), body.as_str())).await.status(),
            StatusCode::OK
        );
    }
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_in_the_queue() {
    let ground = ground().await;
    let app = ground.webhook();
    let good = refund_event();
    let signed = |body: &str, age: i64, secret: &str| Some(sign(&[secret], now() - age, body.as_bytes()));
    // The other way round Stripe sends them: an endpoint of live mode gets test events too.
    let mut live = event("evt_1", "refund.created", &refund("re_1", 100, "succeeded"), None);
    live["livemode"] = json!(true);
    let live = live.to_string();
    let long = " ".repeat(axiru_stripe::event::MAX_BODY + 1);
    let ours = mode().as_str();
    let cases = [
        ("unsigned", ours, None, good.as_str(), 400),
        ("empty signature", ours, Some(String::new()), &good, 400),
        ("forged", ours, signed(&good, 0, "whsec_other"), &good, 400),
        ("stale", ours, signed(&good, 301, SECRET), &good, 400),
        ("of the future", ours, signed(&good, -330, SECRET), &good, 400),
        ("other body", ours, signed("{}", 0, SECRET), &good, 400),
        ("not JSON", ours, signed("<xml>", 0, SECRET), "<xml>", 400),
        ("no event", ours, signed("{}", 0, SECRET), "{}", 400),
        ("live on test", "test", signed(&live, 0, SECRET), &live, 400),
        ("too long", ours, signed(&long, 0, SECRET), &long, 400),
        ("no such mode", "sandbox", signed(&good, 0, SECRET), &good, 404),
    ];
    for (what, mode, signature, body, status) in cases {
        let answer = handle(&app, delivery(mode, signature.as_deref(), body)).await;
        assert_eq!(answer.status().as_u16(), status, "{what}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{what}");
    }
    let mut twice = delivery(mode().as_str(), signed(&good, 0, SECRET).as_deref(), good.as_str());
    twice.headers_mut().append("stripe-signature", "t=1,v1=00".parse().unwrap());
    assert_eq!(handle(&app, twice).await.status(), StatusCode::BAD_REQUEST);
    let mut get = delivery(mode().as_str(), signed(&good, 0, SECRET).as_deref(), good.as_str());
    *get.method_mut() = http::Method::GET;
    assert_eq!(handle(&app, get).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(ground.account.queued(OBSERVATIONS_QUEUE_URL).is_empty());
}

#[tokio::test]
async fn what_is_none_of_our_business_is_acknowledged_and_dropped() {
    let ground = ground().await;
    let app = ground.webhook();
    let mut own = event("evt_1", "refund.created", &refund("re_1", 100, "succeeded"), None);
    own.as_object_mut().unwrap().remove("account");
    for event in
        [own, event("evt_2", "customer.created", &json!({"id": "cus_1"}), None), json!({"object": "v2.core.event"})]
    {
        let body = event.to_string();
        let signature = sign(&[SECRET], now(), body.as_bytes());
        let answer = handle(&app, delivery(mode().as_str(), Some(&signature), body.as_str())).await;
        assert_eq!(answer.status(), StatusCode::OK, "{body}");
    }
    assert!(ground.account.queued(OBSERVATIONS_QUEUE_URL).is_empty());
}

#[tokio::test]
async fn stripe_is_asked_to_come_again_when_something_of_ours_is_down() {
    let ground = ground().await;
    let body = refund_event();
    for operation in ["GetItem", "Decrypt", "SendMessage"] {
        let app = ground.webhook();
        ground.account.faults().always(operation, Fault::Fail);
        let signature = sign(&[SECRET], now(), body.as_bytes());
        let answer = handle(&app, delivery(mode().as_str(), Some(&signature), body.as_str())).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{operation}");
        ground.account.faults().clear();
    }
    assert!(ground.account.queued(OBSERVATIONS_QUEUE_URL).is_empty());
}

#[tokio::test]
async fn it_only_reads_one_row_opens_one_secret_and_sends_one_message() {
    let ground = ground().await;
    let app = ground.webhook();
    let body = refund_event();
    ground.account.clear_calls();
    for _ in 0..2 {
        let signature = sign(&[SECRET], now(), body.as_bytes());
        handle(&app, delivery(mode().as_str(), Some(&signature), body.as_str())).await;
    }
    assert_eq!(ground.account.calls().operations(), ["GetItem", "Decrypt", "SendMessage", "SendMessage"]);
}
