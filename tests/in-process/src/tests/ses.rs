//! The SES double: what it takes, and what it refuses in SES's own words.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};

use super::{account, code};
use crate::{Fault, MAIL_CONFIGURATION_SET, MAIL_FROM, Retries, Service};

fn content(text: &str) -> Content {
    Content::builder().data(text).charset("UTF-8").build().unwrap()
}

/// A mail that is taken, to be spoilt.
fn mail(client: &Client, subject: &str, header: &str) -> SendEmailFluentBuilder {
    let body = Body::builder().text(content("text")).html(content("<p>text</p>")).build();
    let header = MessageHeader::builder().name("Auto-Submitted").value(header).build().unwrap();
    let message = Message::builder().subject(content(subject)).body(body).headers(header).build();
    client
        .send_email()
        .from_email_address(MAIL_FROM)
        .destination(Destination::builder().to_addresses("rosa@example.com").build())
        .configuration_set_name(MAIL_CONFIGURATION_SET)
        .email_tags(MessageTag::builder().name("mode").value("test").build().unwrap())
        .content(EmailContent::builder().simple(message).build())
}

#[tokio::test]
async fn what_is_sent_is_listed_as_it_was_sent() {
    let account = account();
    let client = account.ses(Retries::Off);
    let sent = mail(&client, "Grüße", "auto-generated").send().await.unwrap();
    let mails = account.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].id, sent.message_id.unwrap());
    assert_eq!(
        (mails[0].from.as_str(), mails[0].to.as_slice()),
        (MAIL_FROM, ["rosa@example.com".to_owned()].as_slice())
    );
    assert_eq!((mails[0].subject.as_str(), mails[0].text.as_str()), ("Grüße", "text"));
    assert_eq!(mails[0].html, "<p>text</p>");
    assert_eq!(
        (mails[0].tags["mode"].as_str(), mails[0].headers["Auto-Submitted"].as_str()),
        ("test", "auto-generated")
    );
    assert_eq!(account.calls().iam_actions(), [("ses:SendEmail".to_owned(), MAIL_FROM.to_owned())]);
    assert_eq!(account.calls().of(Service::Ses).operations(), ["SendEmail"]);
    for needle in ["Grüße", "rosa@example.com", "<p>text</p>"] {
        assert_eq!(account.dump().unwrap().find(needle).len(), 1, "{needle}");
    }
}

#[tokio::test]
async fn what_ses_would_refuse_is_refused() {
    let account = account();
    let client = account.ses(Retries::Off);
    let good = || mail(&client, "s", "auto-generated");
    let tag = |value: &str| MessageTag::builder().name("person").value(value).build().unwrap();
    let to = |address: &str| Destination::builder().to_addresses(address).build();
    account.refuse_mail_to("gone@example.com");
    assert_eq!(code(good().from_email_address("other@shop.example").send().await), "MessageRejected");
    assert_eq!(code(good().destination(to("gone@example.com")).send().await), "MessageRejected");
    assert_eq!(code(good().destination(to("nowhere")).send().await), "BadRequestException");
    assert_eq!(code(good().destination(Destination::builder().build()).send().await), "BadRequestException");
    assert_eq!(code(good().configuration_set_name("other").send().await), "NotFoundException");
    assert_eq!(code(good().email_tags(tag("a b")).send().await), "BadRequestException");
    assert_eq!(code(good().email_tags(tag("")).send().await), "BadRequestException");
    assert_eq!(code(mail(&client, "s\r\nBcc: x@example.com", "a").send().await), "BadRequestException");
    assert_eq!(code(mail(&client, "s", "a\r\nBcc: x@example.com").send().await), "BadRequestException");
    assert!(account.mails().is_empty());
    good().send().await.unwrap();
    assert_eq!(account.mails().len(), 1);
}

#[tokio::test]
async fn faults_are_those_of_any_call_that_writes() {
    for (fault, sent) in [
        (Fault::Fail, 0),
        (Fault::Reset, 0),
        (Fault::Throttle, 0),
        (Fault::ApplyThenFail, 1),
        (Fault::ApplyThenReset, 1),
    ] {
        let account = account();
        let client = account.ses(Retries::Off);
        account.faults().at(0, fault);
        assert!(mail(&client, "s", "a").send().await.is_err(), "{fault}");
        assert_eq!(account.mails().len(), sent, "{fault}");
        assert!(Fault::applicable(Service::Ses, "SendEmail").contains(&fault), "{fault}");
    }
    // With the SDK's own retries a mail that was taken and failed is sent again: two of it.
    let account = account();
    let client = account.ses(Retries::On);
    account.faults().at(0, Fault::ApplyThenFail);
    mail(&client, "s", "a").send().await.unwrap();
    assert_eq!(account.mails().len(), 2);
    assert_eq!(code(client.get_account().send().await.map(|_| ())), "NotFoundException");
}
