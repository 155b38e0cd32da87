//! Configuration from the environment. It names things; it never holds a secret.

use std::str::FromStr;

/// A setting that is missing or wrong. A function refuses to start with one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    /// Not set, or empty.
    #[error("the setting `{0}` is missing")]
    Missing(&'static str),
    /// Set to something else than what it must be.
    #[error("the setting `{0}` is not of its form")]
    Form(&'static str),
}

/// A setting that must be there.
///
/// # Errors
/// [`EnvError::Missing`].
pub fn required(name: &'static str) -> Result<String, EnvError> {
    optional(name).ok_or(EnvError::Missing(name))
}

/// A setting that may be there; empty counts as not set.
#[must_use]
pub fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A setting that is parsed, or `default` where it is not set.
///
/// # Errors
/// [`EnvError::Form`].
pub fn parsed<T: FromStr>(name: &'static str, default: T) -> Result<T, EnvError> {
    optional(name).map_or(Ok(default), |value| value.parse().map_err(|_| EnvError::Form(name)))
}
