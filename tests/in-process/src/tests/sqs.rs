//! The SQS double: limits, visibility, dead letters.

use std::time::Duration;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry as Entry;

use super::{account, code};
use crate::{
    EXECUTIONS_DEAD_LETTER_QUEUE_URL, EXECUTIONS_QUEUE_URL as FIFO, OBSERVATIONS_DEAD_LETTER_QUEUE_URL,
    OBSERVATIONS_QUEUE_URL as QUEUE, Retries,
};

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

/// Sends a job of a group under a deduplication id; the message's id, or what was refused.
async fn job(account: &crate::InProcess, group: &str, id: &str, body: &str) -> Result<String, String> {
    let client = account.sqs(Retries::Off);
    let send = client.send_message().queue_url(FIFO).message_body(body);
    let send = if group.is_empty() { send } else { send.message_group_id(group) };
    let send = if id.is_empty() { send } else { send.message_deduplication_id(id) };
    match send.send().await {
        Ok(sent) => Ok(sent.message_id().unwrap_or_default().to_owned()),
        error => Err(code(error)),
    }
}

/// Receives as many as asked; bodies and receipt handles.
async fn jobs(account: &crate::InProcess, most: i32) -> Vec<(String, String)> {
    let client = account.sqs(Retries::Off);
    let received = client.receive_message().queue_url(FIFO).max_number_of_messages(most).send().await.unwrap();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    received.messages().iter().map(|message| (text(message.body()), text(message.receipt_handle()))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_group_waits_for_its_message_in_flight_and_others_do_not() {
    let account = account();
    for (group, body) in [("a", "a1"), ("a", "a2"), ("b", "b1")] {
        job(&account, group, body, body).await.unwrap();
    }
    let first = jobs(&account, 1).await;
    assert_eq!(first[0].0, "a1");
    let other = jobs(&account, 10).await;
    assert_eq!(other.iter().map(|(body, _)| body.as_str()).collect::<Vec<_>>(), ["b1"], "a2 waits for a1");
    assert!(jobs(&account, 10).await.is_empty());
    // Not deleted: it comes again, and before what is behind it.
    tokio::time::advance(Duration::from_secs(31)).await;
    let again = jobs(&account, 1).await;
    assert_eq!(again[0].0, "a1");
    account.sqs(Retries::Off).delete_message().queue_url(FIFO).receipt_handle(&again[0].1).send().await.unwrap();
    assert_eq!(jobs(&account, 1).await[0].0, "a2");
}

#[tokio::test(start_paused = true)]
async fn a_deduplication_id_is_taken_once_in_five_minutes_even_after_its_message_is_gone() {
    let account = account();
    let first = job(&account, "a", "1", "one").await.unwrap();
    let received = jobs(&account, 1).await;
    account.sqs(Retries::Off).delete_message().queue_url(FIFO).receipt_handle(&received[0].1).send().await.unwrap();
    tokio::time::advance(Duration::from_secs(299)).await;
    assert_eq!(job(&account, "a", "1", "one").await.unwrap(), first);
    assert!(account.queued(FIFO).is_empty());
    assert_ne!(job(&account, "b", "1", "one").await.unwrap(), first, "ids are those of a group");
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_ne!(job(&account, "a", "1", "one").await.unwrap(), first);
    assert_eq!(account.queued(FIFO).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn after_five_receives_a_job_is_dead_and_its_group_goes_on() {
    let account = account();
    for body in ["poison", "behind"] {
        job(&account, "a", body, body).await.unwrap();
    }
    for _ in 0..5 {
        assert_eq!(jobs(&account, 1).await[0].0, "poison");
        tokio::time::advance(Duration::from_secs(31)).await;
    }
    assert_eq!(jobs(&account, 1).await[0].0, "behind");
    assert_eq!(account.queued(EXECUTIONS_DEAD_LETTER_QUEUE_URL), ["poison"]);
}

#[tokio::test]
async fn what_does_not_go_with_the_queue_is_refused() {
    let account = account();
    assert_eq!(job(&account, "", "1", "one").await, Err("MissingParameter".to_owned()));
    assert_eq!(job(&account, "a", "", "one").await, Err("InvalidParameterValue".to_owned()));
    let client = account.sqs(Retries::Off);
    let late = client.send_message().queue_url(FIFO).message_body("one").message_group_id("a");
    let late = late.message_deduplication_id("1").delay_seconds(5);
    assert_eq!(code(late.send().await), "InvalidParameterValue");
    let standard = client.send_message().queue_url(QUEUE).message_body("one").message_deduplication_id("1");
    assert_eq!(code(standard.send().await), "InvalidParameterValue");
    assert!(account.queued(FIFO).is_empty() && account.queued(QUEUE).is_empty());
}
