//! What the reconcile function is to do: one scope, one period. First in, first out for each scope; what a person waits for stands in a line
//! of its own, because a night's task that failed holds up those behind it for an hour and a half.

use aws_sdk_sqs::Client;
use axiru_domain::{Period, Scope};
use serde::{Deserialize, Serialize};

use crate::error::AwsError;
use crate::fifo;

/// A task. It names a scope, a period, and who waits for the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Whose ledger.
    pub scope: Scope,
    /// Which period.
    pub period: Period,
    /// The run that an operator asked for (a change id); none for the nightly one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// Where tasks wait.
#[derive(Clone, Debug)]
pub struct TaskQueue {
    client: Client,
    url: String,
}

impl TaskQueue {
    /// The FIFO queue of that URL.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Puts a task behind those of the same scope and kind. Within five minutes SQS takes the same task once; done twice it leaves the same.
    ///
    /// # Errors
    /// [`AwsError`]. The task may be there all the same.
    pub async fn send(&self, task: &Task) -> Result<(), AwsError> {
        let body = serde_json::to_string(task).map_err(|_| AwsError::unexpected("queueing a task", "no JSON"))?;
        let request = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(fifo::line(&task.scope, if task.run.is_some() { "asked" } else { "night" }))
            .message_deduplication_id(fifo::sameness(&body))
            .message_body(body);
        request.send().await.map_err(AwsError::of("queueing a task"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_names_a_scope_and_a_period() {
        let text = r#"{"scope":"live/acct_1","period":"2026-10"}"#;
        let task: Task = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&task).unwrap(), text);
        let asked = r#"{"scope":"test/acct_1","period":"2026-10-31","run":"chg_1"}"#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Task>(asked).unwrap()).unwrap(), asked);
        for bad in ["{}", r#"{"scope":"live/acct_1","period":"2026"}"#, r#"{"scope":"acct_1","period":"2026-10"}"#] {
            assert!(serde_json::from_str::<Task>(bad).is_err(), "{bad}");
        }
    }
}
