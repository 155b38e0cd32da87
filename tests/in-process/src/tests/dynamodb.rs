//! Conditional failures, transactions and tokens.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};

use super::{account, code, n, s};
use crate::{LEDGER_TABLE, Retries, STATE_TABLE};

pub(super) fn new_entry(seq: i64, text: &str) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(LEDGER_TABLE)
        .item("pk", s("live#acct_1#0"))
        .item("seq", n(seq))
        .item("entry", s(text))
        .condition_expression("attribute_not_exists(seq)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}

pub(super) fn counted() -> TransactWriteItem {
    let update = Update::builder()
        .table_name(STATE_TABLE)
        .key("pk", s("live#acct_1"))
        .key("sk", s("count"))
        .update_expression("ADD entries :one")
        .expression_attribute_values(":one", n(1));
    TransactWriteItem::builder().update(update.build().unwrap()).build()
}

pub(super) async fn count(client: &Client) -> Option<String> {
    let got = client.get_item().table_name(STATE_TABLE).key("pk", s("live#acct_1")).key("sk", s("count")).send().await;
    Some(got.unwrap().item?.get("entries")?.as_n().unwrap().clone())
}

pub(super) async fn put_new(client: &Client, sk: &str, value: &str) -> String {
    let put = client
        .put_item()
        .table_name(STATE_TABLE)
        .item("pk", s("test#acct_1"))
        .item("sk", s(sk))
        .item("value", s(value));
    code(put.condition_expression("attribute_not_exists(pk)").send().await)
}

#[tokio::test]
async fn a_failed_condition_returns_the_old_item_when_asked() {
    let client = account().dynamodb(Retries::Off);
    assert_eq!(put_new(&client, "a", "first").await, "no error");
    let put = client
        .put_item()
        .table_name(STATE_TABLE)
        .item("pk", s("test#acct_1"))
        .item("sk", s("a"))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let error = put.send().await.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(failed) = error else {
        panic!("another error: {error}");
    };
    assert_eq!(failed.item.unwrap()["value"], s("first"));
}

#[tokio::test]
async fn update_delete_query_and_batch_get() {
    let client = account().dynamodb(Retries::Off);
    for seq in 0..25 {
        let items = vec![new_entry(seq, "line")];
        client.transact_write_items().set_transact_items(Some(items)).send().await.unwrap();
    }
    let tip = client
        .query()
        .table_name(LEDGER_TABLE)
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", s("live#acct_1#0"))
        .scan_index_forward(false)
        .consistent_read(true)
        .limit(1);
    let tip = tip.send().await.unwrap();
    assert_eq!(tip.items()[0]["seq"], n(24));
    let keys = (3..6).map(|seq| [("pk".to_owned(), s("live#acct_1#0")), ("seq".to_owned(), n(seq))].into());
    let keys = KeysAndAttributes::builder().set_keys(Some(keys.collect())).build().unwrap();
    let got = client.batch_get_item().request_items(LEDGER_TABLE, keys).send().await.unwrap();
    assert_eq!(got.responses().unwrap()[LEDGER_TABLE].len(), 3);
    assert!(got.unprocessed_keys().is_none_or(std::collections::HashMap::is_empty));
    let delete = client.delete_item().table_name(LEDGER_TABLE).key("pk", s("live#acct_1#0")).key("seq", n(99));
    assert_eq!(
        code(delete.condition_expression("attribute_exists(pk)").send().await),
        "ConditionalCheckFailedException"
    );
    assert_eq!(
        code(client.get_item().table_name("nowhere").key("pk", s("x")).send().await),
        "ResourceNotFoundException"
    );
}

#[tokio::test]
async fn a_transaction_applies_all_or_nothing_and_says_why() {
    let client = account().dynamodb(Retries::Off);
    let send = |seq| {
        let items = vec![counted(), new_entry(seq, "mine")];
        client.transact_write_items().set_transact_items(Some(items)).send()
    };
    send(0).await.unwrap();
    let error = send(0).await.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        panic!("another error: {error}");
    };
    let reasons = cancelled.cancellation_reasons();
    assert_eq!(
        reasons.iter().map(|reason| reason.code().unwrap()).collect::<Vec<_>>(),
        ["None", "ConditionalCheckFailed"]
    );
    assert_eq!(reasons[1].item().unwrap()["entry"], s("mine"));
    assert_eq!(count(&client).await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_request_token_replays_and_refuses_other_parameters() {
    let client = account().dynamodb(Retries::Off);
    let send = |items: Vec<TransactWriteItem>| {
        client.transact_write_items().client_request_token("token-1").set_transact_items(Some(items)).send()
    };
    send(vec![counted(), new_entry(0, "x")]).await.unwrap();
    send(vec![counted(), new_entry(0, "x")]).await.unwrap();
    assert_eq!(count(&client).await.as_deref(), Some("1"));
    assert_eq!(code(send(vec![new_entry(1, "y")]).await), "IdempotentParameterMismatchException");
}

#[tokio::test]
async fn operations_without_a_double_are_refused() {
    let client = account().dynamodb(Retries::Off);
    assert_eq!(code(client.list_backups().send().await), "UnknownOperationException");
}
