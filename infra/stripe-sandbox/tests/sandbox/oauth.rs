//! OAuth: codes, tokens, rotation, modes, uninstalling.

use axiru_stripe_sandbox::{Mode, Scope};
use serde_json::{Value, json};

use crate::bench::{Bench, LIVE_DEVELOPER, MERCHANT, TEST_DEVELOPER, text};

fn code(bench: &Bench) -> String {
    text(&bench.dashboard("consent", json!({})), "code")
}

fn token(bench: &Bench, key: &str, form: &str) -> (u16, Value) {
    let (status, _, body) = bench.raw(key, "POST", "/v1/oauth/token", form, &[]);
    (status, body)
}

fn exchange(bench: &Bench, key: &str, code: &str) -> (u16, Value) {
    token(bench, key, &format!("grant_type=authorization_code&code={code}"))
}

fn refresh(bench: &Bench, key: &str, refresh_token: &str) -> (u16, Value) {
    token(bench, key, &format!("grant_type=refresh_token&refresh_token={refresh_token}"))
}

#[test]
fn the_reply_has_exactly_the_fields_of_an_app() {
    let bench = Bench::new();
    let (status, reply) = exchange(&bench, TEST_DEVELOPER, &code(&bench));
    assert_eq!(status, 200);
    let names: Vec<&String> = reply.as_object().unwrap().keys().collect();
    let expected = [
        "access_token",
        "livemode",
        "refresh_token",
        "scope",
        "stripe_publishable_key",
        "stripe_user_id",
        "token_type",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        (&reply["scope"], &reply["token_type"], &reply["livemode"]),
        (&json!("stripe_apps"), &json!("bearer"), &json!(false))
    );
    assert_eq!(reply["stripe_user_id"], MERCHANT);
}

#[test]
fn codes_are_single_use_short_lived_and_of_one_mode() {
    let bench = Bench::new();
    let good = code(&bench);
    for (key, given) in [(LIVE_DEVELOPER, &*good), (TEST_DEVELOPER, "ac_nonsense"), (&*bench.test_key, &*good)] {
        let (status, reply) = exchange(&bench, key, given);
        assert_eq!((status, reply["error"].as_str()), (400, Some("invalid_grant")), "{reply}");
        assert!(reply["error_description"].is_string());
    }
    assert_eq!(exchange(&bench, TEST_DEVELOPER, &good).0, 200);
    assert_eq!(exchange(&bench, TEST_DEVELOPER, &good).1["error"], "invalid_grant");
    let late = code(&bench);
    bench.control("clock", json!({"advance_secs": 300}));
    assert_eq!(exchange(&bench, TEST_DEVELOPER, &late).1["error"], "invalid_grant");
}

#[test]
fn token_calls_that_make_no_sense_are_refused() {
    let bench = Bench::new();
    let cases = [
        (TEST_DEVELOPER, "", 400, json!("invalid_request")),
        (TEST_DEVELOPER, "grant_type=password", 400, json!("unsupported_grant_type")),
        (TEST_DEVELOPER, "grant_type=authorization_code", 400, json!("invalid_request")),
        (TEST_DEVELOPER, "grant_type=authorization_code&code=x&client_secret=y", 400, json!("invalid_request")),
        ("sk_test_unknown", "grant_type=refresh_token&refresh_token=x", 401, json!("invalid_client")),
    ];
    for (key, form, status, error) in cases {
        let (got, reply) = token(&bench, key, form);
        assert_eq!((got, &reply["error"]), (status, &error), "{form}");
    }
    let (status, reply) = refresh(&bench, &bench.restricted_key, "rt_x");
    assert_eq!((status, reply["error"]["type"].as_str()), (403, Some("invalid_request_error")));
}

#[test]
fn refresh_tokens_rotate_and_the_old_one_dies() {
    let bench = Bench::new();
    let (_, first) = exchange(&bench, TEST_DEVELOPER, &code(&bench));
    let old = text(&first, "refresh_token");
    assert_eq!(
        refresh(&bench, LIVE_DEVELOPER, &old).1["error"],
        "invalid_grant",
        "the other mode's key spends nothing"
    );
    let (status, second) = refresh(&bench, TEST_DEVELOPER, &old);
    assert_eq!(status, 200);
    assert_ne!(text(&second, "refresh_token"), old);
    assert_eq!(refresh(&bench, TEST_DEVELOPER, &old).1["error"], "invalid_grant");
    assert_eq!(refresh(&bench, TEST_DEVELOPER, &text(&second, "refresh_token")).0, 200);
}

#[test]
fn access_tokens_live_for_an_hour() {
    let bench = Bench::new();
    let (_, tokens) = exchange(&bench, TEST_DEVELOPER, &code(&bench));
    let access = text(&tokens, "access_token");
    let (status, _, body) = bench.raw(&access, "GET", "/v1/account", "", &[]);
    assert_eq!((status, body["id"].as_str()), (200, Some(MERCHANT)));
    let (status, _, _) = bench.raw(&access, "GET", "/v1/account", "", &[("stripe-account", "acct_SandboxDeveloper")]);
    assert_eq!(status, 403);
    bench.control("clock", json!({"advance_secs": 3600}));
    let (status, _, body) = bench.raw(&access, "GET", "/v1/account", "", &[]);
    assert_eq!((status, body["error"]["code"].as_str()), (401, Some("api_key_expired")));
}

#[test]
fn access_tokens_do_only_what_the_app_asked_for() {
    let bench = Bench::new();
    bench.control("apps/test", json!({"permissions": ["charge_read", "event_read"]}));
    let (_, tokens) = exchange(&bench, TEST_DEVELOPER, &code(&bench));
    let access = text(&tokens, "access_token");
    let charge = bench.charge(100);
    assert_eq!(bench.raw(&access, "GET", &format!("/v1/charges/{charge}"), "", &[]).0, 200);
    let (status, _, body) = bench.raw(&access, "POST", "/v1/refunds", &format!("charge={charge}"), &[]);
    assert_eq!(status, 403);
    assert!(text(&body["error"], "message").contains("'charge_write'"));
    assert_eq!(bench.raw(&access, "GET", "/v1/payouts", "", &[]).0, 403);
}

#[test]
fn uninstalling_kills_tokens_at_once_and_tells_only_the_application() {
    let bench = Bench::new();
    bench.listen(TEST_DEVELOPER);
    let (_, tokens) = exchange(&bench, TEST_DEVELOPER, &code(&bench));
    let told: Vec<String> = bench.sandbox.drain_outbox().into_iter().map(|delivery| delivery.event_type).collect();
    assert_eq!(told, ["account.application.authorized"]);
    bench.dashboard("uninstall", json!({}));
    let deliveries = bench.sandbox.drain_outbox();
    let body: Value = serde_json::from_slice(&deliveries[0].body).unwrap();
    assert_eq!(
        (deliveries.len(), text(&body, "type"), text(&body, "account")),
        (1, "account.application.deauthorized".into(), MERCHANT.into())
    );
    assert_eq!(body["data"]["object"], json!({"id": "ca_SandboxAppTest", "object": "application", "name": "Axiru"}));
    assert_eq!(bench.raw(&text(&tokens, "access_token"), "GET", "/v1/account", "", &[]).0, 401);
    assert_eq!(refresh(&bench, TEST_DEVELOPER, &text(&tokens, "refresh_token")).1["error"], "invalid_grant");
    bench.charge(100);
    assert!(bench.sandbox.drain_outbox().is_empty(), "nothing is heard after uninstalling");
    assert_eq!(Scope::new(Mode::Test, MERCHANT).to_string(), "test/acct_Merchant1");
}
