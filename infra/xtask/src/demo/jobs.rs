//! The way of a job on the local stack: from the FIFO queue to `execute`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::stack::Stack;

/// Longest wait for the worker.
const PATIENCE: Duration = Duration::from_secs(30);

/// Puts a job about a request that nobody made on the queue, twice under one deduplication id, and waits until `execute` has done
/// with it, once.
pub(super) async fn delivered(stack: &Stack, scope: &str) -> Result<()> {
    let body = json!({"job": "execute", "scope": scope, "request": "dec_00000000000000000000000000000000"});
    let message = json!({
        "QueueUrl": stack.output("ExecutionsQueueUrl")?,
        "MessageBody": body.to_string(),
        "MessageGroupId": "nothing",
        "MessageDeduplicationId": "nothing",
    });
    for _ in 0..2 {
        let request = reqwest::Client::new().post(&stack.endpoint_url).body(message.to_string());
        let request = request
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", "AmazonSQS.SendMessage")
            // The local stack reads the service from it and checks nothing.
            .header("authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0");
        let answer = request.send().await.context("the local stack does not answer")?;
        let status = answer.status();
        ensure!(status.is_success(), "the queue refused a job: {status} {}", answer.text().await?);
    }
    let log = stack.logs().join("execute.log");
    // The story's own jobs are of another scope.
    let is_ours = |line: &&str| line.contains("a job was done") && line.contains(scope);
    let done = || std::fs::read_to_string(&log).unwrap_or_default().lines().filter(is_ours).count();
    let started = Instant::now();
    while done() == 0 {
        ensure!(started.elapsed() < PATIENCE, "no job reached `execute`; see {}", log.display());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    ensure!(done() == 1, "one job was done {} times", done());
    Ok(())
}
