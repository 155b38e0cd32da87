use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::transport::tests::Script;

fn base() -> ApiBase {
    "https://api.stripe.com".parse().unwrap()
}

fn key() -> Secret {
    Secret::new("sk_test_canary").unwrap()
}

fn url() -> Url {
    Url::parse("https://axiru.example/stripe/webhooks/test").unwrap()
}

fn account() -> serde_json::Value {
    json!({"id": "acct_1", "object": "account", "country": "DE", "default_currency": "eur",
           "business_profile": {"name": "Fallback"}, "settings": {"dashboard": {"display_name": "Rosa’s Shop"}}})
}

async fn profile_of(body: &str) -> Result<Profile, StripeError> {
    let script = Script::answering(200, body.to_owned());
    Rest::new(&script, &base(), &key()).profile().await
}

#[tokio::test]
async fn a_profile_is_read_with_the_pinned_version() {
    let script = Script::answering(200, account().to_string());
    let profile = Rest::new(&script, &base(), &key()).profile().await.unwrap();
    assert_eq!(profile.display_name, "Rosa’s Shop");
    assert_eq!((profile.country.as_str(), profile.default_currency.as_str()), ("DE", "eur"));
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked[0].uri(), "https://api.stripe.com/v1/account");
    assert_eq!(asked[0].headers()["stripe-version"], crate::API_VERSION);
    assert_eq!(asked[0].headers()["authorization"], "Basic c2tfdGVzdF9jYW5hcnk6");
    assert!(!format!("{asked:?}").contains("c2tfdGVzdF9jYW5hcnk6"), "the credential is marked as not to be shown");
}

#[tokio::test]
async fn names_that_deceive_or_are_missing() {
    for (name, shown) in [
        (json!("Shop\u{202e}evil\u{200b}"), "Shopevil"),
        (json!(" two\n lines\u{0}"), "two lines"),
        (json!("\u{200d}\u{feff}"), "acct_1"),
        (json!(""), "acct_1"),
        (json!(null), "Fallback"),
        (json!("x".repeat(500)), &"x".repeat(80)),
        (json!("<script>alert(1)</script>"), "<script>alert(1)</script>"),
    ] {
        let mut body = account();
        body["settings"]["dashboard"]["display_name"] = name;
        assert_eq!(profile_of(&body.to_string()).await.unwrap().display_name, shown);
    }
}

#[tokio::test]
async fn a_wrong_profile_is_refused_by_field() {
    for (field, value) in [
        ("id", json!("cus_1")),
        ("id", json!(null)),
        ("country", json!("de")),
        ("country", json!("DEU")),
        ("country", json!(null)),
        ("default_currency", json!("EUR")),
        ("default_currency", json!("")),
    ] {
        let mut body = account();
        body[field] = value;
        let error = profile_of(&body.to_string()).await.unwrap_err();
        assert!(matches!(error, StripeError::Answer { at, .. } if at == field), "{field}: {error}");
    }
    assert!(profile_of("[]").await.is_err());
    assert!(profile_of("").await.is_err());
}

#[tokio::test]
async fn an_endpoint_is_created_for_connected_accounts_under_one_key() {
    let script = Script::answering(200, r#"{"id":"we_1","url":"x","secret":"whsec_canary"}"#);
    let made = Rest::new(&script, &base(), &key())
        .create_endpoint(&url(), &["payout.created", "refund.created"], "k-1")
        .await
        .unwrap();
    assert_eq!((made.id.as_str(), made.secret.expose()), ("we_1", "whsec_canary"));
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked[0].method(), Method::POST);
    assert_eq!(asked[0].headers()["idempotency-key"], "k-1");
    let form: Vec<(String, String)> = serde_urlencoded::from_bytes(asked[0].body()).unwrap();
    let values = |name: &str| form.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect::<Vec<_>>();
    assert_eq!(values("connect"), ["true"]);
    assert_eq!(values("url"), [url().as_str()]);
    assert_eq!(values("api_version"), [crate::API_VERSION]);
    assert_eq!(values("enabled_events[]"), ["payout.created", "refund.created"]);
}

#[tokio::test]
async fn an_endpoint_without_a_secret_or_id_is_refused() {
    for body in [
        r#"{"id":"we_1"}"#,
        r#"{"secret":"whsec_12345"}"#,
        r#"{"id":"we 1","secret":"whsec_12345"}"#,
        r#"{"id":"we_1","secret":""}"#,
        "null",
    ] {
        let script = Script::answering(200, body);
        assert!(Rest::new(&script, &base(), &key()).create_endpoint(&url(), &[], "k").await.is_err(), "{body}");
    }
}

#[tokio::test]
async fn endpoints_are_found_by_exact_address_over_pages() {
    let ours = url();
    let script = Script::answering(200, json!({"data": [{"id": "we_1", "url": ours.as_str()}, {"id": "we_2", "url": "https://else.example"}], "has_more": true}).to_string());
    script.then(200, json!({"data": [{"id": "we_3", "url": format!("{ours}/")}, {"id": "we_4", "url": ours.as_str()}], "has_more": false}).to_string());
    let found = Rest::new(&script, &base(), &key()).endpoints_at(&ours).await.unwrap();
    assert_eq!(found.iter().map(|endpoint| endpoint.id.as_str()).collect::<Vec<_>>(), ["we_1", "we_4"]);
    assert!(script.asked.lock().unwrap()[1].uri().query().is_some_and(|query| query.contains("starting_after=we_2")));
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let script = Script::default();
    for _ in 0..MAX_PAGES {
        script.then(200, json!({"data": [], "has_more": true}).to_string());
    }
    assert!(Rest::new(&script, &base(), &key()).endpoints_at(&url()).await.is_err());
}

#[tokio::test]
async fn deleting_what_is_gone_is_done() {
    let id: StripeId = "we_1".parse().unwrap();
    for (status, body, done) in [
        (200, r#"{"id":"we_1","deleted":true}"#, true),
        (404, r#"{"error":{"type":"invalid_request_error","code":"resource_missing"}}"#, true),
        (400, r#"{"error":{"type":"invalid_request_error"}}"#, false),
        (500, "", false),
    ] {
        let script = Script::answering(status, body);
        assert_eq!(Rest::new(&script, &base(), &key()).delete_endpoint(&id).await.is_ok(), done, "{status}");
    }
}

#[tokio::test]
async fn a_lost_answer_stays_open_and_a_refusal_does_not() {
    for (script, open) in [
        (Script::failing(TransportError::TimedOut), true),
        (Script::failing(TransportError::Broken), true),
        (Script::failing(TransportError::Unreached), false),
        (Script::answering(409, ""), true),
        (Script::answering(500, "{}"), false),
        (Script::answering(400, "{}"), false),
    ] {
        let Err(error) = Rest::new(&script, &base(), &key()).create_endpoint(&url(), &[], "k").await else {
            panic!("an endpoint out of nothing")
        };
        assert_eq!(error.is_open(), open, "{error}");
    }
}

proptest! {
    #[test]
    fn arbitrary_answers_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300), status in 200_u16..600) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let script = Script::answering(status, body.clone());
            let _ = Rest::new(&script, &base(), &key()).profile().await;
            let script = Script::answering(status, body.clone());
            let _ = Rest::new(&script, &base(), &key()).endpoints_at(&url()).await;
        });
    }

    #[test]
    fn any_name_is_shown_in_one_short_visible_line(name in ".{0,200}") {
        let shown = shown(&name);
        prop_assert!(shown.chars().count() <= 80 && !shown.chars().any(char::is_control));
        let turns = |c: char| ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
        prop_assert!(!shown.chars().any(turns));
    }
}
