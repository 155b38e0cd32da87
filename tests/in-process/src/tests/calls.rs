//! The record of calls, and the dump.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;

use super::dynamodb::{count, counted, new_entry, put_new};
use super::{account, n, s};
use crate::{EXPORT_BUCKET, LEDGER_TABLE, OBSERVATIONS_QUEUE_URL, Retries, STATE_TABLE, Service};

#[tokio::test]
async fn calls_made_beside_each_other_are_one_wait() {
    let account = account();
    let client = account.dynamodb(Retries::Off);
    tokio::join!(count(&client), count(&client), count(&client));
    put_new(&client, "a", "x").await;
    let calls = account.calls();
    assert_eq!((calls.len(), calls.waits()), (4, 2));
    assert_eq!(calls.operations(), ["GetItem", "GetItem", "GetItem", "PutItem"]);
    assert_eq!(calls.of(Service::Kms).waits(), 0);
    account.clear_calls();
    assert!(account.calls().is_empty());
}

#[tokio::test]
async fn a_transaction_needs_the_action_of_each_item() {
    let account = account();
    let items = vec![counted(), new_entry(0, "x"), new_entry(1, "y")];
    account.dynamodb(Retries::Off).transact_write_items().set_transact_items(Some(items)).send().await.unwrap();
    account.s3(Retries::Off).head_object().bucket(EXPORT_BUCKET).key("k").send().await.unwrap_err();
    let pair = |action: &str, target: &str| (action.to_owned(), target.to_owned());
    assert_eq!(
        account.calls().iam_actions(),
        [
            pair("dynamodb:PutItem", LEDGER_TABLE),
            pair("dynamodb:UpdateItem", STATE_TABLE),
            pair("s3:GetObject", "axiru-export/k")
        ]
    );
}

#[tokio::test]
async fn the_dump_finds_a_canary_wherever_it_is_stored() {
    let account = account();
    let client = account.dynamodb(Retries::Off);
    let nested = AttributeValue::M(
        [("deep".to_owned(), AttributeValue::L(vec![AttributeValue::B(Blob::new("x-canary-x"))]))].into(),
    );
    let put = client.put_item().table_name(LEDGER_TABLE).item("pk", s("k")).item("seq", n(0)).item("nested", nested);
    put.send().await.unwrap();
    account
        .sqs(Retries::Off)
        .send_message()
        .queue_url(OBSERVATIONS_QUEUE_URL)
        .message_body("a canary")
        .send()
        .await
        .unwrap();
    for body in ["canary", "replaced"] {
        let put = account.s3(Retries::Off).put_object().bucket(EXPORT_BUCKET).key("k");
        put.body(ByteStream::from_static(body.as_bytes())).send().await.unwrap();
    }
    let dump = account.dump().unwrap();
    let mut places = dump.find("canary");
    places.sort_unstable();
    assert_eq!(places.len(), 3, "{places:?}");
    assert_eq!(places[0], "dynamodb axiru-ledger row 0 nested.deep[0]");
    assert!(dump.find("nowhere").is_empty());
    assert!(dump.find("").is_empty());
}

#[tokio::test]
async fn capacity_is_counted_when_asked_for() {
    let account = account();
    let client = account.dynamodb(Retries::Off);
    put_new(&client, "a", "x").await;
    assert_eq!(account.calls().write_units(), 0.0);
    account.measure_capacity();
    put_new(&client, "b", &"x".repeat(1500)).await;
    assert_eq!(account.calls().write_units(), 2.0, "1 KB a unit");
    let items = vec![counted(), new_entry(0, "x"), new_entry(1, "y")];
    client.transact_write_items().set_transact_items(Some(items)).send().await.unwrap();
    assert_eq!(account.calls().write_units(), 8.0, "an item of a transaction counts twice");
    count(&client).await;
    assert_eq!(account.calls().read_units(), 0.5, "an eventually consistent read counts half");
}
