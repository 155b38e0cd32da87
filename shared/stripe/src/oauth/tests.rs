use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::transport::tests::Script;

fn base() -> ApiBase {
    "https://api.stripe.com".parse().unwrap()
}

fn key() -> Secret {
    Secret::new("sk_test_developercanary").unwrap()
}

async fn exchanged(script: &Script) -> Result<Grant, OAuthError> {
    exchange(script, &base(), &key(), &"ac_codecanary".parse().unwrap()).await
}

fn answer() -> serde_json::Value {
    json!({"access_token": "rk_test_accesscanary", "refresh_token": "rt_refreshcanary", "token_type": "bearer", "livemode": false,
           "scope": "stripe_apps", "stripe_publishable_key": "pk_test_1", "stripe_user_id": "acct_1"})
}

#[tokio::test]
async fn the_exchange_sends_the_key_as_user_and_nothing_but_type_and_code() {
    let script = Script::answering(200, answer().to_string());
    let grant = exchanged(&script).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((grant.account.as_str(), grant.mode), ("acct_1", Mode::Test));
    assert_eq!(
        (grant.access_token.expose(), grant.refresh_token.expose()),
        ("rk_test_accesscanary", "rt_refreshcanary")
    );
    assert_eq!((grant.scope.as_deref(), grant.publishable_key.as_deref()), (Some("stripe_apps"), Some("pk_test_1")));
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked[0].method(), http::Method::POST);
    assert_eq!(asked[0].uri(), "https://api.stripe.com/v1/oauth/token");
    assert_eq!(asked[0].headers()["authorization"], "Basic c2tfdGVzdF9kZXZlbG9wZXJjYW5hcnk6");
    let mut form: Vec<(String, String)> = serde_urlencoded::from_bytes(asked[0].body()).unwrap();
    form.sort();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(form, [pair("code", "ac_codecanary"), pair("grant_type", "authorization_code")]);
}

async fn refreshed(script: &Script) -> Result<Grant, OAuthError> {
    refresh(script, &base(), &key(), &Secret::new("rt_refreshcanary").unwrap(), "axiru-refresh-1").await
}

#[tokio::test]
async fn a_renewal_sends_the_key_as_user_the_token_and_its_idempotency_key() {
    let script = Script::answering(200, answer().to_string());
    let grant = refreshed(&script).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(grant.account.as_str(), "acct_1");
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked[0].uri(), "https://api.stripe.com/v1/oauth/token");
    assert_eq!(asked[0].headers()["authorization"], "Basic c2tfdGVzdF9kZXZlbG9wZXJjYW5hcnk6");
    assert_eq!(asked[0].headers()["idempotency-key"], "axiru-refresh-1");
    assert_eq!(asked[0].headers()["stripe-version"], crate::API_VERSION);
    let mut form: Vec<(String, String)> = serde_urlencoded::from_bytes(asked[0].body()).unwrap();
    form.sort();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(form, [pair("grant_type", "refresh_token"), pair("refresh_token", "rt_refreshcanary")]);
}

