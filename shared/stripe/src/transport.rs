//! The one seam towards Stripe: an HTTP request goes out, an answer comes back.
//!
//! Production sends with [`Https`]; tests answer in-process from a router. What is sent and received is never logged here.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode};

/// The answer that a transport promises.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + 'a>>;

/// Sends requests to Stripe.
pub trait Transport: Send + Sync {
    /// Sends one request and reads the whole answer. Follows no redirect and tries nothing twice.
    fn send(&self, request: Request<Bytes>) -> Answering<'_>;
}

/// Why there is no answer. Holds neither the address nor anything that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The request did not leave.
    #[error("Stripe could not be reached")]
    Unreached,
    /// No answer in time; Stripe may have acted.
    #[error("Stripe did not answer in time")]
    TimedOut,
    /// The connection broke; Stripe may have acted.
    #[error("the connection to Stripe broke")]
    Broken,
    /// The answer is longer than [`MAX_ANSWER_BYTES`].
    #[error("Stripe's answer is longer than {MAX_ANSWER_BYTES} bytes")]
    TooLong,
}

impl TransportError {
    /// Whether Stripe may have done what was asked.
    #[must_use]
    pub const fn may_have_acted(self) -> bool {
        !matches!(self, Self::Unreached)
    }
}

/// Longest answer that is read. A page of 100 webhook endpoints is below 300 KiB, an account below 20 KiB.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(4);

/// Longest wait for one answer. The longest page makes four calls, within the HTTP API's 30 seconds only if none stalls.
const ANSWER: Duration = Duration::from_secs(8);

/// HTTPS to Stripe.
pub struct Https(reqwest::Client);

/// The client could not be built: no TLS provider or no root certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the HTTPS client could not be built")]
pub struct HttpsError;

impl Https {
    /// A client with short waits, without redirects, and with a fresh connection for every request: Lambda freezes idle ones,
    /// and the first request on a frozen connection fails.
    ///
    /// # Errors
    /// [`HttpsError`].
    pub fn new() -> Result<Self, HttpsError> {
        reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .referer(false)
            .user_agent(concat!("axiru/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)
            .map_err(|_| HttpsError)
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let request = reqwest::Request::try_from(request).map_err(|_| TransportError::Unreached)?;
        let mut answer = self.0.execute(request).await.map_err(|error| classify(&error))?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| classify(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(TransportError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

impl Transport for Https {
    fn send(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move {
            let began = Instant::now();
            let answer = self.exchange(request).await;
            measure(began.elapsed(), answer.as_ref().ok().map(Response::status));
            answer
        })
    }
}

/// Tells how long Stripe took, and whether it put the call off or failed: numbers, never what was said.
fn measure(took: Duration, status: Option<StatusCode>) {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(target: "axiru::measured", metric = "StripeMillis", value = millis);
    match status {
        Some(StatusCode::TOO_MANY_REQUESTS) => {
            tracing::info!(target: "axiru::measured", metric = "StripeThrottled", value = 1_u64);
        }
        Some(status) if !status.is_server_error() => {}
        Some(_) | None => tracing::info!(target: "axiru::measured", metric = "StripeFailed", value = 1_u64),
    }
}

/// Keeps the kind only: reqwest's own text holds the address.
fn classify(error: &reqwest::Error) -> TransportError {
    if error.is_connect() || error.is_builder() {
        TransportError::Unreached
    } else if error.is_timeout() {
        TransportError::TimedOut
    } else {
        TransportError::Broken
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Answers from a list and keeps what was asked.
    #[derive(Default)]
    pub(crate) struct Script {
        answers: Mutex<Vec<Result<Response<Bytes>, TransportError>>>,
        pub(crate) asked: Mutex<Vec<Request<Bytes>>>,
    }

    impl Script {
        pub(crate) fn answering(status: u16, body: impl Into<Bytes>) -> Self {
            let script = Self::default();
            script.then(status, body);
            script
        }

        pub(crate) fn failing(error: TransportError) -> Self {
            Self { answers: Mutex::new(vec![Err(error)]), ..Self::default() }
        }

        pub(crate) fn then(&self, status: u16, body: impl Into<Bytes>) {
            let answer =
                Response::builder().status(status).header("content-type", "application/json").body(body.into());
            self.answers.lock().unwrap().insert(0, Ok(answer.unwrap()));
        }
    }

    impl Transport for Script {
        fn send(&self, request: Request<Bytes>) -> Answering<'_> {
            self.asked.lock().unwrap().push(request);
            let answer = self.answers.lock().unwrap().pop().unwrap();
            Box::pin(async move { answer })
        }
    }

    #[tokio::test]
    async fn a_closed_port_is_not_reached_and_its_address_is_not_told() {
        let request = Request::post("http://127.0.0.1:9/v1/oauth/token?code=canary").body(Bytes::new()).unwrap();
        let error = Https::new().unwrap().send(request).await.unwrap_err();
        assert_eq!(error, TransportError::Unreached);
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
