//! The SQS double: limits, visibility, dead letters.

use std::time::Duration;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry as Entry;

use super::{account, code};
use crate::{OBSERVATIONS_DEAD_LETTER_QUEUE_URL, OBSERVATIONS_QUEUE_URL as QUEUE, Retries};

fn entry(id: &str, body: &str) -> Entry {
    Entry::builder().id(id).message_body(body).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_message_is_hidden_then_seen_again_then_deleted() {
    let account = account();
    let client = account.sqs(Retries::Off);
    client.send_message().queue_url(QUEUE).message_body("one").send().await.unwrap();
    let receive = || client.receive_message().queue_url(QUEUE).max_number_of_messages(10).send();
    let first = receive().await.unwrap();
    assert_eq!(first.messages()[0].body(), Some("one"));
    assert!(receive().await.unwrap().messages().is_empty(), "hidden");
    tokio::time::advance(Duration::from_secs(31)).await;
    let again = receive().await.unwrap();
    let handle = again.messages()[0].receipt_handle().unwrap();
    client.delete_message().queue_url(QUEUE).receipt_handle(handle).send().await.unwrap();
    tokio::time::advance(Duration::from_secs(31)).await;
    assert!(receive().await.unwrap().messages().is_empty(), "deleted");
    assert_eq!(account.dump().unwrap().find("one").len(), 1, "a deleted message was still stored once");
}

#[tokio::test(start_paused = true)]
async fn after_five_receives_a_message_is_dead() {
    let account = account();
    let client = account.sqs(Retries::Off);
    client.send_message().queue_url(QUEUE).message_body("poison").send().await.unwrap();
    for _ in 0..6 {
        client.receive_message().queue_url(QUEUE).send().await.unwrap();
        tokio::time::advance(Duration::from_secs(31)).await;
    }
    assert!(account.queued(QUEUE).is_empty());
    assert_eq!(account.queued(OBSERVATIONS_DEAD_LETTER_QUEUE_URL), ["poison"]);
}

#[tokio::test]
async fn too_much_is_refused() {
    let account = account();
    let client = account.sqs(Retries::Off);
    let send = |size: usize| client.send_message().queue_url(QUEUE).message_body("x".repeat(size)).send();
    assert_eq!(code(send(1_048_576).await), "no error");
    assert_eq!(code(send(1_048_577).await), "InvalidParameterValue");
    let batch = |entries: Vec<Entry>| client.send_message_batch().queue_url(QUEUE).set_entries(Some(entries)).send();
    let eleven = (0..11).map(|id| entry(&id.to_string(), "x")).collect();
    assert_eq!(code(batch(eleven).await), "TooManyEntriesInBatchRequest");
    assert_eq!(code(batch(vec![entry("a", "x"), entry("a", "y")]).await), "BatchEntryIdsNotDistinct");
    let half = "x".repeat(600_000);
    assert_eq!(code(batch(vec![entry("a", &half), entry("b", &half)]).await), "BatchRequestTooLong");
    assert_eq!(code(batch((0..10).map(|id| entry(&id.to_string(), "x")).collect()).await), "no error");
    assert_eq!(account.queued(QUEUE).len(), 11);
}

#[tokio::test]
async fn bad_messages_handles_and_queues_are_refused() {
    let client = account().sqs(Retries::Off);
    let control = client.send_message().queue_url(QUEUE).message_body("\u{1}").send().await;
    assert_eq!(code(control), "InvalidMessageContents");
    let stale = client.delete_message().queue_url(QUEUE).receipt_handle("nonsense").send().await;
    assert_eq!(code(stale), "ReceiptHandleIsInvalid");
    let nowhere = client.send_message().queue_url("https://sqs/0/nowhere").message_body("x").send().await;
    assert_eq!(code(nowhere), "QueueDoesNotExist");
}
