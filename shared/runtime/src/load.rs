//! Starting a function that calls Stripe: where Stripe is, and the one client that reaches it.

use std::sync::Arc;

use axiru_stripe::base::{ApiBase, STRIPE};
use axiru_stripe::transport::{Https, HttpsError, Transport};

use crate::env::{self, EnvError};

/// The function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A setting.
    #[error("{0}")]
    Env(#[from] EnvError),
    /// No HTTPS client.
    #[error("{0}")]
    Https(#[from] HttpsError),
}

/// The way to Stripe, and its address: `AXIRU_STRIPE_API_BASE`, or Stripe's own.
///
/// # Errors
/// [`LoadError`].
pub fn stripe() -> Result<(Arc<dyn Transport>, ApiBase), LoadError> {
    const NAME: &str = "AXIRU_STRIPE_API_BASE";
    let base = env::optional(NAME).unwrap_or_else(|| STRIPE.to_owned());
    let base = base.parse().map_err(|_| EnvError::Form(NAME))?;
    Ok((Arc::new(Https::new()?), base))
}
