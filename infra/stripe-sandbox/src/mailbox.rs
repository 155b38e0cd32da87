//! The mailbox: the mails that the local stack's SES has taken, to be read in a browser. No part of Stripe; it is here because people find
//! both at one address.
//!
//! The local stack lists what was sent at `/_ministack/ses/messages`. Nothing of a mail is trusted: its text is escaped, its HTML is shown in
//! a frame that runs nothing and loads nothing.

mod moment;
mod page;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Host, Url};

/// The list is on this machine; more means that it hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the mails are listed.
#[derive(Clone, Debug)]
pub struct Mailbox {
    list: Url,
    client: reqwest::Client,
}

/// The address is not one of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address of this machine, such as `http://127.0.0.1:8789`")]
pub struct MailboxError;

/// A mail as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Shown {
    /// Its number, counted from 1 since the stack was started afresh.
    n: usize,
    /// The id that SES gave it.
    id: String,
    from: String,
    to: Vec<String>,
    subject: String,
    text: String,
    html: String,
    /// When SES took it, in seconds since 1970.
    at: i64,
}

/// A mail as the local stack lists it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    message_id: String,
    source: String,
    #[serde(default)]
    to: Vec<String>,
    subject: String,
    body_text: Option<String>,
    body_html: Option<String>,
    timestamp: Value,
}

/// Why nothing can be shown.
enum Trouble {
    /// The sandbox was not told where the mails are.
    Alone,
    /// The local stack does not answer, or says something else.
    Silent,
    /// There is no mail of that number.
    Unknown,
}

impl Mailbox {
    /// The mails that the local stack at that address has taken. Only an address of this machine is asked.
    ///
    /// # Errors
    /// [`MailboxError`].
    pub fn new(endpoint: &str) -> Result<Self, MailboxError> {
        let url: Url = endpoint.parse().map_err(|_| MailboxError)?;
        let here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let list = url.join("/_ministack/ses/messages").map_err(|_| MailboxError)?;
        let client = reqwest::Client::builder().timeout(PATIENCE).build().map_err(|_| MailboxError)?;
        if here && url.scheme() == "http" { Ok(Self { list, client }) } else { Err(MailboxError) }
    }

    /// Every mail, the newest first.
    async fn mails(&self) -> Result<Vec<Shown>, Trouble> {
        let answer = self.client.get(self.list.clone()).send().await.map_err(|_| Trouble::Silent)?;
        let body = answer.bytes().await.map_err(|_| Trouble::Silent)?;
        let listed: Value = serde_json::from_slice(&body).map_err(|_| Trouble::Silent)?;
        shown(&listed).ok_or(Trouble::Silent)
    }
}

/// The mails of an answer, the newest first; none where it is of another shape.
fn shown(body: &Value) -> Option<Vec<Shown>> {
    let accounts = body.get("messages")?.as_object()?;
    let mut listed: Vec<Listed> = Vec::new();
    for mails in accounts.values() {
        listed.extend(Vec::<Listed>::deserialize(mails).ok()?);
    }
    let show = |(index, mail): (usize, Listed)| Shown {
        n: index + 1,
        id: mail.message_id,
        from: mail.source,
        to: mail.to,
        subject: mail.subject,
        text: mail.body_text.unwrap_or_default(),
        html: mail.body_html.unwrap_or_default(),
        at: seconds(&mail.timestamp),
    };
    let mut shown: Vec<Shown> = listed.into_iter().enumerate().map(show).collect();
    shown.reverse();
    Some(shown)
}

/// Whole seconds of a number with a fraction, without going by way of a float.
fn seconds(timestamp: &Value) -> i64 {
    timestamp.to_string().split('.').next().and_then(|whole| whole.parse().ok()).unwrap_or(0)
}

/// `/mailbox`, `/mailbox/{n}` and `/mailbox.json`.
pub(crate) fn router(mailbox: Option<Mailbox>) -> Router {
    Router::new()
        .route("/mailbox", get(list))
        .route("/mailbox.json", get(json))
        .route("/mailbox/{n}", get(one))
        .with_state(mailbox)
}

async fn mails(mailbox: Option<Mailbox>) -> Result<Vec<Shown>, Trouble> {
    mailbox.ok_or(Trouble::Alone)?.mails().await
}

async fn list(State(mailbox): State<Option<Mailbox>>) -> Response {
    match mails(mailbox).await {
        Ok(mails) => html(StatusCode::OK, page::list(&mails)),
        Err(trouble) => trouble.response(),
    }
}

