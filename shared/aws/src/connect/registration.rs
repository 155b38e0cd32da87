//! The mode's webhook endpoint, created by Axiru itself: once per developer account, whatever crashes.
//!
//! Stripe tells an endpoint's signing secret only in the answer that creates it. So before the call a *generation* with its
//! idempotency key is written ahead, under a lease:
//!
//! - A crash after Stripe's answer: whoever comes next sends the same key, and Stripe answers the same endpoint and secret.
//! - The key is older than 23 hours (Stripe may have forgotten it after 24): the endpoints at our address, whose secrets nobody
//!   knows, are deleted, and one is created under a new generation.
//!
//! Row (with the secrets, see [`crate::endpoint`]): also `generation`, `url`, `spec` (hash of what was asked for), and while an attempt is
//! open `key`, `key_spec`, `key_at` (epoch seconds), `lease`, `lease_until` (epoch seconds).

mod lead;
mod plan;

use axiru_domain::{Mode, StripeId, Timestamp};
use axiru_stripe::error::StripeError;
use axiru_stripe::rest::Rest;
use sha2::{Digest, Sha256};
use url::Url;

use self::lead::Lead;
use self::plan::{Plan, Seen};
use crate::connect::token::{RandomError, hex, random_id};
use crate::endpoint::{SK, pk, seal_context, sealed_secrets};
use crate::error::{AwsError, Retry};
use crate::item::RowError;
use crate::seal::Seal;
use crate::store::{Store, StoreError};

/// Tries to take the lease while others change the row.
const TRIES: u32 = 3;

/// The endpoint that is wanted.
#[derive(Clone, Debug)]
pub struct EndpointSpec<'a> {
    /// The deployment, part of the idempotency key.
    pub deployment: &'a str,
    /// Where Stripe delivers.
    pub url: &'a Url,
    /// The events, sorted.
    pub events: &'a [&'a str],
}

/// Why there is no endpoint.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Somebody else is creating it at this moment.
    #[error("the webhook endpoint is being created by another request")]
    Busy,
    /// Stripe.
    #[error("creating the webhook endpoint: {0}")]
    Stripe(#[from] StripeError),
    /// The store or the seal.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The system has no random bytes.
    #[error("{0}")]
    Random(#[from] RandomError),
}

impl From<AwsError> for RegisterError {
    fn from(error: AwsError) -> Self {
        Self::Store(error.into())
    }
}

impl From<RowError> for RegisterError {
    fn from(error: RowError) -> Self {
        Self::Store(error.into())
    }
}

impl RegisterError {
    /// Whether trying again later can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Busy | Self::Random(_) => Retry::Later,
            Self::Stripe(
                StripeError::Transport(_) | StripeError::Busy | StripeError::Failed(_) | StripeError::Status(_),
            ) => Retry::Later,
            Self::Stripe(_) => Retry::Never,
            Self::Store(StoreError::Aws(error)) => error.retry(),
            Self::Store(StoreError::Row(_)) => Retry::Never,
        }
    }
}

/// Hash of what is asked for: another one means another endpoint.
fn spec_hash(spec: &EndpointSpec<'_>) -> String {
    let mut hash =
        Sha256::new().chain_update(axiru_stripe::API_VERSION).chain_update("\n").chain_update(spec.url.as_str());
    for event in spec.events {
        hash.update("\n");
        hash.update(event);
    }
    hex(&hash.finalize())
}

impl Store {
    /// Ensures the endpoint of a mode and gives its id.
    ///
    /// # Errors
    /// [`RegisterError`]; with [`Retry::Later`] the next call takes up where this one stopped.
    pub async fn ensure_endpoint(
        &self,
        seal: &Seal,
        rest: &Rest<'_>,
        mode: Mode,
        spec: &EndpointSpec<'_>,
        now: impl Fn() -> Timestamp,
    ) -> Result<StripeId, RegisterError> {
        let wanted = spec_hash(spec);
        for _ in 0..TRIES {
            let row = self.row(&pk(mode), SK).await?;
            let seen = row.as_ref().map(Seen::read).transpose()?.unwrap_or_default();
            let (generation, key, fresh) = match seen.plan(&wanted, now()) {
                Plan::Done(endpoint) => return Ok(endpoint),
                Plan::Wait => return Err(RegisterError::Busy),
                Plan::Resume { generation, key } => (generation, key, false),
                Plan::Begin { generation } => {
                    let random = random_id("")?;
                    (generation, format!("axiru-{}-{mode}-endpoint-{generation}-{random}", spec.deployment), true)
                }
            };
            let lead = Lead { store: self, mode, lease: random_id("lse_")?, generation, key };
            if !lead.take(&seen, &wanted, fresh, now()).await? {
                continue;
            }
            let created = lead.create(rest, spec, &seen, fresh).await;
            match created {
                Ok(made) => {
                    let sealed = seal.seal(&seal_context(mode), made.secret.expose().as_bytes()).await?;
                    let before = row.as_ref().map(sealed_secrets).transpose()?.unwrap_or_default();
                    if lead.keep(&made, sealed, &before, &wanted, spec).await? {
                        // The one before at the same address, if any: its events come from the new one too.
                        if let Some(old) = seen.endpoint.filter(|old| *old != made.id) {
                            rest.delete_endpoint(&old).await.ok();
                        }
                        return Ok(made.id);
                    }
                }
                Err(error) => {
                    lead.release(!error.is_open()).await?;
                    return Err(error.into());
                }
            }
        }
        Err(RegisterError::Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_asked_for_differently_is_another_endpoint() {
        let url = Url::parse("https://a.example/stripe/webhooks/test").unwrap();
        let other = Url::parse("https://b.example/stripe/webhooks/test").unwrap();
        let hash = |url: &Url, events: &[&str]| spec_hash(&EndpointSpec { deployment: "axiru", url, events });
        assert_eq!(hash(&url, &["a", "b"]), hash(&url, &["a", "b"]));
        assert_ne!(hash(&url, &["a", "b"]), hash(&url, &["a"]));
        assert_ne!(hash(&url, &["a"]), hash(&other, &["a"]));
    }
}
