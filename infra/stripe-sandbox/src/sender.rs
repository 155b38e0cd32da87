//! Sending deliveries: the small interface, and HTTP for the running sandbox.

use std::error::Error as _;
use std::future::Future;
use std::time::Duration;

use crate::delivery::SignedDelivery;
use crate::sandbox::Sandbox;

/// Stripe's timeout is not published; third parties say 10 to 30 seconds.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the courier sleeps at most when nothing rings.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The endpoint did not answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer from the endpoint: {0}")]
pub struct SendError(pub String);

/// Hands a signed delivery to its endpoint and answers the endpoint's status. Tests call a function directly.
pub trait DeliverySender: Send + Sync {
    /// POSTs (or pretends to).
    fn send(&self, delivery: &SignedDelivery) -> impl Future<Output = Result<u16, SendError>> + Send;
}

/// POSTs over HTTP, without following redirects: Stripe counts a 3xx as a failure.
#[derive(Clone, Debug)]
pub struct HttpSender {
    client: reqwest::Client,
}

impl HttpSender {
    /// Builds the client.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new() -> Result<Self, SendError> {
        let client = reqwest::Client::builder()
            .timeout(SEND_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| SendError(error.to_string()))?;
        Ok(Self { client })
    }
}

impl DeliverySender for HttpSender {
    async fn send(&self, delivery: &SignedDelivery) -> Result<u16, SendError> {
        let mut request = self.client.post(&delivery.url).body(delivery.body.clone());
        for (name, value) in &delivery.headers {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) => Err(SendError(error.source().map_or_else(|| error.to_string(), ToString::to_string))),
        }
    }
}

/// Delivers for ever, in order, one at a time: the order of deliveries is then what the control API made it.
pub async fn run_courier<S: DeliverySender>(sandbox: Sandbox, sender: S) {
    loop {
        if sandbox.deliver_due(&sender).await == 0 {
            sandbox.changed(LOOK_AGAIN).await;
        }
    }
}
