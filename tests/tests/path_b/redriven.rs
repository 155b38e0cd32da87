//! A report that failed until it was a dead letter, and was put back after the repair: as docs/operations.md has it done. What is put back
//! twice changes nothing.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use axiru_domain::Timestamp;
use axiru_in_process::{
    Fault, InProcess, OBSERVATIONS_DEAD_LETTER_QUEUE_URL as DEAD, OBSERVATIONS_QUEUE_URL as QUEUE, Retries,
};
use axiru_stripe_sandbox::sign;
use lambda_http::RequestExt;

use super::events::{event, refund};
use super::ground::{Ground, SECRET, log, told};
use crate::played::{MODE, mode};

/// Hands what waits in a queue to the function, as Lambda does: what it does not give back is deleted. How many messages there were.
async fn round(ground: &Ground, queue: &str) -> usize {
    let sqs = ground.account.sqs(Retries::Off);
    let received = sqs.receive_message().queue_url(queue).max_number_of_messages(10).send().await.unwrap();
    let received = received.messages.unwrap_or_default();
    let mut handed = SqsEvent::default();
    for message in &received {
        let mut record = SqsMessage::default();
        record.message_id.clone_from(&message.message_id);
        record.body.clone_from(&message.body);
        handed.records.push(record);
    }
    let app = axiru_fn_observe::App::new(ground.observer(Timestamp::now));
    let answer = axiru_fn_observe::handle(&app, handed).await;
    let back: Vec<_> = answer.batch_item_failures.iter().map(|failure| failure.item_identifier.clone()).collect();
    for message in received.iter().filter(|message| !back.contains(message.message_id.as_ref().unwrap())) {
        let receipt = message.receipt_handle.clone().unwrap();
        sqs.delete_message().queue_url(queue).receipt_handle(receipt).send().await.unwrap();
    }
    received.len()
}

/// Moves what is dead back to where it came from, `times` times: SQS moves at least once.
async fn redrive(ground: &Ground, times: usize) {
    let sqs = ground.account.sqs(Retries::Off);
    let dead = sqs.receive_message().queue_url(DEAD).max_number_of_messages(10).send().await.unwrap();
    for message in dead.messages.unwrap_or_default() {
        for _ in 0..times {
            sqs.send_message().queue_url(QUEUE).message_body(message.body.clone().unwrap()).send().await.unwrap();
        }
        sqs.delete_message().queue_url(DEAD).receipt_handle(message.receipt_handle.unwrap()).send().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_is_put_back_is_recorded_once() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    let body = event("evt_1", "refund.created", &refund("re_1", 100, "succeeded"), None).to_string();
    let signature = sign(&[SECRET], Timestamp::now().secs(), body.as_bytes());
    let request = http::Request::post(format!("/stripe/webhooks/{MODE}")).header("Stripe-Signature", signature);
    let parameters = std::collections::HashMap::from([("mode".to_owned(), vec![mode().to_string()])]);
    let request = request.body(lambda_http::Body::Text(body)).unwrap().with_path_parameters(parameters);
    assert_eq!(axiru_fn_webhook::handle(&ground.webhook(), request).await.status(), 200);

    // The table takes nothing, for as long as the queue tries.
    ground.account.faults().always("TransactWriteItems", Fault::Fail);
    let mut tries = 0;
    while round(&ground, QUEUE).await > 0 {
        tries += 1;
        tokio::time::sleep(Duration::from_secs(31)).await;
    }
    assert_eq!(tries, 5);
    assert_eq!((ground.account.queued(QUEUE).len(), ground.account.queued(DEAD).len()), (0, 1));
    assert!(ground.entries(&log()).await.is_empty(), "the movement is missing from the ledger");

    ground.account.faults().clear();
    redrive(&ground, 2).await;
    assert_eq!(ground.account.queued(DEAD).len(), 0);
    while round(&ground, QUEUE).await > 0 {}
    let entries = told(&ground.entries(&log()).await);
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert!(ground.account.queued(QUEUE).is_empty());
}
