//! Batches from SQS: each message is done or comes back, whatever happens to the others.

use std::panic::AssertUnwindSafe;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse};
use futures_util::FutureExt;

/// The answer that gives these messages back to the queue.
#[must_use]
pub fn give_back(message_ids: impl IntoIterator<Item = String>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = message_ids
        .into_iter()
        .map(|id| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failure
        })
        .collect();
    response
}

/// The work panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work panicked")]
pub struct Panicked;

/// Runs work so that a panic fails it alone.
///
/// # Errors
/// [`Panicked`].
pub async fn guarded<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    // What the work held is dropped with it; nothing that outlives it is left half changed, for its state is in the table.
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| Panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_fails_only_its_own_work() {
        assert_eq!(guarded(async { 1 }).await, Ok(1));
        assert_eq!(guarded(async { assert!(std::hint::black_box(false)) }).await, Err(Panicked));
    }

    #[test]
    fn the_answer_names_what_comes_back() {
        let text = serde_json::to_value(give_back(["m1".to_owned()])).unwrap();
        assert_eq!(text["batchItemFailures"][0]["itemIdentifier"], "m1");
    }
}
