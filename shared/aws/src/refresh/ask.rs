//! Asking for fresh tokens: a message that names a scope and nothing secret.

use aws_sdk_sqs::Client;
use axiru_domain::Scope;
use serde::{Deserialize, Serialize};

use crate::error::AwsError;

/// What a reader asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Whose tokens.
    pub scope: Scope,
    /// The generation that Stripe refused; none where the tokens are only old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// The queue on which tokens are asked for.
#[derive(Clone, Debug)]
pub struct AskQueue {
    client: Client,
    url: String,
}

impl AskQueue {
    /// The queue of that URL.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Asks. Asking twice renews once.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn send(&self, ask: &Ask) -> Result<(), AwsError> {
        let body = serde_json::to_string(ask).map_err(|_| AwsError::unexpected("asking for tokens", "no JSON"))?;
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        request.send().await.map_err(AwsError::of("asking for tokens"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ask_names_a_scope_and_nothing_else() {
        let ask = Ask { scope: "live/acct_1".parse().unwrap(), refused: None };
        assert_eq!(serde_json::to_string(&ask).unwrap(), r#"{"scope":"live/acct_1"}"#);
        let refused = r#"{"scope":"test/acct_1","refused":"att_0f#3"}"#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Ask>(refused).unwrap()).unwrap(), refused);
        for bad in ["", "{}", r#"{"scope":"acct_1"}"#, r#"{"scope":"live/acct_1","token":"x"}"#] {
            assert!(serde_json::from_str::<Ask>(bad).is_err(), "{bad}");
        }
    }
}
