//! Every attempt to move money past the table, through the whole gateway with everything enforced: refused by name, and nothing sent.

use std::collections::BTreeMap;

use axiru_domain::{KeyId, KeyToken};
use axiru_in_process::Service;
use axiru_stripe::gateway::corpus::{Attempt, corpus};
use http::{HeaderMap, HeaderName, HeaderValue};
use lambda_http::{Body, Request, RequestExt};

use super::answered::Answered;
use super::ground::{Ground, key};
use crate::played::{mode, other_mode};

/// The attempt as the function is handed it: the path not decoded, every header as often as it was sent.
fn request(attempt: &Attempt, token: Option<&KeyToken>) -> Request {
    let query = if attempt.query.is_empty() { String::new() } else { format!("?{}", attempt.query) };
    let request = http::Request::builder().method(attempt.method.clone()).uri(format!("/{query}"));
    let mut request = request.body(Body::Binary(attempt.body.clone())).unwrap();
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        headers.insert("authorization", format!("Bearer {}", token.expose()).parse().unwrap());
    }
    for (name, value) in &attempt.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    *request.headers_mut() = headers;
    request.with_raw_http_path(attempt.path.clone())
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_refused_by_its_name_and_nothing_is_sent() {
    let ground = Ground::enforcing().await;
    ground.account.any_scope();
    let mut wrong = Vec::new();
    let mut codes = BTreeMap::new();
    let all = corpus();
    for attempt in &all {
        ground.account.clear_calls();
        let answer = Answered::to(&ground.app, request(attempt, Some(&key()))).await;
        let sent = ground.account.calls().of(Service::Stripe).operations().join(", ");
        let refused = (400..=499).contains(&answer.status) && answer.again() == Some(false);
        if answer.word() != attempt.code || !sent.is_empty() || !refused {
            wrong.push(format!(
                "{}: {} {}, expected {}; sent {sent:?}",
                attempt.name,
                answer.status,
                answer.word(),
                attempt.code
            ));
        }
        *codes.entry(attempt.code).or_insert(0) += 1;
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
    println!("{} attempts, {} codes: {codes:?}", all.len(), codes.len());
    assert!(all.len() > 2_000 && codes.len() > 20, "{} {codes:?}", all.len());
    assert!(ground.types().await.is_empty(), "{:?}", ground.types().await);
    for path in ["/v1/refunds", "/v1/payouts", "/v1/transfers", "/v1/disputes"] {
        assert!(ground.at_stripe(path).is_empty(), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_is_told_nothing_of_what_is_wrong() {
    let ground = Ground::enforcing().await;
    ground.account.any_scope();
    let forged = KeyToken::from_random(mode(), key().id().clone(), &[9; 32]);
    let unknown = KeyToken::from_random(mode(), KeyId::from_random([2; 12]), &[1; 32]);
    let foreign = KeyToken::from_random(other_mode(), key().id().clone(), &[1; 32]);
    let mut told = None;
    ground.account.clear_calls();
    for (i, attempt) in corpus().iter().enumerate() {
        // All of them to every attempt would say the same four times.
        let token = [None, Some(&forged), Some(&unknown), Some(&foreign)][i % 4];
        let answer = Answered::to(&ground.app, request(attempt, token)).await;
        assert_eq!((answer.status, answer.word().as_str()), (401, "axiru_key_refused"), "{}", attempt.name);
        assert_eq!(told.get_or_insert_with(|| answer.text.clone()), &answer.text, "{}", attempt.name);
    }
    assert!(ground.account.calls().of(Service::Stripe).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_path_is_judged_as_it_was_sent() {
    let ground = Ground::enforcing().await;
    let form = format!("charge={}&amount=700", ground.charge);
    // The framework resolves dots and cuts off fragments; the gateway reads what came.
    for path in ["/v1/customers/../refunds", "/v1/./refunds", "/v1/x/%2e%2e/refunds", "/v1/refunds#a", "/v1//refunds"] {
        let answer = ground.post(path, path, &form).await;
        assert_eq!((answer.status, answer.word().as_str()), (404, "axiru_path"), "{path}: {}", answer.text);
    }
    assert!(ground.at_stripe("/v1/refunds").is_empty());
    assert_eq!(ground.post("k", "/v1/refunds", &form).await.status, 200);
}
