//! The queue of observations.

use aws_sdk_sqs::Client;
use axiru_stripe::report::Report;

use crate::error::AwsError;

/// Where verified and projected events wait for `observe`.
#[derive(Clone, Debug)]
pub struct ReportQueue {
    client: Client,
    url: String,
}

impl ReportQueue {
    /// The queue of that URL.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Puts a report on the queue.
    ///
    /// # Errors
    /// [`AwsError`]. The report may be there all the same; `observe` takes it once.
    pub async fn send(&self, report: &Report) -> Result<(), AwsError> {
        let body = serde_json::to_string(report).map_err(|_| AwsError::unexpected("queueing", "no JSON"))?;
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        request.send().await.map_err(AwsError::of("queueing"))?;
        Ok(())
    }
}
