//! The queue of what the worker does at Stripe: first in, first out for each object, so that two jobs never press one object at once.

use aws_sdk_sqs::Client;
use axiru_domain::{Kind, RequestId, Scope, StripeId};
use serde::{Deserialize, Serialize};

use crate::error::AwsError;
use crate::fifo;

/// A job. It names rows and holds no parameter: what is to be done is read when it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case", deny_unknown_fields)]
pub enum Job {
    /// Make what a request asks for.
    Execute {
        /// Its scope.
        scope: Scope,
        /// The request.
        request: RequestId,
    },
    /// Cancel a movement that an enforced plan forbids.
    Cancel {
        /// Its scope.
        scope: Scope,
        /// What kind of movement.
        kind: Kind,
        /// The Stripe object.
        object: StripeId,
    },
}

impl Job {
    /// Whose.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        match self {
            Self::Execute { scope, .. } | Self::Cancel { scope, .. } => scope,
        }
    }
}

/// Where jobs wait for `execute`.
#[derive(Clone, Debug)]
pub struct JobQueue {
    client: Client,
    url: String,
}

impl JobQueue {
    /// The FIFO queue of that URL.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Puts a job on the queue, behind those of the same `group` (the object that it presses). Within five minutes SQS takes the same
    /// job of the same `turn` once; taken twice it is done once all the same.
    ///
    /// # Errors
    /// [`AwsError`]. The job may be there all the same.
    pub async fn send(&self, job: &Job, group: &str, turn: &str) -> Result<(), AwsError> {
        let body = serde_json::to_string(job).map_err(|_| AwsError::unexpected("queueing a job", "no JSON"))?;
        let request = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(fifo::line(job.scope(), group))
            .message_deduplication_id(fifo::sameness(&format!("{body}\n{turn}")))
            .message_body(body);
        request.send().await.map_err(AwsError::of("queueing a job"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_names_rows_and_nothing_else() {
        let request = "dec_00000000000000000000000000000001".parse().unwrap();
        let job = Job::Execute { scope: "live/acct_1".parse().unwrap(), request };
        let text = r#"{"job":"execute","scope":"live/acct_1","request":"dec_00000000000000000000000000000001"}"#;
        assert_eq!(serde_json::to_string(&job).unwrap(), text);
        assert_eq!(serde_json::from_str::<Job>(text).unwrap(), job);
        let cancel = r#"{"job":"cancel","scope":"test/acct_1","kind":"payout","object":"po_1"}"#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Job>(cancel).unwrap()).unwrap(), cancel);
        for bad in ["{}", r#"{"job":"execute","scope":"live/acct_1"}"#, r#"{"job":"pay","scope":"live/acct_1"}"#] {
            assert!(serde_json::from_str::<Job>(bad).is_err(), "{bad}");
        }
    }
}
