//! SQS queues, standard and (by the end of their name) FIFO: send, receive, delete, visibility on tokio's clock, dead letters, and the
//! limits that a sender can meet. A receive never waits: an empty queue answers at once. No MD5 is returned.

mod fifo;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::dump::{Dump, Piece};
use crate::names::{
    EXECUTIONS_DEAD_LETTER_QUEUE_URL, EXECUTIONS_QUEUE_URL, MAX_RECEIVES, OBSERVATIONS_DEAD_LETTER_QUEUE_URL,
    OBSERVATIONS_QUEUE_URL, RECONCILE_DEAD_LETTER_QUEUE_URL, RECONCILE_QUEUE_URL, REFRESH_DEAD_LETTER_QUEUE_URL,
    REFRESH_QUEUE_URL, RETURNS_DEAD_LETTER_QUEUE_URL, RETURNS_QUEUE_URL,
};
use crate::wire::{Reply, WireRequest, set, text};

/// Each queue with its dead letters.
const QUEUES: [(&str, &str); 5] = [
    (OBSERVATIONS_QUEUE_URL, OBSERVATIONS_DEAD_LETTER_QUEUE_URL),
    (REFRESH_QUEUE_URL, REFRESH_DEAD_LETTER_QUEUE_URL),
    (EXECUTIONS_QUEUE_URL, EXECUTIONS_DEAD_LETTER_QUEUE_URL),
    (RECONCILE_QUEUE_URL, RECONCILE_DEAD_LETTER_QUEUE_URL),
    (RETURNS_QUEUE_URL, RETURNS_DEAD_LETTER_QUEUE_URL),
];

/// Most bytes of one message, and of all messages of one batch, bodies and attributes together.
const MAX_BYTES: usize = 1_048_576;
/// Most entries of one batch.
const MAX_ENTRIES: usize = 10;
/// How long a received message stays hidden unless the receiver says otherwise.
const VISIBILITY: Duration = Duration::from_secs(30);

/// The queues.
#[derive(Default)]
pub(crate) struct Sqs {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    sent: u64,
}

struct Message {
    queue: String,
    id: String,
    body: String,
    /// Where it stands among others, on a FIFO queue.
    place: Option<fifo::Place>,
    attributes: Value,
    receives: u32,
    visible_at: Instant,
    deleted: bool,
}

impl Sqs {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers; with `twice`, sends everything twice, or leaves visible what it hands out.
    pub(crate) fn answer(&self, request: &WireRequest, twice: bool) -> Reply {
        let body = request.json();
        let queue = text(&body, "QueueUrl");
        if !QUEUES.iter().any(|(alive, dead)| queue == *alive || queue == *dead) {
            return error("QueueDoesNotExist", "The specified queue does not exist.");
        }
        let mut state = self.state();
        match request.operation.as_str() {
            "SendMessage" => state.send_one(queue, &body, twice),
            "SendMessageBatch" => state.send_batch(queue, &body, twice),
            "ReceiveMessage" => state.receive(queue, &body, twice),
            "DeleteMessage" => state.delete(queue, &body),
            "GetQueueAttributes" => state.attributes(queue),
            _ => error("UnsupportedOperation", "no double of this operation"),
        }
    }

    /// The bodies of the messages that are not deleted, oldest first.
    pub(crate) fn bodies(&self, queue: &str) -> Vec<String> {
        let state = self.state();
        state.messages.iter().filter(|m| m.queue == queue && !m.deleted).map(|m| m.body.clone()).collect()
    }

    /// Every message ever sent: deleting one does not undo that it was stored.
    pub(crate) fn dump(&self, into: &mut Dump) {
        for message in &self.state().messages {
            let place = format!("sqs {} message {}", message.queue, message.id);
            into.pieces.push(Piece { place: place.clone(), bytes: message.body.clone().into_bytes() });
            into.pieces
                .push(Piece { place: place + " attributes", bytes: message.attributes.to_string().into_bytes() });
        }
    }
}

impl State {
    fn send_one(&mut self, queue: &str, message: &Value, twice: bool) -> Reply {
        if let Err(reason) = check(queue, message) {
            return reason;
        }
        if size(message) > MAX_BYTES {
            return error(
                "InvalidParameterValue",
                "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
            );
        }
        Reply::json(&json!({ "MessageId": self.store(queue, message, twice) }))
    }

