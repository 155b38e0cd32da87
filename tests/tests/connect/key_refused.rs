//! A restricted key that Stripe refuses: whose it was, and what was handed over meanwhile.

use std::sync::Arc;

use axiru_aws::refresh::{Ask, RefreshError, Refreshed};
use axiru_aws::tokens::TokenError;
use axiru_domain::Mode;
use axiru_in_process::REFRESH_QUEUE_URL;
use axiru_stripe::transport::{Answering, Transport};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;
use tokio::sync::Notify;

use super::door::{READS, chg};
use super::stage::{Stage, run};

/// Stripe, whose answers wait until somebody lets them go.
struct Held {
    inner: Arc<dyn Transport>,
    answered: Notify,
    go: Notify,
}

impl Transport for Held {
    fn send(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move {
            let answer = self.inner.send(request).await;
            self.answered.notify_one();
            self.go.notified().await;
            answer
        })
    }
}

/// Stripe, which has one answer to whatever is asked.
struct Says(StatusCode);

impl Transport for Says {
    fn send(&self, _: Request<Bytes>) -> Answering<'_> {
        let status = self.0;
        Box::pin(async move {
            let body = json!({"error": {"type": "api_error", "message": "No."}});
            Ok(Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap())
        })
    }
}

/// What a worker asks after Stripe has refused the key of the connection.
async fn refused(stage: &Stage) -> Ask {
    let scope = stage.scope(Mode::Live, &stage.merchant);
    let reader = stage.reader();
    let held = reader.token(&scope).await.unwrap();
    assert!(matches!(reader.after_refusal(&scope, &held).await, Err(TokenError::Expired)));
    serde_json::from_str(&stage.account.queued(REFRESH_QUEUE_URL)[0]).unwrap()
}

fn end(stage: &Stage, key: &str) {
    let path = format!("live/{}/restricted_keys/end", stage.merchant);
    stage.sandbox.control("POST", &path, json!({"key": key})).unwrap();
}

/// Why a person was asked for, each time.
async fn asked_for_a_person(stage: &Stage) -> Vec<String> {
    let entries = stage.entries(Mode::Live, &stage.merchant).await;
    let asked = entries.iter().filter(|entry| entry.ty() == "connection.reauth_required");
    asked.map(|entry| entry.fields()["reason"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_key_that_stripe_no_longer_takes_waits_for_a_person() {
    run(async |stage| {
        let key = stage.with_key("live", &READS).await;
        let scope = stage.scope(Mode::Live, &stage.merchant);
        // One refusal that Stripe does not repeat ends nothing.
        let ask = refused(stage).await;
        assert_eq!(stage.refresher().refresh(&ask).await.unwrap(), Refreshed::Fresh);
        assert!(stage.reader().token(&scope).await.is_ok());

        end(stage, &key);
        for _ in 0..2 {
            assert_eq!(stage.refresher().refresh(&ask).await.unwrap(), Refreshed::ReauthRequired);
        }
        assert_eq!(asked_for_a_person(stage).await, ["key_refused"]);
        assert!(matches!(stage.reader().token(&scope).await, Err(TokenError::ReauthRequired)));
        // A fresh key, and it goes on. What was asked about the old one says nothing of it.
        let fresh = stage.restricted("live", &READS);
        let (status, _) = stage.hand_over(&fresh, Some(&stage.merchant), &chg('b')).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(stage.refresher().refresh(&ask).await.unwrap(), Refreshed::Fresh);
        assert_eq!(stage.reader().token(&scope).await.unwrap().secret().expose(), fresh);
    });
}

#[test]
fn a_key_that_lacks_a_permission_is_a_key() {
    run(async |stage| {
        stage.with_key("live", &READS).await;
        let ask = refused(stage).await;
        let told = async |status| stage.refresher_at(Arc::new(Says(status))).refresh(&ask).await;
        assert_eq!(told(StatusCode::FORBIDDEN).await.unwrap(), Refreshed::Fresh);
        // Where Stripe fails it is not known, and asked again.
        for status in
            [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS]
        {
            assert!(matches!(told(status).await, Err(RefreshError::Key(_))), "{status}");
        }
        assert!(asked_for_a_person(stage).await.is_empty());
        assert!(stage.reader().token(&stage.scope(Mode::Live, &stage.merchant)).await.is_ok());
    });
}

#[test]
fn a_key_that_is_handed_over_while_the_old_one_is_looked_at_is_not_ended_for_it() {
    run(async |stage| {
        let key = stage.with_key("live", &READS).await;
        let ask = refused(stage).await;
        end(stage, &key);
        let fresh = stage.restricted("live", &READS);
        let stripe = Arc::new(Held { inner: stage.app.stripe.clone(), answered: Notify::new(), go: Notify::new() });
        let refresher = stage.refresher_at(stripe.clone());
        let (refreshed, ()) = tokio::join!(refresher.refresh(&ask), async {
            stripe.answered.notified().await;
            let (status, _) = stage.hand_over(&fresh, Some(&stage.merchant), &chg('b')).await;
            assert_eq!(status, StatusCode::OK);
            stripe.go.notify_one();
        });
        assert_eq!(refreshed.unwrap(), Refreshed::Fresh);
        assert!(asked_for_a_person(stage).await.is_empty());
        let scope = stage.scope(Mode::Live, &stage.merchant);
        assert_eq!(stage.reader().token(&scope).await.unwrap().secret().expose(), fresh);
    });
}