async fn one(State(mailbox): State<Option<Mailbox>>, Path(n): Path<String>) -> Response {
    let found = mails(mailbox).await.and_then(|mails| {
        let number = n.parse::<usize>().ok();
        mails.into_iter().find(|mail| Some(mail.n) == number).ok_or(Trouble::Unknown)
    });
    match found {
        Ok(mail) => html(StatusCode::OK, page::one(&mail)),
        Err(trouble) => trouble.response(),
    }
}

async fn json(State(mailbox): State<Option<Mailbox>>) -> Response {
    match mails(mailbox).await {
        Ok(mails) => {
            let body = serde_json::to_string(&mails).unwrap_or_default();
            answer(Response::builder().header(CONTENT_TYPE, "application/json").body(Body::from(body)))
        }
        Err(trouble) => trouble.response(),
    }
}

impl Trouble {
    fn response(self) -> Response {
        let (status, says) = match self {
            Self::Alone => {
                (StatusCode::NOT_FOUND, "This sandbox runs without a local stack: there are no mails to show.")
            }
            Self::Silent => (StatusCode::BAD_GATEWAY, "The local stack does not list its mails now."),
            Self::Unknown => (StatusCode::NOT_FOUND, "There is no mail of that number."),
        };
        html(status, page::trouble(says))
    }
}

fn html(status: StatusCode, page: String) -> Response {
    // What a frame holds is under the same rules: no script, nothing loaded.
    const RULES: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let response = Response::builder().status(status).header(CONTENT_TYPE, "text/html; charset=utf-8");
    answer(
        response.header(CONTENT_SECURITY_POLICY, RULES).header("referrer-policy", "no-referrer").body(Body::from(page)),
    )
}

fn answer(response: Result<Response, http::Error>) -> Response {
    response.unwrap_or_else(|_| Response::new(Body::from("the answer could not be written as HTTP")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn listed() -> Value {
        let mail = |n: u32, subject: &str| {
            json!({"MessageId": format!("m{n}"), "Source": "axiru@shop.example", "To": ["rosa@shop.example"], "CC": [], "BCC": [],
                "Subject": subject, "BodyText": "Look: http://127.0.0.1:8787/approvals/abc.", "BodyHtml": "<p>x</p>",
                "Timestamp": 1_793_491_199.25, "Type": "v2.SendEmail"})
        };
        json!({"messages": {"000000000000": [mail(1, "first"), mail(2, "<script>alert(1)</script>")]}})
    }

    #[test]
    fn mails_are_listed_newest_first_under_numbers_that_stay() {
        let mails = shown(&listed()).unwrap();
        assert_eq!(mails.iter().map(|mail| (mail.n, mail.id.as_str())).collect::<Vec<_>>(), [(2, "m2"), (1, "m1")]);
        assert_eq!(mails[0].at, 1_793_491_199);
        assert_eq!(shown(&json!({"messages": {}})).unwrap(), []);
        for bad in [json!({}), json!({"messages": {"0": [{}]}}), json!([])] {
            assert!(shown(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn nothing_of_a_mail_runs() {
        let mut mails = shown(&listed()).unwrap();
        mails[0].html = "\"><script>alert(2)</script>".to_owned();
        mails[0].text = "<img src=x onerror=alert(3)> http://a.example/\"onmouseover=x".to_owned();
        for page in [page::list(&mails), page::one(&mails[0])] {
            assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("\"onmouseover"), "{page}");
        }
        assert!(page::one(&mails[0]).contains("sandbox=\"\""));
    }

    #[test]
    fn links_of_the_text_can_be_followed_without_what_ends_the_sentence() {
        let mails = shown(&listed()).unwrap();
        let page = page::one(&mails[0]);
        let link = "<a href=\"http://127.0.0.1:8787/approvals/abc\" rel=\"noreferrer\">http://127.0.0.1:8787/approvals/abc</a>.";
        assert!(page.contains(link), "{page}");
    }

    #[test]
    fn only_this_machine_is_asked() {
        for here in ["http://127.0.0.1:8789", "http://localhost:1", "http://[::1]:8789"] {
            assert!(Mailbox::new(here).is_ok(), "{here}");
        }
        for elsewhere in
            ["http://169.254.169.254", "https://example.com", "http://127.0.0.1.example.com", "file:///etc", ""]
        {
            assert!(Mailbox::new(elsewhere).is_err(), "{elsewhere}");
        }
    }
}
