//! Ending a connection from Axiru's side.

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_aws::connection::ConnectionState;
use axiru_in_process::{Retries, STATE_TABLE};
use serde_json::json;

use super::office::{LIVE, ROSA, chg, run};

#[test]
fn its_tokens_are_deleted_and_its_log_says_so_once() {
    run(async |office| {
        let client = office.account.dynamodb(Retries::Off);
        for mode in ["live", "test"] {
            let update = client.update_item().table_name(STATE_TABLE);
            let update = update
                .key("pk", AttributeValue::S(format!("{mode}#connections")))
                .key("sk", AttributeValue::S("acct_1".to_owned()))
                .update_expression("SET tokens = :tokens")
                .expression_attribute_values(":tokens", AttributeValue::S("sealed-canary".to_owned()));
            update.send().await.unwrap();
        }
        let body = |change: u32| json!({"change": chg(change), "why": "the trial is over"});
        let done = office.done(ROSA, "disconnect", body(1)).await;
        assert_eq!(done, json!({"changed": true, "state": "revoked"}));
        assert_eq!(office.done(ROSA, "disconnect", body(1)).await, done, "told again");
        assert_eq!(office.done(ROSA, "disconnect", body(2)).await["changed"], false);
        let state =
            async |scope: &str| office.app.store.connection(&scope.parse().unwrap()).await.unwrap().unwrap().state;
        assert_eq!(state(LIVE).await, ConnectionState::Revoked);
        assert_eq!(state("test/acct_1").await, ConnectionState::Active, "the other mode is another connection");
        assert_eq!(state("live/acct_2").await, ConnectionState::Active);
        assert_eq!(office.account.dump().unwrap().find("sealed-canary").len(), 1, "only the other mode's");
        let types = office.types(LIVE).await;
        assert_eq!(types.iter().filter(|ty| *ty == "connection.disconnected").count(), 1);
        assert!(
            office.entries(LIVE).await.iter().all(|entry| !String::from_utf8_lossy(entry.bytes()).contains("trial"))
        );
        for bad in [json!({"change": chg(3)}), json!({"change": chg(3), "why": " "})] {
            assert_eq!(office.refused(ROSA, "disconnect", bad).await.0, 400);
        }
    });
}
