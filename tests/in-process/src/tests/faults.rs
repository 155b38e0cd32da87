//! What each fault means to a caller, with SDK retries on and off.

use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use tokio::time::Instant;

use super::dynamodb::{count, counted, new_entry, put_new};
use super::{account, code, n, s};
use crate::{EXPORT_BUCKET, Fault, Latencies, OBSERVATIONS_QUEUE_URL, Outcome, Retries, SEAL_KEY_ID, STATE_TABLE};

#[tokio::test(start_paused = true)]
async fn a_failure_before_is_retried_by_the_sdk_or_seen() {
    for fault in [Fault::Fail, Fault::Reset, Fault::Throttle] {
        let account = account();
        account.faults().at(0, fault);
        assert_eq!(put_new(&account.dynamodb(Retries::On), "a", "x").await, "no error", "{fault}");
        assert_eq!(account.calls().len(), 2, "{fault}");
        account.faults().next("PutItem", fault);
        assert_ne!(put_new(&account.dynamodb(Retries::Off), "b", "x").await, "no error", "{fault}");
        assert_eq!(account.items(STATE_TABLE).unwrap().len(), 1, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn applied_then_failed_then_retried_meets_its_own_write() {
    for fault in [Fault::ApplyThenFail, Fault::ApplyThenReset, Fault::ApplyLate { after: 1 }] {
        let account = account();
        account.faults().at(0, fault);
        let answer = put_new(&account.dynamodb(Retries::On), "a", "mine").await;
        assert_eq!(answer, "ConditionalCheckFailedException", "{fault}");
        assert_eq!(account.items(STATE_TABLE).unwrap().len(), 1, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_token_that_the_sdk_adds_makes_a_retried_transaction_succeed_once() {
    for fault in
        [Fault::ApplyThenFail, Fault::ApplyThenReset, Fault::ApplyLate { after: 1 }, Fault::ApplyLate { after: 2 }]
    {
        let account = account();
        let client = account.dynamodb(Retries::On);
        account.faults().at(0, fault);
        let items = vec![counted(), new_entry(0, "x")];
        client.transact_write_items().set_transact_items(Some(items)).send().await.unwrap();
        account.apply_late();
        assert_eq!(count(&client).await.as_deref(), Some("1"), "{fault}");
    }
}

#[tokio::test]
async fn a_conflict_names_no_item_and_is_not_retried() {
    for retries in Retries::BOTH {
        let account = account();
        let client = account.dynamodb(retries);
        account.faults().at(0, Fault::Conflict);
        let send = client.transact_write_items().set_transact_items(Some(vec![counted(), new_entry(0, "x")])).send();
        let error = send.await.unwrap_err().into_service_error();
        let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
            panic!("another error: {error}");
        };
        let reasons = cancelled.cancellation_reasons();
        assert_eq!(
            reasons.iter().map(|reason| reason.code().unwrap()).collect::<Vec<_>>(),
            ["TransactionConflict", "None"]
        );
        assert!(reasons.iter().all(|reason| reason.item().is_none()));
        assert_eq!(account.calls().len(), 1);
        assert_eq!(count(&client).await, None);
    }
}

#[tokio::test]
async fn single_writes_conflict_in_their_own_words() {
    let account = account();
    account.faults().at(0, Fault::Conflict);
    assert_eq!(put_new(&account.dynamodb(Retries::Off), "a", "x").await, "TransactionConflictException");
    account.faults().next("TransactWriteItems", Fault::InProgress);
    let send = account.dynamodb(Retries::Off).transact_write_items().set_transact_items(Some(vec![counted()])).send();
    assert_eq!(code(send.await), "TransactionInProgressException");
}

#[tokio::test]
async fn a_crash_leaves_the_state_as_it_was_or_applied() {
    for (fault, rows) in [(Fault::Crash, 0), (Fault::ApplyThenCrash, 1)] {
        let account = account();
        let client = account.dynamodb(Retries::On);
        account.faults().at(0, fault);
        let outcome = account.run(async {
            put_new(&client, "a", "x").await;
            put_new(&client, "b", "x").await
        });
        assert_eq!(outcome.await, Outcome::Crashed);
        assert_eq!(account.items(STATE_TABLE).unwrap().len(), rows);
        assert_eq!(account.calls().len(), 1);
        account.faults().clear();
        assert_eq!(account.run(put_new(&client, "c", "x")).await, Outcome::Ended("no error".to_owned()));
    }
}

#[tokio::test]
async fn a_crash_takes_one_process_and_not_the_others() {
    let account = account();
    let other = account.another_process();
    account.faults().decide(|call| (call.process == 0).then_some(Fault::Crash));
    let (one, two) = (account.dynamodb(Retries::Off), other.dynamodb(Retries::Off));
    let (first, second) = tokio::join!(account.run(put_new(&one, "a", "x")), other.run(put_new(&two, "b", "x")));
    assert_eq!((first, second), (Outcome::Crashed, Outcome::Ended("no error".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_dead_process_gets_no_more_answers() {
    let account = account();
    let client = account.dynamodb(Retries::On);
    account.faults().at(0, Fault::Crash);
    let hour = Duration::from_secs(3600);
    for sk in ["a", "b"] {
        assert!(tokio::time::timeout(hour, put_new(&client, sk, "x")).await.is_err());
    }
    assert!(account.items(STATE_TABLE).unwrap().is_empty());
    assert_eq!(account.calls().len(), 1, "the second call came to nothing before the gate");
}

#[tokio::test]
async fn batches_are_done_in_part() {
    let account = account();
    let client = account.dynamodb(Retries::Off);
    account.faults().always("BatchGetItem", Fault::Partial);
    let keys = (0..3).map(|sk| [("pk".to_owned(), s("p")), ("sk".to_owned(), s(&sk.to_string()))].into());
    let keys = KeysAndAttributes::builder().set_keys(Some(keys.collect())).build().unwrap();
    let got = client.batch_get_item().request_items(STATE_TABLE, keys).send().await.unwrap();
    assert_eq!(got.unprocessed_keys().unwrap()[STATE_TABLE].keys().len(), 1);
    account.faults().always("SendMessageBatch", Fault::Partial);
    let entry = |id: &str| {
        aws_sdk_sqs::types::SendMessageBatchRequestEntry::builder().id(id).message_body("x").build().unwrap()
    };
    let batch = account.sqs(Retries::Off).send_message_batch().queue_url(OBSERVATIONS_QUEUE_URL);
    let sent = batch.entries(entry("a")).entries(entry("b")).send().await.unwrap();
    assert_eq!((sent.successful().len(), sent.failed().len()), (1, 1));
    assert_eq!(account.queued(OBSERVATIONS_QUEUE_URL).len(), 1);
}

#[tokio::test]
async fn sqs_is_at_least_once_when_told() {
    let account = account();
    let sqs = account.sqs(Retries::Off);
    account.faults().next("SendMessage", Fault::Duplicate);
    sqs.send_message().queue_url(OBSERVATIONS_QUEUE_URL).message_body("x").send().await.unwrap();
    assert_eq!(account.queued(OBSERVATIONS_QUEUE_URL).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn throttles_and_failures_speak_each_service_s_words() {
    let account = account();
    let (kms, s3, sqs, secrets) =
        (account.kms(Retries::Off), account.s3(Retries::Off), account.sqs(Retries::Off), account.secrets(Retries::Off));
    for (fault, words) in [
        (Fault::Throttle, ["ThrottlingException", "SlowDown", "RequestThrottled", "ThrottlingException"]),
        (Fault::Fail, ["KMSInternalException", "InternalError", "InternalFailure", "InternalServiceError"]),
    ] {
        account.faults().clear();
        account.faults().decide(move |_| Some(fault));
        let seen = [
            code(kms.get_public_key().key_id(SEAL_KEY_ID).send().await),
            code(s3.get_object().bucket(EXPORT_BUCKET).key("k").send().await),
            code(sqs.send_message().queue_url(OBSERVATIONS_QUEUE_URL).message_body("x").send().await),
            code(secrets.get_secret_value().secret_id("x").send().await),
        ];
        assert_eq!(seen, words);
    }
}

#[tokio::test(start_paused = true)]
async fn spent_retry_tokens_of_one_client_do_not_switch_off_the_retries_of_another() {
    let down = account();
    down.faults().always("PutItem", Fault::Reset);
    let client = down.dynamodb(Retries::On);
    for _ in 0..200 {
        assert_ne!(put_new(&client, "a", "x").await, "no error");
    }
    let account = account();
    account.faults().at(0, Fault::Reset);
    assert_eq!(put_new(&account.dynamodb(Retries::On), "a", "x").await, "no error");
}

#[tokio::test(start_paused = true)]
async fn latencies_and_delays_are_virtual() {
    let account = account();
    account.set_latencies(Latencies::simulated());
    let client = account.dynamodb(Retries::Off);
    let start = Instant::now();
    count(&client).await;
    assert_eq!(start.elapsed(), Duration::from_millis(4), "3.5 ms, in tokio's two steps of whole milliseconds");
    let start = Instant::now();
    client.transact_write_items().set_transact_items(Some(vec![counted()])).send().await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_millis(14));
    account.faults().next("TransactWriteItems", Fault::Delay(Duration::from_secs(3)));
    let start = Instant::now();
    client.transact_write_items().set_transact_items(Some(vec![counted()])).send().await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_millis(3014));
}

#[tokio::test(start_paused = true)]
async fn tasks_interleave_between_read_and_write() {
    let account = account();
    account.set_latencies(Latencies::simulated());
    let append = async |client: aws_sdk_dynamodb::Client| {
        let before = count(&client).await.map_or(0, |count| count.parse::<i64>().unwrap());
        let put = client.put_item().table_name(STATE_TABLE).item("pk", s("live#acct_1")).item("sk", s("count"));
        put.item("entries", n(before + 1)).send().await.unwrap();
    };
    let (one, two) = (account.dynamodb(Retries::Off), account.another_process().dynamodb(Retries::Off));
    tokio::join!(append(one.clone()), append(two));
    assert_eq!(count(&one).await.as_deref(), Some("1"), "the lost update is seen: both read before either wrote");
}
