//! Sending a mail by SES: one recipient, plain text and HTML, from the one address that the deployment has.
//!
//! Whoever sends writes nothing of a mail into a log but ids: its address, its subject and its link are for one reader. An answer that gets
//! lost leaves open whether the mail went out; whoever asks again may send it twice. There is no way to ask SES (its API takes no
//! idempotency key), and a mail twice is better than none.

pub mod event;
mod mailed;
mod people;
mod resend;
mod returned;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use axiru_domain::{PersonId, RequestId, Scope};

use crate::error::AwsError;

pub use mailed::{Mailed, Mailing};
pub use people::Reached;
pub use resend::Wanted;
pub use returned::{Noted, Silence, Silenced};

/// Longest subject that is sent, in characters: what is longer is cut. RFC 5322 §2.1.1 bounds a line at 998, and readers show some 80.
const MAX_SUBJECT: usize = 200;

/// A mail to one person.
#[derive(Clone, Copy)]
pub struct Mail<'a> {
    /// The address.
    pub to: &'a str,
    /// The subject. Control characters in it become spaces.
    pub subject: &'a str,
    /// The plain text.
    pub text: &'a str,
    /// The same as HTML.
    pub html: &'a str,
    /// Whose money it is about.
    pub scope: &'a Scope,
    /// Whom it is to.
    pub person: &'a PersonId,
    /// What it is about, where it is about one request.
    pub request: Option<&'a RequestId>,
}

/// Sends mails from one address.
#[derive(Clone, Debug)]
pub struct Mailer {
    client: Client,
    from: String,
    configuration_set: String,
}

impl Mailer {
    /// From that address, with that configuration set.
    #[must_use]
    pub fn new(client: Client, from: impl Into<String>, configuration_set: impl Into<String>) -> Self {
        Self { client, from: from.into(), configuration_set: configuration_set.into() }
    }

    /// Sends a mail; gives the id that SES has given it.
    ///
    /// # Errors
    /// [`AwsError`]. With [`Retry::Later`](crate::Retry::Later) the mail may have gone out; with
    /// [`Retry::Never`](crate::Retry::Never) SES takes this mail or this address at no time.
    pub async fn send(&self, mail: &Mail<'_>) -> Result<String, AwsError> {
        let message = message(mail).map_err(|_| AwsError::unexpected("mailing", "request not built"))?;
        let mut request = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(mail.to).build())
            .configuration_set_name(&self.configuration_set)
            .content(EmailContent::builder().simple(message).build());
        // What comes back is told with these, so that nobody has to be found by an address.
        for (name, value) in [
            ("mode", mail.scope.mode().as_str()),
            ("account", mail.scope.account().as_str()),
            ("person", mail.person.as_str()),
            ("request", mail.request.map_or("none", RequestId::as_str)),
        ] {
            let tag = MessageTag::builder().name(name).value(value).build();
            request = request.email_tags(tag.map_err(|_| AwsError::unexpected("mailing", "request not built"))?);
        }
        let sent = request.send().await.map_err(classified)?;
        sent.message_id.ok_or_else(|| AwsError::unexpected("mailing", "no message id"))
    }
}

fn message(mail: &Mail<'_>) -> Result<Message, aws_sdk_sesv2::error::BuildError> {
    let content = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    // RFC 3834: no absence note and no mailing list answers a mail that says this of itself.
    let automatic = MessageHeader::builder().name("Auto-Submitted").value("auto-generated").build()?;
    let body = Body::builder().text(content(mail.text)?).html(content(mail.html)?).build();
    Ok(Message::builder().subject(content(&one_line(mail.subject))?).body(body).headers(automatic).build())
}

/// The subject as one line: what could end the header, or begin another one, becomes a space.
fn one_line(subject: &str) -> String {
    // U+2028 and U+2029 are ends of lines to some readers.
    let line = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    subject.chars().take(MAX_SUBJECT).map(line).collect()
}

/// Only what SES says of this very mail or address is final. That an account is paused, a domain not verified or the configuration set not
/// there is said of every mail until somebody repairs it: these wait, or the repair would find all of them given up.
fn classified(error: SdkError<SendEmailError>) -> AwsError {
    let service = error.as_service_error();
    let asked = service.is_some();
    let refused = service.is_some_and(|error| error.is_message_rejected() || error.is_bad_request_exception());
    // SES names addresses in its errors.
    let told = AwsError::of("mailing")(error).without_source();
    if asked && !refused { told.put_off() } else { told }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_subject_is_one_line() {
        assert_eq!(
            one_line("[LIVE] Approve 1.00 USD\r\nBcc: x@example.com"),
            "[LIVE] Approve 1.00 USD  Bcc: x@example.com"
        );
        assert_eq!(one_line("a\u{2028}b\u{0}c\u{85}d"), "a b c d");
        assert_eq!(one_line(&"ä".repeat(300)).chars().count(), MAX_SUBJECT);
    }

    proptest! {
        #[test]
        fn no_subject_ends_its_header(subject in any::<String>()) {
            let line = one_line(&subject);
            prop_assert!(!line.chars().any(char::is_control));
            prop_assert_eq!(line.lines().count() <= 1, true);
        }
    }
}
