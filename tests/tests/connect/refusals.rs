//! What is refused, and that a refusal harms nobody else.

use axiru_domain::Mode;
use http::StatusCode;
use serde_json::json;
use std::time::Duration;

use super::stage::{Stage, run, text};

const ROSA: &str = "arn:aws:iam::111122223333:user/rosa";

async fn untouched(stage: &Stage) {
    for mode in Mode::ALL {
        assert!(stage.store().connections(mode).await.unwrap().is_empty());
        assert!(stage.entries(mode, &stage.merchant).await.is_empty());
    }
}

#[test]
fn only_a_verified_caller_mints_links() {
    run(async |stage| {
        let body = json!({"modes": ["test"]}).to_string();
        for caller in [None, Some(""), Some("rosa")] {
            let (status, answer) = stage.mint(caller, &body).await;
            assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &json!("no_verified_caller")));
        }
        for bad in ["", "{}", r#"{"modes":["test"],"expires_in":1}"#] {
            assert_eq!(stage.mint(Some(ROSA), bad).await.0, StatusCode::BAD_REQUEST, "{bad}");
        }
        assert!(stage.account.items(axiru_in_process::STATE_TABLE).unwrap().is_empty());
    });
}

#[test]
fn without_an_open_link_nothing_begins() {
    run(async |stage| {
        let page = stage.ask("GET", "/stripe/install", None, &[]).await;
        assert!(page.status() == StatusCode::OK && !text(&page).contains("<button"));
        let link = stage.link(&["test"]).await;
        let token = link.split_once("link=").unwrap().1.to_owned();
        let other = "A".repeat(43);
        for (link, mode, status) in [
            (other.as_str(), "test", StatusCode::NOT_FOUND),
            (&token, "live", StatusCode::NOT_FOUND),
            (&token, "both", StatusCode::NOT_FOUND),
            ("x", "test", StatusCode::NOT_FOUND),
        ] {
            assert_eq!(
                stage.ask("POST", "/stripe/install", None, &[("link", link), ("mode", mode)]).await.status(),
                status
            );
        }
        let page = stage.ask("GET", &format!("/stripe/install?link={token}"), None, &[]).await;
        assert_eq!(text(&page).matches("<button").count(), 1);
        tokio::time::sleep(Duration::from_secs(86_400)).await;
        let page = stage.ask("GET", &format!("/stripe/install?link={token}"), None, &[]).await;
        assert!(page.status() == StatusCode::GONE && !text(&page).contains("<button"));
        let begun = stage.ask("POST", "/stripe/install", None, &[("link", &token), ("mode", "test")]).await;
        assert_eq!(begun.status(), StatusCode::GONE);
        untouched(stage).await;
    });
}

#[test]
fn a_link_connects_once_in_a_mode_even_if_two_race() {
    run(async |stage| {
        let link = stage.link(&["test"]).await;
        let first = stage.consented(&link, Mode::Test, &stage.merchant).await;
        let other = stage.account("Other Shop");
        let second = stage.consented(&link, Mode::Test, &other).await;
        assert_eq!(stage.confirm(&first.0, &first.1, &stage.merchant).await.status(), StatusCode::OK);
        assert_eq!(stage.confirm(&second.0, &second.1, &other).await.status(), StatusCode::GONE);
        assert_eq!(stage.store().connections(Mode::Test).await.unwrap().len(), 1);
        // A second press of the first is the same press.
        assert_eq!(stage.confirm(&first.0, &first.1, &stage.merchant).await.status(), StatusCode::OK);
        assert_eq!(stage.entries(Mode::Test, &stage.merchant).await.len(), super::FIRST.len());
    });
}

#[test]
fn a_foreign_browser_gets_nothing_and_spoils_nothing() {
    run(async |stage| {
        let link = stage.link(&["live"]).await;
        let (consent, cookie) = stage.begin(&link, Mode::Live).await;
        let (_, foreign) = stage.begin(&link, Mode::Live).await;
        let back = stage.decide(&consent, &stage.merchant, "approve").await;
        for other in [None, Some(foreign.as_str()), Some("__Host-axiru-state=x")] {
            assert_eq!(stage.ask("GET", &back, other, &[]).await.status(), StatusCode::FORBIDDEN);
        }
        let page = stage.ask("GET", &back, Some(&cookie), &[]).await;
        assert_eq!(page.status(), StatusCode::OK, "the state is still its owner's");
        let state = consent.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        assert_eq!(stage.confirm(&state, &foreign, &stage.merchant).await.status(), StatusCode::FORBIDDEN);
        untouched(stage).await;
    });
}

#[test]
fn a_state_is_used_once_and_in_time() {
    run(async |stage| {
        let link = stage.link(&["live"]).await;
        let (consent, cookie) = stage.begin(&link, Mode::Live).await;
        let back = stage.decide(&consent, &stage.merchant, "approve").await;
        assert_eq!(stage.ask("GET", &back, Some(&cookie), &[]).await.status(), StatusCode::OK);
        assert_eq!(stage.ask("GET", &back, Some(&cookie), &[]).await.status(), StatusCode::CONFLICT);
        let (consent, cookie) = stage.begin(&link, Mode::Live).await;
        let back = stage.decide(&consent, &stage.merchant, "approve").await;
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert_eq!(stage.ask("GET", &back, Some(&cookie), &[]).await.status(), StatusCode::GONE);
        let (state, cookie) = stage.consented(&link, Mode::Live, &stage.merchant).await;
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert_eq!(stage.confirm(&state, &cookie, &stage.merchant).await.status(), StatusCode::GONE);
        untouched(stage).await;
    });
}

