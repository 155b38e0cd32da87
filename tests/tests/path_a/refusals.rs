//! Everything that is refused: with the field, as RFC 9457 says, and with nothing written.

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_domain::Mode;
use serde_json::{Value, json};

use super::ground::{AGENT, Answered, Ground, STAFF, at_secs, key, refund};
use crate::played::{MODE, mode};

/// The refusal of a body: its code and field, with nothing written.
async fn refused(ground: &Ground, body: &Value) -> (u16, String, String) {
    let answer = ground.ask(body).await;
    assert!(ground.entries(&format!("{MODE}#acct_1#0")).await.is_empty(), "{body} was decided: {}", answer.text);
    for member in ["type", "title", "status", "code", "detail"] {
        assert!(answer.body.get(member).is_some(), "no {member}: {}", answer.text);
    }
    (answer.status, answer.word(), answer.text_of("field"))
}

#[tokio::test(start_paused = true)]
async fn every_wrong_field_is_named() {
    let ground = Ground::simple().await;
    ground.account.any_scope();
    let good = refund("k", 100, "ch_1");
    let long = "x".repeat(300);
    let many: serde_json::Map<_, _> = (0..17).map(|i| (format!("c{i}"), json!(i))).collect();
    let mut with_rationale: serde_json::Map<_, _> = many.clone().into_iter().take(16).collect();
    with_rationale.insert("rationale".to_owned(), json!("Sixteen and one."));
    for (pointer, value, field) in [
        ("/intent/kind", json!("gift"), "intent.kind"),
        ("/intent/kind", json!("refunds"), "intent.kind"),
        ("/intent/kind", json!(1), "intent.kind"),
        ("/intent/amount_cents", json!(0), "intent.amount_cents"),
        ("/intent/amount_cents", json!(-1), "intent.amount_cents"),
        ("/intent/amount_cents", json!(1.5), "intent.amount_cents"),
        ("/intent/amount_cents", json!(100.0), "intent.amount_cents"),
        ("/intent/amount_cents", json!("100"), "intent.amount_cents"),
        ("/intent/amount_cents", json!(9_007_199_254_740_992_i64), "intent.amount_cents"),
        ("/intent/amount_cents", json!(u64::MAX), "intent.amount_cents"),
        ("/intent/amount_cents", json!(1e30), "intent.amount_cents"),
        ("/intent/amount_cents", Value::Null, "intent.amount_cents"),
        ("/intent/currency", json!("USD"), "intent.currency"),
        ("/intent/currency", json!("us"), "intent.currency"),
        ("/intent/currency", json!("xxx"), "intent.currency"),
        ("/intent/currency", json!("btc"), "intent.currency"),
        ("/intent/currency", json!(""), "intent.currency"),
        ("/intent/stripe_connection_id", json!("acct_2"), "intent.stripe_connection_id"),
        ("/intent/stripe_connection_id", json!("acct_9"), "intent.stripe_connection_id"),
        ("/intent/stripe_connection_id", json!("live/acct_1"), "intent.stripe_connection_id"),
        ("/intent/stripe_connection_id", json!("cus_1"), "intent.stripe_connection_id"),
        ("/intent/stripe_connection_id", json!(""), "intent.stripe_connection_id"),
        ("/intent/charge", json!("re_1"), "intent.charge"),
        ("/intent/charge", json!("ch_"), "intent.charge"),
        ("/intent/charge", json!("ch_1/../x"), "intent.charge"),
        ("/intent/charge", json!("ch_1#0"), "intent.charge"),
        ("/intent/charge", json!(["ch_1"]), "intent.charge"),
        ("/intent/transfer", json!("tr_1"), "intent.transfer"),
        ("/intent/payment_intent", json!("pi_1"), "intent.payment_intent"),
        ("/intent/reason", json!("because"), "intent.reason"),
        ("/intent/method", json!("instant"), "intent.method"),
        ("/intent/source_transaction", json!("ch_1"), "intent.source_transaction"),
        ("/intent/metadata", json!({"axiru_request": "x"}), "intent.metadata"),
        ("/intent/metadata", json!({"a": long}), "accepted"),
        ("/intent/metadata", json!({"a": "x".repeat(501)}), "intent.metadata"),
        ("/intent/metadata", json!({"a[b]": "x"}), "intent.metadata"),
        ("/intent/metadata", json!({"a": 1}), "intent.metadata.a"),
        ("/intent/amount", json!(1), "intent.amount"),
        ("/intent", json!([]), "intent"),
        ("/intent", Value::Null, "intent"),
        ("/context", json!([]), "context"),
        ("/context", json!({"a": "two words"}), "context"),
        ("/context", json!({"a": {"b": 1}}), "context"),
        ("/context", Value::Object(many), "context"),
        ("/context", Value::Object(with_rationale), "context"),
        ("/context", json!({"rationale": "x".repeat(501)}), "context.rationale"),
        ("/context", json!({"rationale": 5}), "context.rationale"),
        ("/idempotency_key", json!(""), "idempotency_key"),
        ("/idempotency_key", json!(" a"), "idempotency_key"),
        ("/idempotency_key", json!("a\nb"), "idempotency_key"),
        ("/idempotency_key", json!("é"), "idempotency_key"),
        ("/idempotency_key", json!("k".repeat(256)), "idempotency_key"),
        ("/idempotency_key", Value::Null, "idempotency_key"),
        ("/idempotency_key", json!(5), "idempotency_key"),
        // Nobody makes anything on this ground.
        ("/execute", json!(true), "execute"),
        ("/execute", json!("no"), "execute"),
        ("/mode", json!("live"), "mode"),
    ] {
        let mut body = good.clone();
        match body.pointer_mut(pointer) {
            Some(place) => *place = value.clone(),
            None => {
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                body.pointer_mut(parent).unwrap()[name] = value.clone();
            }
        }
        if field == "accepted" {
            continue;
        }
        let (status, code, told) = refused(&ground, &body).await;
        let forbidden = value == json!("acct_2") || value == json!("acct_9");
        assert_eq!(status, if forbidden { 403 } else { 400 }, "{pointer} {value}");
        assert!(
            told == field
                || told == "intent" && pointer == "/intent/amount"
                || told == "body" && pointer == "/mode"
                || told.starts_with(field),
            "{pointer} {value}: {code} at `{told}`"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_json_object_of_ours_is_refused() {
    let ground = Ground::simple().await;
    let token = key(mode(), AGENT);
    let headers =
        |kind: &str| [("authorization", format!("Bearer {}", token.expose())), ("content-type", kind.to_owned())];
    let good = refund("k", 100, "ch_1").to_string();
    let twice = good.replacen("\"idempotency_key\"", "\"idempotency_key\":\"j\",\"idempotency_key\"", 1);
    let nested = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for (kind, body, status) in [
        ("application/json", "", 400),
        ("application/json", "{", 400),
        ("application/json", "null", 400),
        ("application/json", "[]", 400),
        ("application/json", "\"x\"", 400),
        ("application/json", nested.as_str(), 400),
        ("application/json", twice.as_str(), 400),
        ("application/json", &format!("{good} {good}"), 400),
        ("application/json", &format!("{good}x"), 400),
        ("text/plain", good.as_str(), 415),
        ("application/x-www-form-urlencoded", "intent[kind]=refund", 415),
        ("", good.as_str(), 415),
        ("application/json", &format!("{good}{}", " ".repeat(140_000)), 413),
    ] {
        let answer = ground.call("POST", "/api/v1/decisions", &headers(kind), body).await;
        assert_eq!(answer.status, status, "{kind} {}", &body[..body.len().min(60)]);
    }
    for (method, path, status) in [
        ("PUT", "/api/v1/decisions", 405),
        ("TRACE", "/api/v1/decisions", 405),
        ("DELETE", "/api/v1/decisions", 405),
        ("POST", "/api/v1/decisions/dec_00000000000000000000000000000000", 405),
        ("POST", "/api/v1/openapi.json", 405),
        ("GET", "/api/v1", 404),
        ("GET", "/api/v1/decisions/", 404),
        ("GET", "/api/v1/decisions/dec_0", 404),
        ("GET", "/api/v1/decisions/dec_00000000000000000000000000000000", 404),
    ] {
        let answer = ground.call(method, path, &headers("application/json"), "").await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        let allow = (status == 405).then_some(if path == "/api/v1/decisions" { "GET, POST" } else { "GET" });
        assert_eq!(answer.allow.as_deref(), allow, "{method} {path}");
    }
    assert!(ground.entries(&format!("{MODE}#acct_1#0")).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn headers_and_body_must_not_disagree() {
    let ground = Ground::simple().await;
    let token = key(mode(), AGENT);
    let mut headers =
        vec![("authorization", format!("Bearer {}", token.expose())), ("content-type", "application/json".to_owned())];
    let body = json!({"intent": {"kind": "payout", "amount_cents": 5, "currency": "usd"}}).to_string();
    let post =
        async |headers: &[(&str, String)], body: &str| ground.call("POST", "/api/v1/decisions", headers, body).await;
    assert_eq!(post(&headers, &body).await.text_of("field"), "intent.stripe_connection_id");
    headers.push(("stripe-account", "acct_1".into()));
    assert_eq!(post(&headers, &body).await.text_of("field"), "idempotency_key");
    headers.push(("idempotency-key", "h-1".into()));
    assert_eq!(post(&headers, &body).await.word(), "allowed");
    let other = refund("h-2", 5, "ch_1").to_string();
    assert_eq!(post(&headers, &other).await.text_of("field"), "idempotency_key");
    headers[2].1 = "acct_2".into();
    assert_eq!(post(&headers, &other).await.text_of("field"), "intent.stripe_connection_id");
    headers[2].0 = "stripe-context";
    assert_eq!(post(&headers, &other).await.text_of("field"), "Stripe-Context");
}

#[tokio::test(start_paused = true)]
async fn modes_and_accounts_never_mix() {
    let ground = Ground::simple().await;
    ground.account.any_scope();
    // A decision in every scope that a key reaches.
    let mut made = Vec::new();
    for (mode, number, account) in [
        (Mode::Test, AGENT, "acct_1"),
        (Mode::Live, AGENT, "acct_1"),
        (Mode::Test, STAFF, "acct_1"),
        (Mode::Test, STAFF, "acct_2"),
        (Mode::Live, STAFF, "acct_2"),
    ] {
        let mut body = refund("same-key", 100, "ch_1");
        body["intent"]["stripe_connection_id"] = json!(account);
        let answer = ground.ask_with(&key(mode, number), &body).await;
        assert_eq!(answer.word(), "allowed", "{}", answer.text);
        assert_eq!((answer.text_of("cached").as_str(), &answer.body["intent"]["mode"]), ("-", &json!(mode.as_str())));
        assert_eq!(answer.body["audit"]["log"], format!("{mode}/{account}/0"));
        made.push((mode, number, answer.text_of("decision_id")));
    }
    let mut ids: Vec<_> = made.iter().map(|(_, _, id)| id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), made.len(), "no two of them are one request");
    // Every key reads its own actor's decisions in its own mode, and no other.
    for mode in Mode::ALL {
        for number in [AGENT, STAFF] {
            for (of, by, id) in &made {
                let answer = ground.get_with(&key(mode, number), &format!("/api/v1/decisions/{id}")).await;
                let own = (*of, *by) == (mode, number);
                assert_eq!(answer.status, if own { 200 } else { 404 }, "{mode} {number} reads {of} {by}");
            }
        }
    }
    // The agent's key is for one account only; test keys do not open live rows, even where the same account is connected.
    for (mode, account, status) in
        [(Mode::Test, "acct_2", 403), (Mode::Live, "acct_2", 403), (Mode::Live, "acct_3", 403)]
    {
        let mut body = refund("other", 100, "ch_1");
        body["intent"]["stripe_connection_id"] = json!(account);
        assert_eq!(ground.ask_with(&key(mode, AGENT), &body).await.status, status);
        let list = ground.get_with(&key(mode, AGENT), &format!("/api/v1/decisions?account={account}")).await;
        assert_eq!(list.status, status);
    }
    for log in ["test#acct_1#0", "live#acct_1#0", "test#acct_2#0", "live#acct_2#0"] {
        for entry in ground.entries(log).await {
            assert_eq!(
                format!(
                    "{}#{}#0",
                    entry.fields()["mode"].as_str().unwrap(),
                    entry.fields()["account"].as_str().unwrap()
                ),
                log
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_accepted_is_told_nothing() {
    let ground = Ground::simple().await;
    let same = |one: &Answered, other: &Answered| assert_eq!((one.status, &one.text), (other.status, &other.text));
    let body = refund("k", 100, "ch_1");
    let unknown = ground.ask_with(&key(mode(), 77), &body).await;
    assert_eq!((unknown.status, unknown.word().as_str()), (401, "key_refused"));
    // The id of a live key with another secret.
    let forged = axiru_domain::KeyToken::from_random(mode(), key(mode(), AGENT).id().clone(), &[99; 32]);
    same(&ground.ask_with(&forged, &body).await, &unknown);
    // Warm, then revoked: the very next request is refused.
    assert_eq!(ground.ask(&body).await.word(), "allowed");
    same(&ground.ask_with(&forged, &body).await, &unknown);
    let row = key(mode(), AGENT);
    ground.set(&format!("{MODE}#keys"), row.id().as_str(), "state", AttributeValue::S("revoked".into())).await;
    same(&ground.ask(&body).await, &unknown);
    same(&ground.get("/api/v1/decisions").await, &unknown);
    ground.set(&format!("{MODE}#keys"), row.id().as_str(), "state", AttributeValue::S("active".into())).await;
    ground
        .set(
            &format!("{MODE}#keys"),
            row.id().as_str(),
            "valid_until",
            AttributeValue::S("2026-10-31T12:00:10.000Z".into()),
        )
        .await;
    assert_eq!(ground.ask(&body).await.status, 200);
    at_secs(10);
    same(&ground.ask(&body).await, &unknown);
    assert_eq!(ground.entries(&format!("{MODE}#acct_1#0")).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_not_connected_has_no_decisions() {
    let ground = Ground::simple().await;
    ground.set(&format!("{MODE}#connections"), "acct_1", "state", AttributeValue::S("revoked".into())).await;
    let answer = ground.ask(&refund("k", 100, "ch_1")).await;
    assert_eq!((answer.status, answer.word().as_str()), (403, "not_connected"));
    // Tokens that died do not keep plans from deciding what they can.
    ground.set(&format!("{MODE}#connections"), "acct_1", "state", AttributeValue::S("reauth_required".into())).await;
    assert_eq!(ground.ask(&refund("k", 100, "ch_1")).await.word(), "allowed");
}

#[tokio::test(start_paused = true)]
async fn a_key_has_so_many_requests_a_minute() {
    let setting = super::ground::Setting { per_minute: 3, ..super::ground::Setting::simple() };
    let ground =
        Ground::new(axiru_in_process::InProcess::new().unwrap(), axiru_in_process::Retries::On, &setting).await;
    at_secs(15);
    for i in 0..3 {
        assert_eq!(ground.ask(&refund(&format!("k{i}"), 100 + i, "ch_1")).await.status, 200);
    }
    let limited = ground.ask(&refund("k3", 200, "ch_1")).await;
    assert_eq!(
        (limited.status, limited.word().as_str(), limited.retry_after.as_deref()),
        (429, "rate_limited", Some("45"))
    );
    // What was decided is still answered, and other actors are not slowed down.
    assert!(ground.ask(&refund("k0", 100, "ch_1")).await.replayed);
    assert_eq!(ground.ask_with(&key(mode(), STAFF), &refund("k", 100, "ch_1")).await.status, 200);
    at_secs(60);
    assert_eq!(ground.ask(&refund("k3", 200, "ch_1")).await.word(), "allowed");
    assert_eq!(ground.entries(&format!("{MODE}#acct_1#0")).await.len(), 5);
}
