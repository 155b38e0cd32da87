//! What the row of a webhook endpoint says, and what is to be done about it.

use axiru_domain::{StripeId, Timestamp};

use crate::item::{Item, RowError, number, text};

/// How long an idempotency key is sent again: an hour less than Stripe keeps it at least (Stripe API, "Idempotent requests").
const KEY_SECS: i64 = 23 * 3_600;

/// What to do about the endpoint, from its row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
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
pub(super) struct Seen {
    /// The endpoint that is there.
    pub(super) endpoint: Option<StripeId>,
    /// What was asked for when it was made.
    spec: Option<String>,
    /// The last generation that was begun; 0 before the first.
    pub(super) generation: u64,
    /// An attempt that is open: its key, what it asks for, and when it began (epoch seconds).
    open: Option<(String, String, i64)>,
    /// Who holds the lease, and until when (epoch seconds).
    pub(super) lease: Option<(String, i64)>,
}

impl Seen {
    pub(super) fn read(row: &Item) -> Result<Self, RowError> {
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

    pub(super) fn plan(&self, spec: &str, now: Timestamp) -> Plan {
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
}
