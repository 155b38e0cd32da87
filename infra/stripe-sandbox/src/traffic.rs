//! What happens to calls on their way: failures that were ordered, a limit on calls per second, and keys that are in flight.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{ApiAnswer, ApiRequest};
use crate::auth::header;
use crate::control::ControlError;
use crate::error::{RateLimitReason, StripeError};
use crate::mishap::Mishap;
use crate::mode::Scope;
use crate::state::State;

/// The longest delay that can be ordered.
const MAX_DELAY_MS: u64 = 120_000;

/// Ordered failures, the limit, and what is under way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Traffic {
    faults: Vec<OrderedFault>,
    per_second: Option<u32>,
    /// Second and calls in it, by scope.
    #[serde(skip)]
    counted: BTreeMap<String, (i64, u32)>,
    /// Scope and key of calls that have begun and not ended.
    #[serde(skip)]
    in_flight: BTreeSet<(String, String)>,
}

/// `POST /_sandbox/faults`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderedFault {
    /// Any method if absent.
    #[serde(default)]
    method: Option<String>,
    /// `/v1/refunds/:id`: a segment that begins with a colon, or is `*`, stands for any.
    path: String,
    #[serde(default)]
    fault: Option<FaultName>,
    /// For `rate_limit`.
    #[serde(default)]
    reason: RateLimitReason,
    /// Executed only after this time. HTTP only.
    #[serde(default)]
    delay_ms: u64,
    /// How many calls.
    #[serde(default = "once")]
    times: u32,
}

const fn once() -> u32 {
    1
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FaultName {
    #[serde(rename = "error_500")]
    Error500,
    #[serde(rename = "error_500_after_effect")]
    Error500AfterEffect,
    DropAfterEffect,
    LockTimeout,
    RateLimit,
    KeyInUse,
}

impl OrderedFault {
    fn mishap(&self) -> Option<Mishap> {
        Some(match self.fault? {
            FaultName::Error500 => Mishap::Error500,
            FaultName::Error500AfterEffect => Mishap::Error500AfterEffect,
            FaultName::DropAfterEffect => Mishap::DropAfterEffect,
            FaultName::LockTimeout => Mishap::LockTimeout,
            FaultName::RateLimit => Mishap::RateLimit(self.reason),
            FaultName::KeyInUse => Mishap::KeyInUse,
        })
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let any = |segment: &str| segment == "*" || segment.starts_with(':');
        let (mut wanted, mut given) = (self.path.trim_matches('/').split('/'), path.trim_matches('/').split('/'));
        self.method.as_deref().is_none_or(|wanted| wanted == method)
            && loop {
                match (wanted.next(), given.next()) {
                    (None, None) => break true,
                    (Some(segment), Some(have)) if any(segment) || segment == have => {}
                    _ => break false,
                }
            }
    }
}

impl Traffic {
    /// Orders a failure.
    pub(crate) fn order(&mut self, fault: OrderedFault) -> Result<(), ControlError> {
        let refuse = |why: &str| Err(ControlError::Body(why.to_owned()));
        if fault.fault.is_none() && fault.delay_ms == 0 {
            return refuse("give `fault` or `delay_ms`");
        }
        if fault.delay_ms > MAX_DELAY_MS || fault.times == 0 {
            return refuse("`delay_ms` is at most 120000 and `times` at least 1");
        }
        if !fault.path.starts_with("/v1/") {
            return refuse("`path` begins with /v1/");
        }
        self.faults.push(fault);
        Ok(())
    }

    /// Forgets all orders.
    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    /// Sets the limit of calls per second and scope, or lifts it.
    pub(crate) fn limit(&mut self, per_second: Option<u32>) {
        self.per_second = per_second;
    }

    pub(crate) fn render(&self) -> Value {
        json!({ "faults": self.faults, "per_second": self.per_second })
    }

    /// Takes the first order that is for this call.
    fn take(&mut self, method: &str, path: &str) -> Option<OrderedFault> {
        let place = self.faults.iter().position(|fault| fault.matches(method, path))?;
        let fault = self.faults.get_mut(place)?;
        fault.times = fault.times.saturating_sub(1);
        let taken = fault.clone();
        self.faults.retain(|fault| fault.times > 0);
        Some(taken)
    }

    /// Counts a call against the limit.
    pub(crate) fn admit(&mut self, scope: &Scope, now: i64) -> Result<(), StripeError> {
        let Some(limit) = self.per_second else { return Ok(()) };
        let (second, calls) = self.counted.entry(scope.to_string()).or_insert((now, 0));
        if *second != now {
            (*second, *calls) = (now, 0);
        }
        if *calls >= limit {
            return Err(StripeError::rate_limited(RateLimitReason::GlobalRate));
        }
        *calls += 1;
        Ok(())
    }

    /// Refuses a key whose call has not ended.
    pub(crate) fn check_key(&self, scope: &Scope, key: &str) -> Result<(), StripeError> {
        if self.in_flight.contains(&(scope.to_string(), key.to_owned())) {
            return Err(StripeError::key_in_use());
        }
        Ok(())
    }
}

/// A call that has begun: what was ordered for it.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    mishap: Option<Mishap>,
    /// How long it takes.
    pub(crate) delay: Duration,
    flight: Option<(String, String)>,
}

impl State {
    /// Takes what was ordered for a call. If that is a delay, its key is in flight until the call is [ended](Self::end).
    pub(crate) fn begin(&mut self, request: &ApiRequest) -> Begun {
        let Some(fault) = self.traffic.take(&request.method, &request.path) else { return Begun::default() };
        let mut begun = Begun { mishap: fault.mishap(), delay: Duration::from_millis(fault.delay_ms), flight: None };
        let key = header(&request.headers, "idempotency-key").filter(|_| request.method == "POST");
        if !begun.delay.is_zero()
            && let (Some(key), Ok(caller)) = (key, self.authenticate(&request.headers))
        {
            let flight = (caller.scope.to_string(), key.to_owned());
            if self.traffic.in_flight.insert(flight.clone()) {
                begun.flight = Some(flight);
            } else {
                // Stripe refuses the second at once.
                begun.delay = Duration::ZERO;
            }
        }
        begun
    }

    /// Executes a call that has begun.
    pub(crate) fn end(&mut self, request: &ApiRequest, begun: Begun) -> ApiAnswer {
        if let Some(flight) = &begun.flight {
            self.traffic.in_flight.remove(flight);
        }
        self.answer(request, begun.mishap)
    }
}
