//! What a key may do at Stripe, found by asking: Stripe has no call that lists a key's permissions.
//!
//! A reading permission is tried by reading at most one object. A writing permission is tried by a call that cannot do anything: what it needs is
//! left out, or it names an object that cannot be. Stripe says 403 where the permission is missing, and 400 or 404 where it is there. That it
//! looks at the permission first is assumed; if it does not, a permission is found that is missing, and the first real call is refused.

use http::{Method, StatusCode};
use serde::de::IgnoredAny;

use super::Rest;
use crate::error::StripeError;
use crate::permissions::PERMISSIONS;

/// How a permission is tried.
#[derive(Clone, Copy, Debug)]
struct Probe {
    permission: &'static str,
    /// False for a writing permission.
    reads: bool,
    path: &'static str,
}

const fn reading(permission: &'static str, path: &'static str) -> Probe {
    Probe { permission, reads: true, path }
}

const fn writing(permission: &'static str, path: &'static str) -> Probe {
    Probe { permission, reads: false, path }
}

/// Every permission that Axiru knows a use for. A payment or transfer without an amount, a refund of nothing and the answer to a
/// dispute that is not there are refused by Stripe whoever asks.
const PROBES: [Probe; 11] = [
    reading("charge_read", "/v1/refunds?limit=1"),
    writing("charge_write", "/v1/refunds"),
    reading("dispute_read", "/v1/disputes?limit=1"),
    writing("dispute_write", "/v1/disputes/dp_axiru_permission_probe"),
    reading("payout_read", "/v1/payouts?limit=1"),
    writing("payout_write", "/v1/payouts"),
    reading("transfer_read", "/v1/transfers?limit=1"),
    writing("transfer_write", "/v1/transfers"),
    reading("event_read", "/v1/events?limit=1"),
    reading("balance_transaction_source_read", "/v1/balance_transactions?limit=1"),
    reading("connected_account_read", "/v1/account"),
];

/// Permissions that Axiru has no use for, of those that matter most. What is asked for does not exist, so nothing of anybody is read.
const TOO_MUCH: [Probe; 3] = [
    reading("customer_read", "/v1/customers/cus_axiru_permission_probe"),
    reading("payment_intent_read", "/v1/payment_intents/pi_axiru_permission_probe"),
    writing("payment_intent_write", "/v1/payment_intents"),
];

/// What a key may do, as far as it was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// Permissions that Axiru has a use for and the key has, in the order of the table.
    pub granted: Vec<&'static str>,
    /// Permissions that Axiru asks for and the key lacks: those of reading.
    pub missing: Vec<&'static str>,
    /// Permissions that the key has and Axiru has no use for.
    pub too_much: Vec<&'static str>,
}

impl Granted {
    /// Whether it has that permission.
    #[must_use]
    pub fn has(&self, permission: &str) -> bool {
        self.granted.contains(&permission)
    }
}

impl Rest<'_> {
    /// Tries every permission. Makes nothing, changes nothing, and keeps nothing of what it reads.
    ///
    /// # Errors
    /// [`StripeError`] where one cannot be told: then none of the answer counts.
    pub async fn granted(&self) -> Result<Granted, StripeError> {
        let asked: Vec<&str> = PERMISSIONS.iter().map(|permission| permission.name).collect();
        let mut found = Granted::default();
        for probe in PROBES {
            match self.may(probe).await? {
                true => found.granted.push(probe.permission),
                false if asked.contains(&probe.permission) => found.missing.push(probe.permission),
                false => {}
            }
        }
        for probe in TOO_MUCH {
            if self.may(probe).await? {
                found.too_much.push(probe.permission);
            }
        }
        Ok(found)
    }

    async fn may(&self, probe: Probe) -> Result<bool, StripeError> {
        let method = if probe.reads { Method::GET } else { Method::POST };
        let (path, query) = probe.path.split_once('?').unwrap_or((probe.path, ""));
        let mut address = self.base.at(path);
        address.set_query((!query.is_empty()).then_some(query));
        match self.call::<IgnoredAny>(method, address, None, &[], "a probe").await {
            Ok(_) if probe.reads => Ok(true),
            // A write that cannot succeed has succeeded: this is not Stripe.
            Ok(_) => Err(StripeError::Answer { at: "a probe", what: "an answer to what cannot be done" }),
            Err(StripeError::Forbidden) => Ok(false),
            Err(StripeError::Refused(refusal))
                if refusal.status == Some(StatusCode::BAD_REQUEST.as_u16())
                    || refusal.status == Some(StatusCode::NOT_FOUND.as_u16()) =>
            {
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::permissions::Variant;

    /// What ends the id of an object that is not there.
    const NOBODY: &str = "axiru_permission_probe";

    #[test]
    fn every_permission_that_a_manifest_asks_for_is_tried_once() {
        let tried: Vec<_> = PROBES.iter().map(|probe| probe.permission).collect();
        let tried_once: BTreeSet<_> = tried.iter().copied().collect();
        assert_eq!(tried.len(), tried_once.len());
        assert_eq!(tried_once, Variant::Enforcing.asked().map(|(name, _)| name).collect());
        assert!(TOO_MUCH.iter().all(|probe| !tried_once.contains(probe.permission)));
    }

    #[test]
    fn what_is_tried_cannot_do_anything() {
        for probe in PROBES.iter().chain(&TOO_MUCH) {
            assert_eq!(probe.reads, probe.permission.ends_with("_read"), "{}", probe.permission);
            // Without parameters these make nothing at Stripe: each needs an amount or an object.
            let needs_more = ["/v1/refunds", "/v1/payouts", "/v1/transfers", "/v1/payment_intents"];
            assert!(probe.reads || needs_more.contains(&probe.path) || probe.path.ends_with(NOBODY), "{}", probe.path);
        }
        let read = TOO_MUCH.iter().filter(|probe| probe.reads);
        assert!(read.clone().count() > 0 && read.into_iter().all(|probe| probe.path.ends_with(NOBODY)));
    }
}
