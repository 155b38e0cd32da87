//! The SDK's errors, classified once.

use std::error::Error as StdError;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::result::SdkError;

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The service was busy, slow or out of reach; whether it acted is not known.
    Later,
    /// Asking again gives the same answer.
    Never,
}

/// A call to AWS that did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("{call} failed: {code}")]
pub struct AwsError {
    call: &'static str,
    code: String,
    retry: Retry,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl AwsError {
    /// Whether trying again can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        self.retry
    }

    /// The service's error code, or what kept the call from being answered.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// An answer that lacks what it should hold.
    pub(crate) fn unexpected(call: &'static str, what: &'static str) -> Self {
        Self { call, code: what.to_owned(), retry: Retry::Never, source: None }
    }

    /// The same without what the SDK says, for calls whose request or answer holds a secret.
    pub(crate) fn without_source(self) -> Self {
        Self { source: None, ..self }
    }

    /// The same, to be tried again: what keeps the service from acting is not in the request.
    pub(crate) fn put_off(self) -> Self {
        Self { retry: Retry::Later, ..self }
    }

    /// The service kept putting the call off.
    pub(crate) fn busy(call: &'static str) -> Self {
        Self { call, code: "put off".to_owned(), retry: Retry::Later, source: None }
    }

    /// Classifies the error of a call of KMS, and counts it: without the keys nothing is sealed, opened, signed or asked.
    pub(crate) fn of_kms<E, R>(call: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        move |error| Self::of(call)(error).counted_of_kms()
    }

    /// The same, counted as an error of KMS.
    pub(crate) fn counted_of_kms(self) -> Self {
        tracing::info!(target: "axiru::measured", metric = "KmsErrors", value = 1_u64);
        self
    }

    /// Classifies the error of an SDK call named `call`.
    pub(crate) fn of<E, R>(call: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        move |error| {
            let (code, retry) = classify(&error);
            Self { call, code, retry, source: Some(Box::new(error)) }
        }
    }
}

/// Whether a conditional write of one row was made; false where its condition did not hold.
pub(crate) fn made<T, E, R>(call: &'static str, answer: Result<T, SdkError<E, R>>) -> Result<bool, AwsError>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(AwsError::of(call)(error)),
    }
}

/// Codes that a later try can clear. Everything else that a service says is final.
const BUSY: [&str; 12] = [
    "InternalServerError",
    "InternalFailure",
    "InternalError",
    "ServiceUnavailable",
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "LimitExceededException",
    "TransactionConflictException",
    "TransactionInProgressException",
    "KMSInternalException",
    "SlowDown",
];

fn classify<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> (String, Retry) {
    match error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("unnamed service error");
            let retry = if BUSY.contains(&code) { Retry::Later } else { Retry::Never };
            (code.to_owned(), retry)
        }
        SdkError::TimeoutError(_) => ("timed out".to_owned(), Retry::Later),
        SdkError::DispatchFailure(_) => ("not reached".to_owned(), Retry::Later),
        SdkError::ResponseError(_) => ("unreadable answer".to_owned(), Retry::Later),
        _ => ("request not built".to_owned(), Retry::Never),
    }
}
