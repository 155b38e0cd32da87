//! What SES says became of a mail, read from an event as EventBridge delivers it.
//!
//! Shape: Amazon SES Developer Guide, "Monitoring SES events using Amazon EventBridge"; the members of `detail` are those of "Contents of
//! event data that Amazon SES publishes". Whose mail it was is told by the tags that it was sent with, and by nothing else. Of the rest only
//! the kind, an id and the addresses are read, and the addresses only to be hashed.

use std::fmt;

use axiru_domain::{PersonId, RequestId, Scope};
use serde::Deserialize;

/// Longest event that is read, in bytes: EventBridge's own bound on an event (256 KiB).
const MAX_BYTES: usize = 262_144;

/// Most addresses that are read: a mail of ours has one.
const MAX_ADDRESSES: usize = 10;

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Return {
    /// The address takes no mail, now or later.
    BouncePermanent,
    /// It was not delivered, after all of SES's tries; another mail may be.
    BounceTransient,
    /// Whoever reads the mailbox calls it spam.
    Complaint,
    /// SES took it and then did not send it.
    Reject,
    /// SES did not take it.
    Refused,
}

impl Return {
    /// The `kind_of_return` of its entry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BouncePermanent => "bounce_permanent",
            Self::BounceTransient => "bounce_transient",
            Self::Complaint => "complaint",
            Self::Reject => "reject",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Return {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A mail that came back. It holds addresses, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Returned {
    /// Whose money it was about.
    pub scope: Scope,
    /// Whom it was to.
    pub person: PersonId,
    /// What it was about, where it was about one request.
    pub request: Option<RequestId>,
    /// What became of it.
    pub kind: Return,
    /// A word that names this return and no other.
    pub report: String,
    /// The addresses that it did not reach.
    pub addresses: Vec<String>,
}

/// What an event is to us.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// A mail came back.
    Returned(Box<Returned>),
    /// A mail is late: SES goes on trying.
    Delayed,
    /// Not about a mail that Axiru sent to somebody, or not one of these events.
    Foreign,
}

/// The bytes are not an event of SES. They are not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an event of SES as EventBridge delivers them: {0}")]
pub struct EventError(&'static str);

#[derive(Deserialize)]
struct Envelope {
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    mail: MailObject,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MailObject {
    message_id: String,
    #[serde(default)]
    destination: Vec<String>,
    #[serde(default)]
    tags: std::collections::BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    feedback_id: String,
    bounced_recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    feedback_id: String,
    complained_recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    /// [`EventError`] for anything that is not one: it must not disappear.
    pub fn parse(body: &str) -> Result<Self, EventError> {
        if body.len() > MAX_BYTES {
            return Err(EventError("too long"));
        }
        let event: Envelope = serde_json::from_str(body).map_err(|_| EventError("another shape"))?;
        if event.source != "aws.ses" {
            return Err(EventError("another source"));
        }
        let Detail { mail, bounce, complaint } = event.detail;
        let (kind, report, addresses) = match event.detail_type.as_str() {
            "Email Bounced" => {
                let bounce = bounce.ok_or(EventError("no bounce"))?;
                // `Undetermined` counts as the milder one: what SES cannot tell must not silence an address for good.
                let permanent = bounce.bounce_type == "Permanent";
                let kind = if permanent { Return::BouncePermanent } else { Return::BounceTransient };
                (kind, bounce.feedback_id, addresses(bounce.bounced_recipients))
            }
            "Email Complaint Received" => {
                let complaint = complaint.ok_or(EventError("no complaint"))?;
                (Return::Complaint, complaint.feedback_id, addresses(complaint.complained_recipients))
            }
            // It has no id of its own; a mail is rejected once.
            "Email Rejected" => (Return::Reject, format!("reject-{}", mail.message_id), mail.destination.clone()),
            "Email Delivery Delayed" => return Ok(Self::Delayed),
            _ => return Ok(Self::Foreign),
        };
        if !is_word(&report) {
            return Err(EventError("no usable id"));
        }
        let Some((scope, person, request)) = whose(&mail) else { return Ok(Self::Foreign) };
        let addresses = addresses.into_iter().take(MAX_ADDRESSES).collect();
        Ok(Self::Returned(Box::new(Returned { scope, person, request, kind, report, addresses })))
    }
}

fn addresses(recipients: Vec<Recipient>) -> Vec<String> {
    recipients.into_iter().map(|recipient| recipient.email_address).collect()
}

/// Whom a mail was to and what it was about, as its tags say; none for a mail without them.
fn whose(mail: &MailObject) -> Option<(Scope, PersonId, Option<RequestId>)> {
    let tag = |name: &str| match mail.tags.get(name).map(Vec::as_slice) {
        Some([value]) => Some(value.as_str()),
        _ => None,
    };
    let scope = Scope::new(tag("mode")?.parse().ok()?, tag("account")?.parse().ok()?);
    let request = match tag("request")? {
        "none" => None,
        id => Some(id.parse().ok()?),
    };
    Some((scope, tag("person")?.parse().ok()?, request))
}

/// A word as entries take it.
fn is_word(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-'))
}

#[cfg(test)]
mod tests;
