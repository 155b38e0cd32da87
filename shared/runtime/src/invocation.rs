//! Invocations that fail as a whole, so that what rang for them rings again.

use std::fmt;

use lambda_runtime::{Diagnostic, Error};

use crate::batch::guarded;

/// An invocation failed, in Axiru's own words. Lambda gets them as the error's message.
#[derive(PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvocationFailed(String);

impl fmt::Debug for InvocationFailed {
    /// The same words: whoever logs an error by its `Debug` logs no more than they say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<InvocationFailed> for Diagnostic {
    fn from(failed: InvocationFailed) -> Self {
        Self { error_type: "InvocationFailed".to_owned(), error_message: failed.0 }
    }
}

/// Awaits an invocation, and logs why it failed. A panic fails it like an error: its text, which may hold what was being worked on, is told
/// to nobody.
///
/// # Errors
/// What `handled` says.
pub async fn logged<T, E: Into<Error>>(handled: impl Future<Output = Result<T, E>>) -> Result<T, InvocationFailed> {
    let error = match guarded(handled).await {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.into(),
        Err(panicked) => panicked.into(),
    };
    tracing::error!(error = %error, "the invocation failed");
    Err(InvocationFailed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("2 logs could not be exported")]
    struct Named(#[allow(dead_code, reason = "read by Debug alone")] &'static str);

    #[tokio::test]
    async fn lambda_is_told_the_words_and_nothing_else() {
        assert_eq!(logged(async { Ok::<_, Named>(7) }).await, Ok(7));
        let failed = logged::<(), _>(async { Err(Named("secret")) }).await.unwrap_err();
        assert_eq!(format!("{failed} {failed:?}"), "2 logs could not be exported 2 logs could not be exported");
        let told = Diagnostic::from(failed);
        assert_eq!(
            (told.error_type.as_str(), told.error_message.as_str()),
            ("InvocationFailed", "2 logs could not be exported")
        );
    }

    #[tokio::test]
    async fn what_a_panic_says_is_told_to_nobody() {
        let failed = logged::<(), Named>(async { panic!("secret") }).await.unwrap_err();
        assert_eq!(Diagnostic::from(failed).error_message, "the work panicked");
    }
}
