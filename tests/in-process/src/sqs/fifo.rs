//! What FIFO queues do otherwise (SQS developer guide, "FIFO queues"): order within a group, one receiver for a group at a time, and a
//! deduplication id that is taken once in five minutes. Content-based deduplication is off.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Message, error};
use crate::wire::Reply;

/// How long a deduplication id is remembered.
const REMEMBERED: Duration = Duration::from_secs(300);

/// Where a message stands: its group, its deduplication id, when it was sent.
#[derive(Clone)]
pub(super) struct Place {
    group: String,
    deduplication: String,
    sent_at: Instant,
}

impl Place {
    /// As the sender says.
    pub(super) fn of(message: &Value) -> Self {
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        Self { group: text("MessageGroupId"), deduplication: text("MessageDeduplicationId"), sent_at: Instant::now() }
    }

    /// What a receiver is told of it.
    pub(super) fn told(&self, index: usize) -> Map<String, Value> {
        let mut told = Map::new();
        told.insert("MessageGroupId".into(), self.group.as_str().into());
        told.insert("MessageDeduplicationId".into(), self.deduplication.as_str().into());
        told.insert("SequenceNumber".into(), format!("{index:020}").into());
        told
    }
}

/// Whether that queue is one.
pub(super) fn is(queue: &str) -> bool {
    queue.ends_with(".fifo")
}

/// The id of the message that was taken under the same deduplication id in the same group, even if it is deleted by now.
pub(super) fn taken_before(messages: &[Message], queue: &str, place: &Place) -> Option<String> {
    let same = |message: &&Message| {
        message.queue == queue
            && message.place.as_ref().is_some_and(|earlier| {
                (&earlier.group, &earlier.deduplication) == (&place.group, &place.deduplication)
                    && place.sent_at.duration_since(earlier.sent_at) < REMEMBERED
            })
    };
    messages.iter().find(same).map(|message| message.id.clone())
}

/// The groups of which a message is in flight, as a receive goes through the queue from the oldest on.
#[derive(Default)]
pub(super) struct Waiting(BTreeSet<String>);

impl Waiting {
    /// Whether the message cannot be handed out: it is hidden, or an older one of its group is.
    pub(super) fn holds(&mut self, message: &Message, now: Instant) -> bool {
        let hidden = message.visible_at > now;
        match &message.place {
            Some(place) if hidden => {
                self.0.insert(place.group.clone());
                true
            }
            Some(place) => self.0.contains(&place.group),
            None => hidden,
        }
    }
}

/// Refuses what does not go with the type of the queue.
pub(super) fn check(queue: &str, message: &Value) -> Result<(), Reply> {
    let given = |name: &str| message[name].as_str().is_some_and(|text| !text.is_empty());
    if !is(queue) {
        return if given("MessageDeduplicationId") {
            Err(error(
                "InvalidParameterValue",
                "The request includes a parameter that is not valid for this queue type.",
            ))
        } else {
            Ok(())
        };
    }
    if !given("MessageGroupId") {
        return Err(error("MissingParameter", "The request must contain the parameter MessageGroupId."));
    }
    if !given("MessageDeduplicationId") {
        return Err(error(
            "InvalidParameterValue",
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly.",
        ));
    }
    if message["DelaySeconds"].as_u64().is_some_and(|seconds| seconds > 0) {
        return Err(error("InvalidParameterValue", "DelaySeconds is not valid for a message on a FIFO queue."));
    }
    Ok(())
}
