//! A deployment whose requests wait for people, and `notify` beside it.

use axiru_aws::approval::Minter;
use axiru_aws::mail::Mailer;
use axiru_domain::{LogId, RequestId};
use axiru_fn_notify::{App, handle};
use axiru_in_process as local;
use axiru_in_process::{InProcess, Retries, SentMail};
use axiru_ledger::entry::Entry;
use serde_json::{Value, json};

use crate::acting::{acting_as, store_of};
pub(super) use crate::approvals::ground::{ANNA, BEN, OWEN, Room, pass, person, scope};
use crate::approvals::ground::{DEPLOYMENT, now};

/// Where Anna's mail goes.
pub(super) const ANNAS: &str = "anna@shop.example";
/// Where Ben's mail goes.
pub(super) const BENS: &str = "ben@shop.example";
/// Where the mail of Owen goes, who asks.
pub(super) const OWENS: &str = "owen@shop.example";

/// A deployment that mails.
pub(super) struct Post {
    pub(super) room: Room,
    app: App,
}

impl Post {
    /// Requests wait for one of Anna and Ben, and operators are told with every run.
    pub(super) async fn new() -> Self {
        Self::with(InProcess::new().unwrap(), Retries::Off, 0).await
    }

    pub(super) async fn with(account: InProcess, retries: Retries, digest_minutes: u32) -> Self {
        let room = Room::with(account, retries).await;
        Self::beside(room, digest_minutes)
    }

    fn beside(room: Room, digest_minutes: u32) -> Self {
        let (account, retries) = (&room.ground.account, room.ground.retries);
        let notify = acting_as("NotifyRole", account, retries);
        let store = store_of(&notify);
        let minter = Minter::new(store.clone(), notify.kms, DEPLOYMENT, "one", local::LINK_KEY_ID);
        let mailer = Mailer::new(notify.ses, local::MAIL_FROM, local::MAIL_CONFIGURATION_SET);
        let url = "https://axiru.test".parse().unwrap();
        let app = App::new(store, minter, Some(mailer), url, digest_minutes, now);
        Self { room, app }
    }

    /// The same deployment after a restart of every function.
    pub(super) fn restarted(&self, digest_minutes: u32) -> Self {
        Self::beside(self.room.restarted(), digest_minutes)
    }

    /// One run on the schedule.
    pub(super) async fn run(&self) -> Result<(), String> {
        self.handle(json!({"source": "aws.events"})).await.map(drop)
    }

    /// The ledger's stream rings.
    pub(super) async fn ring(&self) -> Result<(), String> {
        let log = LogId::from_key(&format!("{}#0", scope().key())).unwrap();
        let record =
            json!({"eventSource": "aws:dynamodb", "dynamodb": {"Keys": {"pk": {"S": log.key()}, "seq": {"N": "0"}}}});
        self.handle(json!({"Records": [record]})).await.map(drop)
    }

    /// The queue of returns hands over messages; the ids of those that come back.
    pub(super) async fn returned(&self, bodies: &[String]) -> Vec<String> {
        let record = |(index, body): (usize, &String)| json!({"eventSource": "aws:sqs", "messageId": format!("m{index}"), "body": body});
        let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
        let answer = self.handle(json!({"Records": records})).await.unwrap();
        let failures = answer["batchItemFailures"].as_array().unwrap().iter();
        failures.map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) async fn handle(&self, event: Value) -> Result<Value, String> {
        handle(&self.app, &event).await.map_err(|error| error.to_string())
    }

    /// Every mail, oldest first.
    pub(super) fn mails(&self) -> Vec<SentMail> {
        self.room.ground.account.mails()
    }

    /// The mails to one address, oldest first.
    pub(super) fn mails_to(&self, address: &str) -> Vec<SentMail> {
        self.mails().into_iter().filter(|mail| mail.to == [address]).collect()
    }

    /// The subjects of the mails to one address.
    pub(super) fn subjects(&self, address: &str) -> Vec<String> {
        self.mails_to(address).into_iter().map(|mail| mail.subject).collect()
    }

    /// Every entry of the scope's one log.
    pub(super) async fn entries(&self) -> Vec<Entry> {
        let log = LogId::from_key(&format!("{}#0", scope().key())).unwrap();
        self.room.store().entries(&log, 0, 1_000).await.unwrap()
    }

    /// Entries of a type.
    pub(super) async fn told(&self, ty: &str) -> Vec<Entry> {
        self.entries().await.into_iter().filter(|entry| entry.ty() == ty).collect()
    }

    /// The refund of so much waits for people.
    pub(super) async fn held(&self, key: &str) -> RequestId {
        self.room.held(key, 20_000).await
    }

    /// What SES says of a mail to a person: a recorded event, about them.
    pub(super) fn event(&self, recorded: &str, who: &str, address: &str, report: &str) -> String {
        let mut event: Value = serde_json::from_str(recorded).unwrap();
        let tags = &mut event["detail"]["mail"]["tags"];
        tags["mode"] = json!([scope().mode().as_str()]);
        tags["account"] = json!([scope().account().as_str()]);
        tags["person"] = json!([who]);
        tags["request"] = json!(["none"]);
        for (part, list) in [("bounce", "bouncedRecipients"), ("complaint", "complainedRecipients")] {
            if event["detail"][part].is_object() {
                event["detail"][part]["feedbackId"] = report.into();
                event["detail"][part][list][0]["emailAddress"] = address.into();
            }
        }
        event.to_string()
    }
}

/// The one link of a mail: its address, from the text.
pub(super) fn link_of(mail: &SentMail) -> String {
    let words = mail.text.split_whitespace().filter(|word| word.starts_with("https://"));
    let links: Vec<&str> = words.collect();
    assert_eq!(links.len(), 1, "{}", mail.text);
    links[0].to_owned()
}
