//! What Stripe refuses, whose fault it is, and what comes of it.

use std::time::Duration;

use axiru_aws::refresh::{RefreshError, Refreshed};
use axiru_aws::tokens::TokenError;
use axiru_domain::Mode;
use axiru_in_process::{DEVELOPER_SECRET_LIVE, DEVELOPER_SECRET_LIVE_VALUE, Fault, Outcome};
use axiru_stripe::oauth::OAuthError;
use serde_json::json;

use super::ground::{ACCOUNT, Ground, HALF_AN_HOUR, now, run, scope};

const LIVE: Mode = Mode::Live;

#[test]
fn a_dead_refresh_token_blocks_the_account_and_says_so_once() {
    run(async |ground: &Ground| {
        tokio::time::sleep(HALF_AN_HOUR).await;
        ground.stripe.control("POST", &format!("live/{ACCOUNT}/uninstall"), json!({}));
        assert_eq!(ground.refresh(LIVE).await.unwrap(), Refreshed::ReauthRequired);
        assert_eq!(ground.refresh(LIVE).await.unwrap(), Refreshed::ReauthRequired);
        let entries = ground.entries(LIVE).await;
        assert_eq!(entries.len(), 1);
        let fields = entries[0].fields();
        assert_eq!((entries[0].ty(), &fields["reason"]), ("connection.reauth_required", &json!("invalid_grant")));
        assert_eq!(fields["actor"], "axiru");
        assert_eq!(ground.state(LIVE).await, "reauth_required");
        assert!(ground.field(LIVE, "tokens").await.is_some(), "the row and its tokens stay");
        assert!(matches!(ground.reader().token(&scope(LIVE)).await, Err(TokenError::ReauthRequired)));
        // Neither asks nor the schedule touch it again, and the other mode goes on.
        ground.stripe.calls();
        assert!(ground.refresher().due(LIVE).await.unwrap().is_empty());
        assert_eq!(ground.refresh(LIVE).await.unwrap(), Refreshed::ReauthRequired);
        assert!(ground.stripe.calls().is_empty());
        assert_eq!(ground.refresh(Mode::Test).await.unwrap(), Refreshed::Renewed(1));
    });
}

#[test]
fn connecting_again_clears_it() {
    run(async |ground: &Ground| {
        tokio::time::sleep(HALF_AN_HOUR).await;
        ground.stripe.control("POST", &format!("live/{ACCOUNT}/uninstall"), json!({}));
        ground.refresh(LIVE).await.unwrap();
        ground.connect(LIVE, "att_2").await;
        let token = ground.reader().token(&scope(LIVE)).await.unwrap();
        assert!(ground.accepts(&token).await);
        tokio::time::sleep(HALF_AN_HOUR).await;
        assert_eq!(ground.refresh(LIVE).await.unwrap(), Refreshed::Renewed(1));
        assert_eq!(ground.entries(LIVE).await.len(), 1);
    });
}

#[test]
fn a_revoked_connection_is_never_renewed() {
    run(async |ground: &Ground| {
        tokio::time::sleep(HALF_AN_HOUR).await;
        let dynamodb = ground.account.dynamodb(ground.retries);
        let value = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
        let update =
            dynamodb.update_item().table_name(axiru_in_process::STATE_TABLE).key("pk", value("live#connections"));
        let update = update.key("sk", value(ACCOUNT)).update_expression("SET #s = :s REMOVE tokens");
        let update =
            update.expression_attribute_names("#s", "state").expression_attribute_values(":s", value("revoked"));
        update.send().await.unwrap();
        assert_eq!(ground.refresh(LIVE).await.unwrap(), Refreshed::NotActive);
        assert!(ground.refresher().due(LIVE).await.unwrap().is_empty());
        assert!(ground.stripe.calls().is_empty());
    });
}

#[test]
fn an_uninstall_while_stripe_answers_wins() {
    run(async |ground: &Ground| {
        tokio::time::sleep(HALF_AN_HOUR).await;
        ground.account.set_latencies(axiru_in_process::Latencies::simulated());
        ground.stripe.fail(&[super::stripe::StripeFault::Late(Duration::from_secs(5))]);
        let uninstall = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let dynamodb = ground.account.dynamodb(ground.retries);
            let value = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
            let update =
                dynamodb.update_item().table_name(axiru_in_process::STATE_TABLE).key("pk", value("live#connections"));
            let update = update.key("sk", value(ACCOUNT)).update_expression("SET #s = :s REMOVE tokens");
            let update =
                update.expression_attribute_names("#s", "state").expression_attribute_values(":s", value("revoked"));
            update.send().await.unwrap();
        };
        let (refreshed, ()) = tokio::join!(ground.refresh(LIVE), uninstall);
        assert_eq!(refreshed.unwrap(), Refreshed::Fresh);
        assert_eq!(ground.state(LIVE).await, "revoked");
        assert!(ground.field(LIVE, "tokens").await.is_none(), "the tokens do not come back");
    });
}

#[test]
fn a_connect_while_stripe_answers_wins() {
    run(async |ground: &Ground| {
        tokio::time::sleep(HALF_AN_HOUR).await;
        ground.stripe.fail(&[super::stripe::StripeFault::Late(Duration::from_secs(5))]);
        let connect = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            ground.connect(LIVE, "att_2").await;
        };
        let (refreshed, ()) = tokio::join!(ground.refresh(LIVE), connect);
        assert_eq!(refreshed.unwrap(), Refreshed::Fresh);
        assert_eq!(ground.field(LIVE, "attempt").await.as_deref(), Some("att_2"));
        tokio::time::sleep(HALF_AN_HOUR).await;
        assert_eq!(ground.refresh(LIVE).await.unwrap(), Refreshed::Renewed(1), "with the refresh token of the connect");
    });
}