#[tokio::test]
async fn after_a_renewal_it_is_known_what_is_not_known() {
    let grant = r#"{"error":"invalid_grant","error_description":"rt_refreshcanary was used"}"#;
    let forbidden = r#"{"error":{"type":"invalid_request_error","message":"sk_test_canary"}}"#;
    for (status, body, open) in [
        (400, grant, false),
        (401, r#"{"error":"invalid_client"}"#, false),
        (403, forbidden, false),
        (409, "", true),
        (429, forbidden, true),
        (500, forbidden, true),
        (502, "<html>canary", true),
        (200, "{}", true),
        (200, "", true),
    ] {
        let error = refreshed(&Script::answering(status, body)).await.err().unwrap();
        assert_eq!(error.is_open(), open, "{status} {body}: {error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
    assert!(!refreshed(&Script::failing(TransportError::Unreached)).await.err().unwrap().is_open());
    assert!(refreshed(&Script::failing(TransportError::Broken)).await.err().unwrap().is_open());
}

#[tokio::test]
async fn the_account_may_have_either_name_but_not_two_values() {
    let mut renamed = answer();
    renamed["account_id"] = renamed["stripe_user_id"].take();
    assert_eq!(
        exchanged(&Script::answering(200, renamed.to_string())).await.map(|grant| grant.account.to_string()),
        Ok("acct_1".to_owned())
    );
    let mut both = answer();
    both["account_id"] = json!("acct_2");
    let error = exchanged(&Script::answering(200, both.to_string())).await.err();
    assert!(matches!(error, Some(OAuthError::Answer { at, .. }) if at == "account_id"));
}

#[tokio::test]
async fn every_wrong_field_is_named_and_no_value_is_told() {
    for (field, value) in [
        ("access_token", json!(null)),
        ("access_token", json!(7)),
        ("access_token", json!("with space canary")),
        ("refresh_token", json!(null)),
        ("refresh_token", json!(["canary"])),
        ("token_type", json!("canary")),
        ("livemode", json!("canary")),
        ("livemode", json!(null)),
        ("stripe_user_id", json!(null)),
        ("stripe_user_id", json!("acct_1/../canary")),
        ("stripe_user_id", json!({"canary": 1})),
    ] {
        let mut body = answer();
        body[field] = value.clone();
        let error = exchanged(&Script::answering(200, body.to_string())).await.err().unwrap();
        assert!(matches!(&error, OAuthError::Answer { at, .. } if at == field), "{field} {value}: {error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn oauth_errors_are_strings_and_their_descriptions_are_not_kept() {
    for (word, expected) in [
        ("invalid_grant", OAuthError::InvalidGrant),
        ("invalid_client", OAuthError::InvalidClient),
        ("unauthorized_client", OAuthError::InvalidClient),
        ("invalid_request", OAuthError::Refused("invalid_request")),
        ("invalid_scope", OAuthError::Refused("invalid_scope")),
        ("unsupported_grant_type", OAuthError::Refused("unsupported_grant_type")),
        ("canary", OAuthError::Refused("a word that OAuth does not know")),
    ] {
        let body = json!({"error": word, "error_description": "Authorization code does not exist: ac_codecanary"});
        let error = exchanged(&Script::answering(400, body.to_string())).await.err().unwrap();
        assert_eq!(error, expected);
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}

#[tokio::test]
async fn api_shaped_errors_and_foreign_bodies() {
    let body =
        r#"{"error":{"type":"invalid_request_error","code":"api_key_expired","message":"Expired: sk_test_canary"}}"#;
    let error = exchanged(&Script::answering(401, body)).await.err().unwrap();
    assert!(
        matches!(&error, OAuthError::Api(refusal) if refusal.code.as_deref() == Some("api_key_expired")),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("canary"));
    for (status, body) in
        [(200, ""), (200, "[]"), (200, "<html>canary"), (500, ""), (500, "canary"), (302, ""), (400, r#"{"error":7}"#)]
    {
        let error = exchanged(&Script::answering(status, body)).await.err().unwrap();
        assert!(
            matches!(error, OAuthError::Answer { .. }) && !format!("{error:?}").contains("canary"),
            "{status} {body}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_lost_answer_is_told_as_such() {
    let error = exchanged(&Script::failing(TransportError::TimedOut)).await.err();
    assert_eq!(error, Some(OAuthError::Transport(TransportError::TimedOut)));
}

#[test]
fn the_link_carries_three_parameters_and_no_key() {
    let page = Url::parse("https://marketplace.stripe.com/oauth/v2/authorize").unwrap();
    let back = Url::parse("https://axiru.example/stripe/callback").unwrap();
    let link = authorize_link(&page, &"ca_1".parse().unwrap(), &back, "test.a-b_c");
    assert_eq!(
        link.as_str(),
        "https://marketplace.stripe.com/oauth/v2/authorize?client_id=ca_1&redirect_uri=https%3A%2F%2Faxiru.example%2Fstripe%2Fcallback&state=test.a-b_c"
    );
}

#[test]
fn keys_and_other_texts_are_neither_app_ids_nor_codes() {
    for bad in ["", "ca_", "sk_test_1234567", "ca_1 2", "ca_1&x=y", "CA_1", "ca_ü"] {
        assert!(bad.parse::<AppId>().is_err(), "{bad}");
    }
    let long = format!("ac_{}", "a".repeat(600));
    for bad in ["", "ac_", "ac_123 45678", "sk_test_12345", "ac_1234567%00", "ac_1234567\n", &long] {
        assert!(bad.parse::<Code>().is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn arbitrary_answers_never_panic_and_are_never_repeated(body in proptest::collection::vec(any::<u8>(), 0..300), status in 200_u16..600) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        prop_assert!(runtime.block_on(exchanged(&Script::answering(status, body))).is_err());
    }

    #[test]
    fn one_foreign_value_anywhere_never_shows(field in 0_usize..7, value in "canary[ -~]{0,40}") {
        let mut body = answer();
        let name = body.as_object().unwrap().keys().nth(field).unwrap().clone();
        body[name] = json!(value);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        if let Err(error) = runtime.block_on(exchanged(&Script::answering(200, body.to_string()))) {
            let told = format!("{error} {error:?}");
            prop_assert!(!told.contains("canary"));
        }
    }
}
