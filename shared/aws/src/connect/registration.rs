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

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use axiru_domain::{Mode, StripeId, Timestamp};
use axiru_stripe::error::StripeError;
use axiru_stripe::rest::{NewEndpoint, Rest};
use sha2::{Digest, Sha256};
use url::Url;

use crate::connect::token::{RandomError, hex, random_id};
use crate::endpoint::{SK, pk, seal_context, sealed_secrets};
use crate::error::{AwsError, Retry};
use crate::item::{Item, RowError, b, key, n, number, s, text};
use crate::seal::Seal;
use crate::store::{Store, StoreError};

/// A lease outlives its holder: the function that holds it is ended after 29 seconds.
const LEASE_SECS: i64 = 40;

/// How long an idempotency key is sent again: an hour less than Stripe keeps it at least (Stripe API, "Idempotent requests").
const KEY_SECS: i64 = 23 * 3_600;

/// Signing secrets kept: the endpoint's, and two older ones whose deliveries may still be retried.
const KEPT_SECRETS: usize = 3;

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

/// What to do about the endpoint, from its row.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// It is there, as wanted.
    Done(StripeId),
    /// Another holds the lease.
    Wait,
    /// Send this generation's key again: Stripe's answer to it was lost.
    Resume { generation: u64, key: String },
    /// Begin this generation.
    Begin { generation: u64 },
}

/// What the row says, as far as planning needs it.
#[derive(Debug, Default, Clone)]
struct Seen {
    endpoint: Option<StripeId>,
    spec: Option<String>,
    generation: u64,
    open: Option<(String, String, i64)>,
    lease: Option<(String, i64)>,
}

impl Seen {
    fn read(row: &Item) -> Result<Self, RowError> {
        let has = |name: &str| row.contains_key(name);
        Ok(Self {
            endpoint: has("endpoint").then(|| crate::item::parse(row, "endpoint")).transpose()?,
            spec: has("spec").then(|| text(row, "spec").map(str::to_owned)).transpose()?,
            generation: if has("generation") { number(row, "generation")? } else { 0 },
            open: has("key")
                .then(|| Ok((text(row, "key")?.to_owned(), text(row, "key_spec")?.to_owned(), number(row, "key_at")?)))
                .transpose()?,
            lease: has("lease")
                .then(|| Ok((text(row, "lease")?.to_owned(), number(row, "lease_until")?)))
                .transpose()?,
        })
    }