/// A sleeper whose lease is over, and another who has renewed meanwhile.
#[test]
fn whoever_comes_too_late_writes_nothing() {
    run(async |ground: &Ground| {
        tokio::time::sleep(HALF_AN_HOUR).await;
        // It has read the row, and its lease is taken a minute late.
        ground.account.faults().next("UpdateItem", Fault::Delay(Duration::from_secs(60)));
        let other = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            ground.refresh(LIVE).await
        };
        let (slept, awake) = tokio::join!(ground.refresh(LIVE), other);
        assert_eq!((slept.unwrap(), awake.unwrap()), (Refreshed::Fresh, Refreshed::Renewed(1)));
        assert_eq!(ground.stripe.renewed(), 1);
        // It has Stripe's answer, and its store arrives after its time: given up, and the lease is over for the next.
        tokio::time::sleep(HALF_AN_HOUR).await;
        let mut updates = 0;
        ground.account.faults().decide(move |call| {
            updates += usize::from(call.operation == "UpdateItem");
            (call.operation == "UpdateItem" && updates == 2).then_some(Fault::Delay(Duration::from_secs(60)))
        });
        assert!(matches!(ground.refresh(LIVE).await, Err(RefreshError::Deadline)));
    });
}

#[test]
fn a_wrong_developer_key_harms_no_connection() {
    run(async |ground: &Ground| {
        tokio::time::sleep(HALF_AN_HOUR).await;
        let made = ground.stripe.control("POST", "accounts", json!({"id": "acct_9"}));
        let restricted = made["keys"]["live"]["restricted"].as_str().unwrap();
        let secret = |key: &str| json!({"client_id": "ca_inprocess_live", "developer_key": key}).to_string();
        for bad in ["".to_owned(), "{}".to_owned(), secret(restricted), secret("sk_test_inprocess_developer")] {
            ground.account.set_secret(DEVELOPER_SECRET_LIVE, &bad);
            assert!(matches!(ground.refresh(LIVE).await, Err(RefreshError::Developer(_))), "{bad}");
        }
        assert!(ground.stripe.calls().is_empty(), "nothing of it was ever sent");
        // A key that Stripe does not know, one that it no longer accepts for tokens.
        ground.account.set_secret(DEVELOPER_SECRET_LIVE, &secret("sk_live_unknown_to_stripe"));
        let refused = ground.refresh(LIVE).await;
        assert!(matches!(refused, Err(RefreshError::Stripe(OAuthError::InvalidClient))), "{refused:?}");
        ground.stripe.fail(&[super::stripe::StripeFault::Status(403)]);
        assert!(matches!(ground.refresh(LIVE).await, Err(RefreshError::Stripe(OAuthError::Api(_)))));
        assert_eq!(ground.state(LIVE).await, "active");
        assert_eq!(ground.field(LIVE, "refresh_doubt").await, None);
        ground.account.set_secret(DEVELOPER_SECRET_LIVE, DEVELOPER_SECRET_LIVE_VALUE);
        assert_eq!(ground.refresh(LIVE).await.unwrap(), Refreshed::Renewed(1), "at once, without a lease in the way");
    });
}

#[test]
fn tokens_of_another_account_are_never_kept() {
    run(async |ground: &Ground| {
        ground.stripe.control("POST", "accounts", json!({"id": "acct_9"}));
        let foreign = ground.stripe.control("POST", "live/acct_9/install", json!({}))["tokens"].clone();
        let tokens = json!({
            "access_token": foreign["access_token"], "refresh_token": foreign["refresh_token"], "obtained_at": now().to_string(),
        });
        let sealed = ground.sealed(&scope(LIVE), &tokens).await;
        ground.put(LIVE, ACCOUNT, "att_1", sealed).await;
        tokio::time::sleep(HALF_AN_HOUR).await;
        assert!(matches!(ground.refresh(LIVE).await, Err(RefreshError::Foreign)));
        assert_eq!(ground.field(LIVE, "tokens_version").await, None);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(ground.refresh(LIVE).await.unwrap(), Refreshed::ReauthRequired);
    });
}

#[test]
fn no_token_is_stored_or_sent_in_the_clear() {
    run(async |ground: &Ground| {
        tokio::time::sleep(HALF_AN_HOUR).await;
        ground.account.faults().next("Encrypt", Fault::Crash);
        let died = ground.account.run(ground.refresh(LIVE)).await;
        assert!(matches!(died, Outcome::Crashed));
        for _ in 0..3 {
            tokio::time::sleep(HALF_AN_HOUR).await;
            ground.refresh(LIVE).await.unwrap();
            ground.refresh(Mode::Test).await.unwrap();
        }
        let dump = ground.account.dump().unwrap();
        for secret in ["rk_live_", "rk_test_", "rt_", "sk_live_", "sk_test_"] {
            assert_eq!(dump.find(secret), Vec::<&str>::new(), "{secret}");
        }
        assert!(!dump.find("axiru-refresh-").is_empty());
    });
}
