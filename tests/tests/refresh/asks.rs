//! The function's messages: what is done, what comes back.

use axiru_domain::Mode;
use axiru_in_process::Fault;
use serde_json::{Value, json};

use super::ground::{Ground, HALF_AN_HOUR, run};

async fn handle(ground: &Ground, bodies: &[&str]) -> Value {
    let record = |(i, body): (usize, &&str)| json!({"messageId": format!("m{i}"), "body": body});
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    let app = axiru_fn_refresh::App::new(ground.refresher());
    let answer = axiru_fn_refresh::handle(&app, &json!({ "Records": records })).await.unwrap();
    answer["batchItemFailures"].as_array().unwrap().iter().map(|failure| failure["itemIdentifier"].clone()).collect()
}

const LIVE: &str = r#"{"scope":"live/acct_1"}"#;
const TEST: &str = r#"{"scope":"test/acct_1"}"#;

#[test]
fn the_same_ask_ten_times_is_one_renewal() {
    run(async |ground: &Ground| {
        tokio::time::sleep(HALF_AN_HOUR).await;
        assert_eq!(handle(ground, &[LIVE, LIVE, TEST, LIVE, LIVE, LIVE, LIVE, LIVE, LIVE, TEST]).await, json!([]));
        assert_eq!(ground.stripe.renewed(), 2);
        assert_eq!(handle(ground, &[LIVE]).await, json!([]), "fresh by now");
        assert_eq!(ground.stripe.renewed(), 2);
    });
}

#[test]
fn what_is_no_ask_comes_back_and_spoils_nothing() {
    run(async |ground: &Ground| {
        tokio::time::sleep(HALF_AN_HOUR).await;
        let nobody = r#"{"scope":"live/acct_2"}"#;
        let failed = handle(ground, &["", "{}", "null", r#"{"scope":"both/acct_1"}"#, LIVE, nobody]).await;
        assert_eq!(failed, json!(["m0", "m1", "m2", "m3"]), "an account that is not connected needs no tokens");
        assert_eq!(ground.stripe.renewed(), 1);
    });
}

#[test]
fn a_failure_of_one_mode_brings_back_its_messages_alone() {
    run(async |ground: &Ground| {
        tokio::time::sleep(HALF_AN_HOUR).await;
        ground.account.set_secret(axiru_in_process::DEVELOPER_SECRET_LIVE, "{}");
        assert_eq!(handle(ground, &[LIVE, TEST, LIVE]).await, json!(["m0", "m2"]));
        assert_eq!(ground.field(Mode::Test, "tokens_version").await.as_deref(), Some("1"));
        assert_eq!(ground.field(Mode::Live, "tokens_version").await, None);
    });
}

#[test]
fn a_schedule_that_cannot_list_fails_and_one_bad_row_harms_no_other() {
    run(async |ground: &Ground| {
        tokio::time::sleep(HALF_AN_HOUR).await;
        let app = axiru_fn_refresh::App::new(ground.refresher());
        ground.account.faults().next("Query", Fault::Fail);
        assert!(axiru_fn_refresh::handle(&app, &json!({})).await.is_err());
        let dynamodb = ground.account.dynamodb(ground.retries);
        let value = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
        let put = dynamodb.put_item().table_name(axiru_in_process::STATE_TABLE).item("pk", value("live#connections"));
        put.item("sk", value("acct_0")).item("state", value("nonsense")).send().await.unwrap();
        assert_eq!(axiru_fn_refresh::handle(&app, &json!({})).await.unwrap(), json!({"due": 2, "done": 2}));
    });
}