#[test]
fn callbacks_that_are_none_of_ours() {
    run(async |stage| {
        let link = stage.link(&["test"]).await;
        let (consent, cookie) = stage.begin(&link, Mode::Test).await;
        let state = consent.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let forged = format!("test.{}", "A".repeat(43));
        let other_mode = state.replace("test.", "live.");
        for (target, status) in [
            ("/stripe/callback".to_owned(), StatusCode::BAD_REQUEST),
            ("/stripe/callback?code=ac_1234567".to_owned(), StatusCode::BAD_REQUEST),
            (format!("/stripe/callback?state={forged}&code=ac_1234567"), StatusCode::BAD_REQUEST),
            (format!("/stripe/callback?state={other_mode}&code=ac_1234567"), StatusCode::BAD_REQUEST),
            (format!("/stripe/callback?state={state}&state={state}&code=ac_1234567"), StatusCode::BAD_REQUEST),
            (format!("/stripe/callback?state={state}&code=ac_{}", "1".repeat(5_000)), StatusCode::BAD_REQUEST),
            // From here on the state is claimed.
            (format!("/stripe/callback?state={state}&code=sk_test_12345678"), StatusCode::BAD_REQUEST),
            (format!("/stripe/callback?state={state}&code=ac_1234567"), StatusCode::CONFLICT),
        ] {
            let answer = stage.ask("GET", &target, Some(&cookie), &[]).await;
            assert_eq!(answer.status(), status, "{target}");
        }
        untouched(stage).await;
    });
}

#[test]
fn who_says_no_at_stripe_is_understood() {
    run(async |stage| {
        let link = stage.link(&["test"]).await;
        let (consent, cookie) = stage.begin(&link, Mode::Test).await;
        let back = stage.decide(&consent, &stage.merchant, "refuse").await;
        let page = stage.ask("GET", &back, Some(&cookie), &[]).await;
        assert!(page.status() == StatusCode::OK && text(&page).contains("You said no"), "{}", text(&page));
        untouched(stage).await;
        stage.connect(&link, Mode::Test, &stage.merchant).await;
    });
}

#[test]
fn a_code_of_the_other_mode_or_of_nobody_connects_nothing() {
    run(async |stage| {
        let link = stage.link(&["test"]).await;
        for mode in ["live", "none"] {
            let (consent, cookie) = stage.begin(&link, Mode::Test).await;
            let state = consent.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
            let code = match mode {
                "live" => {
                    let path = format!("live/{}/consent", stage.merchant);
                    stage.sandbox.control("POST", &path, json!({})).unwrap()["code"].as_str().unwrap().to_owned()
                }
                _ => "ac_0123456789".to_owned(),
            };
            let answer =
                stage.ask("GET", &format!("/stripe/callback?state={state}&code={code}"), Some(&cookie), &[]).await;
            assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
            assert!(!text(&answer).contains(&code));
        }
        untouched(stage).await;
    });
}

#[test]
fn only_what_was_shown_is_confirmed() {
    run(async |stage| {
        let link = stage.link(&["test"]).await;
        let (state, cookie) = stage.consented(&link, Mode::Test, &stage.merchant).await;
        for account in ["", "acct_other"] {
            assert_eq!(stage.confirm(&state, &cookie, account).await.status(), StatusCode::CONFLICT);
        }
        untouched(stage).await;
    });
}

#[test]
fn an_empty_developer_secret_fails_before_anybody_is_sent_away() {
    run(async |stage| {
        stage.account.set_secret(axiru_in_process::DEVELOPER_SECRET_LIVE, "");
        let link = stage.link(&["live"]).await;
        let token = link.split_once("link=").unwrap().1;
        let answer = stage.ask("POST", "/stripe/install", None, &[("link", token), ("mode", "live")]).await;
        assert!(answer.status() == StatusCode::BAD_GATEWAY && !answer.headers().contains_key("set-cookie"));
    });
}

#[test]
fn paths_and_methods_that_do_not_exist() {
    run(async |stage| {
        for (method, path, status) in [
            ("GET", "/", StatusCode::OK),
            ("GET", "/permissions", StatusCode::OK),
            ("GET", "/privacy", StatusCode::OK),
            ("GET", "/stripe", StatusCode::NOT_FOUND),
            ("GET", "/favicon.ico", StatusCode::NOT_FOUND),
            ("POST", "/", StatusCode::METHOD_NOT_ALLOWED),
            ("GET", "/stripe/confirm", StatusCode::METHOD_NOT_ALLOWED),
            ("DELETE", "/stripe/install", StatusCode::METHOD_NOT_ALLOWED),
            ("POST", "/stripe/confirm", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ] {
            let answer = stage.ask(method, path, None, &[]).await;
            assert_eq!(answer.status(), status, "{method} {path}");
            assert_eq!(answer.headers().contains_key("allow"), status == StatusCode::METHOD_NOT_ALLOWED);
        }
    });
}
