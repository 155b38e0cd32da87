//! One mail through the real SES client: what it carries, and how a failure is told.

use axiru_aws::Retry;
use axiru_aws::mail::{Mail, Mailer};
use axiru_domain::{PersonId, RequestId, Scope};
use axiru_in_process::{Fault, InProcess, MAIL_CONFIGURATION_SET, MAIL_FROM, Retries};

fn mailer(account: &InProcess) -> Mailer {
    Mailer::new(account.ses(Retries::Off), MAIL_FROM, MAIL_CONFIGURATION_SET)
}

/// Sends one mail about one request.
async fn send(mailer: &Mailer, to: &str, subject: &str) -> Result<String, axiru_aws::AwsError> {
    let scope: Scope = "live/acct_123".parse().unwrap();
    let person: PersonId = "per_rosarosarosarosa".parse().unwrap();
    let request: RequestId = format!("dec_{}", "0".repeat(32)).parse().unwrap();
    let mail = Mail {
        to,
        subject,
        text: "text",
        html: "<p>html</p>",
        scope: &scope,
        person: &person,
        request: Some(&request),
    };
    mailer.send(&mail).await
}

#[tokio::test]
async fn a_mail_bears_what_it_is_about_and_that_nobody_wrote_it() {
    let account = InProcess::new().unwrap();
    let id = send(&mailer(&account), "rosa@example.com", "[LIVE] Approve\r\nBcc: x@example.com").await.unwrap();
    let mails = account.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].id, id);
    assert_eq!(mails[0].to, ["rosa@example.com"]);
    assert_eq!(mails[0].subject, "[LIVE] Approve  Bcc: x@example.com");
    assert_eq!((mails[0].text.as_str(), mails[0].html.as_str()), ("text", "<p>html</p>"));
    let tags: Vec<(&str, &str)> = mails[0].tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let request = format!("dec_{}", "0".repeat(32));
    assert_eq!(
        tags,
        [("account", "acct_123"), ("mode", "live"), ("person", "per_rosarosarosarosa"), ("request", request.as_str())]
    );
    assert_eq!(mails[0].headers.len(), 1);
    assert_eq!(mails[0].headers["Auto-Submitted"], "auto-generated");
}

#[tokio::test]
async fn what_ses_says_of_one_address_is_final_and_everything_else_waits() {
    for fault in [Fault::Fail, Fault::Reset, Fault::Throttle, Fault::ApplyThenFail, Fault::ApplyThenReset] {
        let account = InProcess::new().unwrap();
        account.faults().at(0, fault);
        let error = send(&mailer(&account), "rosa@example.com", "s").await.unwrap_err();
        assert_eq!(error.retry(), Retry::Later, "{fault}: {error}");
    }
    let account = InProcess::new().unwrap();
    account.refuse_mail_to("gone@example.com");
    let refused = send(&mailer(&account), "gone@example.com", "s").await.unwrap_err();
    assert_eq!((refused.retry(), refused.code()), (Retry::Never, "MessageRejected"));
    let nonsense = send(&mailer(&account), "nowhere", "s").await.unwrap_err();
    assert_eq!((nonsense.retry(), nonsense.code()), (Retry::Never, "BadRequestException"));
    // A deployment that is set up wrong loses no mail: it waits until that is repaired.
    let elsewhere = Mailer::new(account.ses(Retries::Off), MAIL_FROM, "no-such-set");
    let missing = send(&elsewhere, "rosa@example.com", "s").await.unwrap_err();
    assert_eq!((missing.retry(), missing.code()), (Retry::Later, "NotFoundException"));
    assert!(account.mails().is_empty());
}

#[tokio::test]
async fn an_error_names_no_address() {
    let account = InProcess::new().unwrap();
    account.refuse_mail_to("gone@example.com");
    let error = send(&mailer(&account), "gone@example.com", "s").await.unwrap_err();
    for told in [format!("{error}"), format!("{error:?}")] {
        assert!(!told.contains("gone@"), "{told}");
    }
}