    fn plan(&self, spec: &str, now: Timestamp) -> Plan {
        if let (Some(endpoint), Some(made)) = (&self.endpoint, &self.spec)
            && made == spec
            && self.open.is_none()
        {
            return Plan::Done(endpoint.clone());
        }
        if self.lease.as_ref().is_some_and(|(_, until)| now.secs() < *until) {
            return Plan::Wait;
        }
        match &self.open {
            Some((key, key_spec, at)) if key_spec == spec && now.secs() < at.saturating_add(KEY_SECS) => {
                Plan::Resume { generation: self.generation, key: key.clone() }
            }
            _ => Plan::Begin { generation: self.generation.saturating_add(1) },
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

/// A generation that this request leads.
struct Lead<'a> {
    store: &'a Store,
    mode: Mode,
    lease: String,
    generation: u64,
    key: String,
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

impl Lead<'_> {
    /// Takes the lease and writes the generation ahead; false if somebody was faster.
    async fn take(&self, seen: &Seen, wanted: &str, fresh: bool, now: Timestamp) -> Result<bool, RegisterError> {
        let mut update = "SET lease = :lease, lease_until = :until".to_owned();
        let mut values = vec![(":lease", s(&self.lease)), (":until", n(now.plus_secs(LEASE_SECS).secs()))];
        if fresh {
            update.push_str(", generation = :next, #key = :key, key_spec = :spec, key_at = :now");
            values.extend([
                (":next", n(self.generation)),
                (":key", s(&self.key)),
                (":spec", s(wanted)),
                (":now", n(now.secs())),
            ]);
        }
        let mut condition = match &seen.lease {
            Some((lease, _)) => {
                values.push((":expired", s(lease)));
                "lease = :expired".to_owned()
            }
            None => "attribute_not_exists(lease)".to_owned(),
        };
        if seen.generation == 0 {
            condition.push_str(" AND attribute_not_exists(generation)");
        } else {
            values.push((":seen", n(seen.generation)));
            condition.push_str(" AND generation = :seen");
        }
        self.update("leasing the webhook endpoint", condition, update, values, fresh).await
    }

    /// Asks Stripe for the endpoint, and deletes what else stands at our address and is of no use: endpoints of lost generations, whose
    /// secrets nobody has. A fresh generation does so first, so that they cannot pile up; one that is resumed may have been made already
    /// and is told apart only by Stripe's answer.
    async fn create(
        &self,
        rest: &Rest<'_>,
        spec: &EndpointSpec<'_>,
        seen: &Seen,
        fresh: bool,
    ) -> Result<NewEndpoint, StripeError> {
        let clear = async |made: Option<&StripeId>| -> Result<(), StripeError> {
            for found in rest.endpoints_at(spec.url).await? {
                if Some(&found.id) != seen.endpoint.as_ref() && Some(&found.id) != made {
                    rest.delete_endpoint(&found.id).await?;
                }
            }
            Ok(())
        };
        if fresh {
            clear(None).await?;
            return rest.create_endpoint(spec.url, spec.events, &self.key).await;
        }
        let made = rest.create_endpoint(spec.url, spec.events, &self.key).await?;
        clear(Some(&made.id)).await?;
        Ok(made)
    }

    /// Stores the endpoint with its sealed secret; false if the lease was lost, or this is a retry of the same write.
    async fn keep(
        &self,
        made: &NewEndpoint,
        sealed: Vec<u8>,
        before: &[&[u8]],
        wanted: &str,
        spec: &EndpointSpec<'_>,
    ) -> Result<bool, RegisterError> {
        let mut secrets = vec![b(sealed)];
        secrets.extend(before.iter().take(KEPT_SECRETS - 1).map(|secret| b(*secret)));
        let values = vec![
            (":endpoint", s(made.id.as_str())),
            (":secrets", AttributeValue::L(secrets)),
            (":spec", s(wanted)),
            (":url", s(spec.url.as_str())),
        ];
        let update = "SET endpoint = :endpoint, secrets = :secrets, spec = :spec, #url = :url \
                      REMOVE #key, key_spec, key_at, lease, lease_until";
        self.held("keeping the webhook endpoint", update.to_owned(), values, true).await
    }

    /// Gives the lease back; `spent` also drops the key, because Stripe keeps its refusal under it.
    async fn release(&self, spent: bool) -> Result<(), RegisterError> {
        let update =
            if spent { "REMOVE lease, lease_until, #key, key_spec, key_at" } else { "REMOVE lease, lease_until" };
        self.held("releasing the webhook endpoint", update.to_owned(), Vec::new(), spent).await.map(|_| ())
    }

    async fn held(
        &self,
        call: &'static str,
        update: String,
        mut values: Vec<(&'static str, AttributeValue)>,
        names_key: bool,
    ) -> Result<bool, RegisterError> {
        values.push((":mine", s(&self.lease)));
        values.push((":generation", n(self.generation)));
        self.update(call, "lease = :mine AND generation = :generation".to_owned(), update, values, names_key).await
    }

    async fn update(
        &self,
        call: &'static str,
        condition: String,
        update: String,
        values: Vec<(&'static str, AttributeValue)>,
        names_key: bool,
    ) -> Result<bool, RegisterError> {
        let names_url = update.contains("#url");
        let mut request = self
            .store
            .client
            .update_item()
            .table_name(&self.store.state)
            .set_key(Some(key(pk(self.mode), SK)))
            .condition_expression(condition)
            .update_expression(update);
        if names_key {
            request = request.expression_attribute_names("#key", "key");
        }
        if names_url {
            request = request.expression_attribute_names("#url", "url");
        }
        for (name, value) in values {
            request = request.expression_attribute_values(name, value);
        }
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_))) =>
            {
                Ok(false)
            }
            Err(error) => Err(AwsError::of(call)(error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs).unwrap()
    }

    fn seen() -> Seen {
        Seen { generation: 3, ..Seen::default() }
    }

    #[test]
    fn what_is_there_is_left_alone() {
        let id: StripeId = "we_1".parse().unwrap();
        let there = Seen { endpoint: Some(id.clone()), spec: Some("a".into()), ..seen() };
        assert_eq!(there.plan("a", at(0)), Plan::Done(id));
        assert_eq!(there.plan("b", at(0)), Plan::Begin { generation: 4 });
        assert_eq!(Seen::default().plan("a", at(0)), Plan::Begin { generation: 1 });
    }

    #[test]
    fn a_lost_answer_is_asked_for_again_within_23_hours_only() {
        let open = Seen { open: Some(("k".into(), "a".into(), 1_000)), ..seen() };
        let resume = Plan::Resume { generation: 3, key: "k".into() };
        assert_eq!(open.plan("a", at(1_000)), resume);
        assert_eq!(open.plan("a", at(1_000 + KEY_SECS - 1)), resume);
        assert_eq!(open.plan("a", at(1_000 + KEY_SECS)), Plan::Begin { generation: 4 });
        assert_eq!(open.plan("other", at(1_000)), Plan::Begin { generation: 4 });
    }

    #[test]
    fn a_lease_is_respected_until_it_ends() {
        let held = Seen { lease: Some(("l".into(), 500)), open: Some(("k".into(), "a".into(), 460)), ..seen() };
        assert_eq!(held.plan("a", at(499)), Plan::Wait);
        assert_eq!(held.plan("a", at(500)), Plan::Resume { generation: 3, key: "k".into() });
    }

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
