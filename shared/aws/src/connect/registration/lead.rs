//! Leading a generation of a webhook endpoint, under a lease: each step is one conditional write of the row, or Stripe's.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_domain::{Mode, StripeId, Timestamp};
use axiru_stripe::error::StripeError;
use axiru_stripe::rest::{NewEndpoint, Rest};

use super::plan::Seen;
use super::{EndpointSpec, RegisterError};
use crate::endpoint::{SK, pk};
use crate::error::made;
use crate::item::{b, key, n, s};
use crate::store::Store;

/// A lease outlives its holder: the function that holds it is ended after 29 seconds.
const LEASE_SECS: i64 = 40;

/// Signing secrets kept: the endpoint's, and two older ones whose deliveries may still be retried.
const KEPT_SECRETS: usize = 3;

/// A generation that this request leads.
pub(super) struct Lead<'a> {
    pub(super) store: &'a Store,
    pub(super) mode: Mode,
    /// The name of the lease.
    pub(super) lease: String,
    pub(super) generation: u64,
    /// The idempotency key.
    pub(super) key: String,
}

impl Lead<'_> {
    /// Takes the lease and writes the generation ahead; false if somebody was faster.
    pub(super) async fn take(
        &self,
        seen: &Seen,
        wanted: &str,
        fresh: bool,
        now: Timestamp,
    ) -> Result<bool, RegisterError> {
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
        self.update("leasing the webhook endpoint", condition, update, values).await
    }

    /// Asks Stripe for the endpoint, and deletes what else stands at our address and is of no use: endpoints of lost generations, whose
    /// secrets nobody has. A fresh generation does so first, so that they cannot pile up; one that is resumed may have been made already
    /// and is told apart only by Stripe's answer.
    pub(super) async fn create(
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
    pub(super) async fn keep(
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
        self.held("keeping the webhook endpoint", update.to_owned(), values).await
    }

    /// Gives the lease back; `spent` also drops the key, because Stripe keeps its refusal under it.
    pub(super) async fn release(&self, spent: bool) -> Result<(), RegisterError> {
        let update =
            if spent { "REMOVE lease, lease_until, #key, key_spec, key_at" } else { "REMOVE lease, lease_until" };
        self.held("releasing the webhook endpoint", update.to_owned(), Vec::new()).await.map(|_| ())
    }

    async fn held(
        &self,
        call: &'static str,
        update: String,
        mut values: Vec<(&'static str, AttributeValue)>,
    ) -> Result<bool, RegisterError> {
        values.push((":mine", s(&self.lease)));
        values.push((":generation", n(self.generation)));
        self.update(call, "lease = :mine AND generation = :generation".to_owned(), update, values).await
    }

    async fn update(
        &self,
        call: &'static str,
        condition: String,
        update: String,
        values: Vec<(&'static str, AttributeValue)>,
    ) -> Result<bool, RegisterError> {
        // Both are words of DynamoDB's own; a name that no expression uses is refused.
        let reserved = [("#key", "key"), ("#url", "url")].into_iter().filter(|(name, _)| update.contains(name));
        let names: HashMap<_, _> = reserved.map(|(name, word)| (name.to_owned(), word.to_owned())).collect();
        let mut request = self
            .store
            .client
            .update_item()
            .table_name(&self.store.state)
            .set_key(Some(key(pk(self.mode), SK)))
            .condition_expression(condition)
            .update_expression(update)
            .set_expression_attribute_names((!names.is_empty()).then_some(names));
        for (name, value) in values {
            request = request.expression_attribute_values(name, value);
        }
        Ok(made(call, request.send().await)?)
    }
}
