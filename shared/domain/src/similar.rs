//! What is known of movements that are the same for all that counts: kind, object, amount and currency.
//!
//! One record, three uses. An equal request that is still open is given back under any idempotency key, since client
//! libraries mint a random key per call. How many there were in 24 hours is a fact that plans can hold on. And the first
//! movement that Stripe reports settles an open advisory decision.

use serde::{Deserialize, Serialize};

use crate::{Actor, RequestId, Timestamp};

/// How far back `similar_24h` looks, in seconds.
pub const SIMILAR_SECS: i64 = 86_400;

/// Most moments that are kept: plans hold on the first repetition, so the exact count of a flood does not matter.
const MAX_SEEN: usize = 32;

/// Most requests that are kept as open. One that is dropped is not found to be equal, and expires by itself.
const MAX_OPEN: usize = 32;

/// Requests and movements that are the same for all that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Similar {
    #[serde(default, rename = "o", skip_serializing_if = "Vec::is_empty")]
    open: Vec<OpenRequest>,
    #[serde(default, rename = "s", skip_serializing_if = "Vec::is_empty")]
    seen: Vec<Seen>,
}

/// A request that is still open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenRequest {
    /// Who asked.
    #[serde(rename = "a")]
    pub actor: Actor,
    /// Which request.
    #[serde(rename = "r")]
    pub request: RequestId,
    /// When it ends by itself, in milliseconds since 1970.
    #[serde(rename = "u")]
    pub until: i64,
    /// Whether the caller may make the movement, so that one which Stripe reports settles it.
    #[serde(rename = "m")]
    pub may_move: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    #[serde(rename = "t")]
    at: i64,
    #[serde(rename = "a")]
    actor: Actor,
}

impl Similar {
    /// How many requests or movements of that actor there were in the 24 hours before `at`.
    #[must_use]
    pub fn count(&self, actor: &Actor, at: Timestamp) -> i64 {
        let from = at.plus_secs(-SIMILAR_SECS).millis();
        let count = self.seen.iter().filter(|seen| seen.actor == *actor && seen.at > from).count();
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    /// The actor's request that is open at `at`.
    #[must_use]
    pub fn open_for(&self, actor: &Actor, at: Timestamp) -> Option<&OpenRequest> {
        self.open.iter().find(|open| open.actor == *actor && open.until > at.millis())
    }

    /// The actor's request that is held or under way at `at`: making the same again now would make it twice.
    #[must_use]
    pub fn waiting_for(&self, actor: &Actor, at: Timestamp) -> Option<&OpenRequest> {
        self.open.iter().find(|open| open.actor == *actor && open.until > at.millis() && !open.may_move)
    }

    /// The open request that a movement made at `moved_at` settles: the oldest that was allowed. Stripe's clock counts whole seconds.
    #[must_use]
    pub fn settled_by(&self, moved_at: Timestamp) -> Option<&OpenRequest> {
        self.open.iter().find(|open| open.may_move && open.until > moved_at.millis())
    }

    /// Whether that request is noted as open.
    #[must_use]
    pub fn is_open(&self, request: &RequestId) -> bool {
        self.open.iter().any(|open| open.request == *request)
    }

    /// Notes a request or movement.
    pub fn see(&mut self, actor: &Actor, at: Timestamp) {
        let from = at.plus_secs(-SIMILAR_SECS).millis();
        self.seen.retain(|seen| seen.at > from);
        if self.seen.len() >= MAX_SEEN {
            self.seen.remove(0);
        }
        self.seen.push(Seen { at: at.millis(), actor: actor.clone() });
    }

    /// Notes a request that is open from now on. What is passed on in shadow may be open several times for one actor.
    pub fn open(&mut self, request: OpenRequest) {
        self.open.retain(|open| open.request != request.request);
        if self.open.len() >= MAX_OPEN {
            self.open.remove(0);
        }
        self.open.push(request);
    }

    /// Forgets a request that is no longer open.
    pub fn close(&mut self, request: &RequestId) {
        self.open.retain(|open| open.request != *request);
    }

    /// When nothing of it matters any more.
    #[must_use]
    pub fn ends(&self) -> Timestamp {
        let seen = self.seen.iter().map(|seen| seen.at.saturating_add(SIMILAR_SECS.saturating_mul(1_000)));
        let last = self.open.iter().map(|open| open.until).chain(seen).max().unwrap_or(0);
        Timestamp::from_millis(last.max(0)).unwrap_or_else(|_| Timestamp::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs).unwrap()
    }

    fn open(actor: &str, id: char, until: i64, may_move: bool) -> OpenRequest {
        let request = format!("dec_{}", id.to_string().repeat(32)).parse().unwrap();
        OpenRequest { actor: actor.parse().unwrap(), request, until: until * 1_000, may_move }
    }

    #[test]
    fn only_the_same_actor_within_a_day_counts() {
        let (one, two): (Actor, Actor) = ("agent:one".parse().unwrap(), "agent:two".parse().unwrap());
        let mut similar = Similar::default();
        similar.see(&one, at(100));
        similar.see(&two, at(101));
        assert_eq!((similar.count(&one, at(200)), similar.count(&two, at(200))), (1, 1));
        assert_eq!((similar.count(&one, at(100 + 86_399)), similar.count(&one, at(100 + 86_400))), (1, 0));
        assert_eq!(similar.ends(), at(101 + 86_400));
        for i in 0..100 {
            similar.see(&one, at(300 + i));
        }
        assert_eq!(similar.count(&one, at(500)), 32);
    }

    #[test]
    fn an_open_request_ends_by_itself_and_only_an_allowed_one_is_settled() {
        let (one, two): (Actor, Actor) = ("agent:one".parse().unwrap(), "agent:two".parse().unwrap());
        let mut similar = Similar::default();
        similar.open(open("agent:one", 'a', 50, false));
        similar.open(open("agent:two", 'b', 60, true));
        assert!(similar.open_for(&one, at(49)).is_some() && similar.open_for(&one, at(50)).is_none());
        assert_eq!(similar.settled_by(at(10)).unwrap().actor, two);
        assert!(similar.settled_by(at(60)).is_none());
        similar.open(open("agent:one", 'c', 90, true));
        assert_eq!(similar.open_for(&one, at(10)).unwrap().until, 50_000);
        assert_eq!(similar.open_for(&one, at(50)).unwrap().until, 90_000);
        assert_eq!(similar.waiting_for(&one, at(10)).unwrap().until, 50_000);
        assert!(similar.waiting_for(&one, at(50)).is_none() && similar.waiting_for(&two, at(10)).is_none());
        let request = similar.settled_by(at(10)).unwrap().request.clone();
        similar.close(&request);
        assert_eq!(similar.settled_by(at(10)).unwrap().actor, one);
        let text = serde_json::to_string(&similar).unwrap();
        assert_eq!(serde_json::from_str::<Similar>(&text).unwrap(), similar);
        assert!(serde_json::from_str::<Similar>(r#"{"x":1}"#).is_err());
    }
}
