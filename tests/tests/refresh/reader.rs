//! Readers: what they give, how long they keep it, and that they never renew.

use std::time::Duration;

use axiru_aws::refresh::{Ask, Refreshed};
use axiru_aws::tokens::TokenError;
use axiru_domain::{Mode, Scope};
use axiru_in_process::{Fault, REFRESH_QUEUE_URL, STATE_TABLE};
use serde_json::json;

use super::ground::{ACCOUNT, Ground, HALF_AN_HOUR, now, run, scope};

const LIVE: Mode = Mode::Live;

#[test]
fn a_token_is_kept_for_five_minutes_and_no_longer_than_it_is_used() {
    run(async |ground: &Ground| {
        let reader = ground.reader();
        let reads = || ground.account.calls().operations().iter().filter(|name| **name == "Decrypt").count();
        ground.account.clear_calls();
        for (wait, read) in [(0, 1), (299, 1), (1, 2), (3_600 - 300 - 300 - 1 - 60, 3), (60, 3), (1, 4)] {
            tokio::time::sleep(Duration::from_secs(wait)).await;
            let token = reader.token(&scope(LIVE)).await;
            assert_eq!((token.is_ok(), reads()), (read < 4, read), "after {wait} s more");
        }
    });
}

#[test]
fn what_a_reader_finds_decides_what_it_says() {
    run(async |ground: &Ground| {
        let set = async |state: &str| {
            let dynamodb = ground.account.dynamodb(ground.retries);
            let value = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
            let update = dynamodb.update_item().table_name(STATE_TABLE).key("pk", value("live#connections"));
            let update = update.key("sk", value(ACCOUNT)).update_expression("SET #s = :s");
            update
                .expression_attribute_names("#s", "state")
                .expression_attribute_values(":s", value(state))
                .send()
                .await
                .unwrap();
        };
        for (state, said) in
            [("active", "ok"), ("reauth_required", "reauth"), ("revoked", "not connected"), ("other", "store")]
        {
            set(state).await;
            let found = match ground.reader().token(&scope(LIVE)).await {
                Ok(_) => "ok",
                Err(TokenError::NotConnected) => "not connected",
                Err(TokenError::ReauthRequired) => "reauth",
                Err(TokenError::Expired) => "expired",
                Err(TokenError::Store(_)) => "store",
            };
            assert_eq!(found, said);
        }
        let nobody = Scope::new(LIVE, "acct_2".parse().unwrap());
        assert!(matches!(ground.reader().token(&nobody).await, Err(TokenError::NotConnected)));
        assert!(ground.account.queued(REFRESH_QUEUE_URL).is_empty(), "none of them is asked for");
    });
}

#[test]
fn a_reader_writes_nothing_calls_nobody_and_asks_once_in_ten_seconds() {
    run(async |ground: &Ground| {
        tokio::time::sleep(Duration::from_secs(3_300)).await;
        ground.account.clear_calls();
        let reader = ground.reader();
        for _ in 0..20 {
            assert!(matches!(reader.token(&scope(LIVE)).await, Err(TokenError::Expired)));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(ground.account.queued(REFRESH_QUEUE_URL), [r#"{"scope":"live/acct_1"}"#; 2]);
        let mut operations = ground.account.calls().operations().into_iter().map(str::to_owned).collect::<Vec<_>>();
        operations.sort_unstable();
        operations.dedup();
        assert_eq!(operations, ["Decrypt", "GetItem", "SendMessage"]);
        assert!(ground.stripe.calls().is_empty());
    });
}

#[test]
fn a_queue_out_of_reach_changes_nothing_but_the_wait() {
    run(async |ground: &Ground| {
        tokio::time::sleep(Duration::from_secs(3_300)).await;
        ground.account.faults().next("SendMessage", Fault::Fail);
        let reader = ground.reader();
        for asked in [0, 1] {
            assert!(matches!(reader.token(&scope(LIVE)).await, Err(TokenError::Expired)));
            assert_eq!(ground.account.queued(REFRESH_QUEUE_URL).len(), asked);
        }
    });
}

#[test]
fn a_refused_token_is_replaced_or_asked_for() {
    run(async |ground: &Ground| {
        let reader = ground.reader();
        let old = reader.token(&scope(LIVE)).await.unwrap();
        tokio::time::sleep(HALF_AN_HOUR).await;
        // Renewed behind the reader's back: what it holds is forgotten, and nobody is asked.
        let held = reader.token(&scope(LIVE)).await.unwrap();
        assert_eq!(ground.refresh(LIVE).await.unwrap(), Refreshed::Renewed(1));
        let fresh = reader.after_refusal(&scope(LIVE), &held).await.unwrap();
        assert!(fresh.secret().expose() != old.secret().expose() && ground.accepts(&fresh).await);
        assert!(ground.account.queued(REFRESH_QUEUE_URL).is_empty());
        // Refused although it is young: its generation is asked for.
        tokio::time::sleep(Duration::from_secs(90)).await;
        let refused = reader.after_refusal(&scope(LIVE), &fresh).await;
        assert!(matches!(refused, Err(TokenError::Expired)));
        let asks = ground.account.queued(REFRESH_QUEUE_URL);
        assert_eq!(asks, [json!({"scope": "live/acct_1", "refused": "att_1#1"}).to_string()]);
        let ask: Ask = serde_json::from_str(&asks[0]).unwrap();
        assert_eq!(ground.refresher().refresh(&ask).await.unwrap(), Refreshed::Renewed(2));
        assert_eq!(ground.refresher().refresh(&ask).await.unwrap(), Refreshed::Fresh, "asked twice, renewed once");
        assert!(ground.accepts(&reader.token(&scope(LIVE)).await.unwrap()).await);
    });
}

#[test]
fn a_token_opens_in_its_own_scope_only() {
    run(async |ground: &Ground| {
        let canary =
            json!({"access_token": "rk_live_canary", "refresh_token": "rt_canary_1", "obtained_at": now().to_string()});
        let foreign = Scope::new(LIVE, "acct_2".parse().unwrap());
        for context in [foreign.clone(), scope(Mode::Test)] {
            let sealed = ground.sealed(&context, &canary).await;
            ground.put(LIVE, ACCOUNT, "att_1", sealed).await;
            let error = ground.reader().token(&scope(LIVE)).await.err().unwrap();
            assert!(matches!(error, TokenError::Store(_)) && !format!("{error} {error:?}").contains("canary"));
            tokio::time::sleep(HALF_AN_HOUR).await;
            assert!(ground.refresh(LIVE).await.is_err());
        }
        let mut cut = ground.sealed(&scope(LIVE), &canary).await;
        cut.pop();
        ground.put(LIVE, ACCOUNT, "att_1", cut).await;
        assert!(matches!(ground.reader().token(&scope(LIVE)).await, Err(TokenError::Store(_))));
        for wrong in [json!({}), json!([]), json!({"access_token": "x", "refresh_token": "y", "obtained_at": "z"})] {
            let sealed = ground.sealed(&scope(LIVE), &wrong).await;
            ground.put(LIVE, ACCOUNT, "att_1", sealed).await;
            assert!(matches!(ground.reader().token(&scope(LIVE)).await, Err(TokenError::Store(_))), "{wrong}");
        }
        assert_eq!(ground.stripe.renewed(), 0);
    });
}