    fn send_batch(&mut self, queue: &str, body: &Value, twice: bool) -> Reply {
        let entries = body["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut ids = entries.iter().filter_map(|entry| entry["Id"].as_str()).collect::<Vec<_>>();
        ids.sort_unstable();
        ids.dedup();
        if entries.len() > MAX_ENTRIES {
            return error("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.");
        }
        if ids.len() != entries.len() {
            return error("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.");
        }
        if entries.iter().map(size).sum::<usize>() > MAX_BYTES {
            return error("BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes.");
        }
        let mut done = Vec::new();
        let mut failed = Vec::new();
        for entry in entries {
            match check(queue, entry) {
                Ok(()) => done.push(json!({ "Id": entry["Id"], "MessageId": self.store(queue, entry, twice) })),
                Err(_) => {
                    failed.push(json!({ "Id": entry["Id"], "SenderFault": true, "Code": "InvalidMessageContents" }))
                }
            }
        }
        Reply::json(&json!({ "Successful": done, "Failed": failed }))
    }

    fn store(&mut self, queue: &str, message: &Value, twice: bool) -> String {
        let place = fifo::is(queue).then(|| fifo::Place::of(message));
        if let Some(earlier) = place.as_ref().and_then(|place| fifo::taken_before(&self.messages, queue, place)) {
            return earlier;
        }
        self.sent += 1;
        let id = format!("message-{}", self.sent);
        let delay = Duration::from_secs(message["DelaySeconds"].as_u64().unwrap_or_default());
        // A FIFO queue takes the second as the first.
        for _ in 0..=usize::from(twice && place.is_none()) {
            self.messages.push(Message {
                queue: queue.to_owned(),
                id: id.clone(),
                body: message["MessageBody"].as_str().unwrap_or_default().to_owned(),
                place: place.clone(),
                attributes: message["MessageAttributes"].clone(),
                receives: 0,
                visible_at: Instant::now() + delay,
                deleted: false,
            });
        }
        id
    }

    fn receive(&mut self, queue: &str, body: &Value, twice: bool) -> Reply {
        let most = body["MaxNumberOfMessages"].as_u64().unwrap_or(1);
        if !(1..=10).contains(&most) {
            return error("InvalidParameterValue", "MaxNumberOfMessages must be between 1 and 10.");
        }
        let hidden = body["VisibilityTimeout"].as_u64().map_or(VISIBILITY, Duration::from_secs);
        let now = Instant::now();
        let mut handed = Vec::new();
        let mut waiting = fifo::Waiting::default();
        for (index, message) in self.messages.iter_mut().enumerate() {
            if message.queue != queue || message.deleted || waiting.holds(message, now) {
                continue;
            }
            let dead = QUEUES.iter().find(|(alive, _)| *alive == queue).map(|(_, dead)| *dead);
            if let Some(dead) = dead.filter(|_| message.receives >= MAX_RECEIVES) {
                message.queue = dead.to_owned();
                message.receives = 0;
                continue;
            }
            message.receives += 1;
            message.visible_at = if twice { now } else { now + hidden };
            let mut shown = json!({
                "MessageId": message.id,
                "ReceiptHandle": format!("receipt-{index}-{}", message.receives),
                "Body": message.body,
                "Attributes": { "ApproximateReceiveCount": message.receives.to_string() },
            });
            if let (Some(place), Some(told)) =
                (&message.place, shown.get_mut("Attributes").and_then(serde_json::Value::as_object_mut))
            {
                told.extend(place.told(index));
            }
            if message.attributes.is_object() {
                set(&mut shown, "MessageAttributes", message.attributes.clone());
            }
            handed.push(shown);
            if handed.len() as u64 == most {
                break;
            }
        }
        Reply::json(&json!({ "Messages": handed }))
    }

    fn delete(&mut self, queue: &str, body: &Value) -> Reply {
        let handle = body["ReceiptHandle"].as_str().unwrap_or_default();
        let index = handle
            .strip_prefix("receipt-")
            .and_then(|rest| rest.split_once('-'))
            .and_then(|(index, _)| index.parse::<usize>().ok());
        match index.and_then(|index| self.messages.get_mut(index)) {
            Some(message) if message.queue == queue => {
                message.deleted = true;
                Reply::json(&json!({}))
            }
            _ => error("ReceiptHandleIsInvalid", "The input receipt handle is invalid."),
        }
    }

    fn attributes(&self, queue: &str) -> Reply {
        let now = Instant::now();
        let open = self.messages.iter().filter(|message| message.queue == queue && !message.deleted);
        let (visible, hidden) = open.partition::<Vec<_>, _>(|message| message.visible_at <= now);
        Reply::json(&json!({ "Attributes": {
            "ApproximateNumberOfMessages": visible.len().to_string(),
            "ApproximateNumberOfMessagesNotVisible": hidden.len().to_string(),
        } }))
    }
}

fn check(queue: &str, message: &Value) -> Result<(), Reply> {
    fifo::check(queue, message)?;
    let body = message["MessageBody"].as_str().unwrap_or_default();
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    if body.is_empty() {
        return Err(error("MissingParameter", "The request must contain the parameter MessageBody."));
    }
    if !body.chars().all(allowed) {
        return Err(error("InvalidMessageContents", "The message contains characters outside the allowed set."));
    }
    Ok(())
}

fn size(message: &Value) -> usize {
    let attributes = message["MessageAttributes"].as_object();
    let texts = attributes.into_iter().flatten().map(|(name, value)| {
        let part = |field: &str| value[field].as_str().map_or(0, str::len);
        name.len() + part("DataType") + part("StringValue") + part("BinaryValue")
    });
    message["MessageBody"].as_str().map_or(0, str::len) + texts.sum::<usize>()
}

fn error(code: &str, message: &str) -> Reply {
    Reply::json_error(400, &format!("com.amazonaws.sqs#{code}"), message)
}
