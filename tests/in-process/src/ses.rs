//! SES: SendEmail with simple content, from one verified address and with one configuration set. Nothing is delivered: what was taken is
//! listed. The limits are those of the API's reference (`MessageTag`, `MessageHeader`, `Destination`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::dump::{Dump, Piece};
use crate::names::{MAIL_CONFIGURATION_SET, MAIL_FROM};
use crate::wire::{Reply, WireRequest, text};

/// Most recipients of one mail.
const MAX_RECIPIENTS: u64 = 50;
/// Most headers of one mail.
const MAX_HEADERS: usize = 15;

/// A mail that SES has taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentMail {
    /// The id that SES answered with.
    pub id: String,
    /// The address it is from.
    pub from: String,
    /// The addresses it is to.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// The tags, by name.
    pub tags: BTreeMap<String, String>,
    /// Headers beside those that SES writes, by name.
    pub headers: BTreeMap<String, String>,
}

/// What was sent, and to whom nothing is.
#[derive(Default)]
pub(crate) struct Ses {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    mails: Vec<SentMail>,
    refused: BTreeSet<String>,
}

/// An error's status, code and message.
type Refusal = (u16, &'static str, String);

impl Ses {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn mails(&self) -> Vec<SentMail> {
        self.state().mails.clone()
    }

    pub(crate) fn refuse(&self, address: &str) {
        self.state().refused.insert(address.to_owned());
    }

    pub(crate) fn answer(&self, request: &WireRequest) -> Reply {
        if request.operation != "SendEmail" {
            return Reply::json_error(404, "NotFoundException", "no double of this operation");
        }
        let mut state = self.state();
        match read(&request.json(), &state.refused) {
            Ok(mail) => {
                let id = format!("0102019a-mail-{}", state.mails.len() + 1);
                state.mails.push(SentMail { id: id.clone(), ..mail });
                Reply::json(&json!({ "MessageId": id }))
            }
            Err((status, code, message)) => Reply::json_error(status, code, &message),
        }
    }

    pub(crate) fn dump(&self, into: &mut Dump) {
        for mail in self.mails() {
            let place = |part: &str| format!("ses mail {} {part}", mail.id);
            for (part, content) in [("subject", &mail.subject), ("text", &mail.text), ("html", &mail.html)] {
                into.pieces.push(Piece { place: place(part), bytes: content.clone().into_bytes() });
            }
            let envelope = format!("{:?} {:?} {:?}", mail.to, mail.tags, mail.headers);
            into.pieces.push(Piece { place: place("envelope"), bytes: envelope.into_bytes() });
        }
    }
}

/// The mail that a request asks for, if SES takes it.
fn read(body: &Value, refused: &BTreeSet<String>) -> Result<SentMail, Refusal> {
    let part = |name: &str| body.pointer(&format!("/Content/Simple/{name}")).unwrap_or(&Value::Null);
    let content = |name: &str| part(name).get("Data").and_then(Value::as_str).map(str::to_owned);
    let (Some(subject), Some(plain)) = (content("Subject"), content("Body/Text")) else {
        return Err((400, "BadRequestException", "Missing required content".to_owned()));
    };
    if ["Subject", "Body/Text", "Body/Html"].iter().any(|name| text(part(name), "Charset") != "UTF-8") {
        return Err((400, "BadRequestException", "this double takes UTF-8 only".to_owned()));
    }
    if subject.contains(['\r', '\n']) {
        return Err((400, "BadRequestException", "Subject contains control characters".to_owned()));
    }
    let from = text(body, "FromEmailAddress").to_owned();
    if from != MAIL_FROM {
        let message = format!("Email address is not verified. The following identities failed the check: {from}");
        return Err((400, "MessageRejected", message));
    }
    let set = text(body, "ConfigurationSetName");
    if !set.is_empty() && set != MAIL_CONFIGURATION_SET {
        return Err((404, "NotFoundException", format!("Configuration set <{set}> does not exist.")));
    }
    let to = recipients(body)?;
    if let Some(address) = to.iter().find(|address| refused.contains(*address)) {
        return Err((400, "MessageRejected", format!("Address is refused: {address}")));
    }
    let tags = pairs(body.get("EmailTags"));
    if !tags.iter().flat_map(|(name, value)| [name, value]).all(|part| is_tag(part)) {
        return Err((400, "BadRequestException", "Invalid tag".to_owned()));
    }
    let headers = pairs(Some(part("Headers")));
    if headers.len() > MAX_HEADERS || !headers.iter().all(|(name, value)| is_header(name, value)) {
        return Err((400, "BadRequestException", "Invalid header".to_owned()));
    }
    let html = content("Body/Html").unwrap_or_default();
    Ok(SentMail { id: String::new(), from, to, subject, text: plain, html, tags, headers })
}

fn recipients(body: &Value) -> Result<Vec<String>, Refusal> {
    let list = |name: &str| -> Vec<String> {
        let list = body.pointer(&format!("/Destination/{name}")).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|address| address.as_str().map(str::to_owned)).collect()
    };
    let (to, more) = (list("ToAddresses"), [list("CcAddresses"), list("BccAddresses")].concat());
    let count = to.len() as u64 + more.len() as u64;
    if count == 0 || count > MAX_RECIPIENTS || !more.is_empty() {
        return Err((400, "BadRequestException", "Recipient count is not between 1 and 50".to_owned()));
    }
    let local = |address: &String| {
        address.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
    };
    if to.iter().all(local) { Ok(to) } else { Err((400, "BadRequestException", "Illegal address".to_owned())) }
}

/// `Name` and `Value` of each member of a list.
fn pairs(list: Option<&Value>) -> BTreeMap<String, String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.map(|pair| (text(pair, "Name").to_owned(), text(pair, "Value").to_owned())).collect()
}

fn is_tag(part: &str) -> bool {
    (1..=256).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

fn is_header(name: &str, value: &str) -> bool {
    (1..=126).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b':')
        && (1..=995).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}
